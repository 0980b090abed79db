"""The database behind a server's back: looked at, changed by hand, copied and put back."""

import asyncio
import os
import re
import socket
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from pymongo import AsyncMongoClient

from tests.support.server_process import ROOT, SECRET

Database = Any
Backup = dict[str, list[dict[str, Any]]]


@asynccontextmanager
async def database_of(uri: str) -> AsyncIterator[Database]:
    """The database of a MONGODB_URI."""
    async with AsyncMongoClient(uri, tz_aware=True) as client:
        yield client.get_default_database()


async def copy_of(uri: str) -> Backup:
    """All documents, but for the lease: a backup is made while no server runs."""
    async with database_of(uri) as database:
        return {
            name: [each async for each in database[name].find() if each["_id"] != "lease"]
            for name in await database.list_collection_names()
        }


async def put_back(uri: str, backup: Backup) -> None:
    """The database is what it was when the copy was made."""
    async with database_of(uri) as database:
        for name in await database.list_collection_names():
            await database[name].delete_many({})
            if backup.get(name):
                await database[name].insert_many(backup[name])


def holder(**fields: Any) -> dict[str, Any]:
    """The lease of a server on another machine."""
    return {
        "owner": "somebody-else",
        "renewals": 7,
        "host": "another-machine",
        "boot": "another-boot",
        "namespace": "pid:[1]",
        "pid": 1,
        "until": datetime.now(UTC) + timedelta(seconds=60),
        **fields,
    }


def this_machine() -> dict[str, str]:
    """`host`, `boot` and `namespace` as a server here writes them."""
    return {
        "host": socket.gethostname(),
        "boot": Path("/proc/sys/kernel/random/boot_id").read_text().strip(),
        "namespace": os.readlink("/proc/self/ns/pid"),
    }


async def put_lease(uri: str, document: dict[str, Any]) -> None:
    """Whoever had the lease, this is the holder now."""
    async with database_of(uri) as database:
        await database.meta.replace_one({"_id": "lease"}, document, upsert=True)


@asynccontextmanager
async def renewing(uri: str) -> AsyncIterator[None]:
    """Whoever has the lease renews it again and again."""

    over = asyncio.Event()

    async def renew() -> None:
        async with database_of(uri) as database:
            while not over.is_set():
                await database.meta.update_one({"_id": "lease"}, {"$inc": {"renewals": 1}})

    # Not cancelled: the driver may swallow that.
    task = asyncio.create_task(renew())
    try:
        yield
    finally:
        over.set()
        await task


async def lease_in(uri: str) -> dict[str, Any] | None:
    async with database_of(uri) as database:
        found: dict[str, Any] | None = await database.meta.find_one({"_id": "lease"})
        return found


def by_way_of(uri: str, port: int) -> str:
    """The same database, through a port of this machine."""
    return re.sub(r"(?<=mongodb://)[^/]+", f"127.0.0.1:{port}", uri)


def socket_of(uri: str) -> str:
    """The path of the Unix socket that the store listens on."""
    return unquote(uri.removeprefix("mongodb://").partition("/")[0])


async def refused_start(
    data_dir: Path, *, wrapped_in: Sequence[str] = (), **environment: str
) -> tuple[int, str]:
    """Start a server that ends by itself; its exit code and what it said on stderr.

    The command line is that of server_process.
    """
    process = await asyncio.create_subprocess_exec(
        *wrapped_in,
        sys.executable,
        str(ROOT / "server.py"),
        "serve",
        env={
            "PATH": os.environ["PATH"],
            "PORT": "0",
            "DATA_DIR": str(data_dir),
            "JWT_SECRET": SECRET,
            "LOG_LEVEL": "WARNING",
            **environment,
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        _, said = await asyncio.wait_for(process.communicate(), 20)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode is not None
    return process.returncode, said.decode()
