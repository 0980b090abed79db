"""The events that one socket sent and that wait to be handled: in the order in which they came,
bounded, on time.

An event holds up the next until its handler returns; a handler may return a future (a message on
its way to the disk), and then the next begins while the ack of the first is still to come.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Final

ACK_DEADLINE_S: Final = 8.0
"""Every event is answered within this time of its receipt, if only with TIMEOUT."""


class ReceivedEvent:
    """One event. `reply` is called at most once; later answers are dropped."""

    __slots__ = ("_reply", "_timer", "ack_id", "answered", "args", "begun", "name", "received_at")

    def __init__(
        self,
        name: Any,
        args: list[Any],
        ack_id: int | None,
        reply: Callable[["ReceivedEvent", dict[str, Any]], None],
        expired: Callable[["ReceivedEvent"], None],
    ) -> None:
        loop = asyncio.get_running_loop()
        self.name = name
        self.args = args
        self.ack_id = ack_id
        self.begun = False
        self.answered = False
        self.received_at = loop.time()
        self._reply = reply
        self._timer = loop.call_later(ACK_DEADLINE_S, expired, self)

    def answer(self, reply: dict[str, Any]) -> bool:
        """Send the ack; False when it was answered before."""
        if self.answered:
            return False
        # First, since a reply that cannot be written is a crash that has to be answered.
        self._reply(self, reply)
        self.answered = True
        self._timer.cancel()
        return True

    def drop(self) -> None:
        """Never answer the event: its connection is being ended."""
        self.answered = True
        self._timer.cancel()


class Inbox:
    """The queue of one socket; its worker exists only while there is something to do."""

    __slots__ = (
        "_bytes", "_events", "_handle", "_max_waiting", "_max_waiting_bytes", "_worker",
    )  # fmt: skip

    def __init__(
        self,
        handle: Callable[[ReceivedEvent], Awaitable[None]],
        max_waiting: int,
        max_waiting_bytes: int,
    ) -> None:
        self._handle = handle
        self._max_waiting = max_waiting
        self._max_waiting_bytes = max_waiting_bytes
        self._events: deque[tuple[ReceivedEvent, int]] = deque()
        self._bytes = 0
        self._worker: asyncio.Task[None] | None = None

    def put(self, event: ReceivedEvent, size: int) -> bool:
        """Queue an event of so many bytes; False when too much waits already."""
        full = len(self._events) >= self._max_waiting
        if full or (self._events and self._bytes + size > self._max_waiting_bytes):
            return False
        self._events.append((event, size))
        self._bytes += size
        if self._worker is None:
            self._worker = asyncio.get_running_loop().create_task(self._work())
        return True

    async def wait_idle(self) -> None:
        """Return when everything that was received is handled."""
        while self._worker is not None:
            await asyncio.shield(self._worker)

    def close(self) -> None:
        """Drop what waits and stop what runs."""
        self._events.clear()
        self._bytes = 0
        if self._worker is not None:
            self._worker.cancel()

    async def _work(self) -> None:
        try:
            while self._events:
                event, size = self._events.popleft()
                self._bytes -= size
                # An event that has waited past its deadline was answered TIMEOUT and is never run.
                if not event.answered:
                    event.begun = True
                    await self._handle(event)
        finally:
            self._worker = None
