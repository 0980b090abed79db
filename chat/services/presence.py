"""The users who are online, and those in a chat's room. Only the time of last seen is stored.

A user who returns within the grace period has neither left nor been offline.
"""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from chat.contracts.pushes import presence_changed, user_joined, user_left
from chat.identity import UserId, UserKey, user_id_of
from chat.ports import Broadcaster, Clock, Whereabouts
from chat.services.chat_states import ChatStates
from chat.services.people import People

MAX_LAST_SEEN: Final = 50_000

MAX_PRESENT: Final = 100
"""Users that an answer names as present; a room may have 20,000 sockets."""


@dataclass(slots=True, eq=False, kw_only=True)
class PresenceService:
    """Online = at least one connected socket; offline = none for the grace."""

    whereabouts: Whereabouts
    states: ChatStates
    people: People
    broadcaster: Broadcaster
    clock: Clock
    grace_s: float
    _leaving: dict[UserKey, asyncio.TimerHandle] = field(default_factory=dict, init=False)
    _last_seen: dict[UserKey, datetime] = field(default_factory=dict, init=False)

    def connected(self, key: UserKey) -> None:
        """Note the user's first socket."""
        timer = self._leaving.pop(key, None)
        if timer is not None:
            timer.cancel()
        else:
            self._push(key, online=True)

    def disconnected(self, key: UserKey) -> None:
        """Note the end of the user's last socket."""
        now = self.clock.now()
        self._last_seen.pop(key, None)
        self._last_seen[key] = now
        if len(self._last_seen) > MAX_LAST_SEEN:
            # Written to the store long ago.
            del self._last_seen[next(iter(self._last_seen))]
        self.people.saw(key, now)
        loop = asyncio.get_running_loop()
        self._leaving[key] = loop.call_later(self.grace_s, self._offline, key)

    def is_online(self, key: UserKey) -> bool:
        return key in self.whereabouts.users() or key in self._leaving

    async def look_up(
        self, keys: Collection[UserKey]
    ) -> list[tuple[UserKey, bool, datetime | None]]:
        """`(key, online, last seen)` of each.

        Asks the store for users who have not been seen since the start.
        """
        unknown = [
            each for each in keys if not self.is_online(each) and each not in self._last_seen
        ]
        stored = await self.people.find_last_seen(unknown) if unknown else {}
        return [
            (each, self.is_online(each), self._last_seen.get(each) or stored.get(each))
            for each in keys
        ]

    def stop(self) -> None:
        for timer in self._leaving.values():
            timer.cancel()
        self._leaving.clear()

    def _offline(self, key: UserKey) -> None:
        del self._leaving[key]
        self._push(key, online=False)

    def _push(self, key: UserKey, *, online: bool) -> None:
        """Push to every user online who shares an active chat, once each."""
        peers: set[UserKey] = set()
        online_users = self.whereabouts.users()
        for state in self.states.loaded_chats_of(key):
            peers |= online_users & state.member_keys()
        peers.discard(key)
        if not peers:
            return
        event = presence_changed(
            user_id_of(key),
            online=online,
            last_seen_at=None if online else self._last_seen.get(key),
            at=self.clock.now(),
        )
        self.broadcaster.to_users(peers, event)


@dataclass(slots=True, eq=False)
class Attendance:
    """Pushes `userJoined` and `userLeft` to the others in a chat's room."""

    whereabouts: Whereabouts
    broadcaster: Broadcaster
    clock: Clock
    grace_s: float
    # By chat, since `present` asks for those of one.
    _leaving: dict[int, dict[UserKey, asyncio.TimerHandle]] = field(
        default_factory=dict, init=False
    )

    def entered(self, chat_id: int, key: UserKey) -> None:
        """Note that the user's first socket has entered the room."""
        if not self._stays(chat_id, key):
            event = user_joined(chat_id, user_id_of(key), self.clock.now())
            self.broadcaster.to_chat(chat_id, event, except_user=key)

    def left(self, chat_id: int, key: UserKey, *, lost: bool) -> None:
        """Note that the user's last socket has left the room; `lost` = its connection ended."""
        if lost:
            loop = asyncio.get_running_loop()
            timer = loop.call_later(self.grace_s, self._gone, chat_id, key)
            self._leaving.setdefault(chat_id, {})[key] = timer
        else:
            self._say_left(chat_id, key)

    def present(self, chat_id: int) -> list[UserId]:
        """Return up to MAX_PRESENT users for whom no `userLeft` was said, each once."""
        keys = dict.fromkeys(self.whereabouts.users_in(chat_id, MAX_PRESENT))
        # Includes users within the grace: no `userJoined` would tell of their return.
        for key in self._leaving.get(chat_id, ()):
            if len(keys) >= MAX_PRESENT:
                break
            keys[key] = None
        return [user_id_of(key) for key in keys]

    def is_present(self, chat_id: int, key: UserKey) -> bool:
        """Whether a socket of the user is in the chat's room; an admin's may be, too."""
        return self.whereabouts.is_in_room(chat_id, key)

    def forget(self, chat_id: int, key: UserKey) -> None:
        """Say no `userLeft`: the user was removed from the chat."""
        self._stays(chat_id, key)

    def stop(self) -> None:
        for leaving in self._leaving.values():
            for timer in leaving.values():
                timer.cancel()
        self._leaving.clear()

    def _stays(self, chat_id: int, key: UserKey) -> bool:
        """End the user's grace; False if there was none."""
        timer = self._forget(chat_id, key)
        if timer is not None:
            timer.cancel()
        return timer is not None

    def _forget(self, chat_id: int, key: UserKey) -> asyncio.TimerHandle | None:
        leaving = self._leaving.get(chat_id)
        if leaving is None:
            return None
        timer = leaving.pop(key, None)
        if not leaving:
            del self._leaving[chat_id]
        return timer

    def _gone(self, chat_id: int, key: UserKey) -> None:
        self._forget(chat_id, key)
        self._say_left(chat_id, key)

    def _say_left(self, chat_id: int, key: UserKey) -> None:
        event = user_left(chat_id, user_id_of(key), self.clock.now())
        self.broadcaster.to_chat(chat_id, event, except_user=key)
