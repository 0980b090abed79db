"""The users who are typing, by chat. Never stored; the server ends what a client does not end."""

import asyncio
from dataclasses import dataclass, field

from chat.contracts.pushes import user_typing
from chat.errors import ChatError
from chat.hooks.events import TypingSignal
from chat.hooks.manager import PluginManager
from chat.hooks.specs import before_typing
from chat.identity import Identity, UserId, UserKey, user_id_of
from chat.ports import Broadcaster, Clock
from chat.services.chat_states import ChatStates
from chat.services.pace import Pace


@dataclass(slots=True, eq=False, kw_only=True)
class TypingService:
    """Typing indicators that the server ends by itself."""

    states: ChatStates
    pace: Pace
    broadcaster: Broadcaster
    hooks: PluginManager
    clock: Clock
    ttl_s: float
    push_every_s: float
    _ends: dict[tuple[int, UserKey], asyncio.TimerHandle] = field(default_factory=dict, init=False)
    _pushed_at: dict[tuple[int, UserKey], float] = field(default_factory=dict, init=False)

    async def signal(self, identity: Identity, chat_id: int, is_typing: bool) -> None:
        """Take a client's signal that its user types, or has stopped.

        A renewal within `push_every_s` pushes nothing. If a plugin refuses a `true`, the server
        drops it without an error. A `false` that ends a shown indicator is never limited.
        """
        place = (chat_id, identity.key)
        if is_typing or place not in self._ends:
            self.pace.take_typing(identity)
        state = await self.states.require(chat_id, identity)
        if not is_typing:
            self.ended(chat_id, identity.key)
            return
        now = self.clock.monotonic()
        if place not in self._ends or now - self._pushed_at[place] >= self.push_every_s:
            if self.hooks.has(before_typing):
                try:
                    await self.hooks.filter(
                        before_typing, TypingSignal(identity=identity, chat_id=chat_id)
                    )
                except ChatError:
                    return
                self.states.check(state, identity)
            self._pushed_at[place] = now
            self._push(place, is_typing=True)
        timer = self._ends.pop(place, None)
        if timer is not None:
            timer.cancel()
        loop = asyncio.get_running_loop()
        self._ends[place] = loop.call_later(self.ttl_s, self.ended, chat_id, identity.key)

    def ended(self, chat_id: int, key: UserKey) -> None:
        """End an indicator: the user stopped, sent, left, was removed, or is gone."""
        place = (chat_id, key)
        timer = self._ends.pop(place, None)
        if timer is None:
            return
        timer.cancel()
        del self._pushed_at[place]
        self._push(place, is_typing=False)

    def gone(self, key: UserKey) -> None:
        """End all indicators of a user whose last socket is gone, whatever rooms it was in."""
        for chat_id, typist in list(self._ends):
            if typist == key:
                self.ended(chat_id, key)

    def typing_in(self, chat_id: int) -> list[UserId]:
        """The users who type right now, for a client that joins."""
        return [user_id_of(key) for each, key in self._ends if each == chat_id]

    def stop(self) -> None:
        for timer in self._ends.values():
            timer.cancel()
        self._ends.clear()

    def _push(self, place: tuple[int, UserKey], *, is_typing: bool) -> None:
        chat_id, key = place
        event = user_typing(chat_id, user_id_of(key), is_typing, self.clock.now())
        self.broadcaster.to_chat(chat_id, event, except_user=key)
