"""The outcome of something that waits for the disk: a future whose waiters are called at once.

asyncio's own future calls its waiters in the next turn of the loop. A message's ack would then
leave in another write than its push, which costs each send one more system call and 3 us of
callbacks.
"""

import asyncio
from collections.abc import Callable, Generator
from typing import Any, Final, Generic, TypeVar

from chat.errors import ChatError

T = TypeVar("T")
_NOTHING: Final = object()


class Outcome(Generic[T]):
    """Await it, or hand it a callback. Settled once, with a value or with a ChatError."""

    __slots__ = ("_callbacks", "_error", "_value")

    def __init__(self) -> None:
        self._value: Any = _NOTHING
        self._error: ChatError | None = None
        self._callbacks: list[Callable[[Outcome[T]], None]] = []

    def done(self) -> bool:
        return self._error is not None or self._value is not _NOTHING

    def exception(self) -> ChatError | None:
        return self._error

    def result(self) -> T:
        """The value of a settled outcome; raises its error."""
        if self._error is not None:
            raise self._error
        value: T = self._value
        return value

    def set_result(self, value: T) -> None:
        self._value = value
        self._tell()

    def set_exception(self, error: ChatError) -> None:
        self._error = error
        self._tell()

    def add_done_callback(self, callback: Callable[["Outcome[T]"], None]) -> None:
        """Call `callback(self)`, which must not raise, in the turn in which this is settled."""
        if self.done():
            callback(self)
        else:
            self._callbacks.append(callback)

    def __await__(self) -> Generator[Any, None, T]:
        if not self.done():
            settled: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self.add_done_callback(lambda _: _wake(settled))
            yield from settled
        return self.result()

    def _tell(self) -> None:
        for callback in self._callbacks:
            callback(self)
        self._callbacks.clear()


def _wake(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():  # it may have been cancelled
        waiter.set_result(None)
