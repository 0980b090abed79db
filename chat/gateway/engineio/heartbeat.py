"""Engine.IO's heartbeats: a PING each interval, and the end of a session that does not answer it.

All sessions share two timers, where python-engineio keeps a sleeping task for each session.
"""

import asyncio
from typing import Final, Protocol

from chat.gateway.timers import Wheel

TICK_S: Final = 0.5
"""Longest tick: a PING or a timeout comes up to this much early, never late."""

TICKS_A_BEAT: Final = 10
"""Fewest ticks in an interval; a short interval has short ticks."""


class Beating(Protocol):
    """A session, as the heartbeat sees it."""

    closed: bool
    closing: bool

    def ping(self) -> int:
        """Send a PING; returns a number that tells it from other PINGs."""

    def awaits(self, ping: int) -> bool:
        """Whether that PING is still unanswered."""

    def expire(self) -> None:
        """End the session: no PONG came in time."""


class Heartbeat:
    def __init__(self, interval_s: float, timeout_s: float) -> None:
        self._interval_s = interval_s
        self._timeout_s = timeout_s
        tick_s = min(TICK_S, interval_s / TICKS_A_BEAT, timeout_s / TICKS_A_BEAT)
        self.pings: Wheel[Beating] = Wheel(tick_s, self._ping)
        self._timeouts: Wheel[tuple[Beating, int]] = Wheel(tick_s, self._look_for_pong)

    def later(self, session: Beating) -> None:
        """Ping the session after the interval."""
        self.pings.put(session, asyncio.get_running_loop().time() + self._interval_s)

    def stop(self) -> None:
        self.pings.stop()
        self._timeouts.stop()

    def _ping(self, session: Beating) -> None:
        if not (session.closing or session.closed):
            until = asyncio.get_running_loop().time() + self._timeout_s
            self._timeouts.put((session, session.ping()), until)

    def _look_for_pong(self, sent: tuple[Beating, int]) -> None:
        session, ping = sent
        if session.awaits(ping) and not session.closed:
            session.expire()
