"""A short memory of missing chats and participants, so that a repeated look-up spares the store."""

import time
from collections.abc import Callable, Hashable
from typing import Final

GENERATION_S: Final = 1.0
"""A note is kept for one to two times this long."""

GENERATION: Final = 5_000


class Absences:
    """Missing keys in two generations, of which the older is forgotten whole.

    `since` is a mark to take before a look-up: a key that it finds missing is noted only if nothing
    has appeared since.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._recent: set[Hashable] = set()
        self._older: set[Hashable] = set()
        self._turns_at = 0.0
        self.since = 0

    def holds(self, key: Hashable) -> bool:
        """Whether a look-up found the key missing a moment ago."""
        if not (self._recent or self._older):
            return False
        self._turn()
        return key in self._recent or key in self._older

    def note(self, key: Hashable, since: int) -> None:
        """Note a key that was found missing by a look-up that began at `since`."""
        if since == self.since:
            self._turn()
            self._recent.add(key)

    def appeared(self, key: Hashable) -> None:
        """Forget a key that exists from here on."""
        self.since += 1
        self._recent.discard(key)
        self._older.discard(key)

    def _turn(self) -> None:
        now = self._now()
        if now >= self._turns_at or len(self._recent) >= GENERATION:
            late = now >= self._turns_at + GENERATION_S
            on_time = self._turns_at <= now and not late
            self._older, self._recent = set() if late else self._recent, set()
            # Counts from when the turn was due, since nobody may have asked at that moment.
            self._turns_at = (self._turns_at if on_time else now) + GENERATION_S
