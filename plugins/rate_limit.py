"""Limits per user: messages, joins, read marks, typing, connects.

A token bucket of our own: 0.4 us a hit, where the library `limits` with its memory storage takes 3
to 6.5, and this is asked on every message (docs/adr/0006). Buckets are in memory, and forgotten
when full.
"""

import time
from collections.abc import Hashable
from typing import Final

from pydantic import Field

from chat.plugin_api import (
    Action,
    ConnectAttempt,
    ErrorCode,
    MessageDraft,
    Plugin,
    PluginSettings,
    Reject,
    RoomChange,
    TypingSignal,
    before_action,
    before_connect,
    before_join,
    before_message_send,
    before_typing,
    hookimpl,
)

SWEEP_AT: Final = 10_000
"""Buckets in one limit before the full ones are thrown out."""


class Limit:
    """`rate_per_s` on average, `burst` at once, for each key.

    A key's whole state is one number: the moment at which its bucket is full again (GCRA).
    """

    __slots__ = ("_burst_s", "_full_at", "_interval_s", "_sweep_at")

    def __init__(self, rate_per_s: float, burst: float) -> None:
        self._interval_s = 1 / rate_per_s
        self._burst_s = burst / rate_per_s
        self._full_at: dict[Hashable, float] = {}
        self._sweep_at = SWEEP_AT

    def wait_s(self, key: Hashable) -> float:
        """Take a token: 0, or the seconds until there is one. 0.2 us."""
        now = time.monotonic()
        full_at = self._full_at.get(key, 0.0)
        full_at = (full_at if full_at > now else now) + self._interval_s
        wait_s = full_at - now - self._burst_s
        # Sums of fractions are off by less than that.
        if wait_s > 1e-6:
            return wait_s
        self._full_at[key] = full_at
        if len(self._full_at) >= self._sweep_at:
            self._sweep(now)
        return 0.0

    def _sweep(self, now: float) -> None:
        self._full_at = {key: at for key, at in self._full_at.items() if at > now}
        # Doubled when nearly all are in use, so that sweeping stays cheap for each hit.
        self._sweep_at = max(SWEEP_AT, 2 * len(self._full_at))


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
        self._send = Limit(own.send_per_s, own.send_burst)
        self._join = Limit(own.join_per_s, own.join_burst)
        self._read = Limit(own.read_per_s, max(1, own.read_per_s))
        self._typing = Limit(own.typing_per_s, max(3, own.typing_per_s))
        self._action = Limit(own.action_per_s, own.action_burst)
        self._connect = Limit(own.connect_per_s, own.connect_burst)

    @hookimpl(before_connect)
    async def limit_connects(self, attempt: ConnectAttempt) -> None:
        _take(self._connect, attempt.identity.user_id)

    # Those three have limits of their own, further in, where repeats and renewals are known
    # already.
    @hookimpl(before_action, besides=("sendMessage", "typing", "joinChat"))
    async def limit_actions(self, action: Action) -> None:
        if action.identity.type == "service":
            return
        limits = {
            "markAsRead": self._read,
            "sync": self._join,
            # What these push to a whole chat is as long as a message.
            "editMessage": self._send,
            "PATCH /chats/:id": self._send,
        }
        _take(limits.get(action.name, self._action), action.identity.user_id)

    @hookimpl(before_join)
    async def limit_joins(self, change: RoomChange) -> None:
        # All chats at once are one wish, and were asked for by one event.
        if not change.automatic:
            _take(self._join, change.identity.user_id)

    @hookimpl(before_typing)
    async def limit_typing(self, signal: TypingSignal) -> None:
        _take(self._typing, signal.identity.user_id)

    @hookimpl(before_message_send)
    async def limit_sends(self, draft: MessageDraft) -> None:
        # An edit is an action.
        if draft.sender_type != "service" and draft.origin is None and not draft.is_edit:
            _take(self._send, draft.sender_id)


def _take(limit: Limit, key: Hashable) -> None:
    wait_s = limit.wait_s(key)
    if wait_s > 0:
        raise Reject(
            ErrorCode.RATE_LIMITED,
            "too many at once, try again shortly",
            retry_after_s=round(wait_s, 3),
        )
