"""Free space of the disks that the server writes to.

The embedded store loses acknowledged writes when its disk is full (docs/adr/0003), so the server
stops writing before that. Reading goes on.
"""

import asyncio
import os
import stat
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import structlog

from chat.errors import DiskFullError
from chat.timings import TIMINGS

STDERR: Final = 2
MB: Final = 1_000_000

HINT: Final = "make room on that disk; until then every write is refused"

Place = Path | int
"""A folder, or the descriptor of an open file."""

_log = structlog.get_logger("chat.disk")


class FreeSpace:
    """Refuses writes while one of the disks has less than `min_mb` free; 0 = never."""

    def __init__(
        self,
        places: Sequence[Place] = (),
        min_mb: int = 0,
        look_every_s: float = TIMINGS.disk_look_every_s,
    ) -> None:
        self._places = places if min_mb else ()
        self._min_bytes = min_mb * MB
        self._look_every_s = look_every_s
        self._low: Place | None = None
        self._watcher: asyncio.Task[None] | None = None

    @property
    def low(self) -> bool:
        """Whether writes are refused."""
        return self._low is not None

    def start(self) -> None:
        """Look at the disks every second from now on, so that an idle server notices, too."""
        if self._places:
            self._watcher = asyncio.get_running_loop().create_task(self._watch())

    def stop(self) -> None:
        if self._watcher is not None:
            self._watcher.cancel()
            self._watcher = None

    def check(self) -> None:
        """Raise DiskFullError if there is too little space; called before each write.

        Costs 2 us for each disk and batch of messages. After a refusal, only the watcher, which
        looks once a second, allows writes again: so a disk near the limit logs two lines a second
        and not hundreds.
        """
        if self._low is None:
            self.look()
        if self._low is not None:
            raise DiskFullError

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(self._look_every_s)
            self.look()

    def look(self) -> None:
        """Compare the free space with the limit, and log a change."""
        before = self._low
        self._low = next(filter(self._is_low, self._places), None)
        if before is None and self._low is not None:
            _log.error("disk_full", **self._figures(self._low), hint=HINT)
        elif before is not None and self._low is None:
            _log.warning("disk_has_room", **self._figures(before))

    def _is_low(self, place: Place) -> bool:
        try:
            return free_bytes(place) < self._min_bytes
        except OSError:
            # A missing folder is reported by the store.
            return False

    def _figures(self, place: Place) -> dict[str, object]:
        figures: dict[str, object] = {"disk": "the log's" if place == STDERR else str(place)}
        with suppress(OSError):
            figures["free_mb"] = free_bytes(place) // MB
        return {**figures, "min_free_mb": self._min_bytes // MB}


def free_bytes(place: Place) -> int:
    """Return the bytes that an ordinary user can still write there.

    A file system without blocks, such as a pipe's, has no limit; stderr may have become a pipe
    since the start.
    """
    found = os.statvfs(place)
    if found.f_blocks == 0:
        return sys.maxsize
    return found.f_bavail * found.f_frsize


def log_disk() -> list[Place]:
    """Return stderr if it is a file: its disk is the log's."""
    with suppress(OSError):
        if stat.S_ISREG(os.fstat(STDERR).st_mode):
            return [STDERR]
    return []
