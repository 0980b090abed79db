"""The POSTs of sessions that poll: their bodies are counted as those of REST are, and only read for
a session that there is.
"""

from typing import Any

from tornado.httputil import HTTPServerRequest
from tornado.routing import PathMatches, Rule

from chat.errors import ChatError, ErrorCode
from chat.gateway.chat_server import ChatServer
from chat.gateway.engineio.handler import PATH, socket_handler
from chat.http.bodies import BodyHandler, HeldBytes
from chat.net.origins import OriginPolicy


def socket_rules(server: ChatServer, origins: OriginPolicy, bodies: HeldBytes) -> list[Any]:
    """The routes of PATH."""
    handler: Any = socket_handler(server, origins)
    engine: Any = server.eio

    class PostHandler(BodyHandler, handler):
        def prepare(self) -> None:
            super().prepare()
            if self._finished or self._answered_early:
                return
            try:
                self.expect_body(bodies, engine.max_http_buffer_size)
            except ChatError as error:
                self._end_session(error)

        async def post(self, *_: str) -> None:
            if not self._answered_early:
                self.request.body = self.take_body()
                await handler.post(self)

        def write_error(self, status_code: int, **kwargs: Any) -> None:
            error = kwargs.get("exc_info", (None, None, None))[1]
            if not isinstance(error, ChatError):
                text = "something went wrong on the server"
                error = ChatError(ErrorCode.INTERNAL_ERROR, text)
            self._end_session(error)

        def log_exception(self, kind: Any, value: Any, trace: Any) -> None:
            if not isinstance(value, ChatError):  # that is logged as it is refused
                super().log_exception(kind, value, trace)

        def _end_session(self, error: ChatError) -> None:
            """Refuse the body; what was in it would be missing without a sign."""
            if self.session is None:
                self._refuse(error)
            else:
                self.session.end(engine.reason.TRANSPORT_ERROR)
                self._refuse(error, "malformed_post")

    return [Rule(_Posts(PATH), PostHandler), (PATH, handler)]


class _Posts(PathMatches):
    def match(self, request: HTTPServerRequest) -> dict[str, Any] | None:
        return super().match(request) if request.method == "POST" else None
