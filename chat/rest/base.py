"""What all REST handlers share: token, CORS, JSON in and out, and the one error model. One of the
three funnels.
"""

import asyncio
from typing import Any, Final, TypeVar

import orjson
import structlog
import tornado.web
from pydantic import BaseModel

from chat.contracts.base import DEFAULT_PAGE, MAX_PAGE, MAX_PATH_CHARS
from chat.contracts.json_text import read_json
from chat.errors import ChatError, ErrorCode, new_request_id
from chat.hooks.events import Action, ActionDone
from chat.hooks.specs import after_action, after_refusal, before_action
from chat.http.bodies import RETRY_S, BodyHandler
from chat.http.credentials import in_header
from chat.http.headers import ANSWER, set_headers
from chat.identity import MAX_INTEGER, Identity, UserId
from chat.rest.gate import Gate
from chat.rest.paths import with_head_and_options
from chat.services.audit import AUDITED, objects_of
from chat.services.refusals import counts, price_of_request

SMALL_BODY: Final = 16_000
"""What a request may bring along that has no use for a body."""

BIG_ANSWER: Final = 64_000
_WITHOUT_BODY: Final = ("GET", "HEAD", "DELETE")
HELD_S: Final = 1.0
"""How long the answer waits at most that tells a client to come later: a connection can ask no
faster than that.
"""

_log = structlog.get_logger("chat.rest")

Model = TypeVar("Model", bound=BaseModel)


class ApiHandler(BodyHandler):
    """Base of every route: answers JSON, always."""

    # A route that answers without a token sets this to False.
    needs_token = True
    # Whether its refusals are made of nothing that a client wrote.
    says_why = True
    identity: Identity
    # Of a big answer: whose it is, and its size.
    _unsent: tuple[UserId | None, int] | None = None
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

    async def head(self, *arguments: str) -> None:
        """As GET; Tornado leaves the body out."""
        answering = self.get(*arguments)
        if answering is not None:
            await answering

    async def prepare(self) -> None:
        if not self._set_cors_headers():
            raise ChatError(ErrorCode.FORBIDDEN, "this origin is not allowed")
        if self.request.method == "OPTIONS":
            return
        if self.gate.draining:
            raise ChatError(ErrorCode.SHUTTING_DOWN, "the server is restarting", retry_after_s=1)
        if self.needs_token:
            if "Authorization" not in self.request.headers:
                await self._check_budget(None)
            self.identity = await self._identify()
            if not self.identity.is_service:
                await self.gate.turnstile.enter(self.identity.user_id)
            await self._check_budget(self.identity)
            self.gate.domain.people.remember(self.identity)
        most = self.gate.settings.max_payload_bytes
        if self.request.method in _WITHOUT_BODY:
            most = min(most, SMALL_BODY)
        self.expect_body(self.gate.bodies, most)

    async def _check_budget(self, identity: Identity | None) -> None:
        """RATE_LIMITED, after a while, for a caller whose requests were refused too often."""
        if identity is not None and (rush_s := self.gate.refusals.rush_of_request(identity)):
            await asyncio.sleep(min(rush_s, HELD_S))
        try:
            self.gate.refusals.check(identity, self.request.remote_ip or "")
        except ChatError as error:
            self._is_over_budget = True
            await asyncio.sleep(min(error.retry_after_s or 0, HELD_S))
            raise

    def options(self, *_: str) -> None:
        for name, value in self.gate.origins.preflight_headers(self.request.headers).items():
            self.set_header(name, value)
        self.set_header("Allow", ", ".join(self.allowed_methods()))
        self.set_status(204)

    def allowed_methods(self) -> list[str]:
        """The methods that this route knows."""
        own = [
            method
            for method in ("GET", "POST", "PUT", "PATCH", "DELETE")
            if getattr(type(self), method.lower()) is not _UNKNOWN
        ]
        return with_head_and_options(own)

    async def body_json(self) -> Any:
        """Decode the body; UNSUPPORTED_MEDIA or VALIDATION_ERROR where it is no JSON.

        Big bodies are decoded one a turn of the loop: a hundred that arrive together would hold it
        up for 300 ms.
        """
        content_type = (
            self.request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        )
        # A text/plain form of another site would come without a preflight.
        if content_type != "application/json":
            raise ChatError(ErrorCode.UNSUPPORTED_MEDIA, "send application/json")
        body = self.take_body()
        if len(body) > SMALL_BODY:
            caller = getattr(self, "identity", None)
            async with self.gate.decoding.of(None if caller is None else caller.user_id):
                # The loop's other work comes first; the bodies behind this one wait.
                await asyncio.sleep(0)
                return read_json(body, self.gate.json_limits, "the body")
        return read_json(body, self.gate.json_limits, "the body")

    async def begin(self, action: str, payload: Model) -> Model:
        """Name what is about to be done and let the plugins see it; returns the payload that is to
        run.
        """
        self.about(action, **objects_of(payload))
        self.check_caller()
        if not self.gate.hooks.has(before_action):
            return payload
        asked = Action(
            name=action,
            identity=self.identity,
            door="rest",
            remote_ip=self.request.remote_ip or "",
            payload=payload,
        )
        allowed = await self.gate.hooks.filter(before_action, asked)
        if isinstance(allowed.payload, type(payload)):
            payload = allowed.payload
            self.about(action, **objects_of(payload))
        # Asked again: the host may have decided while the plugins thought it over.
        self.gate.domain.access.check_still(self.identity)
        return payload

    def about(self, action: str | None = None, /, **objects: Any) -> None:
        """Say what the request does, and to what, for the audit log."""
        self._action = action or self._action
        self._objects.update(objects)

    def check_caller(self) -> None:
        """FORBIDDEN where this caller may not ask for the route at all."""

    def reply(self, data: Any, status: int = 200, **more: Any) -> None:
        """`{success: true, data, ...}`."""
        self.set_status(status)
        if self._action in AUDITED:
            self._request_id = new_request_id()
            self.set_header("X-Request-Id", self._request_id)
        self._write_json({"success": True, "data": data, **more})

    def query_int(
        self, name: str, *, default: int | None = None, low: int = 1, high: int = MAX_INTEGER
    ) -> int | None:
        """A whole number of the query string, digits only."""
        values = self.get_query_arguments(name)
        if not values:
            return default
        text = values[-1]
        if not (text.isascii() and text.isdigit() and len(text) <= 16 and low <= int(text) <= high):
            what = f"must be a whole number from {low} to {high}"
            details = [{"path": name, "message": what}]
            raise ChatError(ErrorCode.VALIDATION_ERROR, f"{name}: {what}", details=details)
        return int(text)

    def decode_argument(self, value: bytes, name: str | None = None) -> str:
        """VALIDATION_ERROR that names the parameter which is not UTF-8, as half a surrogate pair is
        not.
        """
        try:
            return value.decode()
        except UnicodeDecodeError:
            path = (name or "path")[:MAX_PATH_CHARS]
            details = [{"path": path, "message": "is not UTF-8"}]
            raise ChatError(
                ErrorCode.VALIDATION_ERROR, f"{path}: is not UTF-8", details=details
            ) from None

    def query_limit(self) -> int:
        return self.query_int("limit", default=DEFAULT_PAGE, high=MAX_PAGE) or DEFAULT_PAGE

    def query_ids(self) -> list[str]:
        """`?ids=1,2,3`, in one argument or in several."""
        given = ",".join(self.get_query_arguments("ids"))
        return [each for each in given.split(",") if each]

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Every exception of a handler ends here, Tornado's own too."""
        error = self._as_chat_error(status_code, kwargs.get("exc_info", (None, None, None))[1])
        self._error = error
        self._log_refusal(error)
        if counts(error) and not self._is_over_budget:
            caller = getattr(self, "identity", None)
            cost = price_of_request(self._held)
            self.gate.refusals.of_request(caller, self.request.remote_ip or "", cost)
        # Tornado has cleared all headers, and a page can read a refusal only with those.
        self._set_cors_headers()
        self.set_status(error.kind.status)
        # A HEAD has no body to read it from.
        self.set_header("X-Request-Id", error.request_id)
        if error.retry_after_s is not None:
            self.set_header("Retry-After", str(max(1, round(error.retry_after_s))))
        if error.code is ErrorCode.METHOD_NOT_ALLOWED:
            self.set_header("Allow", ", ".join(self.allowed_methods()))
        self._write_json(error.to_answer())
        self.finish()

    def log_exception(self, *_: Any) -> None:
        """Tornado would log tracebacks and paths with their query; `write_error` logs what is
        unexpected.
        """

    def on_finish(self) -> None:
        super().on_finish()
        self.gate.left()

    def _report(self) -> None:
        """Tell the plugins what was answered."""
        if self._reported:
            return
        self._reported = True
        # Its traceback leads back to this handler: kept, the two would wait for the collector.
        error, self._error = self._error, None
        identity = getattr(self, "identity", None)
        if identity is None:
            return
        done = ActionDone(
            name=self._action,
            identity=identity,
            door="rest",
            remote_ip=self.request.remote_ip or "",
            code=error.code if error else None,
            request_id=error.request_id if error else None,
            duration_s=asyncio.get_running_loop().time() - self._started,
        )
        self.gate.audit.answered(
            self._action,
            identity,
            self._objects,
            error,
            door="rest",
            remote_ip=done.remote_ip,
            request_id=done.request_id or self._request_id,
        )
        self.gate.hooks.notify_soon(after_action, done)
        if error is not None:
            self.gate.hooks.notify_soon(after_refusal, done)

    def _log_refusal(self, error: ChatError) -> None:
        """Log what was refused before it was known who asks.

        What a user is refused is logged as `refused` and a token as `auth_failed`, by a plugin; a
        crash is logged where it is caught.
        """
        known = self._token_was_refused or getattr(self, "identity", None) is not None
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

    def set_default_headers(self) -> None:
        set_headers(self, ANSWER)

    def _set_cors_headers(self) -> bool:
        """Let the page's origin read the answer; False when it is not allowed."""
        origin = self.request.headers.get("Origin")
        if not self.gate.origins.allows(origin, self.request.host):
            return False
        if origin is not None:
            for name, value in self.gate.origins.headers(origin).items():
                self.set_header(name, value)
        return True

    async def _identify(self) -> Identity:
        token = in_header(self.request.headers.get("Authorization", ""))
        try:
            return await self.gate.admission.identify(token, self.request.remote_ip or "", "rest")
        except ChatError:
            self._token_was_refused = True
            raise

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

    def _write_json(self, body: dict[str, Any]) -> None:
        encoded = orjson.dumps(body)
        if len(encoded) > BIG_ANSWER and not self._take_room(len(encoded)):
            why = "take the answers that are on their way first"
            raise ChatError(ErrorCode.RATE_LIMITED, why, retry_after_s=RETRY_S)
        self.set_header("Content-Type", "application/json; charset=utf-8")
        self.write(encoded)

    def _take_room(self, size: int) -> bool:
        """Count a big answer until its client has taken it, which may not last for ever."""
        identity = getattr(self, "identity", None)
        key = None if identity is None else identity.user_id
        if not self.gate.answers.take(key, size):
            return False
        self._unsent = (key, size)
        return True

    def finish(self, chunk: Any = None) -> "asyncio.Future[None]":
        stream = self._connection.stream
        sent = super().finish(chunk)
        self._report()
        unsent, self._unsent = self._unsent, None
        if unsent is not None:
            loop = asyncio.get_running_loop()
            timer = loop.call_later(self.gate.settings.body_within_s, stream.close)

            def taken(_: object) -> None:
                timer.cancel()
                self.gate.answers.give(*unsent)

            sent.add_done_callback(taken)
        return sent


_UNKNOWN: Final = tornado.web.RequestHandler.get
"""What Tornado has in place of each method that a handler does not have."""

_HTTP_ERRORS: Final = {
    400: (ErrorCode.VALIDATION_ERROR, "the request cannot be understood"),
    404: (ErrorCode.NOT_FOUND, "there is no such route"),
    405: (ErrorCode.METHOD_NOT_ALLOWED, "this route does not know that method"),
    413: (ErrorCode.PAYLOAD_TOO_LARGE, "the body is too large"),
}


class NotFoundHandler(ApiHandler):
    """Every path that is no route's."""

    needs_token = False

    async def prepare(self) -> None:
        await super().prepare()
        if self.request.method != "OPTIONS":
            await self._check_budget(None)
            raise ChatError(ErrorCode.NOT_FOUND, "there is no such route")
