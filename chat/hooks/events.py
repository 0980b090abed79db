"""What plugins are told: one frozen event class for each hook, and what COLLECT hooks bring.

The classes are only ever added to, so a plugin that works today works with the next version.
"""

from collections.abc import Awaitable, Callable
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
    """A socket with a good token asks to come in. Refusals that are retryable just close the
    transport.
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
    """`connected_s`: how long the socket was there. `reason` is the transport's word for why it
    ended.
    """

    identity: Identity
    socket_id: str
    reason: str
    connected_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthFailure:
    """A token was missing or bad. The token itself is nowhere in here.

    `reason` says what was wrong with it; `user_id` is set where the signature was good;
    `request_id` is what the client has too.
    """

    code: ErrorCode
    remote_ip: str
    door: Door
    reason: str = ""
    user_id: UserId | None = None
    request_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """Something a caller asks for. `name` is the client event's name; REST routes bear the name of
    their event, or `<method> <route>` where there is none.
    """

    name: str
    identity: Identity
    door: Door
    remote_ip: str
    payload: BaseModel | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionDone:
    """The answer was given. `code` is None on success; `name` is None for an event nobody knows."""

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

    `automatic`: one of all the user's chats, entered at once on `autoJoin`.
    """

    identity: Identity
    chat_id: int
    automatic: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TypingSignal:
    """Somebody begins to type; renewals within two seconds and ends are not asked about."""

    identity: Identity
    chat_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageDraft:
    """A message, or the new text of one, on its way in: permitted, and not a repeat of an earlier
    one. `message_id` is None for a new message, the id of the edited one for an edit: then
    `sender_id` and `sender_type` are who edits. `origin` is the plugin that sends it.
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

    @property
    def is_edit(self) -> bool:
        """Whether this is the new text of a stored message, and no new message."""
        return self.message_id is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatDraft:
    """A chat as a caller, who may, is about to make or change it. `chat_id` is None for a new one;
    title and metadata are as they would be afterwards.
    """

    chat_id: int | None
    identity: Identity
    type: Literal["direct", "group"]
    title: str | None
    metadata: dict[str, Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageEvent:
    """A message as it is stored now. `origin` is the plugin that caused it, None for a person.

    `by` is who edited or deleted it; None for a message that was just sent.
    """

    message: Message
    origin: str | None = None
    by: UserId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageReadEvent:
    chat_id: int
    message_id: int
    user_id: UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class Startup:
    """The server is about to listen; keep `server` to act on it later."""

    server: ServerApi


@dataclass(frozen=True, slots=True, kw_only=True)
class Shutdown:
    """No new work is taken; running requests have ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """Asked once, before startup."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientEvent:
    """A client event of the plugin's own: `handler(identity, payload)` returns the ack, a dict.

    `model` checks the payload (None: the event has none). A ChatError or Reject becomes the typed
    error ack.
    """

    name: str
    handler: Callable[[Identity, Any], Awaitable[dict[str, Any]]]
    model: type[BaseModel] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRequest:
    """What a plugin's route is told. `identity` is None where the route is public."""

    method: str
    path: str
    query: dict[str, str]
    body: bytes
    identity: Identity | None
    remote_ip: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpResponse:
    """`body`: a dict is written as JSON, str as text/plain."""

    status: int = 200
    body: dict[str, Any] | str = ""
    headers: dict[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A REST route of the plugin's own. `public=False` asks for a good token first."""

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
    path: str
    handler: Callable[[HttpRequest], Awaitable[HttpResponse]]
    public: bool = False
