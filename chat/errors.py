"""All errors, and the table that says what each error code means.

Acks, REST answers, `connect_error` and the pushed `error` event are all made from a `ChatError`, so
a client can switch on `error.code` wherever a refusal reaches it. Nothing here knows a transport.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Final, Literal, NotRequired

from pydantic import GetPydanticSchema
from typing_extensions import TypedDict


class ErrorCode(StrEnum):
    """Every code that a client can meet; docs/errors.md has a section for each."""

    VALIDATION_ERROR = "VALIDATION_ERROR"
    UNKNOWN_EVENT = "UNKNOWN_EVENT"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    TOKEN_INVALID = "TOKEN_INVALID"  # noqa: S105  # an error code
    TOKEN_EXPIRED = "TOKEN_EXPIRED"  # noqa: S105  # an error code
    TOKEN_REVOKED = "TOKEN_REVOKED"  # noqa: S105  # an error code
    AUTH_UNAVAILABLE = "AUTH_UNAVAILABLE"
    USER_BLOCKED = "USER_BLOCKED"
    FORBIDDEN = "FORBIDDEN"
    NOT_PARTICIPANT = "NOT_PARTICIPANT"
    NOT_FOUND = "NOT_FOUND"
    METHOD_NOT_ALLOWED = "METHOD_NOT_ALLOWED"
    MESSAGE_DELETED = "MESSAGE_DELETED"
    CONFLICT = "CONFLICT"
    IDEMPOTENCY_CONFLICT = "IDEMPOTENCY_CONFLICT"
    EDIT_CONFLICT = "EDIT_CONFLICT"
    EDIT_WINDOW_CLOSED = "EDIT_WINDOW_CLOSED"
    PAYLOAD_TOO_LARGE = "PAYLOAD_TOO_LARGE"
    UNSUPPORTED_MEDIA = "UNSUPPORTED_MEDIA"
    RATE_LIMITED = "RATE_LIMITED"
    REJECTED = "REJECTED"
    PLUGIN_ERROR = "PLUGIN_ERROR"
    STORAGE_UNAVAILABLE = "STORAGE_UNAVAILABLE"
    SHUTTING_DOWN = "SHUTTING_DOWN"
    TIMEOUT = "TIMEOUT"
    INTERNAL_ERROR = "INTERNAL_ERROR"


def new_request_id() -> str:
    """Make an id that a log line and the answer to a client have in common."""
    return secrets.token_hex(6)


@dataclass(frozen=True, slots=True)
class ErrorKind:
    """The HTTP status of a code, and whether the same request may succeed later."""

    status: int
    retryable: bool


ERROR_KINDS: Final[dict[ErrorCode, ErrorKind]] = {
    ErrorCode.VALIDATION_ERROR: ErrorKind(400, retryable=False),
    ErrorCode.UNKNOWN_EVENT: ErrorKind(404, retryable=False),
    ErrorCode.UNAUTHENTICATED: ErrorKind(401, retryable=False),
    ErrorCode.TOKEN_INVALID: ErrorKind(401, retryable=False),
    ErrorCode.TOKEN_EXPIRED: ErrorKind(401, retryable=False),
    ErrorCode.TOKEN_REVOKED: ErrorKind(403, retryable=False),
    ErrorCode.AUTH_UNAVAILABLE: ErrorKind(503, retryable=True),
    ErrorCode.USER_BLOCKED: ErrorKind(403, retryable=False),
    ErrorCode.FORBIDDEN: ErrorKind(403, retryable=False),
    ErrorCode.NOT_PARTICIPANT: ErrorKind(403, retryable=False),
    ErrorCode.NOT_FOUND: ErrorKind(404, retryable=False),
    ErrorCode.METHOD_NOT_ALLOWED: ErrorKind(405, retryable=False),
    ErrorCode.MESSAGE_DELETED: ErrorKind(410, retryable=False),
    ErrorCode.CONFLICT: ErrorKind(409, retryable=False),
    ErrorCode.IDEMPOTENCY_CONFLICT: ErrorKind(409, retryable=False),
    ErrorCode.EDIT_CONFLICT: ErrorKind(409, retryable=True),
    ErrorCode.EDIT_WINDOW_CLOSED: ErrorKind(403, retryable=False),
    ErrorCode.PAYLOAD_TOO_LARGE: ErrorKind(413, retryable=False),
    ErrorCode.UNSUPPORTED_MEDIA: ErrorKind(415, retryable=False),
    ErrorCode.RATE_LIMITED: ErrorKind(429, retryable=True),
    ErrorCode.REJECTED: ErrorKind(422, retryable=False),
    ErrorCode.PLUGIN_ERROR: ErrorKind(500, retryable=True),
    ErrorCode.STORAGE_UNAVAILABLE: ErrorKind(503, retryable=True),
    ErrorCode.SHUTTING_DOWN: ErrorKind(503, retryable=True),
    ErrorCode.TIMEOUT: ErrorKind(504, retryable=True),
    ErrorCode.INTERNAL_ERROR: ErrorKind(500, retryable=True),
}


class SetupError(Exception):
    """The server cannot start; `str(error)` is one sentence that says what to do."""


FULL_RETRY_S: Final = 5
"""The `retry_after_s` for clients that have used up a quota of connections or sockets."""


class DetailModel(TypedDict):
    """The fault of one field."""

    path: str
    message: str


class ErrorModel(TypedDict):
    """An error as a client receives it.

    `chatId` is only in a CONFLICT, `event` only in the pushed `error`.
    """

    code: Annotated[str, GetPydanticSchema(lambda _type, schema_of: schema_of(ErrorCode))]
    message: str
    retryable: bool
    requestId: str
    retryAfter: NotRequired[float]
    details: NotRequired[
        Annotated[
            list[dict[str, str]],
            GetPydanticSchema(lambda _type, schema_of: schema_of(list[DetailModel])),
        ]
    ]
    chatId: NotRequired[int]
    event: NotRequired[str]


class RefusalModel(TypedDict):
    """The ack of an event, or the answer to a request, that was refused."""

    success: Literal[False]
    message: str
    error: ErrorModel


class ChatError(Exception):
    """A refusal with a code.

    The client sees the message, so it never holds a driver's text or a path of the file system.
    `retry_after_s` is in seconds; `details` is a list of `{path, message}` for VALIDATION_ERROR and
    CONFLICT.
    """

    def __init__(
        self,
        code: ErrorCode,
        message: str,
        *,
        retry_after_s: float | None = None,
        details: Sequence[dict[str, str]] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.retry_after_s = retry_after_s
        self.details = details
        # The log line of an unexpected error has the same id, so that a user's report leads to it.
        self.request_id = new_request_id()

    @property
    def kind(self) -> ErrorKind:
        return ERROR_KINDS[self.code]

    def to_wire(self) -> ErrorModel:
        """Write the error as clients receive it."""
        wire: ErrorModel = {
            "code": self.code.value,
            "message": self.message,
            "retryable": self.kind.retryable,
            "requestId": self.request_id,
        }
        if self.retry_after_s is not None:
            wire["retryAfter"] = self.retry_after_s
        if self.details:
            wire["details"] = list(self.details)
        return wire

    def to_answer(self) -> RefusalModel:
        """Write the body of an ack or a REST answer."""
        return {"success": False, "message": self.message, "error": self.to_wire()}


def invalid_field(path: str, what: str) -> ChatError:
    """VALIDATION_ERROR that names one field in its message and in its details."""
    details = [{"path": path, "message": what}]
    return ChatError(ErrorCode.VALIDATION_ERROR, f"{path}: {what}", details=details)


class Reject(ChatError):
    """A plugin's refusal: `raise Reject(ErrorCode.REJECTED, "no links, please")`."""


class StoreUnavailableError(ChatError):
    """The store cannot be reached, and has certainly written nothing."""

    text = "the store cannot be reached, try again"
    pause_s = 1.0

    def __init__(self) -> None:
        super().__init__(ErrorCode.STORAGE_UNAVAILABLE, self.text, retry_after_s=self.pause_s)


class DiskFullError(StoreUnavailableError):
    """A disk has less than MIN_FREE_DISK_MB free: the server writes nothing until it has more."""

    text = "the server's disk is full: it stores nothing until its operator makes room"
    pause_s = 5.0


class OutcomeUnknownError(ChatError):
    """The store did not answer a write, which it may have done, or may still do."""

    def __init__(self) -> None:
        super().__init__(
            ErrorCode.TIMEOUT,
            "no answer from the store; send again with the same clientMessageId",
            retry_after_s=1,
        )


class NotParticipantError(ChatError):
    """The same refusal for a chat of others and a missing one, so that ids cannot be probed."""

    def __init__(self, chat_id: int) -> None:
        message = f"you are not a participant of chat {chat_id}"
        super().__init__(ErrorCode.NOT_PARTICIPANT, message)


class ChatConflictError(ChatError):
    """A chat exists already, and it is not the one that was asked for.

    `details` say what differs. `chat_id` is None where the caller may not know the chat.
    """

    def __init__(
        self, message: str, details: Sequence[dict[str, str]], chat_id: int | None
    ) -> None:
        super().__init__(ErrorCode.CONFLICT, message, details=details)
        self.chat_id = chat_id

    def to_wire(self) -> ErrorModel:
        wire = super().to_wire()
        if self.chat_id is not None:
            wire["chatId"] = self.chat_id
        return wire


def message_not_found(message_id: int) -> ChatError:
    """Make the same refusal for a missing message and for a message in a chat of others."""
    return ChatError(ErrorCode.NOT_FOUND, f"no message {message_id}")


def idempotency_conflict() -> ChatError:
    return ChatError(
        ErrorCode.IDEMPOTENCY_CONFLICT,
        "this clientMessageId was used for another message in this chat",
    )
