"""How much of something a user may have in an hour, counted in memory."""

from collections.abc import Hashable
from typing import Final

from chat.limits import Limit
from chat.ports import Clock

HOUR_S: Final = 3_600.0


class HourlyQuota:
    """`most` in an hour for each key, all at once or one by one."""

    def __init__(self, most: int, clock: Clock) -> None:
        self.most = most
        self._limit = Limit(most / HOUR_S, most, clock.monotonic)

    def wait_s(self, key: Hashable, count: int = 1) -> float:
        """Return the seconds until `count` may be taken, 0 where they may be taken now."""
        return self._limit.owed_s(key, count)

    def take(self, key: Hashable, count: int = 1) -> None:
        """Use up `count`; ask `wait_s` before."""
        self._limit.charge(key, count)
