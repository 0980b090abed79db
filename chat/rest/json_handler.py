"""JSON in and out: the body and the query of a request, and answers within their quota.

It does not know who may ask for what; `chat.rest.base` does.
"""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

import orjson

from chat.contracts.base import DEFAULT_PAGE, MAX_PAGE, MAX_PATH_CHARS
from chat.contracts.json_text import read_json
from chat.errors import ChatError, ErrorCode, invalid_field
from chat.http.bodies import RETRY_S, BodyHandler
from chat.identity import MAX_ID_DIGITS, MAX_INTEGER, Identity, UserKey
from chat.rest.gate import Gate

SMALL_BODY: Final = 16_000
"""The largest body that is decoded without a wait, or accepted where no body is needed."""

BIG_ANSWER: Final = 64_000
"""The size from which an answer counts against its user's quota until the client has read it."""


class JsonHandler(BodyHandler):
    """Base of handlers that take and give JSON."""

    gate: Gate
    identity: Identity
    # The user whose quota a big answer counts against, and its size.
    _unsent: tuple[UserKey | None, int] | None = None

    @property
    def caller(self) -> Identity | None:
        """The caller; None until the request's token has been accepted."""
        return getattr(self, "identity", None)

    @property
    def caller_key(self) -> UserKey | None:
        return None if self.caller is None else self.caller.key

    @property
    def remote_ip(self) -> str:
        return self.request.remote_ip or ""

    async def body_json(self) -> Any:
        """Decode the body; UNSUPPORTED_MEDIA or VALIDATION_ERROR where it is no JSON.

        Big bodies are decoded one in each turn of the loop: a hundred at once would block the loop
        for 300 ms.
        """
        content_type = (
            self.request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        )
        # Browsers send a text/plain form of another site without a preflight.
        if content_type != "application/json":
            raise ChatError(ErrorCode.UNSUPPORTED_MEDIA, "send application/json")
        body = self.take_body()
        if len(body) > SMALL_BODY:
            async with self.gate.decoding.of(self.caller_key):
                # The loop's other work comes first; the bodies behind this one wait.
                await asyncio.sleep(0)
                return read_json(body, self.gate.json_limits, "the body")
        return read_json(body, self.gate.json_limits, "the body")

    def query_int(
        self, name: str, *, default: int | None = None, low: int = 1, high: int = MAX_INTEGER
    ) -> int | None:
        """Read a whole number of the query string; digits only."""
        values = self.get_query_arguments(name)
        if not values:
            return default
        text = values[-1]
        if not (
            text.isascii()
            and text.isdigit()
            and len(text) <= MAX_ID_DIGITS
            and low <= int(text) <= high
        ):
            raise invalid_field(name, f"must be a whole number from {low} to {high}")
        return int(text)

    def query_limit(self) -> int:
        """Read `?limit=`."""
        return self.query_int("limit", default=DEFAULT_PAGE, high=MAX_PAGE) or DEFAULT_PAGE

    def query_ids(self) -> list[str]:
        """Read `?ids=1,2,3`, given in one argument or in several."""
        given = ",".join(self.get_query_arguments("ids"))
        return [each for each in given.split(",") if each]

    def decode_argument(self, value: bytes, name: str | None = None) -> str:
        """Decode an argument; VALIDATION_ERROR with the parameter's name if it is not UTF-8.

        Half a surrogate pair is not UTF-8.
        """
        try:
            return value.decode()
        except UnicodeDecodeError:
            raise invalid_field((name or "path")[:MAX_PATH_CHARS], "is not UTF-8") from None

    def write_json(self, body: Mapping[str, Any]) -> None:
        """Write the answer; RATE_LIMITED if the user has too many big answers on the way."""
        encoded = orjson.dumps(body)
        if len(encoded) > BIG_ANSWER:
            if not self.gate.answers.take(self.caller_key, len(encoded)):
                why = "take the answers that are on their way first"
                raise ChatError(ErrorCode.RATE_LIMITED, why, retry_after_s=RETRY_S)
            self._unsent = (self.caller_key, len(encoded))
        self.set_header("Content-Type", "application/json; charset=utf-8")
        self.write(encoded)

    def finish(self, chunk: Any = None) -> "asyncio.Future[None]":
        """Send the answer; a client that does not read a big one in time is disconnected."""
        stream = self._connection.stream
        sent = super().finish(chunk)
        unsent, self._unsent = self._unsent, None
        if unsent is not None:
            loop = asyncio.get_running_loop()
            timer = loop.call_later(self.gate.settings.body_within_s, stream.close)

            def taken(_: object) -> None:
                timer.cancel()
                self.gate.answers.give(*unsent)

            sent.add_done_callback(taken)
        return sent
