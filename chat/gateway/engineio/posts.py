"""The POSTs of sessions that poll.

The server counts their bodies like those of REST, and reads a body only if its session exists.
"""

from types import TracebackType
from typing import Any

from tornado.httputil import HTTPServerRequest
from tornado.routing import PathMatches, Rule

from chat.errors import ChatError, ErrorCode
from chat.gateway.engineio.handler import PATH, SocketHandler
from chat.gateway.engineio.polling import REASON
from chat.gateway.engineio.server import Engine
from chat.gateway.engineio.session import Session
from chat.http.bodies import BodyHandler, HeldBytes
from chat.net.origins import OriginPolicy


class PostHandler(BodyHandler, SocketHandler):
    """The handler for POSTs to PATH."""

    def initialize(  # type: ignore[override]  # Tornado passes what the route names
        self, engine: Engine[Session], origins: OriginPolicy, bodies: HeldBytes[str]
    ) -> None:
        super().initialize(engine, origins)
        self._all_bodies = bodies

    def prepare(self) -> None:
        super().prepare()
        if self._finished or self._answered_early:
            return
        try:
            self.expect_body(self._all_bodies, self.engine.max_http_buffer_size)
        except ChatError as error:
            self._end_session(error)

    async def post(self, *_: str, **__: str) -> None:
        if not self._answered_early:
            self.request.body = self.take_body()
            await self.engine.handle_request(self)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        error = kwargs.get("exc_info", (None, None, None))[1]
        if not isinstance(error, ChatError):
            text = "something went wrong on the server"
            error = ChatError(ErrorCode.INTERNAL_ERROR, text)
        self._end_session(error)

    def log_exception(
        self,
        typ: type[BaseException] | None,
        value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        if not isinstance(value, ChatError):  # `_refuse` logs those
            super().log_exception(typ, value, tb)

    def _end_session(self, error: ChatError) -> None:
        """Refuse the body and end its session: otherwise its packets would be lost unnoticed."""
        if self.session is None:
            self._refuse(error)
        else:
            self.session.end(REASON.TRANSPORT_ERROR)
            self._refuse(error, "malformed_post")


def socket_rules(
    engine: Engine[Session], origins: OriginPolicy, bodies: HeldBytes[str]
) -> list[Rule]:
    """Make the routes of PATH."""
    kept = {"engine": engine, "origins": origins}
    return [
        Rule(_Posts(PATH), PostHandler, {**kept, "bodies": bodies}),
        Rule(PathMatches(PATH), SocketHandler, kept),
    ]


class _Posts(PathMatches):
    def match(self, request: HTTPServerRequest) -> dict[str, object] | None:
        return super().match(request) if request.method == "POST" else None
