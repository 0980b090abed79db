"""Every moment at which a plugin can have a say: the hooks that it subscribes to."""

from dataclasses import dataclass
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
    SeatQuestion,
    Shutdown,
    Startup,
    TypingSignal,
)

EventT = TypeVar("EventT")


@dataclass(frozen=True, slots=True)
class Hook(Generic[EventT]):
    """One subscribable moment.

    Compare and pass the object, never its name: a typo is then an ImportError.
    """

    name: str
    event: type[EventT]


class FilterHook(Hook[EventT]):
    """Called before something happens, one plugin after the other.

    Return None to leave the event as it is, a changed copy (`dataclasses.replace`) to pass that on,
    or raise `Reject` to refuse.
    """

    __slots__ = ()


class NotifyHook(Hook[EventT]):
    """Called after something happened, which it cannot change."""

    __slots__ = ()


class AskHook(Hook[EventT]):
    """Called with a question, one plugin after the other, until one answers.

    Return None to leave the question to the next plugin, or raise `Reject` to refuse.
    """

    __slots__ = ()


class CollectHook(Hook[EventT]):
    """Called once, at start, for what the plugin brings."""

    __slots__ = ()


before_connect: Final = FilterHook("before_connect", ConnectAttempt)
"""A socket with a good token asks to connect."""

after_connect: Final = NotifyHook("after_connect", Connected)
"""A socket is connected to /chat."""

after_disconnect: Final = NotifyHook("after_disconnect", Disconnected)
"""A socket is gone."""

after_auth_failure: Final = NotifyHook("after_auth_failure", AuthFailure)
"""A token was missing or bad, over the socket or over REST."""

before_action: Final = FilterHook("before_action", Action)
"""A client event or REST call with a valid payload is about to run; a new payload replaces it."""

after_action: Final = NotifyHook("after_action", ActionDone)
"""A client event or REST call was answered."""

after_refusal: Final = NotifyHook("after_refusal", ActionDone)
"""A client event or REST call was refused."""

resolve_seat: Final = AskHook("resolve_seat", SeatQuestion)
"""A user asks for the chat of an externalRef: returns a Seat, or None."""

before_join: Final = FilterHook("before_join", RoomChange)
"""A participant is about to enter a chat's room."""

after_join: Final = NotifyHook("after_join", RoomChange)
"""A socket has entered a chat's room."""

after_leave: Final = NotifyHook("after_leave", RoomChange)
"""A socket has left a chat's room."""

before_typing: Final = FilterHook("before_typing", TypingSignal)
"""A participant begins to type; a refusal only drops the signal."""

before_message_send: Final = FilterHook("before_message_send", MessageDraft)
"""A new message is about to be stored; limits and moderation belong here."""

before_message_edit: Final = FilterHook("before_message_edit", MessageDraft)
"""The new text of a message is about to be stored.

A plugin without this hook is asked about edits by its before_message_send.
"""

before_chat_change: Final = FilterHook("before_chat_change", ChatDraft)
"""A chat is about to be created, or to get another title or other metadata."""

after_message_created: Final = NotifyHook("after_message_created", MessageEvent)
"""A message is stored and pushed."""

after_message_updated: Final = NotifyHook("after_message_updated", MessageEvent)
"""A message was edited."""

after_message_deleted: Final = NotifyHook("after_message_deleted", MessageEvent)
"""A message became a tombstone."""

after_message_read: Final = NotifyHook("after_message_read", MessageReadEvent)
"""A read cursor moved forward."""

startup: Final = NotifyHook("startup", Startup)
"""The server is about to listen; a crash here stops it."""

shutdown: Final = NotifyHook("shutdown", Shutdown)
"""The server has drained and is about to end."""

register_events: Final = CollectHook("register_events", Registration)
"""Returns a list of ClientEvent."""

register_routes: Final = CollectHook("register_routes", Registration)
"""Returns a list of Route."""

register_namespaces: Final = CollectHook("register_namespaces", Registration)
"""Returns a list of socketio.AsyncNamespace, outside /chat and everything that guards it."""

HOOKS: Final[dict[str, Hook[Any]]] = {
    each.name: each for each in list(globals().values()) if isinstance(each, Hook)
}
