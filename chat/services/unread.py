"""Unread counts, pushed as `unreadUpdated` to participants outside the room.

The server pushes the counts of a chat at most once a second.
"""

import asyncio
from dataclasses import dataclass, field
from typing import Final

import structlog

from chat.contracts.view_writers import unread_pushed, unread_view_to_wire
from chat.errors import ChatError
from chat.identity import Identity
from chat.ports import Broadcaster, Clock
from chat.services.budget import Budget
from chat.services.chat_states import ChatState, ChatStates
from chat.services.reads import ReadService
from chat.views import Json, UnreadChats, UnreadView

PUSHES_A_TURN: Final = 500
"""So many take about 10 ms; the others of a large chat get their counts in the next turns."""

_log = structlog.get_logger("chat.unread")


@dataclass(slots=True, eq=False, kw_only=True)
class UnreadService:
    states: ChatStates
    reads: ReadService
    broadcaster: Broadcaster
    clock: Clock
    push_every_s: float
    _changed: dict[int, ChatState] = field(default_factory=dict, init=False)
    _pusher: asyncio.Task[None] | None = field(default=None, init=False)

    def chat_changed(self, state: ChatState) -> None:
        """Push the new count and last message to those outside the room, within a second."""
        self._changed[state.chat.id] = state
        if self._pusher is None:
            self._pusher = asyncio.get_running_loop().create_task(self._push_later())

    async def of_user(self, identity: Identity, budget: Budget) -> UnreadChats:
        """Count what the caller has not read; chats beyond the budget have no last message."""
        total = 0
        chats: list[Json] = []
        for state in await self.states.of_user(identity.key):
            mine = state.members.get(identity.user_id)
            if mine is None:
                continue  # removed while other chats were loaded
            unread = await self.reads.unread_count(state, mine)
            if unread and not state.closed and identity.user_id in state.members:
                total += unread
                view = UnreadView(state.chat.id, mine, unread, state.last_message)
                chats.append(budget.shortened(view, unread_view_to_wire))
        return UnreadChats(total, chats)

    def stop(self) -> None:
        if self._pusher is not None:
            self._pusher.cancel()

    async def _push_later(self) -> None:
        while self._changed:
            await asyncio.sleep(self.push_every_s)
            changed, self._changed = self._changed, {}
            for state in changed.values():
                try:
                    await self._push(state)
                except ChatError as error:
                    # The store is not available; the next message pushes the count again.
                    _log.warning("unread_not_pushed", chat_id=state.chat.id, code=error.code.value)
                except Exception:  # noqa: BLE001  # the counts of other chats are pushed all the same
                    _log.exception("unread_not_pushed", chat_id=state.chat.id)
        self._pusher = None

    async def _push(self, state: ChatState) -> None:
        for number, user_id in enumerate(list(state.members)):
            if number % PUSHES_A_TURN == PUSHES_A_TURN - 1:
                await asyncio.sleep(0)
            key = state.key_of(user_id)
            if not self.broadcaster.is_outside(state.chat.id, key):
                continue
            mine = state.members.get(user_id)
            if mine is not None and not state.closed:
                unread = await self.reads.unread_count(state, mine)
                mine = state.members.get(user_id)
                if mine is None or state.closed:
                    continue  # removed while it was counted, or the chat is gone
                view = UnreadView(state.chat.id, mine, unread, state.last_message)
                event = unread_pushed(view, state.head, self.clock.now())
                self.broadcaster.to_user(key, event, outside_chat=state.chat.id)
