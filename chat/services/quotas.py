"""How much of something a user may have in an hour, counted in memory."""

from collections.abc import Hashable
from typing import Final

from chat.ports import Clock

HOUR_S: Final = 3_600.0
SWEEP_AT: Final = 10_000
"""Keys before those of which nothing is used are forgotten."""


class HourlyQuota:
    """`most` in an hour for each key, all at once or one by one.

    A key's whole state is one number, the moment at which nothing of its quota is used (GCRA).
    """

    def __init__(self, most: int, clock: Clock) -> None:
        self.most = most
        self._clock = clock
        self._each_s = HOUR_S / most
        self._unused_at: dict[Hashable, float] = {}
        self._sweep_at = SWEEP_AT

    def wait_s(self, key: Hashable, count: int = 1) -> float:
        """Return the seconds until `count` may be taken, 0 where they may be taken now."""
        now = self._clock.monotonic()
        wait_s = self._after(key, count, now) - now - HOUR_S
        # Sums of fractions are off by less than that.
        return wait_s if wait_s > 1e-3 else 0.0

    def take(self, key: Hashable, count: int = 1) -> None:
        """Use up `count`; ask `wait_s` before."""
        now = self._clock.monotonic()
        self._unused_at[key] = self._after(key, count, now)
        if len(self._unused_at) >= self._sweep_at:
            self._unused_at = {key: at for key, at in self._unused_at.items() if at > now}
            # Doubled when nearly all are in use, so that sweeping stays cheap for each call.
            self._sweep_at = max(SWEEP_AT, 2 * len(self._unused_at))

    def _after(self, key: Hashable, count: int, now: float) -> float:
        return max(self._unused_at.get(key, now), now) + count * self._each_s
