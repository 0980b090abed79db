"""The entry point for plugin authors: a plugin imports everything of this server from here.

A plugin is one file with one class:

    from dataclasses import replace
    from chat.plugin_api import MessageDraft, Plugin, before_message_send, hookimpl

    class Whisper(Plugin):
        name = "whisper"

        @hookimpl(before_message_send)
        async def calm_down(self, draft: MessageDraft) -> MessageDraft | None:
            if draft.content.isupper():
                return replace(draft, content=draft.content.lower())
            return None

Start it with PLUGINS=default,whisper. docs/writing-plugins.md has the rest.
"""

from chat.entities import Message, Seat
from chat.errors import ChatError, ErrorCode, Reject
from chat.hooks.events import (
    Action,
    ActionDone,
    AuthFailure,
    ChatDraft,
    ClientEvent,
    ConnectAttempt,
    Connected,
    Disconnected,
    HttpRequest,
    HttpResponse,
    MessageDraft,
    MessageEvent,
    MessageReadEvent,
    Registration,
    RoomChange,
    Route,
    SeatQuestion,
    Shutdown,
    Startup,
    TypingSignal,
)
from chat.hooks.plugin import API_VERSION, Plugin, PluginSettings, hookimpl
from chat.hooks.specs import (
    Hook,
    after_action,
    after_auth_failure,
    after_connect,
    after_disconnect,
    after_join,
    after_leave,
    after_message_created,
    after_message_deleted,
    after_message_read,
    after_message_updated,
    after_refusal,
    before_action,
    before_chat_change,
    before_connect,
    before_join,
    before_message_edit,
    before_message_send,
    before_typing,
    register_events,
    register_namespaces,
    register_routes,
    resolve_seat,
    shutdown,
    startup,
)
from chat.identity import Identity, UserId, UserKey, user_key
from chat.limits import Limit
from chat.ports import ServerApi

__all__ = [
    "API_VERSION",
    "Action",
    "ActionDone",
    "AuthFailure",
    "ChatDraft",
    "ChatError",
    "ClientEvent",
    "ConnectAttempt",
    "Connected",
    "Disconnected",
    "ErrorCode",
    "Hook",
    "HttpRequest",
    "HttpResponse",
    "Identity",
    "Limit",
    "Message",
    "MessageDraft",
    "MessageEvent",
    "MessageReadEvent",
    "Plugin",
    "PluginSettings",
    "Registration",
    "Reject",
    "RoomChange",
    "Route",
    "Seat",
    "SeatQuestion",
    "ServerApi",
    "Shutdown",
    "Startup",
    "TypingSignal",
    "UserId",
    "UserKey",
    "after_action",
    "after_auth_failure",
    "after_connect",
    "after_disconnect",
    "after_join",
    "after_leave",
    "after_message_created",
    "after_message_deleted",
    "after_message_read",
    "after_message_updated",
    "after_refusal",
    "before_action",
    "before_chat_change",
    "before_connect",
    "before_join",
    "before_message_edit",
    "before_message_send",
    "before_typing",
    "hookimpl",
    "register_events",
    "register_namespaces",
    "register_routes",
    "resolve_seat",
    "shutdown",
    "startup",
    "user_key",
]
