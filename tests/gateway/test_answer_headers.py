"""What the answers of /socket.io/ tell browsers and caches."""

import pytest
from tornado.httpclient import AsyncHTTPClient

from tests.support.gateway.wire import RawSocket, address

EXPECTED = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def shown(headers):
    return {name: headers.get(name) for name in EXPECTED}


@pytest.mark.parametrize("query", [{}, {"EIO": "3"}, {"sid": "unknown"}], ids=str)
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
async def test_no_cache_keeps_a_poll_and_nothing_names_the_server(serve, method, query):
    """Polls carry messages: neither an answer nor a refusal is kept, sniffed or embedded."""
    async with serve() as chat:
        url = address(chat, "polling", **query)
        answer = await AsyncHTTPClient().fetch(
            url, method=method, raise_error=False, allow_nonstandard_methods=True
        )
        assert shown(answer.headers) == EXPECTED
        assert "Server" not in answer.headers


async def test_a_poll_of_a_session_has_the_headers_too(serve):
    """The opening, the poll and the post."""
    async with serve() as chat:
        client = AsyncHTTPClient()
        opened = await client.fetch(address(chat, "polling"))
        session = opened.body.decode().partition('"sid":"')[2].partition('"')[0]
        url = address(chat, "polling", sid=session)
        posted = await client.fetch(url, method="POST", body='40/chat,{"token":"x"}')
        polled = await client.fetch(url)
        for answer in (opened, posted, polled):
            assert answer.code == 200
            assert shown(answer.headers) == EXPECTED
            assert "Server" not in answer.headers


async def test_a_websocket_is_still_a_websocket(serve):
    """The headers of the 101 disturb nobody."""
    async with serve() as chat:
        raw = await RawSocket.enter(chat)
        assert "Server" not in raw.headers
        assert await raw.is_alive()
