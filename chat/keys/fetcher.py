"""Fetch the host's key set in the background: one fetch at a time, and never too often."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from chat.timings import TIMINGS, Timings

MAX_KEY_SET_BYTES: Final = 1_000_000

_log = structlog.get_logger("chat.auth")


class KeyFetcher:
    """Fetches the key set and gives its text to `take`, which returns how many keys it holds.

    If the fetch or `take` fails, the fetch is repeated after 1, 2, 4, ... 30 s, or sooner when a
    client needs a key.
    """

    def __init__(
        self,
        fetch: Callable[[], Awaitable[str]],
        take: Callable[[str], int],
        now: Callable[[], float] = time.monotonic,
        timings: Timings = TIMINGS,
    ) -> None:
        self._fetch = fetch
        self._take = take
        self._now = now
        self._timings = timings
        self._fetching: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._began_at = float("-inf")
        self._failures = 0
        self._error = ""
        self.good_began_at = float("-inf")
        """The moment when the latest successful fetch began."""

    @property
    def is_failing(self) -> bool:
        return self._failures > 0

    @property
    def age_s(self) -> float:
        """Seconds since the latest successful fetch began."""
        return self._now() - self.good_began_at

    @property
    def next_in_s(self) -> float:
        """Seconds until the next fetch may begin."""
        return max(0.0, self._began_at + self._timings.key_fetch_every_s - self._now())

    def ask(self) -> None:
        """Fetch now, or as soon as `key_fetch_every_s` allows."""
        self._begin_in(self.next_in_s)

    async def ask_and_wait(self) -> None:
        """Ask, and wait at most `key_wait_s` for the fetch that is running or that begins now."""
        self.ask()
        if self._fetching is not None:
            await asyncio.wait([self._fetching], timeout=self._timings.key_wait_s)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._fetching is not None:
            self._fetching.cancel()

    def _begin_in(self, delay_s: float) -> None:
        if self._fetching is not None:
            return
        loop = asyncio.get_running_loop()
        if delay_s <= 0:
            self._begin()
        elif self._timer is None or self._timer.when() > loop.time() + delay_s:
            self._cancel_timer()
            self._timer = loop.call_later(delay_s, self._begin)

    def _begin(self) -> None:
        self._cancel_timer()
        self._began_at = self._now()
        self._fetching = asyncio.get_running_loop().create_task(self._fetch_now())

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    async def _fetch_now(self) -> None:
        began_at = self._began_at
        try:
            async with asyncio.timeout(self._timings.key_fetch_within_s):
                text = await self._fetch()
            count = self._take(text)
        except Exception as error:  # noqa: BLE001  # whatever a foreign server answers
            self._fetching = None
            self._failed(error)
        else:
            self._fetching = None
            if self._failures:
                _log.info("jwks_fetched", keys=count, after_failures=self._failures)
            self._failures, self._error = 0, ""
            self.good_began_at = began_at

    def _failed(self, error: Exception) -> None:
        times = self._timings
        again_in_s = min(
            times.key_last_retry_s, times.key_first_retry_s * 2 ** min(self._failures, 10)
        )
        self._failures += 1
        self._begin_in(again_in_s)
        why = _why(error)
        if why != self._error:
            # An outage is logged once; `jwks_fetched` says that it ended.
            self._error = why
            _log.warning("jwks_not_fetched", error=why, again_in_s=again_in_s)


def _why(error: Exception) -> str:
    """Describe a failure without quoting the URL or the answer."""
    status = getattr(error, "code", None)
    if isinstance(status, int):
        return f"HTTP {status}"
    if isinstance(error, KeySetError):
        return str(error)
    return type(error).__name__


class KeySetError(ValueError):
    """The host's answer is no key set; `str(error)` says why."""
