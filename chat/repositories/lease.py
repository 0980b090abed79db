"""The lease: one server at a time writes to a database.

Two servers would give the same numbers twice; the unique indexes would catch that, at the expense
of every client. The lease document names its holder by a random id, and the holder counts its
renewals in it. Another server watches the document by its own clock: a holder is gone when it has
not renewed for as long as the lease is good. The server trusts no clock of another machine. It
trusts a process id only on this boot of this machine and in this PID namespace, where the id means
the same process.
"""

import asyncio
import os
import secrets
import socket
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import structlog
from motor.motor_asyncio import AsyncIOMotorDatabase
from pymongo.errors import DuplicateKeyError, PyMongoError

from chat.errors import ChatError, OutcomeUnknownError, SetupError, StoreUnavailableError
from chat.repositories.border import is_answer, writing
from chat.repositories.documents import Document
from chat.timings import Timings

WATCH_EVERY_S: Final = 0.25
FAILURES: Final = 2
"""The renewals in a row that the store answers with a failure before it is restarted."""

_ID: Final = "lease"
_CHANGING: Final = ("owner", "renewals", "until")
_CLOCK: Final = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""This clock goes on while the machine is suspended, so that a lease runs out meanwhile."""

_log = structlog.get_logger("chat.store")


class Lease:
    """This server's lease: `take` it at the start, `release` it at the end.

    `lost` is called when another server has the lease, `unwell` when the store keeps failing.
    `alone` says that no other server can reach this database, even if the record names one.
    `paused` returns whether renewals are suspended, which is allowed only with `alone`.
    """

    def __init__(
        self,
        database: AsyncIOMotorDatabase[Document],
        *,
        lost: Callable[[], None],
        unwell: Callable[[], None],
        alone: bool,
        paused: Callable[[], bool],
        timings: Timings,
    ) -> None:
        self._meta = database.meta
        self._lost = lost
        self._unwell = unwell
        self._alone = alone
        self._paused = paused
        self._valid_s = timings.lease_valid_s
        self._renew_every_s = timings.lease_renew_every_s
        self._drift_s = timings.lease_drift_s
        self._owner = secrets.token_hex(8)
        self._until = 0.0
        self._renewer: asyncio.Task[None] | None = None

    @property
    def held(self) -> bool:
        """Whether a renewal was stored in the last `lease_valid_s`, and no write failed since."""
        return now_s() < self._until

    async def take(self) -> None:
        """Take the lease once its holder is gone; SetupError when the holder renews it."""
        holder: Any = await self._meta.find_one({"_id": _ID})
        if holder is not None and not self._alone and not _is_dead(holder):
            holder = await self._outwait(holder)
        began = now_s()
        try:
            # If two servers start at once, one of them finds the document changed, or created.
            await self._meta.update_one(_as_seen(holder), self._renewal(), upsert=True)
        except DuplicateKeyError:
            raise SetupError(
                "another server has just taken the database; start only one on it."
            ) from None
        self._until = began + self._valid_s
        self._renewer = asyncio.get_running_loop().create_task(self._keep())

    async def ensure(self) -> None:
        """Renew the lease before a write if it is not held; costs nothing while it is held.

        Raises StoreUnavailableError if the store cannot be asked.
        """
        if not self.held:
            try:
                await self._renew()
            except OutcomeUnknownError as error:
                # The outcome of the renewal is unknown; the write itself has not been sent.
                raise StoreUnavailableError from error

    async def works(self) -> bool:
        """Whether the store takes a renewal now."""
        try:
            await self._renew()
        except (ChatError, PyMongoError):
            return False
        return True

    def suspect(self) -> None:
        """Have the lease renewed before the next write, since a write has failed."""
        self._until = 0.0

    async def release(self) -> None:
        if self._renewer is None:
            return
        self._renewer.cancel()
        self._renewer = None
        try:
            with writing():
                await self._meta.delete_one({"_id": _ID, "owner": self._owner})
        except (ChatError, PyMongoError):
            _log.warning("lease_not_released")

    async def _outwait(self, holder: Any) -> Any:
        """Watch the lease until it has run out, and return its document as it is then.

        Raises SetupError as soon as the holder renews.
        """
        wait_s = self._valid_s + self._drift_s
        who = {"holder_host": holder["host"], "holder_pid": holder["pid"]}
        why = "a server that has not given the database back may still be writing to it"
        _log.warning("lease_waited_for", for_s=wait_s, why=why, **who)
        deadline = now_s() + wait_s
        while True:
            await asyncio.sleep(min(WATCH_EVERY_S, wait_s / 4))
            # The clock is read before the document: a server suspended in between sees a renewal.
            over = now_s() >= deadline
            found: Any = await self._meta.find_one({"_id": _ID})
            if found is None:
                return None
            if _as_seen(found) != _as_seen(holder):
                raise SetupError(
                    f"the database is in use by the server with pid {found['pid']} on "
                    f"{found['host']}; stop that one first, or give this one a database of its own."
                )
            if over:
                return found

    async def _keep(self) -> None:
        failures = 0
        while True:
            await asyncio.sleep(self._renew_every_s)
            if self._paused():
                continue
            try:
                await self._renew()
                failures = 0
            except (ChatError, PyMongoError) as error:
                self.suspect()
                code = error.code.value if isinstance(error, ChatError) else type(error).__name__
                _log.warning("lease_not_renewed", code=code)
                failures = failures + 1 if is_answer(error.__cause__) else 0
                if failures >= FAILURES:
                    failures = 0
                    self._unwell()

    async def _renew(self) -> None:
        began = now_s()
        with writing():
            result = await self._meta.update_one(
                {"_id": _ID, "owner": self._owner}, self._renewal()
            )
        if result.matched_count:
            self._until = began + self._valid_s
            return
        self._until = 0.0
        _log.error("lease_lost", why="another server has taken the database")
        self._lost()
        raise StoreUnavailableError

    def _renewal(self) -> Document:
        # `until` is for people, and for old versions, which do not know `renewals`.
        holder = {
            "owner": self._owner,
            "host": socket.gethostname(),
            "boot": _boot_id(),
            "namespace": _pid_namespace(),
            "pid": os.getpid(),
            "until": datetime.now(UTC) + timedelta(seconds=self._valid_s),
        }
        return {"$set": holder, "$inc": {"renewals": 1}}


def now_s() -> float:
    """Return the seconds since this machine started."""
    return time.clock_gettime(_CLOCK)


def _as_seen(holder: Any) -> Document:
    """Make a query that finds the lease only until it is renewed or taken."""
    seen = holder or {"owner": None}
    return {"_id": _ID, **{name: seen[name] for name in _CHANGING if name in seen}}


def _is_dead(holder: Any) -> bool:
    """Whether the holder's process is known to be gone; False where that cannot be known."""
    here = (socket.gethostname(), _boot_id(), _pid_namespace())
    if "" in here or here != (holder["host"], holder["boot"], holder.get("namespace")):
        return False
    if holder["pid"] == os.getpid():
        return True
    try:
        os.kill(holder["pid"], 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False


def _boot_id() -> str:
    """Return the id of this boot of the machine; a pid means a process of one boot only."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def _pid_namespace() -> str:
    """Return the name of the PID namespace: each container has its own process 1."""
    try:
        return str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        return ""
