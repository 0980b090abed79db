"""The embedded store: SecantusDB as a watched child process with its files in DATA_DIR.

This module starts, watches and ends the child, and knows nothing of documents or collections. The
child listens on a Unix socket in a folder of mode 0700, so that no other user of the machine can
reach it or take its place. The behaviour that comments mention is that of SecantusDB 0.7.0b3.
"""

import asyncio
import contextlib
import json
import os
import re
import sys
from collections import deque
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Final
from urllib.parse import quote

import structlog

from chat.errors import SetupError
from chat.repositories.store_folder import StoreFolder
from chat.timings import TIMINGS, Timings

DATABASE: Final = "chatgateway"
# -I: Python imports nothing from the current folder, and ignores PYTHONPATH.
PROGRAM: Final = (sys.executable, "-I", str(Path(__file__).with_name("store_process.py")))
URI_OPTIONS: Final = (
    # journal=true makes the store fsync each commit before it answers.
    "directConnection=true&w=majority&journal=true"
    # SecantusDB 0.7 gets slower with every retryable write.
    "&retryWrites=false"
    # Without timeoutMS a write to a stopped store hangs for ever.
    "&timeoutMS=4000&serverSelectionTimeoutMS=4000&connectTimeoutMS=2000"
    # Within this time the driver finds a restarted store, even without traffic.
    "&heartbeatFrequencyMS=2000"
)
OPTIONS: Final = {
    # Without a replica set there is no oplog, in which deleted messages stay readable for an hour.
    "replica_set_name": None,
    # With 256 MB, reading 60 pages of long messages at once takes 82 MB instead of 50.
    "cache_size": "96M",
    "enable_test_commands": False,
}
READY_MARK: Final = b"listening on"
PANIC: Final = re.compile(rb"^(\[|_wiredtiger\.).*WT_PANIC: WiredTiger library panic\s*$")
"""Matches a line of WiredTiger or of its traceback, but no line that quotes a document."""

FIRST_DELAY_S: Final = 0.2
STEADY_S: Final = 30
"""A child that lived this long has started well, so the next delay is the first one again."""

TAIL_LINES: Final = 100
"""Enough for WiredTiger's own lines and the traceback after them, longer in newer Pythons."""

NO_STORE: Final = (
    "SecantusDB, the embedded store, is not installed beside this Python: run "
    "`pip install 'chatgateway[embedded]'` (in a checkout, `pip install -r requirements.txt`), "
    "or set MONGODB_URI to a MongoDB server."
)
log = structlog.get_logger("chat.store")


class _FilesBusyError(Exception):
    """Another store process has the files open."""


class EmbeddedStore:
    """One store on one folder: `start` it, use the URI, `stop` it. A dead store is restarted."""

    def __init__(
        self, data_dir: Path, *, program: Sequence[str] = PROGRAM, timings: Timings = TIMINGS
    ) -> None:
        self._folder = StoreFolder(data_dir)
        self._program = program
        self._timings = timings
        self._process: asyncio.subprocess.Process | None = None
        self._killed: asyncio.subprocess.Process | None = None
        self._drainer: asyncio.Task[None] | None = None
        self._watcher: asyncio.Task[None] | None = None
        self._tail: deque[str] = deque(maxlen=TAIL_LINES)

    @property
    def pid(self) -> int | None:
        """The child's process id, None while there is none."""
        process = self._process
        return process.pid if process and process.returncode is None else None

    async def start(self) -> str:
        """Claim the folder, start the store and return its URI; SetupError where that fails.

        Takes about a second.
        """
        self._folder.claim(require_store())
        try:
            await self._start_first()
        except BaseException:
            await self.stop()
            raise
        self._watcher = asyncio.create_task(self._keep_running(), name="store-watcher")
        log.info("store_started", folder=str(self._folder.path), pid=self.pid)
        return f"mongodb://{quote(str(self._folder.socket), safe='')}/{DATABASE}?{URI_OPTIONS}"

    @property
    def files(self) -> Path:
        """The folder that the store writes to."""
        return self._folder.files

    def restart(self) -> None:
        """Kill a child that keeps failing; the watcher starts it again."""
        self._kill("store_unwell", why="it answers every write with a failure")

    async def stop(self) -> None:
        """End the child, by force if it takes too long, and free the folder; safe to repeat."""
        if self._watcher:
            self._watcher.cancel()
            await asyncio.wait([self._watcher])
            self._watcher = None
        await self._end_child()
        self._folder.release()

    async def _start_first(self) -> None:
        loop = asyncio.get_running_loop()
        orphan_deadline = loop.time() + self._timings.store_orphan_s
        while True:
            try:
                return await self._spawn()
            except _FilesBusyError:
                if loop.time() > orphan_deadline:
                    raise self._folder.in_use() from None

    async def _spawn(self) -> None:
        """Start the child and return when it listens."""
        self._tail.clear()
        folder = self._folder
        place = (str(os.getpid()), str(folder.files), str(folder.socket))
        process = self._process = await asyncio.create_subprocess_exec(
            *(*self._program, *place, json.dumps(OPTIONS)),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            # Ctrl-C reaches the terminal's process group, but the server needs its store to drain.
            start_new_session=True,
            # Without the server's variables: no secret, no SECANTUS_ switch (one turns fsync off).
            env={
                "HOME": str(folder.path),
                "PATH": os.defpath,
                "LANG": "C.UTF-8",
                # One arena per thread keeps 60 MB more after big pages; threads take turns anyway.
                "MALLOC_ARENA_MAX": "1",
            },
        )
        assert process.stderr is not None  # noqa: S101 - it was asked for as a pipe
        ready = asyncio.get_running_loop().create_future()
        start_s = self._timings.store_start_s
        self._drainer = asyncio.create_task(self._drain(process.stderr, ready), name="store-stderr")
        try:
            listening = await asyncio.wait_for(ready, start_s)
        except TimeoutError:
            await self._end_child()
            raise SetupError(
                f"The store in {folder.path} did not start within {start_s:g} seconds: "
                f"look whether the disk is busy or full, then start again."
            ) from None
        if not listening:
            await self._end_child()
            raise _start_failure(folder.path, list(self._tail))

    async def _drain(self, stderr: asyncio.StreamReader, ready: asyncio.Future[bool]) -> None:
        """Read the child's stderr until it ends; a full pipe would block it."""
        rest = b""
        while chunk := await stderr.read(8192):
            *lines, rest = (rest + chunk).split(b"\n")
            rest = rest[-8192:]
            self._tail.extend(line.decode(errors="replace") for line in lines if line.strip())
            if not ready.done() and any(READY_MARK in line for line in lines):
                ready.set_result(True)
            if ready.done() and any(map(PANIC.search, lines)):
                # The child lives on, and answers every command with InternalError.
                cause = next((line for line in self._tail if "[ERROR]" in line), "unknown")
                self._kill("store_panicked", cause=cause[:200])
        if not ready.done():
            ready.set_result(False)

    def _kill(self, event: str, **why: str) -> None:
        """Kill a running child that is of no use, and log that once."""
        process = self._process
        if process is None or process.returncode is not None or process is self._killed:
            return
        self._killed = process
        log.error(event, pid=process.pid, **why)
        with contextlib.suppress(ProcessLookupError):
            process.kill()

    async def _keep_running(self) -> None:
        """Start the child again, on the same socket, each time it dies."""
        loop = asyncio.get_running_loop()
        delay_s = FIRST_DELAY_S
        while self._process:
            born = loop.time()
            exit_code = await self._process.wait()
            await self._end_child()
            if loop.time() - born > STEADY_S:
                delay_s = FIRST_DELAY_S
            log.error("store_died", exit_code=exit_code, retry_in_s=delay_s)
            told = ""
            while not self._process:
                await asyncio.sleep(delay_s)
                delay_s = min(delay_s * 2, self._timings.store_last_delay_s)
                try:
                    await self._spawn()
                except Exception as error:  # noqa: BLE001  # nothing works without a store: try again
                    reason = str(error) or type(error).__name__
                    if reason != told:
                        log.error("store_restart_failed", reason=reason, retry_in_s=delay_s)
                    told = reason
            log.warning("store_restarted", pid=self.pid)

    async def _end_child(self) -> None:
        process = self._process
        if process is None:
            return
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            stop_s = self._timings.store_stop_s
            try:
                await asyncio.wait_for(process.wait(), stop_s)
            except TimeoutError:
                log.warning("store_killed", reason="it did not end when asked", waited_s=stop_s)
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        if self._drainer:
            await self._drainer
            self._drainer = None
        # Cleared last: if this method is cancelled before, the next call still finds the process.
        self._process = None


def require_store() -> str:
    """Return the version of the installed SecantusDB; SetupError where there is none."""
    try:
        return metadata.version("secantusdb")
    except metadata.PackageNotFoundError:
        raise SetupError(NO_STORE) from None


def _start_failure(folder: Path, tail: list[str]) -> Exception:
    """Interpret the child's last lines; the texts are those of WiredTiger and Python."""
    text = "\n".join(tail)
    if "already being managed by another process" in text:
        return _FilesBusyError("another store process has the files open")
    if "IncompatibleStorageFormatError" in text:
        return SetupError(
            f"The store in {folder} was written by another SecantusDB: "
            f"install that version, or set DATA_DIR to another folder."
        )
    # Checked before the panic, since a full disk leads to one.
    if "No space left on device" in text:
        return SetupError(
            f"The disk of {folder} is full: make room, or set DATA_DIR to a folder on another disk."
        )
    if "corruption" in text or "WT_PANIC" in text:
        return SetupError(
            f"The store in {folder} is damaged: "
            f"put back a copy of the folder, or set DATA_DIR to another one."
        )
    last = tail[-1] if tail else "without a word"
    return SetupError(
        f"The store in {folder} ended while starting ({last}): mend that, then start again."
    )
