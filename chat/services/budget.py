"""Bounds of an answer in bytes, and of the big reads that run at once."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any, Final, TypeVar

import orjson

from chat.contracts.models import message_to_wire
from chat.entities import Message
from chat.identity import UserKey
from chat.views import ChatView, Json, UnreadView

ANSWERS_IN_A_BACKLOG: Final = 4
"""An answer may use a quarter of MAX_BACKLOG_BYTES, or half if it cannot be shortened.

An answer larger than the backlog would disconnect its own client on every attempt.
"""

READS_AT_ONCE: Final = 2
"""Pages and look-ups of one user that run at once; a page reads up to 64 whole messages a step."""

READS_OF_ALL: Final = 2
"""Pages and look-ups of all users that run at once in the embedded store.

The embedded store runs one read at a time, so an insert waits behind so many at most.
"""

READS_OF_ALL_IN_MONGODB: Final = 16
"""The bound for MongoDB, which runs reads side by side and may be some milliseconds away."""

View = TypeVar("View", ChatView, UnreadView)


class Budget:
    """The bytes that one answer has left, for all of its pages.

    They count the encoded answer, since a character takes one to six bytes.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most = self._left = most_bytes

    @property
    def left(self) -> int:
        """The bytes that are left, at least 1: one item always fits."""
        return max(1, self._left)

    @property
    def spent(self) -> bool:
        return self._left < 0

    @property
    def far_spent(self) -> bool:
        return self._left < -self._most

    def encode(self, value: Any) -> Json:
        encoded = orjson.dumps(value)
        self._left -= len(encoded)
        return orjson.Fragment(encoded)

    def fit(self, values: Iterable[Any]) -> list[Json]:
        """Encode the first values that fit; at least one, so that every page advances."""
        fitting: list[Json] = []
        for value in values:
            encoded = self.encode(value)
            if self.spent and fitting:
                break
            fitting.append(encoded)
        return fitting

    def fit_messages(self, messages: Iterable[Message]) -> list[Json]:
        """Encode the first messages that fit; at least one."""
        return self.fit(map(message_to_wire, messages))

    def shortened(self, view: View, write: Callable[[View], Any]) -> Json:
        """Encode a chat of a list that must name all of them.

        Over budget, it drops the last message; far over it, the metadata too.
        """
        if self.spent:
            view = view.without_last_message()
        if self.far_spent:
            view = view.without_metadata()
        return self.encode(write(view))


class Turns:
    """Bounds of what runs at once: so many for each user, and so many for all users together.

    The others wait for their turn in order of arrival. At most `at_once` of one user's wait in the
    queue of all users.
    """

    def __init__(self, of_all: int, at_once: int = READS_AT_ONCE) -> None:
        self._at_once = at_once
        self._of_all = asyncio.Semaphore(of_all)
        self._users: dict[UserKey | None, tuple[asyncio.Semaphore, int]] = {}

    @asynccontextmanager
    async def of(self, key: UserKey | None) -> AsyncIterator[None]:
        turns, wanted = self._users.get(key) or (asyncio.Semaphore(self._at_once), 0)
        self._users[key] = (turns, wanted + 1)
        try:
            async with turns, self._of_all:
                yield
        finally:
            turns, wanted = self._users[key]
            if wanted == 1:
                del self._users[key]
            else:
                self._users[key] = (turns, wanted - 1)
