"""Standard output and error that never raise and never block.

Their reader may be gone, their disk may be full, and a pipe that nobody reads blocks the writer.
None of that may affect code that writes: a log line, a warning, a plugin's `print`.
"""

import atexit
import io
import os
import select
import sys
import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Final

MAX_WAITING_CHARS: Final = 1_000_000
"""Some seconds of a busy log; further lines while nobody reads are lost and counted."""

MAX_BATCH_CHARS: Final = 64_000
CLOSE_WITHIN_S: Final = 1.0
"""The time that the end of the process waits for a reader."""

LOOK_AGAIN_S: Final = 0.5


def keep_standard_files() -> None:
    """Open /dev/null in place of each standard file that is closed.

    Call this first of all: otherwise the next file or socket would get the number of a closed one,
    and log lines would be written into it. A write still fails: /dev/null is read-only here.
    """
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            # The system gives the lowest free number: this one, since those below are open.
            os.set_inheritable(os.open(os.devnull, os.O_RDONLY), True)
    if sys.stdout is None:
        sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115  # as long as the process lives


def guard_stderr() -> None:
    """Put an Output in place of sys.stderr, for the rest of the process.

    A stream that other code has put there, such as a test, stays.
    """
    if sys.stderr in (None, sys.__stderr__):
        sys.stderr = Output(2)


def guard_stdout() -> None:
    """Put an Output in place of sys.stdout in the same way."""
    if sys.__stdout__ is None or sys.stdout is sys.__stdout__:
        sys.stdout = Output(1)


def close_output() -> None:
    """Write the waiting text, for up to a second for each stream."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, Output):
            stream.close_within(CLOSE_WITHIN_S)


def lines_lost() -> int:
    """Return how many log lines could not be written since the start."""
    return sys.stderr.lines_lost if isinstance(sys.stderr, Output) else 0


class Output(io.TextIOBase):
    """A text stream on a file descriptor; its own thread writes, since a write may block.

    The descriptor is not made non-blocking, since other processes share it.
    """

    def __init__(self, number: int) -> None:
        self.lines_lost = 0
        # Makes the line that says how many lines were lost, once a line can be written again.
        self.tell_loss: Callable[[int], str] = "{} lines were lost here\n".format
        self._number = number
        self._untold = 0
        self._torn = False
        self._begin()
        atexit.register(self.close_within, CLOSE_WITHIN_S)
        os.register_at_fork(after_in_child=self._begin)

    @property
    def encoding(self) -> str:  # type: ignore[override]  # a plain attribute in typeshed
        return "utf-8"

    def write(self, text: str) -> int:
        size = len(text)
        with self._lock:
            full = self._waiting_chars + size > MAX_WAITING_CHARS
            if full or not (self._thread or self._start()):
                self._lose(text.count("\n"))
                return size
            if self._untold:
                # Queued after the waiting text: that is where the lost lines are missing.
                self._queue.put(self._untold)
                self._untold = 0
            self._waiting_chars += size
            self._queue.put(text)
        return size

    def flush(self) -> None:
        """Do nothing, since it must not wait; see `close_within`."""

    def fileno(self) -> int:
        return self._number

    def isatty(self) -> bool:
        return os.isatty(self._number)

    def writable(self) -> bool:
        return True

    def close_within(self, within_s: float) -> None:
        """Wait until everything written before this call is delivered, for up to `within_s`."""
        if self._thread is not None:
            written = threading.Event()
            self._queue.put(written)
            written.wait(within_s)

    def _begin(self) -> None:
        self._queue: SimpleQueue[str | int | threading.Event] = SimpleQueue()
        self._waiting_chars = 0
        # Reentrant: a garbage collection in the middle of `write` may log something.
        self._lock = threading.RLock()
        self._thread: threading.Thread | None = None

    def _start(self) -> bool:
        thread = threading.Thread(target=self._run, name=f"output-{self._number}", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # the system has no thread for it, or the process is at its end
            return False
        self._thread = thread
        return True

    def _lose(self, lines: int) -> None:
        with self._lock:
            self.lines_lost += lines
            self._untold += lines

    def _run(self) -> None:
        while True:
            texts: list[str] = []
            size = 0
            item: str | int | threading.Event | None = self._queue.get()
            while isinstance(item, str):
                texts.append(item)
                size += len(item)
                item = self._next() if size < MAX_BATCH_CHARS else None
            if texts:
                self._lose(self._deliver("".join(texts)))
                with self._lock:
                    self._waiting_chars -= size
            if isinstance(item, int):
                if self._deliver(self.tell_loss(item)):
                    with self._lock:
                        self._untold += item
            elif item is not None:
                item.set()

    def _next(self) -> str | int | threading.Event | None:
        try:
            return self._queue.get_nowait()
        except Empty:
            return None

    def _deliver(self, text: str) -> int:
        """Write a text; returns how many lines of it could not be written."""
        data = text.encode("utf-8", "backslashreplace")
        if self._torn:
            # Only a part of the line before was written.
            data = b"\n" + data
        rest = self._write(data)
        if len(rest) < len(data):
            self._torn = bool(rest) and data[-len(rest) - 1 : -len(rest)] != b"\n"
        return min(rest.count(b"\n"), text.count("\n"))

    def _write(self, data: bytes) -> bytes:
        """Write the data; returns the rest that could not be written."""
        while data:
            try:
                data = data[os.write(self._number, data) :]
            except BlockingIOError:
                # Another process has made the file non-blocking for all that share it.
                select.select([], [self._number], [], LOOK_AGAIN_S)
            except OSError:
                break
        return data
