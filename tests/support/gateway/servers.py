"""What tests of the socket door hand to a server: a clock they can move, limits that are not in the
way."""

from datetime import datetime, timedelta
from typing import Any

from chat.clock import SystemClock
from chat.testing import ChatClient
from plugins.rate_limit import RateLimit

UNLIMITED = ("plugins.access_log", "plugins.ping", "plugins.health")
"""The built-in plugins but the limits; tests bring a RateLimit of their own."""

NO_CORE_LIMITS = {
    "max_refused_per_min": 10**6,
    "max_pages_per_s": 1e6,
    "max_lookups_per_s": 1e6,
    "max_typing_per_s": 1e6,
}
"""Settings under which the core limits nobody either."""


class MovableClock(SystemClock):
    """The real clock, plus what the test has moved it by."""

    def __init__(self) -> None:
        self._moved = timedelta()
        self._passed_s = 0.0

    def move(self, **amount: float) -> None:
        """Forward by a timedelta's arguments."""
        self._moved += timedelta(**amount)

    def jump(self, seconds: float) -> None:
        """Forward as time passes: for deadlines too."""
        self._passed_s += seconds
        self.move(seconds=seconds)

    def now(self) -> datetime:
        return super().now() + self._moved

    def monotonic(self) -> float:
        return super().monotonic() + self._passed_s


def limits(**settings: Any) -> RateLimit:
    """The rate limits with some of them set and all others out of the way."""
    names = RateLimit.Settings.model_fields
    return RateLimit(RateLimit.Settings(**{**dict.fromkeys(names, 1e6), **settings}))


def generous(*plugins: Any) -> dict[str, Any]:
    """Arguments for `serve`: limits that nobody reaches, and these plugins behind them."""
    return {"plugin_names": UNLIMITED, "plugins": [limits(), *plugins], **NO_CORE_LIMITS}


async def cut(client: ChatClient) -> None:
    """End the client's connection as a lost network does: without a word."""
    await client.socket.eio.disconnect(abort=True)
