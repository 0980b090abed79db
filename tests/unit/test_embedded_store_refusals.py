"""What the embedded store says when it cannot start: one sentence that names the folder."""

import asyncio
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

import pytest

from chat.errors import SetupError
from chat.repositories.embedded import PROGRAM, EmbeddedStore
from chat.timings import TIMINGS, Timings
from tests.support.stores import running


async def refusal(
    folder: Path, program: Sequence[str] = PROGRAM, timings: Timings = TIMINGS
) -> str:
    """What `start` says on a folder that cannot be used."""
    store = EmbeddedStore(folder, program=program, timings=timings)
    with pytest.raises(SetupError) as caught:
        await store.start()
    assert store.pid is None
    sentence = str(caught.value)
    assert str(folder) in sentence
    assert sentence.endswith(".")
    assert "\n" not in sentence
    return sentence


def fake_program(folder: Path, script: str) -> list[str]:
    """A shell script for the store's place, for failures the real one cannot be led into."""
    program = folder / "program"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return [str(program)]


def test_a_second_server_on_the_folder_is_refused(tmp_path: Path) -> None:
    """Two servers cannot share a folder: the second starts no store, and the first lives on."""

    async def run() -> None:
        async with running(EmbeddedStore(tmp_path)) as client:
            program = fake_program(tmp_path, "echo I was started >&2")
            assert "in use by another server" in await refusal(tmp_path, program)
            assert (await client.admin.command("ping"))["ok"] == 1
        async with running(EmbeddedStore(tmp_path)):
            pass

    asyncio.run(run())


def test_a_store_left_by_a_dead_server_is_named(tmp_path: Path) -> None:
    """Where the lock is free but a store still has the files, the folder is in use all the same."""

    async def run() -> None:
        first = EmbeddedStore(tmp_path)
        async with running(first):
            first._folder.release()
            said = await refusal(tmp_path, timings=Timings(store_orphan_s=0))
            assert "in use by another server" in said

    asyncio.run(run())


def test_a_folder_of_another_version_is_refused(tmp_path: Path) -> None:
    """The store is a beta that may not read what another version wrote: both versions are named."""

    async def run() -> None:
        async with running(EmbeddedStore(tmp_path)):
            pass
        (tmp_path / "store.version").write_text("0.0.1\n")
        assert "SecantusDB 0.0.1" in await refusal(tmp_path)
        (tmp_path / "store.version").unlink()
        assert "SecantusDB of an unknown version" in await refusal(tmp_path)

    asyncio.run(run())


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    """A DATA_DIR below a regular file can be neither made nor written."""
    (tmp_path / "file").write_text("")

    async def run() -> None:
        assert "cannot be used (Not a directory)" in await refusal(tmp_path / "file" / "data")

    asyncio.run(run())


def test_a_damaged_store_is_refused(tmp_path: Path) -> None:
    """Files that the store cannot read are said to be damaged, not shown as a traceback."""

    async def run() -> None:
        async with running(EmbeddedStore(tmp_path)):
            pass
        (tmp_path / "store" / "WiredTiger.turtle").write_text("not a turtle\n")
        assert "is damaged" in await refusal(tmp_path)

    asyncio.run(run())


def test_a_missing_store_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without SecantusDB beside this Python, the sentence tells what to install."""

    def nothing(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", nothing)

    async def run() -> None:
        with pytest.raises(SetupError, match=r"pip install 'chatgateway\[embedded\]'"):
            await EmbeddedStore(tmp_path / "data").start()

    asyncio.run(run())


def test_a_store_that_never_listens_is_given_up(tmp_path: Path) -> None:
    """A start has a deadline, and what did not make it is ended."""
    program = fake_program(tmp_path, "exec sleep 60")

    async def run() -> None:
        said = await refusal(tmp_path / "data", program, Timings(store_start_s=0.5))
        assert "did not start within 0.5 seconds" in said

    asyncio.run(run())


@pytest.mark.parametrize(
    ("line", "meaning"),
    [
        ("OSError: [Errno 28] No space left on device", "is full"),
        ("secantus.storage.IncompatibleStorageFormatError: older", "by another SecantusDB"),
        ("Illegal instruction", "ended while starting (Illegal instruction)"),
    ],
)
def test_a_start_that_fails_is_one_sentence(tmp_path: Path, line: str, meaning: str) -> None:
    """The last words of a store that ended while starting become one sentence."""
    program = fake_program(tmp_path, f"echo Traceback >&2; echo '{line}' >&2; exit 1")

    async def run() -> None:
        assert meaning in await refusal(tmp_path / "data", program)

    asyncio.run(run())
