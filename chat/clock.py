"""The real clock. Tests hand in another."""

import time
from datetime import UTC, datetime


class SystemClock:
    _milliseconds = 0
    _moment = datetime.fromtimestamp(0, UTC)

    def now(self) -> datetime:
        """UTC, cut to milliseconds: what the store keeps and the wire shows.

        0.2 us: within a millisecond it is the same object, whose text is known too (`iso`).
        """
        milliseconds = time.time_ns() // 1_000_000
        if milliseconds != self._milliseconds:
            self._milliseconds = milliseconds
            self._moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
        return self._moment

    def monotonic(self) -> float:
        return time.monotonic()
