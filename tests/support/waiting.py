"""The one way in which tests wait for what nothing tells them of."""

import asyncio
import inspect
import time
from collections.abc import Callable
from typing import Any, Final

WITHIN_S: Final = 20.0
"""Many times what a busy machine needs. Only a test that fails waits so long."""

_LOOK_EVERY_S: Final = 0.01


async def eventually(holds: Callable[[], Any], within_s: float = WITHIN_S) -> Any:
    """Wait until `holds()` is true and return what it returned; AssertionError after the deadline.

    `holds` may be a coroutine function.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within_s
    while True:
        value = holds()
        if inspect.isawaitable(value):
            value = await value
        if value:
            return value
        assert loop.time() < deadline, "it did not come true in time"
        await asyncio.sleep(_LOOK_EVERY_S)


async def turns(count: int = 10) -> None:
    """Let the loop turn so often: every callback that is due by then has run."""
    for _ in range(count):
        await asyncio.sleep(0)


def eventually_there(holds: Callable[[], Any], within_s: float = WITHIN_S) -> Any:
    """The same where no loop runs, or where the loop of another thread is waited for."""
    deadline = time.monotonic() + within_s
    while not (value := holds()):
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(_LOOK_EVERY_S)
    return value
