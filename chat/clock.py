"""The real clock. Tests hand in another."""

import time
from datetime import UTC, datetime


class SystemClock:
    def now(self) -> datetime:
        """UTC, cut to milliseconds: what the store keeps and the wire shows."""
        moment = datetime.now(UTC)
        return moment.replace(microsecond=moment.microsecond // 1000 * 1000)

    def monotonic(self) -> float:
        return time.monotonic()
