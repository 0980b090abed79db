"""Limits per user: messages, joins, read marks, typing, connects."""

from pydantic import Field

from chat.plugin_api import (
    Action,
    ConnectAttempt,
    ErrorCode,
    Limit,
    MessageDraft,
    Plugin,
    PluginSettings,
    Reject,
    RoomChange,
    TypingSignal,
    UserKey,
    before_action,
    before_connect,
    before_join,
    before_message_send,
    before_typing,
    hookimpl,
    user_key,
)


class RateLimit(Plugin):
    name = "rate_limit"

    class Settings(PluginSettings):
        send_per_s: float = Field(5, gt=0, description="Messages and edits a second, by user.")
        send_burst: float = Field(10, ge=1, description="Messages and edits at once, by user.")
        join_per_s: float = Field(5, gt=0, description="Joins and syncs a second, by user.")
        join_burst: float = Field(100, ge=1, description="Joins and syncs at once, by user.")
        read_per_s: float = Field(10, gt=0, description="Read marks a second, by user.")
        typing_per_s: float = Field(1, gt=0, description="Typing signals a second, by user.")
        action_per_s: float = Field(
            20, gt=0, description="Other events and calls a second, by user."
        )
        action_burst: float = Field(
            60, ge=1, description="Other events and calls at once, by user."
        )
        connect_per_s: float = Field(5, gt=0, description="Connects a second, by user.")
        connect_burst: float = Field(20, ge=1, description="Connects at once, by user.")

    def __init__(self, settings: Settings | None = None) -> None:
        super().__init__(settings)
        own: RateLimit.Settings = self.settings
        self._send: Limit[UserKey] = Limit(own.send_per_s, own.send_burst)
        self._join: Limit[UserKey] = Limit(own.join_per_s, own.join_burst)
        self._read: Limit[UserKey] = Limit(own.read_per_s, max(1, own.read_per_s))
        self._typing: Limit[UserKey] = Limit(own.typing_per_s, max(3, own.typing_per_s))
        self._action: Limit[UserKey] = Limit(own.action_per_s, own.action_burst)
        self._connect: Limit[UserKey] = Limit(own.connect_per_s, own.connect_burst)

    @hookimpl(before_connect)
    async def limit_connects(self, attempt: ConnectAttempt) -> None:
        _take(self._connect, attempt.identity.key)

    # These three have limits of their own, after the checks for repeats and renewals.
    @hookimpl(before_action, besides=("sendMessage", "typing", "joinChat"))
    async def limit_actions(self, action: Action) -> None:
        if action.identity.type == "service":
            return
        limits = {
            "markAsRead": self._read,
            "sync": self._join,
            # These push as much to a whole chat as a message does.
            "editMessage": self._send,
            "PATCH /chats/:id": self._send,
        }
        _take(limits.get(action.name, self._action), action.identity.key)

    @hookimpl(before_join)
    async def limit_joins(self, change: RoomChange) -> None:
        # An automatic join is one of many that one event causes.
        if not change.automatic:
            _take(self._join, change.identity.key)

    @hookimpl(before_typing)
    async def limit_typing(self, signal: TypingSignal) -> None:
        _take(self._typing, signal.identity.key)

    @hookimpl(before_message_send)
    async def limit_sends(self, draft: MessageDraft) -> None:
        # `limit_actions` counts an edit.
        if draft.sender_type != "service" and draft.origin is None and not draft.is_edit:
            _take(self._send, user_key(draft.tenant, draft.sender_id))


def _take(limit: Limit[UserKey], key: UserKey) -> None:
    wait_s = limit.wait_s(key)
    if wait_s > 0:
        raise Reject(
            ErrorCode.RATE_LIMITED,
            "too many at once, try again shortly",
            retry_after_s=round(wait_s, 3),
        )
