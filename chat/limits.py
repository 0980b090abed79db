"""The one algorithm of all limits: a burst at once, and a rate per second on average.

The buckets are in memory, and a full one is forgotten. A hit takes 0.4 us, where the library
`limits` with its memory storage takes 3 to 6.5 (docs/adr/0006).
"""

import time
from collections.abc import Callable, Hashable
from typing import Final, Generic, TypeVar

SWEEP_AT: Final = 10_000
"""The number of buckets at which a limit forgets the full ones."""

ROUNDING_S: Final = 1e-6
"""Sums of fractions are off by less than this."""


KeyT = TypeVar("KeyT", bound=Hashable)


class Limit(Generic[KeyT]):
    """Allows each key `rate_per_s` on average and `burst` at once.

    A key's whole state is one number: the moment at which its bucket is full again (GCRA).
    """

    __slots__ = ("_burst_s", "_full_at", "_interval_s", "_now", "_sweep_at")

    def __init__(
        self, rate_per_s: float, burst: float, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._interval_s = 1 / rate_per_s
        self._burst_s = burst / rate_per_s
        self._now = now
        self._full_at: dict[KeyT, float] = {}
        self._sweep_at = SWEEP_AT

    def wait_s(self, key: KeyT) -> float:
        """Take a token; returns 0, or the seconds until there is one. Takes 0.2 us."""
        now = self._now()
        full_at = self._full_at.get(key, 0.0)
        full_at = (full_at if full_at > now else now) + self._interval_s
        wait_s = full_at - now - self._burst_s
        if wait_s > ROUNDING_S:
            return wait_s
        self._full_at[key] = full_at
        if len(self._full_at) >= self._sweep_at:
            self._sweep(now)
        return 0.0

    def charge(self, key: KeyT, tokens: float = 1) -> float:
        """Take tokens that are spent already, even if there are none left.

        Returns 0, or the seconds until the debt is paid.
        """
        now = self._now()
        full_at = max(self._full_at.get(key, 0.0), now) + tokens * self._interval_s
        self._full_at[key] = full_at
        if len(self._full_at) >= self._sweep_at:
            self._sweep(now)
        return self._over_s(full_at - now)

    def owed_s(self, key: KeyT, tokens: float = 1) -> float:
        """Return the seconds until there are `tokens` tokens, without taking any."""
        now = self._now()
        full_at = max(self._full_at.get(key, 0.0), now)
        return self._over_s(full_at + tokens * self._interval_s - now)

    def knows(self, key: KeyT) -> bool:
        """Whether the key's bucket is in memory; a full bucket stays there until the next sweep."""
        return key in self._full_at

    def forget_full(self) -> None:
        """Forget the buckets that are full: a new bucket is full as well."""
        self._sweep(self._now())

    def __len__(self) -> int:
        return len(self._full_at)

    def _over_s(self, filling_s: float) -> float:
        over_s = filling_s - self._burst_s
        return over_s if over_s > ROUNDING_S else 0.0

    def _sweep(self, now: float) -> None:
        self._full_at = {key: at for key, at in self._full_at.items() if at > now}
        # Doubled when nearly all buckets are in use, so that sweeping stays cheap for each hit.
        self._sweep_at = max(SWEEP_AT, 2 * len(self._full_at))
