"""The events that sockets sent and that wait to be handled: each socket's in the order in which
they came, bounded, on time.

An event holds up the next of its socket until its handler returns; a handler may leave its answer
for later (a message on its way to the disk), and then the next begins while the ack of the first is
still to come.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Any, Final, TypeVar

from pydantic import BaseModel

EVENTS_A_TURN: Final = 200
"""About 10 ms of messages; then heartbeats and writes have their turn, whatever is waiting."""

EVENTS_OF_A_REFUSAL: Final = 9
"""A refused event counts as so many more: a flood of them has short turns (20 events, 1.5 ms),
while a turn of good events keeps its length, and with it the frames that leave in one send.
"""

SPARE_WORKERS: Final = 4

ConnectionT = TypeVar("ConnectionT")


class ReceivedEvent:
    """One event of one socket, from its receipt to its answer."""

    __slots__ = (
        "ack_id",
        "answered",
        "args",
        "begun",
        "connection",
        "name",
        "payload",
        "received_at",
        "size",
    )

    def __init__(
        self, connection: Any, name: Any, args: list[Any], ack_id: int | None, size: int
    ) -> None:
        self.connection = connection
        self.name = name
        self.args = args
        self.ack_id = ack_id
        self.size = size
        self.payload: BaseModel | None = None
        self.received_at = monotonic()  # the loop's own clock, without asking for the loop
        self.begun = False
        self.answered = False


class Inbox:
    """The queue of one socket."""

    __slots__ = ("_idle", "busy", "waiting", "waiting_bytes")

    def __init__(self) -> None:
        # An event is being handled, or about to be. Only what comes meanwhile is queued: an empty
        # deque takes 0.7 kB, and most sockets never need one.
        self.busy = False
        self.waiting: deque[ReceivedEvent] | None = None
        self.waiting_bytes = 0
        self._idle: asyncio.Future[None] | None = None

    def queue(self, event: ReceivedEvent) -> None:
        if self.waiting is None:
            self.waiting = deque()
        self.waiting.append(event)
        self.waiting_bytes += event.size

    def advance(self) -> ReceivedEvent | None:
        """The event before is handled: the next one, if there is one."""
        if self.waiting:
            event = self.waiting.popleft()
            self.waiting_bytes -= event.size
            return event
        self.busy = False
        self.waiting = None
        if self._idle is not None:
            self._idle.set_result(None)
            self._idle = None
        return None

    def drop(self) -> list[ReceivedEvent]:
        """Forget what waits; what it was."""
        dropped = list(self.waiting or ())
        self.waiting, self.waiting_bytes = None, 0
        return dropped

    async def wait_idle(self) -> None:
        """Return when everything that was received is handled."""
        while self.busy:
            if self._idle is None:
                self._idle = asyncio.get_running_loop().create_future()
            await asyncio.shield(self._idle)


class Workers:
    """The tasks that handle events, shared by all sockets.

    One does everything that does not wait for anything, in one turn of the loop; where it is held
    up, in a plugin say, another one goes on with the other sockets. (A task for each event costs
    5 us.) `max_waiting` events or `max_waiting_bytes` may wait in one inbox.
    """

    def __init__(
        self,
        handle: Callable[[ReceivedEvent], Awaitable[None]],
        max_waiting: int,
        max_waiting_bytes: int,
    ) -> None:
        self._handle = handle
        self._max_waiting = max_waiting
        self._max_waiting_bytes = max_waiting_bytes
        self._ready: deque[tuple[Inbox, ReceivedEvent]] = deque()
        self._resting: list[asyncio.Future[None]] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._called = False
        self._turn = 0

    def put(self, inbox: Inbox, event: ReceivedEvent) -> bool:
        """Take an event; False when too much of its socket waits already."""
        if not inbox.busy:
            inbox.busy = True
            self._ready.append((inbox, event))
            if not self._called:
                self._call()
            return True
        waiting = inbox.waiting
        if waiting and (
            len(waiting) >= self._max_waiting
            or inbox.waiting_bytes + event.size > self._max_waiting_bytes
        ):
            return False
        inbox.queue(event)
        return True

    def count_refusal(self) -> None:
        """Shorten this turn of the loop: the event that is being handled was refused."""
        self._turn += EVENTS_OF_A_REFUSAL

    def stop(self) -> None:
        for task in self._tasks:
            task.cancel()

    def _call(self) -> None:
        """Let a worker see to what is ready, and look again in the next turn whether it could."""
        self._called = bool(self._ready)
        if not self._called:
            return
        loop = asyncio.get_running_loop()
        if self._resting:
            self._resting.pop().set_result(None)
        else:
            task = loop.create_task(self._work())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        loop.call_soon(self._call)

    async def _work(self) -> None:
        while True:
            await self._work_off()
            spare = len(self._resting) >= SPARE_WORKERS
            rest: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            if not spare:
                self._resting.append(rest)
            if self._ready and not self._called:
                self._call()
            if spare:
                return
            await rest

    async def _work_off(self) -> None:
        """What is ready, up to EVENTS_A_TURN. Apart from the rest, so that a worker that rests
        keeps no event, and with it no session, alive.
        """
        self._turn = 0
        while self._ready and self._turn < EVENTS_A_TURN:
            self._turn += 1
            inbox, event = self._ready.popleft()
            try:
                # One that has waited past its deadline was answered TIMEOUT and is never run.
                if not event.answered:
                    event.begun = True
                    await self._handle(event)
            finally:
                following = inbox.advance()
                if following is not None:
                    # At the end: nobody's hundred events hold up everybody else's one.
                    self._ready.append((inbox, following))
