"""Things that have to be done within a time, the same for all of them."""

import asyncio
from collections.abc import Callable, Hashable
from typing import Final, Generic, TypeVar

EARLY: Final = 0.01
"""The part of its time by which an item may be due too early, to go with others in one look."""

ItemT = TypeVar("ItemT", bound=Hashable)


class Deadlines(Generic[ItemT]):
    """Calls `expire` for every item that is not forgotten within `within_s`: up to a hundredth of
    that early, never late. One timer for all, since a timer each costs 2 us, 5 when it comes, and
    nearly none of them ever matters.
    """

    def __init__(self, within_s: float, expire: Callable[[ItemT], None]) -> None:
        self._within_s = within_s
        self._expire = expire
        # In the order in which they were begun, so the first is the next to be due.
        self._open: dict[ItemT, float] = {}
        self._timer: asyncio.TimerHandle | None = None

    def watch(self, item: ItemT, since: float) -> None:
        """From `since` on, by the loop's clock; no earlier than that of the item before."""
        self._open[item] = since
        if self._timer is None:
            self._wait_for(since)

    def forget(self, item: ItemT) -> None:
        self._open.pop(item, None)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _wait_for(self, since: float) -> None:
        self._timer = asyncio.get_running_loop().call_at(since + self._within_s, self._look)

    def _look(self) -> None:
        self._timer = None
        # With those that are nearly due: what a look costs is mostly that it wakes the process.
        begun_by = asyncio.get_running_loop().time() - self._within_s * (1 - EARLY)
        due: list[ItemT] = []
        for item, since in self._open.items():
            if since > begun_by:
                self._wait_for(since)
                break
            due.append(item)
        for item in due:
            del self._open[item]
        for item in due:
            self._expire(item)
