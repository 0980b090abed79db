"""Who else on this machine reaches the embedded store: nobody, by any way."""

import asyncio
import os
import shutil
import signal
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest
from pymongo.errors import PyMongoError
from structlog.testing import LogCapture

from chat.errors import SetupError
from chat.repositories.embedded import PROGRAM, EmbeddedStore
from chat.repositories.store_folder import MAX_SOCKET_PATH
from chat.timings import Timings
from tests.support.other_user import NOBODY, attempts_of_another, may_be_another
from tests.support.stores import Client, running
from tests.support.waiting import eventually

as_another = pytest.mark.skipif(not may_be_another(), reason="only root can become another user")


@pytest.fixture
def public() -> Iterator[Path]:
    """A folder that every user can look into, as /srv is; pytest's own are closed to others."""
    folder = Path(tempfile.mkdtemp(prefix="chat-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


async def insert(client: Client, number: int) -> None:
    await client.get_default_database()["notes"].insert_one({"_id": number})


async def numbers(client: Client) -> list[int]:
    found = client.get_default_database()["notes"].find({})
    return [document["_id"] async for document in found]


def uri_of(folder: Path) -> str:
    return f"mongodb://{str(folder / 'store.sock').replace('/', '%2F')}/chatgateway"


def open_to_others(folder: Path) -> list[Path]:
    """What the group or everybody may do anything with."""
    found = [folder, *folder.rglob("*")]
    return [path for path in found if path.lstat().st_mode & 0o077]


def tcp_ports_of(pid: int) -> set[str]:
    """The local addresses of all TCP sockets of a process, as /proc has them."""
    mine = set()
    for each in Path(f"/proc/{pid}/fd").iterdir():
        target = str(each.readlink())
        if target.startswith("socket:["):
            mine.add(target[8:-1])
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            columns = line.split()
            if columns[9] in mine:
                found.add(columns[1])
    return found


@as_another
def test_another_user_can_do_nothing_to_a_running_store(public: Path) -> None:
    """No command, no file, no socket in its place: each attempt of uid 65534 fails."""

    async def run() -> None:
        async with running(EmbeddedStore(public / "data")) as client:
            await insert(client, 1)
            tried = await asyncio.to_thread(
                attempts_of_another, public / "data", uri_of(public / "data")
            )
            assert len(tried) > 20
            assert {name for name, outcome in tried.items() if outcome == "done"} == set()
            assert await numbers(client) == [1]

    asyncio.run(run())


@as_another
@pytest.mark.expects_errors
def test_another_user_cannot_take_the_place_of_a_store_that_is_down(
    public: Path, log: LogCapture
) -> None:
    """Between the death of a store and its restart nobody else can listen where it did."""
    folder = public / "data"

    async def run() -> None:
        program = [*PROGRAM]
        timings = Timings(store_last_delay_s=0.5)
        store = EmbeddedStore(folder, program=program, timings=timings)
        async with running(store) as client, asyncio.timeout(40):
            await insert(client, 1)
            assert store.pid is not None
            program[:] = ["false"]
            os.kill(store.pid, signal.SIGKILL)
            await eventually(lambda: "store_died" in [each["event"] for each in log.entries])
            tried = await asyncio.to_thread(attempts_of_another, folder, uri_of(folder))
            program[:] = PROGRAM
            assert {name for name, outcome in tried.items() if outcome == "done"} == set()
            found = None
            while found is None:
                try:
                    found = await numbers(client)
                except PyMongoError:
                    continue
            assert found == [1]

    asyncio.run(run())


def test_the_store_listens_on_no_port(tmp_path: Path) -> None:
    """It has a socket in DATA_DIR and no TCP socket at all."""

    async def run() -> None:
        store = EmbeddedStore(tmp_path)
        async with running(store) as client:
            await insert(client, 1)
            assert store.pid is not None
            assert tcp_ports_of(store.pid) == set()
            assert stat.S_ISSOCK((tmp_path / "store.sock").stat().st_mode)
        assert not (tmp_path / "store.sock").exists()

    asyncio.run(run())


def test_nothing_of_the_store_is_open_to_others(tmp_path: Path) -> None:
    """Folders have 0700 and files 0600, whatever the umask of the server is."""
    before = os.umask(0)
    try:

        async def run() -> None:
            async with running(EmbeddedStore(tmp_path / "data")) as client:
                await insert(client, 1)
                assert len(list((tmp_path / "data").rglob("*"))) > 5
                assert open_to_others(tmp_path / "data") == []

        asyncio.run(run())
    finally:
        os.umask(before)


def test_an_open_folder_of_an_earlier_version_is_closed(tmp_path: Path, log: LogCapture) -> None:
    """0.1.x left files at 0644 in a folder that the operator had made at 0755; its data stays."""
    folder = tmp_path / "data"

    async def run() -> None:
        async with running(EmbeddedStore(folder)) as client:
            await insert(client, 7)
        (folder / "store.toml").write_text("# Empty on purpose.\n")
        for path in (folder, *folder.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)
        async with running(EmbeddedStore(folder)) as client:
            assert await numbers(client) == [7]
            assert open_to_others(folder) == []
            assert not (folder / "store.toml").exists()

    asyncio.run(run())
    told = [line for line in log.entries if line["event"] == "folder_closed"]
    assert [line["mode_was"] for line in told] == ["755"]


def refusal(folder: Path) -> str:
    """What a start says that is refused before a store is there."""

    async def run() -> str:
        with pytest.raises(SetupError) as caught:
            await EmbeddedStore(folder).start()
        return str(caught.value)

    sentence = asyncio.run(run())
    assert "\n" not in sentence
    assert sentence.endswith(".")
    return sentence


def test_an_open_folder_with_files_of_others_is_left_as_it_is(tmp_path: Path) -> None:
    """DATA_DIR=/tmp must not close /tmp: the start is refused, and says what to do."""
    (tmp_path / "notes.txt").write_text("mine")
    tmp_path.chmod(0o755)
    assert f"chmod 700 {tmp_path}" in refusal(tmp_path)
    assert tmp_path.stat().st_mode & 0o777 == 0o755
    assert list(tmp_path.iterdir()) == [tmp_path / "notes.txt"]


@as_another
@pytest.mark.parametrize("name", ["", "store", "store.version", "demo.key"])
def test_what_another_user_has_put_there_is_refused(tmp_path: Path, name: str) -> None:
    """A folder, files or a secret of somebody else's are never taken for the server's own."""
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    planted = folder / name
    if name == "store":
        planted.mkdir()
    elif name:
        planted.write_text("x" * 64)
    os.chown(planted, NOBODY, NOBODY)
    sentence = refusal(folder)
    assert "belongs to another user" in sentence
    assert str(planted) in sentence


def test_a_long_path_is_no_obstacle(tmp_path: Path) -> None:
    """The address of a Unix socket is short: then it is in a private folder of its own."""
    folder = tmp_path / ("long" * 30)
    assert len(str(folder)) > MAX_SOCKET_PATH

    async def run() -> None:
        store = EmbeddedStore(folder)
        uri = await store.start()
        try:
            place = Path(unquote(uri.removeprefix("mongodb://").partition("/")[0])).parent
            assert place.stat().st_mode & 0o777 == 0o700
        finally:
            await store.stop()
        assert not place.exists()

    asyncio.run(run())
