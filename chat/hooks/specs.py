"""Every moment at which a plugin can have a say: the hooks that it subscribes to.

Three kinds. FILTER hooks are awaited one after the other before something happens: return None to
leave the event as it is, a changed copy (`dataclasses.replace`) to pass that on, or raise `Reject`
to refuse. NOTIFY hooks hear of it afterwards and cannot change it. COLLECT hooks are asked once, at
start, for what the plugin brings.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, Generic, TypeVar

from chat.hooks.events import (
    Action,
    ActionDone,
    AuthFailure,
    ChatDraft,
    ConnectAttempt,
    Connected,
    Disconnected,
    MessageDraft,
    MessageEvent,
    MessageReadEvent,
    Registration,
    RoomChange,
    Shutdown,
    Startup,
    TypingSignal,
)


class HookKind(Enum):
    FILTER = "filter"
    NOTIFY = "notify"
    COLLECT = "collect"


EventT = TypeVar("EventT")


@dataclass(frozen=True, slots=True)
class Hook(Generic[EventT]):
    """One subscribable moment. Compare and pass the object, never its name: a typo is then an
    ImportError.
    """

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
    "after_auth_failure",
    AuthFailure,
    HookKind.NOTIFY,
    "A token was missing or bad, at either door.",
)
before_action: Final = FilterHook(
    "before_action",
    Action,
    HookKind.FILTER,
    "A client event or REST call with a valid payload is about to run; a new payload replaces it.",
)
after_action: Final = NotifyHook(
    "after_action", ActionDone, HookKind.NOTIFY, "A client event or REST call was answered."
)
after_refusal: Final = NotifyHook(
    "after_refusal", ActionDone, HookKind.NOTIFY, "A client event or REST call was refused."
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
before_message_edit: Final = FilterHook(
    "before_message_edit",
    MessageDraft,
    HookKind.FILTER,
    "The new text of a message is about to be stored. A plugin without it is asked about edits by "
    "its before_message_send.",
)
before_chat_change: Final = FilterHook(
    "before_chat_change",
    ChatDraft,
    HookKind.FILTER,
    "A chat is about to be made, or to get another title or other metadata.",
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
register_namespaces: Final = CollectHook(
    "register_namespaces",
    Registration,
    HookKind.COLLECT,
    "Returns a list of socketio.AsyncNamespace, outside of /chat and all that guards it.",
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
        after_refusal,
        before_join,
        after_join,
        after_leave,
        before_typing,
        before_message_send,
        before_message_edit,
        before_chat_change,
        after_message_created,
        after_message_updated,
        after_message_deleted,
        after_message_read,
        startup,
        shutdown,
        register_events,
        register_routes,
        register_namespaces,
    )
}
