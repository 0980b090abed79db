"""The lease: one server at a time writes to a database.

Two of them would give the same numbers twice; the unique indexes would catch it, and every client
would pay. The lease document says who is alive. A holder of this machine whose process is gone is
taken over at once, one of another machine when its lease has run out. Whoever was stopped for
longer than its lease asks before it writes.
"""

import asyncio
import os
import secrets
import socket
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import structlog
from motor.motor_asyncio import AsyncIOMotorDatabase
from pymongo.errors import DuplicateKeyError

from chat.errors import ChatError, SetupError, StoreUnavailableError
from chat.repositories.border import writing
from chat.repositories.documents import Document

VALID_S: Final = 10.0
RENEW_EVERY_S: Final = 3.0
_ID: Final = "lease"
_log = structlog.get_logger("chat.store")


class Lease:
    """`take` at start, `release` at the end; `lost` is called when somebody else has it."""

    def __init__(self, database: AsyncIOMotorDatabase[Document], lost: Callable[[], None]) -> None:
        self._meta = database.meta
        self._lost = lost
        self._owner = secrets.token_hex(8)
        self._until = 0.0
        self._renewer: asyncio.Task[None] | None = None

    async def take(self) -> None:
        """SetupError when another server that seems alive has the database."""
        holder: Any = await self._meta.find_one({"_id": _ID})
        if holder is not None and _alive(holder):
            raise SetupError(
                f"the database is in use by the server with pid {holder['pid']} on "
                f"{holder['host']}; stop that one first, or give this one a database of its own."
            )
        began = _monotonic()
        seen = None if holder is None else holder["owner"]
        try:
            # Two that start at once: one of them finds the owner changed, or the document there.
            await self._meta.update_one(
                {"_id": _ID, "owner": seen}, {"$set": self._document()}, upsert=True
            )
        except DuplicateKeyError:
            raise SetupError(
                "another server has just taken the database; start only one on it."
            ) from None
        self._until = began + VALID_S
        self._renewer = asyncio.get_running_loop().create_task(self._keep())

    async def ensure(self) -> None:
        """Return when the lease is ours; costs nothing while it is. Asked before each write.

        Raises StoreUnavailableError when the store cannot be asked.
        """
        if _monotonic() >= self._until:
            await self._renew()

    async def release(self) -> None:
        if self._renewer is None:
            return
        self._renewer.cancel()
        self._renewer = None
        try:
            with writing():
                await self._meta.delete_one({"_id": _ID, "owner": self._owner})
        except ChatError:
            _log.warning("lease_not_released")

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(RENEW_EVERY_S)
            try:
                await self._renew()
            except ChatError as error:
                _log.warning("lease_not_renewed", code=error.code.value)

    async def _renew(self) -> None:
        began = _monotonic()
        with writing():
            result = await self._meta.update_one(
                {"_id": _ID, "owner": self._owner}, {"$set": self._document()}
            )
        if result.matched_count:
            self._until = began + VALID_S
            return
        self._until = 0.0
        _log.error("lease_lost", why="another server has taken the database")
        self._lost()
        raise StoreUnavailableError

    def _document(self) -> Document:
        return {
            "owner": self._owner,
            "host": socket.gethostname(),
            "boot": _boot_id(),
            "pid": os.getpid(),
            "until": datetime.now(UTC) + timedelta(seconds=VALID_S),
        }


def _alive(holder: Any) -> bool:
    """Whether the holder may be there: on this machine its process decides, else the clock."""
    if holder["host"] == socket.gethostname() and holder["boot"] == _boot_id():
        return holder["pid"] != os.getpid() and _runs(holder["pid"])
    until: datetime = holder["until"]
    return until > datetime.now(UTC)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _boot_id() -> str:
    """Changes with each start of the machine, so that a pid of before it means nobody."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def _monotonic() -> float:
    return asyncio.get_running_loop().time()
