"""The events of the hooks, one frozen class each, and what COLLECT hooks return.

Fields are only ever added, so a plugin that works today works with the next version.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel

from chat.entities import Message
from chat.errors import ErrorCode
from chat.identity import Identity, UserId
from chat.ports import ServerApi

Door = Literal["socket", "rest", "plugin"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectAttempt:
    """A client with a good token asks for a socket.

    A retryable refusal only closes the transport.
    """

    identity: Identity
    remote_ip: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Connected:
    identity: Identity
    remote_ip: str
    socket_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Disconnected:
    """A socket has ended after `connected_s`; `reason` is the transport's word for why."""

    identity: Identity
    socket_id: str
    reason: str
    connected_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthFailure:
    """A token was missing or bad; the event does not hold the token.

    `reason` says what was wrong with it; `user_id` and `tenant` are set where the signature was
    good; `request_id` is the one that the client received.
    """

    code: ErrorCode
    remote_ip: str
    door: Door
    reason: str = ""
    user_id: UserId | None = None
    request_id: str | None = None
    tenant: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """An action that a caller asks for.

    `name` is the client event's name; a REST route has the name of its event, or `<method> <route>`
    where there is none.
    """

    name: str
    identity: Identity
    door: Door
    remote_ip: str
    payload: BaseModel | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionDone:
    """An action was answered; `code` is None on success, `name` None for an unknown event."""

    name: str | None
    identity: Identity
    door: Door
    remote_ip: str
    code: ErrorCode | None
    request_id: str | None
    duration_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomChange:
    """A socket enters or leaves the room of a chat; the user stays a participant either way.

    `automatic`: the socket enters the rooms of all the user's chats at once (`autoJoin`).
    """

    identity: Identity
    chat_id: int
    automatic: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatQuestion:
    """A user whose token gives no seat asks for the chat of an externalRef, which may not exist.

    The answer is a `Seat`, or None where the plugin gives none.
    """

    identity: Identity
    external_ref: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TypingSignal:
    """A user begins to type; for renewals within two seconds and for ends there is no event."""

    identity: Identity
    chat_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageDraft:
    """A new message, or the new text of one: permitted, and not a repeat of an earlier one.

    `message_id` is None for a new message. For an edit it is the id of the edited message, and
    `sender_id` and `sender_type` are those of the user who edits. `origin` is the plugin that sends
    the message. `tenant` is that of the chat and its users.
    """

    chat_id: int
    sender_id: UserId
    sender_type: str
    content: str
    client_message_id: str | None = None
    reply_to_id: int | None = None
    metadata: dict[str, Any] | None = None
    origin: str | None = None
    message_id: int | None = None
    tenant: str = ""

    @property
    def is_edit(self) -> bool:
        """Whether this is the new text of a stored message, and no new message."""
        return self.message_id is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatDraft:
    """A chat that a caller, with the right to do so, is about to create or change.

    `chat_id` is None for a new one; title and metadata are as they would be afterwards.
    """

    chat_id: int | None
    identity: Identity
    type: Literal["direct", "group"]
    title: str | None
    metadata: dict[str, Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageEvent:
    """A message as it is stored now.

    `origin` is the plugin that caused the event, None for a user. `by` is the user who edited or
    deleted the message, None for a message that was just sent. `tenant` is that of the chat and its
    users.
    """

    message: Message
    origin: str | None = None
    by: UserId | None = None
    tenant: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageReadEvent:
    chat_id: int
    message_id: int
    user_id: UserId
    tenant: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Startup:
    """The server is about to listen; keep `server` to act on it later."""

    server: ServerApi


@dataclass(frozen=True, slots=True, kw_only=True)
class Shutdown:
    """No new work is taken; running requests have ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """The server asks once, at the start, what the plugin registers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientEvent:
    """A client event of the plugin's own: `handler(identity, payload)` returns the ack, a dict.

    `model` checks the payload; None if the event has none. A ChatError or Reject becomes the error
    of the ack. `summary` and `ack`, the type of a success, are for /asyncapi.json.
    """

    name: str
    handler: Callable[[Identity, Any], Awaitable[dict[str, Any]]]
    model: type[BaseModel] | None = None
    ack: Any = None
    summary: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRequest:
    """A request for a plugin's route; `identity` is None where the route is public."""

    method: str
    path: str
    query: dict[str, str]
    body: bytes
    identity: Identity | None
    remote_ip: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpResponse:
    """The answer of a plugin's route: a dict is written as JSON, a str as text/plain."""

    status: int = 200
    body: dict[str, Any] | str = ""
    headers: dict[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A REST route of the plugin's own; `public=False` requires a good token.

    `summary`, the model `body` and `answers`, a type for each HTTP status, are for /openapi.json;
    the server checks nothing by them.
    """

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
    path: str
    handler: Callable[[HttpRequest], Awaitable[HttpResponse]]
    public: bool = False
    body: type[BaseModel] | None = None
    answers: Mapping[int, Any] | None = None
    summary: str = ""
