"""Engine.IO's heartbeats for all sessions with one timer: a PING each interval, and the end where
no PONG comes.

Buckets of half a second: 10,000 idle connections cost a list append each in 25 seconds, where the
library keeps a sleeping task for each. What is due comes up to a bucket early, never late.
"""

import asyncio
from typing import Final, Protocol, TypeVar

TICK_S: Final = 0.5
TICKS_A_BEAT: Final = 10
"""At least; a shorter interval has shorter buckets."""

Entry = TypeVar("Entry")


class Beating(Protocol):
    """A session, as the wheel sees it."""

    closed: bool
    closing: bool

    def ping(self) -> int:
        """Send a PING; a number that tells it from the next."""

    def awaits(self, ping: int) -> bool:
        """Whether that PING is still unanswered."""

    def expire(self) -> None:
        """No PONG came in time."""


class Heartbeat:
    def __init__(self, interval_s: float, timeout_s: float) -> None:
        self._interval_s = interval_s
        self._timeout_s = timeout_s
        self._tick_s = min(TICK_S, interval_s / TICKS_A_BEAT, timeout_s / TICKS_A_BEAT)
        self._pings: dict[int, list[Beating]] = {}
        self._timeouts: dict[int, list[tuple[Beating, int]]] = {}
        self._timer: asyncio.TimerHandle | None = None

    def later(self, session: Beating) -> None:
        """Ping the session after the interval."""
        self._put(self._pings, self._interval_s, session)
        if self._timer is None:
            self._wait_for_tick()

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _put(self, buckets: dict[int, list[Entry]], after_s: float, entry: Entry) -> None:
        due = int((asyncio.get_running_loop().time() + after_s) / self._tick_s)
        bucket = buckets.get(due)
        if bucket is None:
            buckets[due] = [entry]
        else:
            bucket.append(entry)

    def _wait_for_tick(self) -> None:
        loop = asyncio.get_running_loop()
        # At the bucket's own beginning, and a little after it: the loop's timers are early by what
        # its clock cannot tell apart.
        tick = int(loop.time() / self._tick_s) + 1.001
        self._timer = loop.call_at(tick * self._tick_s, self._tick)

    def _tick(self) -> None:
        now = int(asyncio.get_running_loop().time() / self._tick_s)
        for session, ping in self._due(self._timeouts, now):
            if session.awaits(ping) and not session.closed:
                session.expire()
        for session in self._due(self._pings, now):
            if not (session.closing or session.closed):
                self._put(self._timeouts, self._timeout_s, (session, session.ping()))
        self._timer = None
        if self._pings or self._timeouts:
            self._wait_for_tick()

    @staticmethod
    def _due(buckets: dict[int, list[Entry]], now: int) -> list[Entry]:
        due = [bucket for bucket in buckets if bucket <= now]
        return [entry for bucket in due for entry in buckets.pop(bucket)]
