"""Tornado's HTTP server, made fit for a port that anybody can reach.

It keeps some file descriptors free, and does not spin when none is left. It bounds the connections
of an address and the time of a request. It believes the headers of configured proxies only.
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
"""A client that polls has a poll and a POST in flight."""

PAUSE_S: Final = 1.0
"""Pause before the next accept if no file descriptor is left: otherwise the loop would spin."""

REFUSED_WITHIN_S: Final = 2.0
_ANSWER_LINES: Final = "".join(f"{name}: {value}\r\n" for name, value in ANSWER.items())
_OUT_OF_FILES: Final = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
_log = structlog.get_logger("chat.http")


class ChatHttpServer(HTTPServer):
    """Tornado's server, configured by our Settings; `serve` makes it listen.

    It relies on names of Tornado 6.6: TCPServer's `_sockets`, `_handlers` and `_handle_connection`,
    HTTPServer's `request_callback`, and the request context's `_orig_remote_ip`.
    """

    def initialize(self, settings: Settings) -> None:  # type: ignore[override]
        """Tornado calls this in place of `__init__`."""
        super().initialize(
            tornado.web.Application(),
            # For handlers that want no body. The others raise this limit for each request, and
            # count the bytes that they hold (chat/http/bodies.py).
            max_body_size=CHUNK_BYTES,
            chunk_size=CHUNK_BYTES,
            max_buffer_size=MAX_HEADER_BYTES + 4 * CHUNK_BYTES,
            max_header_size=MAX_HEADER_BYTES,
            idle_connection_timeout=settings.idle_connection_s,
            body_timeout=settings.body_within_s,
        )
        self._proxies = Networks(settings.trusted_proxies if settings.trust_proxy else ())
        self._public_path = settings.public_path or ""
        # A connection that becomes a websocket is counted by the gateway instead.
        self._most_of_one = CONNECTIONS_A_SOCKET * settings.max_sockets_per_address
        self._of_one: Counter[str] = Counter()
        files, spare = _file_limits(settings.spare_files)
        # A new file gets the lowest free descriptor, so descriptor n says that n files are open.
        # Half of the spare files are for refusals, the rest for the store, the logs and plugins.
        self._full_at, self._crammed_at = files - spare, files - spare // 2

    def serve(self, application: tornado.web.Application, sockets: Iterable[socket.socket]) -> None:
        """Take connections from these sockets for the application."""
        self.request_callback = application
        for each in sockets:
            self._sockets[each.fileno()] = each
            self._handlers[each.fileno()] = _accept(each, self._handle_connection)

    def handle_stream(  # type: ignore[override]  # TCPServer's own says that this may be awaited
        self, stream: IOStream, address: tuple[Any, ...]
    ) -> Awaitable[None] | None:
        number = stream.socket.fileno()
        home = home_of(address[0])
        crowded = self._of_one[home] >= self._most_of_one and address[0] not in self._proxies
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
        # Not Tornado's `xheaders`, which believes either every peer or none.
        delegate = super().start_request(server_conn, request_conn)
        context = request_conn.context
        proxies = self._proxies if context._orig_remote_ip in self._proxies else None
        if proxies is None and not self._public_path:
            return delegate
        return ProxiedRequest(delegate, context, proxies, self._public_path)

    def on_close(self, server_conn: Any) -> None:
        super().on_close(server_conn)
        home = home_of(server_conn.context.address[0])
        self._of_one[home] -= 1
        if not self._of_one[home]:
            del self._of_one[home]
        error = server_conn.stream.error
        if error is not None:
            # The traceback refers to the stream, and to whatever the loop worked on when it failed.
            error.__traceback__ = None


def _file_limits(spare_files: int) -> tuple[int, int]:
    """The files that this process may open, and how many of them stay free."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if limit == resource.RLIM_INFINITY:
        limit = 2**31
    return limit, min(spare_files, limit // 4)


def _accept(
    listening: socket.socket, take: Callable[[socket.socket, Any], None]
) -> Callable[[], None]:
    """Hand new connections to `take`; returns a function that stops this.

    Unlike Tornado's own, this function tries again after a pause if the system has no file
    descriptor for a new connection.
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
    """Answer 503 once the request is read.

    If the connection were closed before that, the client might not see the answer.
    """
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
