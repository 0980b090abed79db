"""The one way into the store for every change with a number: messages, participants, settings.

One flusher commits what has gathered (group commit: the next batch is whatever arrived meanwhile,
so an idle server adds no latency) and then, in the order of the numbers: updates the memory,
pushes, answers. Ack = stored. A push never precedes its write. Numbers of a chat are dense, since
the next change gets a number that the store refused. There is one exception: a message that repeats
a clientMessageId from before a restart, older than the chat's tail, in one batch with later
messages of its chat. Its number stays unused; a client sees a gap and finds by a catch-up that
nothing is missing.

A write whose outcome is unknown is repeated until the store says what became of it, which is safe
because the server chose the ids of its documents. Meanwhile its caller gets TIMEOUT, and new writes
are refused with STORAGE_UNAVAILABLE (docs/adr/0005).
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

from chat.entities import Message
from chat.errors import ChatError, ErrorCode, OutcomeUnknownError, StoreUnavailableError
from chat.ports import ChatRepository, IdRepository, MessageRepository
from chat.services.chat_states import ChatState, ChatStates
from chat.services.journal.committer import Committer, fail, known
from chat.services.journal.entries import Append, Change
from chat.services.journal.numbers import Numbers

MAX_BATCH: Final = 500
"""Bounds one write to some hundred kB. Larger batches gain nothing: a message takes 27 us of driver
time in a batch of 16, 20 us in a batch of 100.
"""

MAX_QUEUED: Final = 20_000
SETTLE_S: Final = 5.0
"""The store's own time-outs are over by then: a write that has no outcome is in doubt."""

T = TypeVar("T")


class Journal:
    """The queue and its flusher. `start` before use; `stop` writes what is queued."""

    def __init__(
        self,
        states: ChatStates,
        messages: MessageRepository,
        chats: ChatRepository,
        ids: IdRepository,
    ) -> None:
        self._numbers = Numbers(chats, ids)
        self._queue: deque[Append | Change[Any]] = deque()
        self._changes = 0  # how many of the queue are Change
        self._wake = asyncio.Event()
        self._flusher: asyncio.Task[None] | None = None
        self._stopping = False
        self._flushing = False
        self._settling: list[asyncio.Future[None]] = []
        self._committer = Committer(states, messages, self._numbers, self._refuse_queued)

    def start(self) -> None:
        self._flusher = asyncio.get_running_loop().create_task(self._run())

    async def stop(self, timeout_s: float) -> None:
        """Write what is queued, then end; what cannot be written in time is left unanswered."""
        self._stopping = True
        self._wake.set()
        if self._flusher is not None:
            _, pending = await asyncio.wait([self._flusher], timeout=timeout_s)
            for task in pending:
                task.cancel()
        self._refuse_queued(StoreUnavailableError())

    async def settled(self) -> None:
        """Return when the batch that is being written is pushed; after SETTLE_S in any case.

        A write may be in doubt for a long time.
        """
        if self._flushing:
            written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._settling.append(written)
            await asyncio.wait([written], timeout=SETTLE_S)

    @property
    def in_doubt(self) -> bool:
        """Whether a write is repeated because the store has not said what became of it."""
        return self._committer.in_doubt

    def append(self, entry: Append) -> None:
        """Queue a new message; its `done` gets it, with its id and number, once it is stored."""
        self._put(entry)

    def change(
        self,
        state: ChatState,
        check: Callable[[], None],
        write: Callable[[int], Awaitable[T]],
        commit: Callable[[T], None],
        line: Message | None = None,
        commit_line: Callable[[ChatState, Message], None] | None = None,
    ) -> asyncio.Future[T]:
        """Queue a change; the future has what `write` returned once it is stored and pushed."""
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._put(Change(state, check, write, commit, done, line, commit_line))
        self._changes += 1
        return done

    def _put(self, entry: Append | Change[Any]) -> None:
        if self._stopping:
            raise ChatError(ErrorCode.SHUTTING_DOWN, "the server is restarting", retry_after_s=1)
        if self._committer.in_doubt or len(self._queue) >= MAX_QUEUED:
            raise StoreUnavailableError
        entry.state.queued()
        self._queue.append(entry)
        self._wake.set()

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._queue:
                batch = self._take()
                self._flushing = True
                try:
                    await self._flush(batch)
                except Exception as error:  # noqa: BLE001  # a fault of ours must not end the flusher
                    for entry in batch:
                        fail(entry, known(error))
                finally:
                    self._flushing = False
                    if self._settling:
                        self._tell_settled()
            if self._stopping:
                return

    def _tell_settled(self) -> None:
        settling, self._settling = self._settling, []
        for written in settling:
            if not written.done():
                written.set_result(None)

    def _take(self) -> list[Append | Change[Any]]:
        """The next batch: any number of new messages; a Change shares its chat with nothing else.

        So a refused Change leaves no hole: no entry of the batch has a later number of that chat.
        """
        if not self._changes and len(self._queue) <= MAX_BATCH:
            appended = list(self._queue)
            self._queue.clear()
            return appended
        batch: list[Append | Change[Any]] = []
        later: deque[Append | Change[Any]] = deque()
        appending: set[int] = set()
        closed: set[int] = set()
        while self._queue and len(batch) < MAX_BATCH:
            entry = self._queue.popleft()
            chat_id = entry.state.chat.id
            if chat_id in closed or (isinstance(entry, Change) and chat_id in appending):
                closed.add(chat_id)
                later.append(entry)
                continue
            if isinstance(entry, Change):
                closed.add(chat_id)
            else:
                appending.add(chat_id)
            batch.append(entry)
        self._changes -= sum(isinstance(entry, Change) for entry in batch)
        later.extend(self._queue)
        self._queue = later
        return batch

    async def _flush(self, batch: list[Append | Change[Any]]) -> None:
        appends = [entry for entry in batch if isinstance(entry, Append)]
        changes = [entry for entry in batch if isinstance(entry, Change)]
        try:
            await self._numbers.reserve(batch)
        except (StoreUnavailableError, OutcomeUnknownError) as error:
            # Numbers may have been reserved in vain; of the batch itself nothing was written.
            away = error if isinstance(error, StoreUnavailableError) else StoreUnavailableError()
            for entry in batch:
                fail(entry, away)
            self._refuse_queued(away)
            return
        if not changes:  # nearly always true, and saves a task
            await self._committer.insert(appends)
            return
        work = [self._committer.apply(entry) for entry in changes]
        if appends:
            work.append(self._committer.insert(appends))
        await asyncio.gather(*work)

    def _refuse_queued(self, error: StoreUnavailableError) -> None:
        for entry in self._queue:
            fail(entry, error)
        self._queue.clear()
        self._changes = 0
