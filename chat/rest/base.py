"""The base of all routes.

A request takes this way, which is also the order of the methods of `ApiHandler`:

1. `prepare` checks the head of the request: its origin, its token, and whether the caller was
   refused too often. It waits for the caller's turn (`chat.http.turnstile`), and says how large a
   body may follow. Then the server reads the body (`chat.http.bodies`).
2. The method of the route reads its input (`chat.rest.json_handler`, `chat.rest.paths`), shows it
   to the plugins by `begin`, calls one service, and answers by `answer`.
3. `write_error` answers instead if any of this raised an exception.
4. `finish` sends the answer, and `_report` gives the outcome to the audit log and to plugins.
"""

import asyncio
from collections.abc import Mapping
from typing import Any, Final, TypeVar

import structlog
import tornado.web
from pydantic import BaseModel

from chat.errors import ChatError, ErrorCode, new_request_id
from chat.hooks.events import Action, ActionDone
from chat.hooks.specs import after_action, after_refusal, before_action
from chat.http.credentials import in_header
from chat.http.headers import ANSWER, set_headers
from chat.rest.gate import Gate
from chat.rest.json_handler import SMALL_BODY, JsonHandler
from chat.rest.paths import with_head_and_options
from chat.services.audit import AUDITED, objects_of
from chat.services.refusals import counts, price_of_request

HELD_S: Final = 1.0
"""How long the server holds back an answer that asks for a pause.

A client that ignores the pause gets one answer in this time over a connection.
"""

_WITHOUT_BODY: Final = ("GET", "HEAD", "DELETE")
_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
_UNKNOWN: Final = tornado.web.RequestHandler.get
"""Tornado's stand-in for each method that a handler lacks."""

_HTTP_ERRORS: Final = {
    400: (ErrorCode.VALIDATION_ERROR, "the request cannot be understood"),
    404: (ErrorCode.NOT_FOUND, "there is no such route"),
    405: (ErrorCode.METHOD_NOT_ALLOWED, "this route does not know that method"),
    413: (ErrorCode.PAYLOAD_TOO_LARGE, "the body is too large"),
}
"""The errors that Tornado raises itself, by their status."""

_log = structlog.get_logger("chat.rest")

Model = TypeVar("Model", bound=BaseModel)


class ApiHandler(JsonHandler):
    """Base of every route: always answers JSON."""

    # False for a route that answers without a token.
    needs_token = True
    # Whether the log may hold the messages of refusals; False where clients may have written them.
    says_why = True
    _reported = False

    def initialize(self, gate: Gate) -> None:
        self.gate = gate
        gate.entered()
        self._action: str | None = None
        self._objects: dict[str, Any] = {}
        self._request_id: str | None = None
        self._error: ChatError | None = None
        self._token_was_refused = False
        self._is_over_budget = False
        self._started = asyncio.get_running_loop().time()

    def set_default_headers(self) -> None:
        set_headers(self, ANSWER)

    # 1. The head of the request.

    async def prepare(self) -> None:
        if not self._set_cors_headers():
            raise ChatError(ErrorCode.FORBIDDEN, "this origin is not allowed")
        if self.request.method == "OPTIONS":
            return
        if self.gate.draining:
            raise ChatError(ErrorCode.SHUTTING_DOWN, "the server is restarting", retry_after_s=1)
        if self.needs_token:
            if "Authorization" not in self.request.headers:
                await self._check_budget()
            await self._identify()
            if not self.identity.is_service:
                await self.gate.turnstile.enter(self.identity.key)
            await self._check_budget()
            self.gate.domain.people.remember(self.identity)
        most = self.gate.settings.max_payload_bytes
        if self.request.method in _WITHOUT_BODY:
            most = min(most, SMALL_BODY)
        self.expect_body(self.gate.bodies, most)

    def _set_cors_headers(self) -> bool:
        """Let the page's origin read the answer; False where that origin is not allowed."""
        origin = self.request.headers.get("Origin")
        if not self.gate.origins.allows(origin, self.request.host):
            return False
        if origin is not None:
            for name, value in self.gate.origins.headers(origin).items():
                self.set_header(name, value)
        return True

    async def _identify(self) -> None:
        token = in_header(self.request.headers.get("Authorization", ""))
        try:
            self.identity = await self.gate.admission.identify(token, self.remote_ip, "rest")
        except ChatError:
            self._token_was_refused = True
            raise

    async def _check_budget(self) -> None:
        """Refuse a caller whose requests were refused too often, after a pause: RATE_LIMITED."""
        if self.caller is not None and (rush_s := self.gate.refusals.rush_of_request(self.caller)):
            await asyncio.sleep(min(rush_s, HELD_S))
        try:
            self.gate.refusals.check(self.caller, self.remote_ip)
        except ChatError as error:
            self._is_over_budget = True
            await asyncio.sleep(min(error.retry_after_s or 0, HELD_S))
            raise

    # 2. The method of the route.

    def options(self, *_: str) -> None:
        for name, value in self.gate.origins.preflight_headers(self.request.headers).items():
            self.set_header(name, value)
        self.set_header("Allow", ", ".join(self.allowed_methods()))
        self.set_status(204)

    async def head(self, *arguments: str) -> None:
        """Answer like GET; Tornado leaves the body out."""
        answering = self.get(*arguments)
        if answering is not None:
            await answering

    def allowed_methods(self) -> list[str]:
        """List the methods that this route knows."""
        return with_head_and_options(
            each for each in _METHODS if getattr(type(self), each.lower()) is not _UNKNOWN
        )

    async def begin(self, action: str, payload: Model) -> Model:
        """Name the action that is about to run, and show it to the plugins.

        Returns the payload to use, which a plugin may have replaced.
        """
        self.about(action, **objects_of(payload))
        self.check_caller()
        if not self.gate.hooks.has(before_action):
            return payload
        asked = Action(
            name=action,
            identity=self.identity,
            door="rest",
            remote_ip=self.remote_ip,
            payload=payload,
        )
        allowed = await self.gate.hooks.filter(before_action, asked)
        if isinstance(allowed.payload, type(payload)):
            payload = allowed.payload
            self.about(action, **objects_of(payload))
        # Checked again: the user may have been blocked while the plugins were asked.
        self.gate.domain.access.check_still(self.identity)
        return payload

    def check_caller(self) -> None:
        """Raise FORBIDDEN where the caller may not use the route at all."""

    def about(self, action: str | None = None, /, **objects: Any) -> None:
        """Note for the audit log what the request does, and to which objects."""
        self._action = action or self._action
        self._objects.update(objects)

    def answer(self, body: Mapping[str, Any], status: int = 200) -> None:
        """Answer with a body that a writer of `chat.contracts.answers` or `acks` made."""
        self.set_status(status)
        if self._action in AUDITED:
            self._request_id = new_request_id()
            self.set_header("X-Request-Id", self._request_id)
        self.write_json(body)

    # 3. A refusal, or a crash.

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Answer any exception of the request, Tornado's own included."""
        error = self._as_chat_error(status_code, kwargs.get("exc_info", (None, None, None))[1])
        self._error = error
        self._log_refusal(error)
        if counts(error) and not self._is_over_budget:
            cost = price_of_request(self._held)
            self.gate.refusals.of_request(self.caller, self.remote_ip, cost)
        # Tornado has cleared all headers; without the CORS headers no page could read the refusal.
        self._set_cors_headers()
        self.set_status(error.kind.status)
        # The answer to a HEAD has no body to read the id from.
        self.set_header("X-Request-Id", error.request_id)
        if error.retry_after_s is not None:
            self.set_header("Retry-After", str(max(1, round(error.retry_after_s))))
        if error.code is ErrorCode.METHOD_NOT_ALLOWED:
            self.set_header("Allow", ", ".join(self.allowed_methods()))
        self.write_json(error.to_answer())
        self.finish()

    def _as_chat_error(self, status_code: int, cause: BaseException | None) -> ChatError:
        if isinstance(cause, ChatError):
            return cause
        if status_code in _HTTP_ERRORS and (
            cause is None or isinstance(cause, tornado.web.HTTPError)
        ):
            return ChatError(*_HTTP_ERRORS[status_code])
        error = ChatError(ErrorCode.INTERNAL_ERROR, "something went wrong on the server")
        _log.error(
            "request_crashed",
            method=self.request.method,
            path=self.request.path,
            request_id=error.request_id,
            exc_info=cause,
        )
        return error

    def _log_refusal(self, error: ChatError) -> None:
        """Log a refusal of a caller that is not known.

        Other errors are logged elsewhere: a refusal of a known user as `refused` and a bad token as
        `auth_failed`, both by a plugin; a crash where it is caught.
        """
        known = self._token_was_refused or self.caller is not None
        if known or error.code is ErrorCode.INTERNAL_ERROR:
            return
        _log.info(
            "request_refused",
            code=error.code.value,
            why=error.message if self.says_why else None,
            method=self.request.method,
            path=self.request.path,
            host=self.request.host,
            origin=self.request.headers.get("Origin"),
            remote_ip=self.request.remote_ip,
            request_id=error.request_id,
        )

    def log_exception(self, *_: Any) -> None:
        """Log nothing: Tornado would log tracebacks, and paths with their query.

        `write_error` logs unexpected errors.
        """

    # 4. The end.

    def finish(self, chunk: Any = None) -> "asyncio.Future[None]":
        sent = super().finish(chunk)
        if not self._reported:
            self._reported = True
            self._report()
        return sent

    def _report(self) -> None:
        """Give the outcome to the audit log and to the plugins."""
        # Not kept: the error's traceback refers to this handler, and both would wait for the
        # garbage collector.
        error, self._error = self._error, None
        if self.caller is None:
            return
        done = ActionDone(
            name=self._action,
            identity=self.caller,
            door="rest",
            remote_ip=self.remote_ip,
            code=error.code if error else None,
            request_id=error.request_id if error else None,
            duration_s=asyncio.get_running_loop().time() - self._started,
        )
        self.gate.audit.answered(
            self._action,
            self.caller,
            self._objects,
            error,
            door="rest",
            remote_ip=done.remote_ip,
            request_id=done.request_id or self._request_id,
        )
        self.gate.hooks.notify_soon(after_action, done)
        if error is not None:
            self.gate.hooks.notify_soon(after_refusal, done)

    def on_finish(self) -> None:
        super().on_finish()
        self.gate.left()


class NotFoundHandler(ApiHandler):
    """Every path that belongs to no route."""

    needs_token = False

    async def prepare(self) -> None:
        await super().prepare()
        if self.request.method != "OPTIONS":
            await self._check_budget()
            raise ChatError(ErrorCode.NOT_FOUND, "there is no such route")
