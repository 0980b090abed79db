"""End the process in time, whatever still runs in it.

A plugin may swallow its cancellation, block the loop, or leave a thread that never ends; asyncio
and the interpreter would wait for each of them for ever.
"""

import asyncio
import os
import threading
import time
from queue import Empty, SimpleQueue
from typing import Any, Final

import structlog

from chat.logs.output import close_output
from chat.watchdog import Watchdog

MOST_NAMES: Final = 10
MOST_COROUTINES: Final = 4

_log = structlog.get_logger("chat.app")


class LastResort:
    """A thread that waits for an order, then for the order's time, and then ends the process.

    Create it on the loop.
    """

    def __init__(self, watchdog: Watchdog) -> None:
        self._watchdog = watchdog
        self._loop = asyncio.get_running_loop()
        # A signal handler may put an order into it at any moment.
        self._orders: SimpleQueue[tuple[float, int]] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="last-resort", daemon=True)
        self._thread.start()

    def within(self, seconds: float, exit_code: int) -> None:
        """End the process after `seconds` with `exit_code`; a later order replaces this one."""
        self._orders.put((time.monotonic() + seconds, exit_code))

    def _run(self) -> None:
        deadline, exit_code = self._orders.get()
        while True:
            try:
                left_s = max(0.0, deadline - time.monotonic())
                deadline, exit_code = self._orders.get(timeout=left_s)
            except Empty:
                break
        try:
            self._tell(exit_code)
            close_output()
        finally:
            os._exit(exit_code)

    def _tell(self, exit_code: int) -> None:
        main = threading.main_thread()
        blocker = self._watchdog.look(main.ident)
        threads = [each.name for each in threading.enumerate() if not each.daemon]
        _log.error(
            "ended_by_force",
            exit_code=exit_code,
            plugin=blocker.plugin,
            where=blocker.where,
            tasks=self._tasks()[:MOST_NAMES],
            threads=[name for name in threads if name != main.name][:MOST_NAMES],
        )

    def _tasks(self) -> list[str]:
        try:
            tasks = asyncio.all_tasks(self._loop)
        except RuntimeError:  # the set changed while it was read
            return []
        return sorted(map(_name, tasks))


def _name(task: asyncio.Task[Any]) -> str:
    """Return the name that a task was given, or its innermost coroutines, outermost first."""
    if not task.get_name().startswith("Task-"):
        return task.get_name()
    names = []
    work: Any = task.get_coro()
    while work is not None and hasattr(work, "cr_await"):
        names.append(work.__qualname__)
        work = work.cr_await
    return " > ".join(names[-MOST_COROUTINES:])
