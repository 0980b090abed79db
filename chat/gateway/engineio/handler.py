"""The HTTP side of Socket.IO: python-socketio's Tornado handler behind the checks that come before
the 101.
"""

import socket
from typing import Any, Final

import orjson
import structlog
import tornado.web
from engineio.async_drivers import tornado as engineio_tornado

from chat.errors import FULL_RETRY_S, ChatError, ErrorCode
from chat.gateway.chat_server import ChatServer
from chat.gateway.engineio.polling import NOOP
from chat.gateway.engineio.session import CONNECTION_KEY, ChatSession
from chat.gateway.engineio.takeover import takeover_protocol
from chat.gateway.engineio.websocket import WireConnection
from chat.http.headers import ANSWER, set_headers
from chat.net.origins import OriginPolicy

PATH: Final = r"/socket\.io/"
_log = structlog.get_logger("chat.transport")


def socket_handler(server: ChatServer, origins: OriginPolicy) -> type[tornado.web.RequestHandler]:
    """The handler for PATH. Refuses unknown origins, protocols and sessions, and an address's
    sockets over its share, with a plain 4xx.
    """
    base = engineio_tornado.get_tornado_handler(server.eio)
    engine: Any = server.eio

    class SocketHandler(base):  # type: ignore[misc, valid-type]  # the library makes the base at run time
        session: ChatSession | None = None

        def set_default_headers(self) -> None:
            # Polls carry messages.
            set_headers(self, ANSWER)

        def prepare(self) -> None:
            origin = self.request.headers.get("Origin")
            if not origins.allows(origin, self.request.host):
                self._refuse(ChatError(ErrorCode.FORBIDDEN, "this origin is not allowed"))
                return
            if origin is not None:
                for name, value in origins.headers(origin).items():
                    self.set_header(name, value)
            if self.request.method == "OPTIONS":
                for name, value in origins.preflight_headers(self.request.headers).items():
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
            elif not self._has_room():
                why = "too many sockets of this address"
                self._refuse(ChatError(ErrorCode.RATE_LIMITED, why, retry_after_s=FULL_RETRY_S))

        def log_exception(self, _type: Any, value: Any, _traceback: Any) -> None:
            """Tornado's own would write the query string, and a token in it."""
            if not isinstance(value, tornado.web.HTTPError):
                _log.error("endpoint_crashed", exc_info=value)

        def decode_argument(self, value: bytes, name: str | None = None) -> str:
            # Tornado's own answers an HTML page where this is not UTF-8.
            return value.decode("utf-8", "replace")

        def check_origin(self, origin: str) -> bool:
            return origins.allows(origin, self.request.host)

        def get_compression_options(self) -> None:
            # The library answers {}: 150 kB a connection for messages that are mostly under 1 kB.
            return None

        def open(self, *args: Any, **kwargs: Any) -> None:
            # Tornado turns Nagle back on after the 101: with it an acked event takes 44 ms instead
            # of 1.
            self.set_nodelay(True)

        def get_websocket_protocol(self) -> Any:
            return takeover_protocol(self, engine.max_http_buffer_size)

        async def taken(self, connection: socket.socket, received: bytes) -> None:
            """The handshake is done, and the socket is ours: hand it to the session."""
            wire = WireConnection(
                connection,
                engine.outbox,
                max_message_bytes=engine.max_http_buffer_size,
                max_backlog_bytes=engine.max_backlog_bytes,
            )
            if self.session is not None and not self.session.may_upgrade():
                # The protocol wants a second websocket opened and closed at once. Nothing of it is
                # read, and the session does not notice it.
                wire.start(self.session, b"")
                wire.close()
                return
            self.extra_environ = {CONNECTION_KEY: (wire, received)}
            if self._has_room():
                await engine.handle_request(self)
            del self.extra_environ  # its connection leads back here
            if wire.session is None:  # nobody took it: refused after all
                wire.abort()

        def on_close(self) -> None:
            """Of a request that polled; a websocket is not in Tornado's hands when it closes."""

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
            self.session = session = engine.sockets.get(session_id)
            return session is not None and not session.ended and (upgrade or not session.upgraded)

        def _is_last_poll(self) -> bool:
            """Whether the session was closed while this poll was on its way."""
            polls = self.get_query_argument("transport", "") == "polling"
            if self.request.method != "GET" or not polls:
                return False
            return bool(engine.is_last_poll(self.get_query_argument("sid", "")))

        def _has_room(self) -> bool:
            """Whether this is no new session, or one that its address may still have. Asked again
            after the 101, since many may have asked for one at once.
            """
            address = self.request.remote_ip or ""
            is_new = not self.request.query_arguments.get("sid")
            return not is_new or bool(engine.crowd.has_room(address))

        def _refuse(self, error: ChatError, event: str = "handshake_refused") -> None:
            # Closed, since a refused websocket client would otherwise keep its connection open for
            # ever; Tornado looks at the request's Connection header alone.
            _log.info(
                event,
                code=error.code.value,
                why=error.message,
                origin=self.request.headers.get("Origin"),
                host=self.request.host,
                remote_ip=self.request.remote_ip,
                request_id=error.request_id,
            )
            stream = self.request.connection.stream
            self.set_status(error.kind.status)
            self.set_header("Connection", "close")
            self.set_header("Content-Type", "application/json; charset=utf-8")
            self.set_header("X-Request-Id", error.request_id)
            if error.retry_after_s is not None:
                self.set_header("Retry-After", str(round(error.retry_after_s)))
            answer = orjson.dumps(error.to_answer())
            done = self.finish(answer)
            # Of a POST whose body has not come, this is done a little later (chat/http/bodies.py).
            if self._finished:
                done.add_done_callback(lambda _: stream.close())

    return SocketHandler
