"""Names of users, and small facts that are written later: read cursors, profiles, last seen.

The server writes the facts that have gathered at most once a second, in one write for each kind. A
crash loses the facts of the last second, which no ack has promised.
"""

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime
from sys import getsizeof
from typing import Final

import structlog

from chat.entities import User
from chat.errors import ChatError
from chat.identity import Identity, UserId, UserKey
from chat.ports import ChatRepository, UserRepository
from chat.timings import TIMINGS

MAX_KNOWN: Final = 50_000
MAX_KNOWN_BYTES: Final = 16_000_000
PROFILE_BYTES: Final = 300
"""The size of a profile without its texts."""

_log = structlog.get_logger("chat.people")


@dataclass(slots=True, eq=False)
class People:
    """The names that tokens brought along, and the write-behind of small facts.

    `on_change` is called with each profile that differs from the stored one.
    """

    users: UserRepository
    chats: ChatRepository
    on_change: Callable[[User], None]
    flush_every_s: float = TIMINGS.people_flush_every_s
    _known: dict[UserKey, User] = field(default_factory=dict, init=False)
    _known_bytes: int = field(default=0, init=False)
    _profiles: dict[UserKey, User] = field(default_factory=dict, init=False)
    # Users in `_profiles` who were not in memory: their stored profile may differ.
    _unseen: set[UserKey] = field(default_factory=set, init=False)
    _last_seen: dict[UserKey, datetime] = field(default_factory=dict, init=False)
    _reads: dict[tuple[int, UserId], tuple[int, int]] = field(default_factory=dict, init=False)
    _writer: asyncio.Task[None] | None = field(default=None, init=False)
    _postponed: bool = field(default=False, init=False)

    def remember(self, identity: Identity) -> None:
        """Keep the name and picture of a user's token; a token without one changes nothing."""
        key = identity.key
        known = self._known.get(key)
        user = _merged(User(key=key, name=identity.name, avatar_url=identity.avatar_url), known)
        if not _differ(user, known):
            return
        if known is None:
            self._unseen.add(key)
        elif key not in self._unseen:
            self.on_change(user)
        self._keep(user)
        self._profiles[key] = user
        self._wake()

    async def put(self, user: User) -> None:
        """Store the profile that the host gives; a null clears what there was."""
        before = (await self.find([user.key])).get(user.key)
        # A token's profile that still waits to be written is older.
        self._profiles.pop(user.key, None)
        self._unseen.discard(user.key)
        await self.users.put_profiles([user])
        self._keep(user)
        if _differ(user, before):
            self.on_change(user)

    def saw(self, key: UserKey, at: datetime) -> None:
        """Note when the user's last socket ended."""
        self._last_seen[key] = at
        self._wake()

    def read_up_to(self, chat_id: int, user_id: UserId, message_id: int, seq: int) -> None:
        """Note that the user has, by writing, read a chat up to here."""
        self._reads[chat_id, user_id] = (message_id, seq)
        self._wake()

    def known(self, key: UserKey) -> User | None:
        """The user's profile if it is in memory; asks the store nothing."""
        return self._known.get(key)

    async def find(self, keys: Collection[UserKey]) -> dict[UserKey, User]:
        """The known profiles of these users; asks the store for those not seen since the start."""
        missing = [key for key in keys if key not in self._known or key in self._unseen]
        if missing:
            stored = await self.users.find_many(missing)
            for key in missing:
                if key in self._unseen:
                    self._unseen.discard(key)
                    self._meet(stored.get(key) or User(key=key))
                elif key in stored and key not in self._known:
                    self._keep(stored[key])
        return {key: self._known[key] for key in keys if key in self._known}

    async def find_last_seen(self, keys: Collection[UserKey]) -> dict[UserKey, datetime]:
        """When these users were last here, as far as the store knows."""
        users = await self.users.find_many(list(keys))
        return {user.key: user.last_seen_at for user in users.values() if user.last_seen_at}

    @property
    def is_waiting(self) -> bool:
        """Whether facts have gathered that are not written yet."""
        return self._writer is not None

    async def flush(self) -> None:
        """Write what has gathered; on a failure, keep it for the next write."""
        profiles: dict[UserKey, User] = {}
        last_seen, self._last_seen = self._last_seen, {}
        reads, self._reads = self._reads, {}
        try:
            # A profile that a token left half empty is filled from the store before it is written.
            while self._unseen:
                await self.find(self._unseen.copy())
            profiles, self._profiles = self._profiles, {}
            if profiles:
                await self.users.put_profiles(list(profiles.values()))
                profiles = {}
            if last_seen:
                await self.users.set_last_seen(last_seen)
                last_seen = {}
            if reads:
                await self.chats.set_reads(reads)
                reads = {}
            self._postponed = False
        except Exception as error:  # noqa: BLE001  # whatever it is, nothing of it may be lost
            # Facts that arrived meanwhile are newer and win.
            self._profiles = profiles | self._profiles
            self._last_seen = last_seen | self._last_seen
            self._reads = reads | self._reads
            if not self._postponed:  # logs once for each outage, and not once a second
                code = error.code.value if isinstance(error, ChatError) else type(error).__name__
                _log.warning("write_behind_postponed", code=code)
            self._postponed = True

    async def stop(self) -> None:
        if self._writer is not None:
            self._writer.cancel()
        await self.flush()

    def _meet(self, stored: User) -> None:
        """Fill what a user's token left out from what is stored, and report what changed."""
        told = self._profiles[stored.key]
        user = _merged(told, stored)
        if not _differ(user, stored):
            del self._profiles[stored.key]
        else:
            self._profiles[stored.key] = user
            self.on_change(user)
        if self._known.get(stored.key) is told:
            self._keep(user)

    def _keep(self, user: User) -> None:
        before = self._known.get(user.key)
        self._known_bytes += _size(user) - (0 if before is None else _size(before))
        self._known[user.key] = user
        while len(self._known) > MAX_KNOWN or self._known_bytes > MAX_KNOWN_BYTES:
            self._known_bytes -= _size(self._known.pop(next(iter(self._known))))

    def _wake(self) -> None:
        if self._writer is None:
            self._writer = asyncio.get_running_loop().create_task(self._write_later())

    async def _write_later(self) -> None:
        while self._profiles or self._last_seen or self._reads:
            await asyncio.sleep(self.flush_every_s)
            try:
                await self.flush()
            except Exception:  # noqa: BLE001  # what gathers next is written all the same
                _log.exception("write_behind_failed")
        self._writer = None


def _size(user: User) -> int:
    return PROFILE_BYTES + getsizeof(user.name) + getsizeof(user.avatar_url)


def _merged(user: User, before: User | None) -> User:
    """Fill the unknown fields of a user from `before`."""
    if before is None or (user.name is not None and user.avatar_url is not None):
        return user
    return User(
        key=user.key,
        name=before.name if user.name is None else user.name,
        avatar_url=before.avatar_url if user.avatar_url is None else user.avatar_url,
    )


def _differ(user: User, before: User | None) -> bool:
    shown = (None, None) if before is None else (before.name, before.avatar_url)
    return (user.name, user.avatar_url) != shown
