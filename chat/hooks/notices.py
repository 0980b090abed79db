"""The notices that wait for a plugin: each has its own queue, and a slow one delays no other."""

import asyncio
from collections import deque
from math import inf
from sys import getsizeof
from time import monotonic
from typing import Any, Final

import structlog

from chat.hooks.calls import HookImpl, call
from chat.hooks.specs import shutdown
from chat.logs.setup import late_s

MAX_WAITING: Final = 10_000
"""Beyond this the oldest notice is dropped. So many sockets may be lost at once, each with one."""

MAX_WAITING_BYTES: Final = 16_000_000
"""The bound for the messages in the notices, each of which may have 100 kB."""

METADATA_BYTES: Final = 16_000
NOTICES_A_TURN: Final = 200
"""So many notices take some ms of log lines; then the loop gets its turn, whatever waits."""

SHOW_LATE_S: Final = 1.0
"""The log lines of a notice that waited for longer have the field `late_s`."""

TELL_LATE_S: Final = 3.0
TELL_DROPPED_EVERY_S: Final = 1.0
TELL_LATE_EVERY_S: Final = 10.0

_log = structlog.get_logger("chat.plugins")


async def deliver(impl: HookImpl, event: Any) -> None:
    """Call a notify hook within its budget; log what the plugin raises."""
    if not impl.listens_to(event) or (impl.troubled and impl.off_for_s(event) > 0):
        return
    try:
        await call(impl, event)
    except BaseException as error:  # noqa: BLE001  # `caught` raises it again if it is not the plugin's
        impl.caught(error, event)
    else:
        if impl.troubled:
            impl.succeeded(event)


class NoticeQueue:
    """The notices of a plugin, delivered in order by a task that exists while there are any."""

    def __init__(self, plugin: str) -> None:
        self.dropped = 0
        self.task: asyncio.Task[None] | None = None
        self._plugin = plugin
        self._waiting: deque[tuple[HookImpl, Any, float, int]] = deque()
        self._bytes = 0
        # The notice that is being delivered.
        self._current: tuple[HookImpl, float] | None = None
        self._untold = 0
        self._told_at = -inf
        self._closed = False

    @property
    def waiting(self) -> int:
        """The number of notices that are not delivered yet."""
        return len(self._waiting) + (self._current is not None)

    @property
    def oldest_age_s(self) -> float:
        """The age of the oldest notice that is not delivered yet; 0 if there is none."""
        if self._current is not None:
            return monotonic() - self._current[1]
        return monotonic() - self._waiting[0][2] if self._waiting else 0.0

    def put(self, impl: HookImpl, event: Any) -> None:
        if self._closed:
            return
        now = monotonic()
        size = 0
        if self.task is None:
            self._begin()
        elif self._waiting:
            # A notice that is delivered at once is not counted.
            size = _size(event)
            self._bytes += size
            full = len(self._waiting) >= MAX_WAITING or self._bytes > MAX_WAITING_BYTES
            if full or now - self._waiting[0][2] > TELL_LATE_S:
                self._fall_behind(full, now)
        self._waiting.append((impl, event, now, size))

    def hurry(self) -> None:
        """Drop all notices but `shutdown`, the one that is being delivered included."""
        if self.task is None:
            return
        kept = [each for each in self._waiting if each[0].hook is shutdown]
        dropped = len(self._waiting) - len(kept)
        self._waiting = deque(kept)
        self._bytes = sum(each[3] for each in kept)
        if self._current is not None and self._current[0].hook is not shutdown:
            dropped += 1
            self._current = None
            self.task.cancel()
            self.task = None
            if kept:
                self._begin()
        self._drop(dropped)
        self._tell_dropped()

    def close(self) -> None:
        """Drop all notices, and take no more."""
        self._closed = True
        self._drop(self.waiting)
        self._waiting.clear()
        self._bytes = 0
        self._current = None
        if self.task is not None:
            self.task.cancel()
        self._tell_dropped()

    def _begin(self) -> None:
        self.task = asyncio.get_running_loop().create_task(
            self._deliver(), name=f"notices-{self._plugin}"
        )

    async def _deliver(self) -> None:
        me = asyncio.current_task()
        turn = 0
        try:
            # If the plugin has swallowed a cancellation, another task delivers by now.
            while self._waiting and self.task is me:
                impl, event, since, size = self._waiting.popleft()
                self._bytes -= size
                self._current = (impl, since)
                now = monotonic()
                age_s = now - since
                if age_s > SHOW_LATE_S:
                    late_s.set(age_s)
                    if age_s > TELL_LATE_S:
                        self._tell(now)
                elif late_s.get() is not None:
                    # The value is still that of the previous notice, or of the notice whose hook
                    # queued this one.
                    late_s.set(None)
                await deliver(impl, event)
                turn += 1
                if turn % NOTICES_A_TURN == 0:
                    await asyncio.sleep(0)
        finally:
            if self.task is me:
                self._current = None
                self.task = None

    def _fall_behind(self, full: bool, now: float) -> None:
        dropped = 0
        while full and self._waiting:
            self._bytes -= self._waiting.popleft()[3]
            dropped += 1
            full = self._bytes > MAX_WAITING_BYTES
        self._drop(dropped)
        self._tell(now)

    def _tell_dropped(self) -> None:
        if self._untold:
            self._told_at = -inf
            self._tell(monotonic())

    def _drop(self, count: int) -> None:
        self.dropped += count
        self._untold += count

    def _tell(self, now: float) -> None:
        pause_s = TELL_DROPPED_EVERY_S if self._untold else TELL_LATE_EVERY_S
        if now - self._told_at < pause_s:
            return
        self._told_at = now
        _log.warning(
            "notices_dropped" if self._untold else "notices_late",
            plugin=self._plugin,
            dropped=self._untold,
            waiting=self.waiting,
            oldest_age_s=round(self.oldest_age_s, 1),
        )
        self._untold = 0


def _size(event: Any) -> int:
    """Estimate the bytes of memory that the message of an event takes; 0 if it has none."""
    message = getattr(event, "message", None)
    if message is None:
        return 0
    return getsizeof(message.message) + (METADATA_BYTES if message.metadata else 0)
