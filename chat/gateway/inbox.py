"""Queues the events of each socket, within bounds, and handles them in their order.

The next event of a socket begins when the handler of the event before has returned. A handler may
return before its answer is known (a message on its way to the disk); the next event then begins
before the first is acked.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Final, Generic, TypeVar

from pydantic import BaseModel

EVENTS_A_TURN: Final = 200
"""Events in one turn of the loop, about 10 ms of messages; then heartbeats and writes run."""

EVENTS_OF_A_REFUSAL: Final = 9
"""How many additional events a refused event counts as.

In a flood of refused events, a turn of the loop is short (20 events, 1.5 ms). A turn of good events
keeps its length, so that as many frames leave in one send.
"""

SPARE_WORKERS: Final = 4

SenderT = TypeVar("SenderT")


class ReceivedEvent(Generic[SenderT]):
    """One event of one socket, from its receipt to its answer."""

    __slots__ = (
        "ack_id",
        "answered",
        "begun",
        "connection",
        "data",
        "name",
        "payload",
        "received_at",
        "size",
    )

    def __init__(
        self,
        connection: SenderT,
        name: str | None,
        data: list[object],
        ack_id: int | None,
        size: int,
    ) -> None:
        """Keep `data`, the list `[name, argument...]`; `name` is None if that is no text."""
        self.connection = connection
        self.name = name
        self.data = data
        self.ack_id = ack_id
        self.size = size
        self.payload: BaseModel | None = None
        self.received_at = monotonic()  # the loop's own clock, read without looking up the loop
        self.begun = False
        self.answered = False


class Inbox(Generic[SenderT]):
    """The queue of one socket."""

    __slots__ = ("_idle", "busy", "waiting", "waiting_bytes")

    def __init__(self) -> None:
        # Whether an event is being handled, or about to be. Only events that arrive meanwhile are
        # queued: an empty deque takes 0.7 kB, and most sockets never need one.
        self.busy = False
        self.waiting: deque[ReceivedEvent[SenderT]] | None = None
        self.waiting_bytes = 0
        self._idle: asyncio.Future[None] | None = None

    def queue(self, event: ReceivedEvent[SenderT]) -> None:
        if self.waiting is None:
            self.waiting = deque()
        self.waiting.append(event)
        self.waiting_bytes += event.size

    def advance(self) -> ReceivedEvent[SenderT] | None:
        """Return the next event, if there is one; called when the event before it is handled."""
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

    def drop(self) -> list[ReceivedEvent[SenderT]]:
        """Forget the waiting events, and return them."""
        dropped = list(self.waiting or ())
        self.waiting, self.waiting_bytes = None, 0
        return dropped

    async def wait_idle(self) -> None:
        """Return when everything that was received is handled."""
        while self.busy:
            if self._idle is None:
                self._idle = asyncio.get_running_loop().create_future()
            await asyncio.shield(self._idle)


class Workers(Generic[SenderT]):
    """The tasks that handle events, shared by all sockets.

    In one turn of the loop, one task handles all events that wait for nothing. If that task is held
    up, for example in a plugin, another task continues with the other sockets. (A task for each
    event costs 5 us.) At most `max_waiting` events and `max_waiting_bytes` may wait in one inbox.
    """

    def __init__(
        self,
        handle: Callable[[ReceivedEvent[SenderT]], Awaitable[None]],
        max_waiting: int,
        max_waiting_bytes: int,
    ) -> None:
        self._handle = handle
        self._max_waiting = max_waiting
        self._max_waiting_bytes = max_waiting_bytes
        self._ready: deque[tuple[Inbox[SenderT], ReceivedEvent[SenderT]]] = deque()
        self._resting: list[asyncio.Future[None]] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._called = False
        self._turn = 0

    def put(self, inbox: Inbox[SenderT], event: ReceivedEvent[SenderT]) -> bool:
        """Take an event; False if too many events of its socket wait already."""
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
        """Wake a worker for the ready events, and another in the next turn if events are left."""
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
        """Handle the ready events, up to EVENTS_A_TURN.

        This is a separate coroutine, so that an idle worker's frame holds no reference to an
        event or its session.
        """
        self._turn = 0
        while self._ready and self._turn < EVENTS_A_TURN:
            self._turn += 1
            inbox, event = self._ready.popleft()
            try:
                # An event that has waited past its deadline was answered TIMEOUT and never runs.
                if not event.answered:
                    event.begun = True
                    await self._handle(event)
            finally:
                following = inbox.advance()
                if following is not None:
                    # Behind the others: a hundred events of one socket delay no other socket.
                    self._ready.append((inbox, following))
