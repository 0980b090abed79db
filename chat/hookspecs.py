"""Every moment at which a plugin can have a say: the event it is given, and the hook that it subscribes to.

Three kinds. FILTER hooks are awaited one after the other before something happens: return None to leave the event
as it is, a changed copy (`dataclasses.replace`) to pass that on, or raise `Reject` to refuse. NOTIFY hooks hear of it
afterwards and cannot change it. COLLECT hooks are asked once, at start, for what the plugin brings.

Event classes are only ever added to, so a plugin that works today works with the next version.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, Generic, Literal, TypeVar

from pydantic import BaseModel

from chat.entities import Message
from chat.errors import ErrorCode
from chat.identity import Identity, UserId
from chat.ports import ServerApi

Door = Literal["socket", "rest", "plugin"]


class HookKind(Enum):
    FILTER = "filter"
    NOTIFY = "notify"
    COLLECT = "collect"


EventT = TypeVar("EventT")


@dataclass(frozen=True, slots=True)
class Hook(Generic[EventT]):
    """One subscribable moment. Compare and pass the object, never its name: a typo is then an ImportError."""

    name: str
    event: type[EventT]
    kind: HookKind
    doc: str


class FilterHook(Hook[EventT]):
    __slots__ = ()


class NotifyHook(Hook[EventT]):
    __slots__ = ()


class CollectHook(Hook[EventT]):
    __slots__ = ()


# ---- events -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectAttempt:
    """A socket with a good token asks to come in. Refusals that are retryable just close the transport."""

    identity: Identity
    remote_ip: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Connected:
    identity: Identity
    remote_ip: str
    socket_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Disconnected:
    """`connected_s`: how long the socket was there. `reason` is the transport's word for why it ended."""

    identity: Identity
    socket_id: str
    reason: str
    connected_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthFailure:
    """A token was missing or bad. The token itself is nowhere in here."""

    code: ErrorCode
    remote_ip: str
    door: Door


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """Something a caller asks for. `name` is the client event's name; REST routes bear the name of their event,
    or `<method> <route>` where there is none."""

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
    """A socket enters or leaves the room of a chat; the user stays a participant either way."""

    identity: Identity
    chat_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TypingSignal:
    """Somebody begins to type; renewals within two seconds and ends are not asked about."""

    identity: Identity
    chat_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageDraft:
    """A message on its way in: permitted, and not a repeat of an earlier one. `origin` is the plugin that sends it."""

    chat_id: int
    sender_id: UserId
    sender_type: str
    content: str
    client_message_id: str | None = None
    reply_to_id: int | None = None
    metadata: dict[str, Any] | None = None
    origin: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageEvent:
    """A message as it is stored now. `origin` is the plugin that caused it, None for a person."""

    message: Message
    origin: str | None = None


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


# ---- what COLLECT hooks bring ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientEvent:
    """A client event of the plugin's own: `handler(identity, payload)` returns the ack, a dict.

    `model` checks the payload (None: the event has none). A ChatError or Reject becomes the typed error ack.
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


EventRegistrations = Sequence[ClientEvent]
RouteRegistrations = Sequence[Route]

# ---- hooks --------------------------------------------------------------------------------------------------------

before_connect: Final = FilterHook(
    "before_connect", ConnectAttempt, HookKind.FILTER, "A socket with a good token asks to come in."
)
after_connect: Final = NotifyHook(
    "after_connect", Connected, HookKind.NOTIFY, "A socket is connected to /chat."
)
after_disconnect: Final = NotifyHook(
    "after_disconnect", Disconnected, HookKind.NOTIFY, "A socket is gone."
)
after_auth_failure: Final = NotifyHook(
    "after_auth_failure", AuthFailure, HookKind.NOTIFY, "A token was missing or bad, at either door."
)
before_action: Final = FilterHook(
    "before_action",
    Action,
    HookKind.FILTER,
    "A client event or REST call with a valid payload is about to run; a replaced payload is what runs.",
)
after_action: Final = NotifyHook(
    "after_action", ActionDone, HookKind.NOTIFY, "A client event or REST call was answered."
)
before_join: Final = FilterHook(
    "before_join", RoomChange, HookKind.FILTER, "A participant is about to enter a chat's room."
)
after_join: Final = NotifyHook(
    "after_join", RoomChange, HookKind.NOTIFY, "A socket has entered a chat's room."
)
after_leave: Final = NotifyHook(
    "after_leave", RoomChange, HookKind.NOTIFY, "A socket has left a chat's room."
)
before_typing: Final = FilterHook(
    "before_typing",
    TypingSignal,
    HookKind.FILTER,
    "Somebody begins to type; a refusal drops the signal in silence.",
)
before_message_send: Final = FilterHook(
    "before_message_send",
    MessageDraft,
    HookKind.FILTER,
    "A new message is about to be stored; limits and moderation belong here.",
)
after_message_created: Final = NotifyHook(
    "after_message_created", MessageEvent, HookKind.NOTIFY, "A message is stored and pushed."
)
after_message_updated: Final = NotifyHook(
    "after_message_updated", MessageEvent, HookKind.NOTIFY, "A message was edited."
)
after_message_deleted: Final = NotifyHook(
    "after_message_deleted", MessageEvent, HookKind.NOTIFY, "A message became a tombstone."
)
after_message_read: Final = NotifyHook(
    "after_message_read", MessageReadEvent, HookKind.NOTIFY, "A read cursor moved forward."
)
startup: Final = NotifyHook(
    "startup", Startup, HookKind.NOTIFY, "The server is about to listen; a crash here stops it."
)
shutdown: Final = NotifyHook(
    "shutdown", Shutdown, HookKind.NOTIFY, "The server has drained and is about to end."
)
register_events: Final = CollectHook(
    "register_events", Registration, HookKind.COLLECT, "Returns a list of ClientEvent."
)
register_routes: Final = CollectHook(
    "register_routes", Registration, HookKind.COLLECT, "Returns a list of Route."
)

HOOKS: Final[dict[str, Hook[Any]]] = {
    hook.name: hook
    for hook in (
        before_connect,
        after_connect,
        after_disconnect,
        after_auth_failure,
        before_action,
        after_action,
        before_join,
        after_join,
        after_leave,
        before_typing,
        before_message_send,
        after_message_created,
        after_message_updated,
        after_message_deleted,
        after_message_read,
        startup,
        shutdown,
        register_events,
        register_routes,
    )
}
