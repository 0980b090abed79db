"""Reads a proxy's headers: the client of a request, and the scheme, host and path it asked for."""

import re
from collections.abc import Awaitable, Iterator
from typing import Any, Final

import structlog
from tornado.httputil import (
    HTTPHeaders,
    HTTPMessageDelegate,
    RequestStartLine,
    ResponseStartLine,
)

from chat.net.addresses import Networks, read_address
from chat.settings import PATH_PREFIX

_HOST: Final = re.compile(r"([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?")
_SCHEMES: Final = {"http": "http", "ws": "http", "https": "https", "wss": "https"}
_PARAMETER: Final = re.compile(r'(?:^|[;,])\s*([\w-]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^";,\s]*)')
"""One `name=value` of a Forwarded header (RFC 7239)."""

_log = structlog.get_logger("chat.http")


class ProxiedRequest(HTTPMessageDelegate):
    """Rewrites a request to what its client asked the proxy for, before anything else reads it.

    Afterwards `remote_ip`, `protocol` and `host` of the request are the client's, and its path has
    no prefix. `proxies` is None if the request comes from no trusted proxy: then only the prefix
    is removed.

    If a header lists several hosts or schemes, the first is the client's. A page of another site
    cannot set these headers: the browser would ask in a preflight, whose answer allows none.
    """

    def __init__(
        self, delegate: HTTPMessageDelegate, context: Any, proxies: Networks | None, prefix: str
    ) -> None:
        self._delegate = delegate
        self._context = context
        self._proxies = proxies
        self._prefix = prefix

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> Awaitable[None] | None:
        context, prefix = self._context, self._prefix
        context._unapply_xheaders()
        context.prefix = ""
        if self._proxies is not None:
            forwarded = dict(reversed(list(_parameters(headers))))
            context.remote_ip = _client(headers, context.remote_ip, self._proxies)
            scheme = _first(headers, "X-Scheme", "X-Forwarded-Proto") or forwarded.get("proto", "")
            context.protocol = _SCHEMES.get(scheme.lower(), context.protocol)
            host = _first(headers, "X-Forwarded-Host") or forwarded.get("host", "")
            if _HOST.fullmatch(host):
                headers["Host"] = host
            told = _first(headers, "X-Forwarded-Prefix").rstrip("/")
            prefix = told if PATH_PREFIX.fullmatch(told) else prefix
        if isinstance(start_line, RequestStartLine) and prefix:
            path, mark, query = start_line.path.partition("?")
            if path == prefix or path.startswith(f"{prefix}/"):
                context.prefix = prefix
                start_line = start_line._replace(path=path[len(prefix) :] + mark + query)
        return self._delegate.headers_received(start_line, headers)

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        return self._delegate.data_received(chunk)

    def finish(self) -> None:
        self._delegate.finish()

    def on_connection_close(self) -> None:
        self._delegate.on_connection_close()


def _client(headers: HTTPHeaders, peer: str, proxies: Networks) -> str:
    """Return the last address that is not a proxy's, from the first header with an address.

    If no header has an address, the client is `peer`, the proxy that the request came from.
    """
    real, forwarded = headers.get("X-Real-Ip", ""), headers.get("X-Forwarded-For", "")
    told = (
        real.split(","),
        forwarded.split(","),
        [value for name, value in _parameters(headers) if name == "for"],
    )
    unreadable = None
    for entries in told:
        found = None
        for entry in reversed([each.strip() for each in entries if each.strip()]):
            address = read_address(entry)
            if address is None:
                unreadable = unreadable or entry
                break
            found = address
            if address not in proxies:
                break
        if found is not None:
            return found
    if unreadable is not None:
        _log.warning("forwarded_address_unreadable", entry=unreadable, counted_as=peer)
    return peer


def _first(headers: HTTPHeaders, *names: str) -> str:
    """Return the first value of the first of these headers that has a value."""
    for name in names:
        for value in headers.get(name, "").split(","):
            if value.strip():
                return value.strip()
    return ""


def _parameters(headers: HTTPHeaders) -> Iterator[tuple[str, str]]:
    """Yield the names and values of Forwarded, in their order."""
    text = headers.get("Forwarded")
    if text:
        for name, value in _PARAMETER.findall(text):
            yield name.lower(), value.strip('"')
