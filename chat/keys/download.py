"""Download the host's key set: bounded in size and time, and only from that host."""

from typing import Final
from urllib.parse import urljoin, urlsplit

from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest

from chat.keys.fetcher import MAX_KEY_SET_BYTES, KeySetError

TIMEOUT_S: Final = 3.0
MAX_REDIRECTS: Final = 3
_REDIRECTS: Final = (301, 302, 303, 307, 308)


async def download_key_set(url: str, timeout_s: float = TIMEOUT_S) -> str:
    """Fetch the text at a URL.

    Redirects are followed within its host, and never from https to http.
    """
    # Not the shared client, which may be waiting for the slow hosts of plugins.
    client = AsyncHTTPClient(force_instance=True, max_body_size=MAX_KEY_SET_BYTES)
    try:
        for _ in range(MAX_REDIRECTS + 1):
            request = HTTPRequest(
                url,
                request_timeout=timeout_s,
                follow_redirects=False,
                # The limit counts packed bytes; an unpacked answer would be longer.
                decompress_response=False,
            )
            response = await client.fetch(request, raise_error=False)
            if response.code not in _REDIRECTS:
                response.rethrow()
                return response.body.decode("utf-8-sig")
            url = _within_host(url, response.headers.get("Location", ""))
        raise KeySetError("too many redirects")
    except HTTPClientError as error:
        if error.code == 599 and "too long" in str(error).lower():
            raise KeySetError("the answer is too long") from None
        raise
    finally:
        client.close()


def _within_host(url: str, location: str) -> str:
    target = urljoin(url, location)
    before, after = urlsplit(url), urlsplit(target)
    if after.hostname != before.hostname or after.scheme not in ("https", before.scheme):
        raise KeySetError("a redirect leads away from the host")
    return target
