"""Processes of a run: pinned to a core, stopped with all that they started."""

import ctypes
import http.client
import os
import resource
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

HOST: Final = "127.0.0.1"
READY_S: Final = 40
STOP_S: Final = 10
_LIBC: Final = ctypes.CDLL(None)
_PR_SET_PDEATHSIG: Final = 1


class RunFailed(Exception):
    """One run gave no figure; the text says why."""


class Process:
    """A child on one core; leaving the block stops it and whatever it started."""

    def __init__(
        self, command: Sequence[str], core: int, env: Mapping[str, str], folder: Path
    ) -> None:
        self._log = folder / "log.txt"
        with self._log.open("wb") as log:
            self._popen = subprocess.Popen(
                command,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=lambda: _prepare(core),  # the runner has one thread
            )
        self.pid = self._popen.pid

    def __enter__(self) -> "Process":
        return self

    def __exit__(self, *_: object) -> None:
        children = _descendants(self.pid)
        self._popen.terminate()
        try:
            self._popen.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            self._popen.wait()
        for pid, started in children:
            if started and _start_time(pid) == started:
                os.kill(pid, signal.SIGKILL)

    def require_alive(self, what: str) -> None:
        """RunFailed, with the end of its log, when it has ended."""
        if self._popen.poll() is not None:
            status = self._popen.returncode
            raise RunFailed(f"{what} ended with status {status}: {self.tail()}")

    def tail(self) -> str:
        return self._log.read_text(errors="replace")[-600:].strip()


def _prepare(core: int) -> None:
    os.sched_setaffinity(0, {core})
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)  # nothing outlives a killed runner


def _descendants(pid: int) -> list[tuple[int, str]]:
    """All processes below `pid`, as (pid, start time): the pair is unique, a pid alone is not."""
    found: list[tuple[int, str]] = []
    queue = [pid]
    while queue:
        try:
            for task in Path(f"/proc/{queue.pop()}/task").iterdir():
                for child in map(int, (task / "children").read_text().split()):
                    found.append((child, _start_time(child)))
                    queue.append(child)
        except OSError:
            continue
    return found


def _start_time(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return ""


def cores() -> tuple[int, int, int]:
    """Cores for server, generator and store. Of two, the store has the generator's."""
    usable = sorted(os.sched_getaffinity(0))
    return usable[0], usable[-1], usable[1 if len(usable) > 2 else -1]


def raise_file_limit() -> int:
    """As many open files as this user may have, for all that is started from here; how many."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until(ask: Callable[[], bool], process: Process, what: str) -> None:
    """Until `ask()` says so. RunFailed when the process ends before, or after READY_S seconds."""
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline:
        process.require_alive(what)
        try:
            if ask():
                return
        except (OSError, http.client.HTTPException):
            pass
        time.sleep(0.05)
    raise RunFailed(f"{what} was not ready after {READY_S} s: {process.tail()}")
