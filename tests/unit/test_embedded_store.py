"""The life of the embedded store's process: started, stopped, killed, and outliving nobody."""

import asyncio
import contextlib
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo.errors import PyMongoError
from structlog.testing import LogCapture

from chat.repositories import embedded
from chat.repositories.embedded import EmbeddedStore
from chat.timings import Timings
from tests.support.stores import Client, running
from tests.support.waiting import eventually

DEADLINE_S = 20
SERVER = """
import asyncio, sys
from pathlib import Path
from chat.logs.setup import configure_logging
from chat.repositories.embedded import EmbeddedStore

async def main():
    configure_logging("ERROR", "json")
    store = EmbeddedStore(Path(sys.argv[1]))
    await store.start()
    print(store.pid, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


@contextlib.contextmanager
def process_handle(pid: int) -> Iterator[int]:
    """A descriptor that becomes readable when the process ends, whoever's child it is."""
    descriptor = os.pidfd_open(pid)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def ends_in_time(descriptor: int) -> bool:
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(DEADLINE_S * 1000))


def said(event: str, log: LogCapture) -> list[Any]:
    """The log lines of an event."""
    return [line for line in log.entries if line["event"] == event]


async def insert(client: Client, number: int) -> None:
    await client.get_default_database()["notes"].insert_one({"_id": number})


async def numbers(client: Client) -> list[int]:
    found = client.get_default_database()["notes"].find({})
    return sorted([document["_id"] async for document in found])


def test_a_started_store_answers_under_its_uri(tmp_path: Path) -> None:
    """The URI leads to a living store and its database, and asks for journaled majority writes."""

    async def run() -> None:
        async with running(EmbeddedStore(tmp_path / "data")) as client:
            assert (await client.admin.command("ping"))["ok"] == 1
            database = client.get_default_database()
            assert database.name == "chatgateway"
            assert database.write_concern.document == {"w": "majority", "j": True}
            assert client.options.timeout == 4
            assert client.options.retry_writes is False

    asyncio.run(run())


def test_data_survives_stop_and_start(tmp_path: Path) -> None:
    """What was written is there after the store was stopped and started again on its folder."""

    async def run() -> None:
        async with running(EmbeddedStore(tmp_path)) as client:
            await insert(client, 7)
        async with running(EmbeddedStore(tmp_path)) as client:
            assert await numbers(client) == [7]

    asyncio.run(run())


def test_a_store_is_gone_after_stop_which_may_be_repeated(tmp_path: Path, log: LogCapture) -> None:
    """Stop ends the process by a clean exit; before the start and a second time it does nothing."""

    async def run() -> None:
        store = EmbeddedStore(tmp_path)
        await store.stop()
        await store.start()
        assert store.pid is not None
        with process_handle(store.pid) as process:
            await store.stop()
            assert ends_in_time(process)
        assert store.pid is None
        await store.stop()

    asyncio.run(run())
    assert not said("store_killed", log)


def test_a_store_that_does_not_end_when_asked_is_killed(tmp_path: Path) -> None:
    """A stopped (SIGSTOP) process cannot end by SIGTERM: after the grace it is killed."""

    async def run() -> None:
        store = EmbeddedStore(tmp_path, timings=Timings(store_stop_s=0.2))
        await store.start()
        assert store.pid is not None
        with process_handle(store.pid) as process:
            os.kill(store.pid, signal.SIGSTOP)
            await asyncio.wait_for(store.stop(), DEADLINE_S)
            assert ends_in_time(process)

    asyncio.run(run())


def test_the_folder_is_private(tmp_path: Path) -> None:
    """Nobody but the user of the server may look into DATA_DIR."""

    async def run() -> None:
        async with running(EmbeddedStore(tmp_path / "made" / "data")):
            assert (tmp_path / "made" / "data").stat().st_mode & 0o777 == 0o700

    asyncio.run(run())


def test_ctrl_c_does_not_reach_the_store(tmp_path: Path) -> None:
    """The store has a session of its own, since a terminal interrupts the server's whole group."""

    async def run() -> None:
        store = EmbeddedStore(tmp_path)
        async with running(store):
            assert store.pid is not None
            assert os.getsid(store.pid) == store.pid != os.getsid(0)

    asyncio.run(run())


def test_a_killed_server_takes_its_store_along(tmp_path: Path) -> None:
    """After kill -9 of the server no store is left, so that the next server can have the folder."""
    server = subprocess.Popen([sys.executable, "-c", SERVER, tmp_path], stdout=subprocess.PIPE)
    try:
        assert server.stdout is not None
        pid = int(server.stdout.readline())
        with process_handle(pid) as store:
            server.kill()
            assert ends_in_time(store)
    finally:
        server.kill()
        server.communicate()


@pytest.mark.expects_errors
def test_a_killed_store_is_back_on_its_socket_with_its_data(tmp_path: Path) -> None:
    """A store that dies is started again, and the same client finds what it had acknowledged."""

    async def run() -> None:
        store = EmbeddedStore(tmp_path)
        async with running(store) as client, asyncio.timeout(DEADLINE_S):
            await insert(client, 1)
            for _ in range(2):
                before = store.pid
                assert before is not None
                os.kill(before, signal.SIGKILL)
                await eventually(lambda gone=before: store.pid not in (None, gone), DEADLINE_S)
                found = None
                while found is None:
                    with contextlib.suppress(PyMongoError):
                        found = await numbers(client)
                assert found == [1]

    asyncio.run(run())


PANIC = "[17:4][1:0x7f], checkpoint-server: [ERROR]: WT_PANIC: WiredTiger library panic"
QUOTED = 'ERROR insert {"message": "WT_PANIC: WiredTiger library panic"} failed'


@pytest.mark.expects_errors
def test_a_store_in_panic_is_ended_and_started_anew(tmp_path: Path, log: LogCapture) -> None:
    """Such a store lives on and answers everything with an error; the log names the cause."""
    script = tmp_path / "program"
    script.write_text(f"#!/bin/sh\necho listening on >&2\necho '{PANIC}' >&2\nexec sleep 60\n")
    script.chmod(0o755)

    async def run() -> None:
        store = EmbeddedStore(tmp_path / "data", program=[str(script)])
        await store.start()
        await eventually(lambda: said("store_died", log), DEADLINE_S)
        await store.stop()

    asyncio.run(run())
    assert said("store_panicked", log)[0]["cause"] == PANIC


def test_a_panic_that_a_document_quotes_is_none() -> None:
    """Nobody ends the store by writing of its panic."""
    assert embedded.PANIC.search(PANIC.encode())
    assert embedded.PANIC.search(b"_wiredtiger.WiredTigerError: WT_PANIC: WiredTiger library panic")
    assert not embedded.PANIC.search(QUOTED.encode())
    assert not embedded.PANIC.search(b"WT_PANIC: WiredTiger library panic")


@pytest.mark.expects_errors
def test_stop_during_a_restart_leaves_nothing_behind(tmp_path: Path, log: LogCapture) -> None:
    """A server that stops while its store is down neither waits for it nor leaves it running."""

    async def run() -> None:
        store = EmbeddedStore(tmp_path)
        await store.start()
        assert store.pid is not None
        os.kill(store.pid, signal.SIGKILL)
        await eventually(lambda: said("store_died", log), DEADLINE_S)
        await asyncio.wait_for(store.stop(), DEADLINE_S)
        assert store.pid is None
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(run())
