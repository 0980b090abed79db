"""The HTTP side of Engine.IO: python-engineio's Tornado handler, with checks before the 101."""

import socket
from types import TracebackType
from typing import TYPE_CHECKING, Final

import orjson
import structlog
import tornado.web
import tornado.websocket
from engineio.async_drivers import tornado as engineio_tornado

from chat.errors import FULL_RETRY_S, ChatError, ErrorCode
from chat.gateway.engineio.polling import NOOP
from chat.gateway.engineio.server import Engine
from chat.gateway.engineio.session import Session
from chat.gateway.engineio.takeover import TakeoverProtocol, takeover_protocol
from chat.gateway.engineio.websocket import WebSocket
from chat.http.headers import ANSWER, set_headers
from chat.net.origins import OriginPolicy

PATH: Final = r"/socket\.io/"
_log = structlog.get_logger("chat.transport")


class _EngineOfHandler:
    """Stand-in for the one engine that python-engineio makes a handler class for.

    It lets this module make the class once, on import: each handler gets its engine from its route.
    """

    cors_allowed_origins = ()

    async def handle_request(self, handler: "SocketHandler") -> None:
        await handler.engine.handle_request(handler)


if TYPE_CHECKING:
    _LibraryHandler = tornado.websocket.WebSocketHandler
else:
    _LibraryHandler = engineio_tornado.get_tornado_handler(_EngineOfHandler())


class SocketHandler(_LibraryHandler):
    """The handler for PATH.

    It refuses unknown origins, protocols and sessions, and addresses over their quota, with a plain
    4xx.
    """

    session: Session | None = None
    # A websocket after its handshake, and the bytes read with it, until the session takes both.
    taken_over: tuple[WebSocket, bytes] | None = None

    def initialize(self, engine: Engine[Session], origins: OriginPolicy) -> None:
        self.engine = engine
        self._origins = origins

    def set_default_headers(self) -> None:
        # Answers to polls contain messages.
        set_headers(self, ANSWER)

    def prepare(self) -> None:
        origin = self.request.headers.get("Origin")
        if not self._origins.allows(origin, self.request.host):
            self._refuse(ChatError(ErrorCode.FORBIDDEN, "this origin is not allowed"))
            return
        if origin is not None:
            for name, value in self._origins.headers(origin).items():
                self.set_header(name, value)
        if self.request.method == "OPTIONS":
            for name, value in self._origins.preflight_headers(self.request.headers).items():
                self.set_header(name, value)
            self.set_header("Allow", "GET, POST, OPTIONS")
            self.set_status(204)
            self.finish()
        elif self._is_last_poll():
            self.set_header("Content-Type", "text/plain; charset=UTF-8")
            self.finish(NOOP.encode())
        elif not self._speaks_our_protocol():
            why = "Engine.IO 4 over websocket or polling is spoken here"
            self._refuse(ChatError(ErrorCode.VALIDATION_ERROR, why))
        elif not self._has_place():
            why = "too many sockets of this address"
            self._refuse(ChatError(ErrorCode.RATE_LIMITED, why, retry_after_s=FULL_RETRY_S))

    def log_exception(
        self,
        typ: type[BaseException] | None,
        value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        """Log a crash without the query string, which may hold a token; Tornado would log it."""
        if not isinstance(value, tornado.web.HTTPError):
            _log.error("endpoint_crashed", exc_info=value)

    def decode_argument(self, value: bytes, name: str | None = None) -> str:
        # If the value is not UTF-8, Tornado itself would answer with an HTML page.
        return value.decode("utf-8", "replace")

    def check_origin(self, origin: str) -> bool:
        return self._origins.allows(origin, self.request.host)

    def get_compression_options(self) -> None:
        # The library returns {}, for compression: 150 kB a connection, while messages are mostly
        # under 1 kB.
        return None

    def open(self, *args: str, **kwargs: str) -> None:
        # Tornado turns Nagle back on after the 101; with it an acked event takes 44 ms instead of
        # 1.
        self.set_nodelay(True)

    def get_websocket_protocol(self) -> TakeoverProtocol | None:
        return takeover_protocol(self, self.engine.max_http_buffer_size, self._take_over)

    async def _take_over(self, connection: socket.socket, received: bytes) -> None:
        """Hand the socket to the session once the handshake is done."""
        engine = self.engine
        websocket = WebSocket(
            connection,
            engine.outbox,
            max_message_bytes=engine.max_http_buffer_size,
            max_backlog_bytes=engine.max_backlog_bytes,
        )
        if self.session is not None and not self.session.may_upgrade():
            # The protocol demands that a second websocket is opened and closed at once. Nothing is
            # read from it, and the session does not notice it.
            websocket.start(self.session, b"")
            websocket.close()
            return
        self.taken_over = (websocket, received)
        if self._has_place():
            await engine.handle_request(self)
        self.taken_over = None
        if websocket.session is None:  # refused after all
            websocket.abort()

    def on_close(self) -> None:
        """Do nothing: Tornado no longer holds the websocket, and calls this only for polls."""

    def on_connection_close(self) -> None:
        if self.session is not None:
            self.session.poll_lost(self)
        super().on_connection_close()

    def _speaks_our_protocol(self) -> bool:
        transport = self.get_query_argument("transport", "")
        session_id = self.get_query_argument("sid", None)
        upgrade = self.request.headers.get("Upgrade", "").lower() == "websocket"
        if "j" in self.request.query_arguments or transport not in ("websocket", "polling"):
            return False
        if upgrade != (transport == "websocket") or self.request.method not in ("GET", "POST"):
            return False
        if session_id is None:
            known_version = bool(self.get_query_argument("EIO", "") == "4")
            return known_version and self.request.method == "GET"
        self.session = session = self.engine.sockets.get(session_id)
        return session is not None and not session.ended and (upgrade or not session.upgraded)

    def _is_last_poll(self) -> bool:
        """Whether the session was closed while this poll was on its way."""
        polls = self.get_query_argument("transport", "") == "polling"
        if self.request.method != "GET" or not polls:
            return False
        return self.engine.is_last_poll(self.get_query_argument("sid", ""))

    def _has_place(self) -> bool:
        """Whether the request is of an existing session, or its address has a place in the quota.

        The handler asks again after the 101: many requests may have found the same place free.
        """
        address = self.request.remote_ip or ""
        is_new = not self.request.query_arguments.get("sid")
        return not is_new or self.engine.quota.has_place(address)

    def _refuse(self, error: ChatError, event: str = "handshake_refused") -> None:
        # The server closes the connection, since a refused websocket client would keep it open
        # for ever; Tornado looks only at the request's Connection header.
        _log.info(
            event,
            code=error.code.value,
            why=error.message,
            origin=self.request.headers.get("Origin"),
            host=self.request.host,
            remote_ip=self.request.remote_ip,
            request_id=error.request_id,
        )
        stream = self.request.connection.stream  # type: ignore[union-attr]
        self.set_status(error.kind.status)
        self.set_header("Connection", "close")
        self.set_header("Content-Type", "application/json; charset=utf-8")
        self.set_header("X-Request-Id", error.request_id)
        if error.retry_after_s is not None:
            self.set_header("Retry-After", str(round(error.retry_after_s)))
        answer = orjson.dumps(error.to_answer())
        done = self.finish(answer)
        # A POST whose body has not arrived finishes a little later (chat/http/bodies.py).
        if self._finished:
            done.add_done_callback(lambda _: stream.close())
