"""A clock that a test moves; the machine's own is never touched."""

from datetime import datetime, timedelta

from chat.clock import SystemClock


class MovableClock(SystemClock):
    """The real time, and `ahead_s` seconds more."""

    def __init__(self) -> None:
        self.ahead_s = 0.0

    def now(self) -> datetime:
        return super().now() + timedelta(seconds=self.ahead_s)
