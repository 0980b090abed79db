"""One method of one plugin, and how it is called within its budget."""

import asyncio
from collections.abc import Coroutine, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeVar

import structlog

from chat.hookspecs import Hook

FAILURES_UNTIL_OFF: Final = 5
OFF_FOR_S: Final = 30.0
_log = structlog.get_logger("chat.plugins")

ResultT = TypeVar("ResultT")


@dataclass(slots=True, eq=False)
class HookImpl:
    """One method of one plugin, with its budget and its record."""

    plugin: str
    method: Any
    hook: Hook[Any]
    timeout_s: float
    on_error: Literal["closed", "open"]
    failures: int = 0
    failures_in_row: int = 0
    off_until: float = 0.0
    besides: frozenset[str] = frozenset()

    @property
    def off(self) -> bool:
        """Switched off for now, after too many failures."""
        return _now() < self.off_until

    def listens_to(self, event: object) -> bool:
        """Not while switched off, and not to what the plugin itself has caused: one that answers
        messages would otherwise answer itself for ever.
        """
        if self.off_until and self.off:
            return False
        if self.besides and getattr(event, "name", None) in self.besides:
            return False
        return getattr(event, "origin", None) != self.plugin

    def succeeded(self) -> None:
        self.failures_in_row = 0

    def caught(self, error: BaseException) -> None:
        """Count what a call raised as a failure; raise it again where it is not the plugin's."""
        if not is_crash(error):
            raise error
        self.failed(error)

    def failed(self, error: BaseException) -> None:
        self.failures += 1
        self.failures_in_row += 1
        what = "took too long" if isinstance(error, TimeoutError) else type(error).__name__
        _log.error(
            "hook_failed",
            plugin=self.plugin,
            hook=self.hook.name,
            error=what,
            in_row=self.failures_in_row,
            exc_info=None if isinstance(error, TimeoutError) else error,
        )
        if self.failures_in_row >= FAILURES_UNTIL_OFF:
            self.off_until = _now() + OFF_FOR_S
            # One more failure after the pause switches it off again at once.
            self.failures_in_row = FAILURES_UNTIL_OFF - 1
            _log.error(
                "hook_switched_off", plugin=self.plugin, hook=self.hook.name, for_s=OFF_FOR_S
            )


def is_crash(error: BaseException) -> bool:
    """Whether an exception is the fault of the plugin's code that raised it: `sys.exit()` too, and
    the CancelledError of a task of its own, but not the cancellation of the task that called it.
    """
    if isinstance(error, asyncio.CancelledError):
        task = asyncio.current_task()
        return task is not None and not task.cancelling()
    return isinstance(error, Exception | SystemExit)


@contextmanager
def crashes_only() -> Iterator[None]:
    """Around a plugin's code: what is a crash leaves as an Exception. Anything beyond that would
    pass all handlers, and end the caller's task, or the server.
    """
    try:
        yield
    except BaseException as error:
        if isinstance(error, Exception) or not is_crash(error):
            raise
        raise RuntimeError(f"{type(error).__name__} in a plugin") from error


async def bounded(work: Coroutine[Any, Any, ResultT], within_s: float) -> ResultT:
    """What a coroutine returns; TimeoutError where it does not end in time, and does not end at its
    cancellation either. As a task of its own, which is too dear for what is called often.
    """

    async def run() -> ResultT:
        with crashes_only():
            return await work

    task = asyncio.get_running_loop().create_task(run())
    try:
        await asyncio.wait([task], timeout=within_s)
        if not task.done():
            raise TimeoutError(f"not done within {within_s:g} s")
        return task.result()
    finally:
        task.cancel()


async def finish(impl: HookImpl, running: Coroutine[Any, Any, Any], awaited: Any) -> Any:
    """Run a hookimpl that has begun, and waits for `awaited`, to its end; TimeoutError beyond its
    budget.

    The clock starts where the plugin first waits for something: most never do, and for them a
    timeout that is set up and taken down again (4 us) would be most of their cost (0.5 us).
    """
    async with asyncio.timeout(impl.timeout_s):
        return await _Rest(running, awaited)


class _Rest:
    """The rest of a coroutine that has begun, and waits for `awaited`."""

    __slots__ = ("_awaited", "_running")

    def __init__(self, running: Coroutine[Any, Any, Any], awaited: Any) -> None:
        self._running = running
        self._awaited = awaited

    def __await__(self) -> Generator[Any, Any, Any]:
        awaited = self._awaited
        while True:
            try:
                try:
                    sent = yield awaited
                except BaseException as error:  # noqa: BLE001  # a cancellation is the plugin's too
                    awaited = self._running.throw(error)
                else:
                    awaited = self._running.send(sent)
            except StopIteration as done:
                return done.value


def _now() -> float:
    return asyncio.get_running_loop().time()
