"""Tornado's HTTP server, made fit for a port that anybody can reach: it keeps files free, does not
spin when there are none, lets nobody dawdle, and believes only proxies that it was told of.
"""

import asyncio
import errno
import resource
import socket
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final

import orjson
import structlog
import tornado.web
from tornado.httpserver import HTTPServer
from tornado.iostream import IOStream, StreamClosedError

from chat.errors import FULL_RETRY_S, ChatError, ErrorCode
from chat.http.headers import ANSWER
from chat.http.proxies import ProxiedRequest
from chat.net.addresses import Networks, home_of
from chat.settings import Settings

MAX_HEADER_BYTES: Final = 32 * 1024
CHUNK_BYTES: Final = 64 * 1024
ACCEPTS_A_TURN: Final = 8
CONNECTIONS_A_SOCKET: Final = 2
"""One that polls has a poll and a POST on their way."""

PAUSE_S: Final = 1.0
"""How long nobody is let in when the system has no more files: without it the loop would spin."""

REFUSED_WITHIN_S: Final = 2.0
_ANSWER_LINES: Final = "".join(f"{name}: {value}\r\n" for name, value in ANSWER.items())
_OUT_OF_FILES: Final = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
_log = structlog.get_logger("chat.http")


def make_http_server(application: tornado.web.Application, settings: Settings) -> "ChatHttpServer":
    """The server for an application; `add_sockets` makes it listen."""
    server = ChatHttpServer(
        application,
        # Of handlers that want none. Those that do count what they hold, and raise this for each
        # request (chat/http/bodies.py).
        max_body_size=CHUNK_BYTES,
        chunk_size=CHUNK_BYTES,
        max_buffer_size=MAX_HEADER_BYTES + 4 * CHUNK_BYTES,
        max_header_size=MAX_HEADER_BYTES,
        idle_connection_timeout=settings.idle_connection_s,
        body_timeout=settings.body_within_s,
    )
    server.keep_free(settings.spare_files)
    server.bound_addresses(CONNECTIONS_A_SOCKET * settings.max_sockets_per_address)
    server.proxies = Networks(settings.trusted_proxies if settings.trust_proxy else ())
    server.public_path = settings.public_path or ""
    return server


class ChatHttpServer(HTTPServer):
    """Leans on Tornado 6.6: TCPServer's `_sockets`, `_handlers`, `_handle_connection`, and the
    request context's `_orig_remote_ip`.
    """

    proxies = Networks(())
    public_path = ""

    def bound_addresses(self, most: int) -> None:
        """Refuse new connections of an address that has so many. One that becomes a websocket is
        counted by the gateway instead; trusted proxies are not counted.
        """
        self._most_of_one = most
        self._of_one: Counter[str] = Counter()

    def keep_free(self, spare_files: int) -> None:
        """Refuse new connections while no more than so many files are left to this process.

        Half of them are for those who are told so, the rest for the store, the logs and plugins.
        """
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        if limit == resource.RLIM_INFINITY:
            limit = 2**31
        spare = min(spare_files, limit // 4)
        # A new file bears the lowest free number: one of n and above says that n files are open.
        self._full_at, self._crammed_at = limit - spare, limit - spare // 2

    def add_sockets(self, sockets: Iterable[socket.socket]) -> None:
        for each in sockets:
            self._sockets[each.fileno()] = each
            self._handlers[each.fileno()] = _accept(each, self._handle_connection)

    def handle_stream(  # type: ignore[override]  # TCPServer's own says that this may be awaited
        self, stream: IOStream, address: tuple[Any, ...]
    ) -> Awaitable[None] | None:
        number = stream.socket.fileno()
        home = home_of(address[0])
        crowded = self._of_one[home] >= self._most_of_one and address[0] not in self.proxies
        if number < self._full_at and not crowded:
            self._of_one[home] += 1
            super().handle_stream(stream, address)
            return None
        why = "too many connections of this address" if crowded else "the server is full, try again"
        error = ChatError(ErrorCode.RATE_LIMITED, why, retry_after_s=FULL_RETRY_S)
        _log.warning(
            "connection_refused",
            why="too many of this address" if crowded else "out of files",
            remote_ip=address[0],
            open_files=number,
            request_id=error.request_id,
        )
        if number < self._crammed_at:
            return _say_full(stream, error)
        stream.close()
        return None

    def start_request(self, server_conn: object, request_conn: Any) -> Any:
        # Not Tornado's `xheaders`: those are believed of everybody or of nobody.
        delegate = super().start_request(server_conn, request_conn)
        context = request_conn.context
        proxies = self.proxies if context._orig_remote_ip in self.proxies else None
        if proxies is None and not self.public_path:
            return delegate
        return ProxiedRequest(delegate, context, proxies, self.public_path)

    def on_close(self, server_conn: Any) -> None:
        super().on_close(server_conn)
        home = home_of(server_conn.context.address[0])
        self._of_one[home] -= 1
        if not self._of_one[home]:
            del self._of_one[home]
        error = server_conn.stream.error
        if error is not None:
            # It leads back to the stream, and to whatever the loop had in hand when it failed.
            error.__traceback__ = None


def _accept(
    listening: socket.socket, take: Callable[[socket.socket, Any], None]
) -> Callable[[], None]:
    """Hand new connections to `take`; returns how to stop that. As Tornado's, but where the system
    has no file for a connection that waits, that is looked at again after a pause.
    """
    loop = asyncio.get_running_loop()
    timer: asyncio.TimerHandle | None = None

    def on_readable() -> None:
        nonlocal timer
        for _ in range(ACCEPTS_A_TURN):
            try:
                connection, address = listening.accept()
            except (BlockingIOError, ConnectionAbortedError):
                return
            except OSError as error:
                if error.errno not in _OUT_OF_FILES:
                    raise
                _log.warning("connection_refused", why=error.strerror, pause_s=PAUSE_S)
                loop.remove_reader(listening)
                timer = loop.call_later(PAUSE_S, loop.add_reader, listening, on_readable)
                return
            take(connection, address)

    def stop() -> None:
        loop.remove_reader(listening)
        if timer is not None:
            timer.cancel()

    loop.add_reader(listening, on_readable)
    return stop


async def _say_full(stream: IOStream, error: ChatError) -> None:
    """503, once the request is read: closed before that, the client might not see the answer."""
    body = orjson.dumps(error.to_answer())
    head = (
        "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n"
        f"Content-Type: application/json; charset=utf-8\r\nContent-Length: {len(body)}\r\n"
        f"{_ANSWER_LINES}"
        f"Retry-After: {FULL_RETRY_S}\r\nX-Request-Id: {error.request_id}\r\n\r\n"
    )
    try:
        async with asyncio.timeout(REFUSED_WITHIN_S):
            await stream.read_until(b"\r\n\r\n", max_bytes=MAX_HEADER_BYTES)
            await stream.write(head.encode() + body)
    except (TimeoutError, StreamClosedError):
        pass
    finally:
        stream.close()
