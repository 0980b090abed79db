"""The one way into the store for everything that carries a number: messages made, edited, deleted, people coming
and going, settings.

One flusher commits what has gathered (group commit: the next batch is whatever came meanwhile, so an idle server
adds no latency) and then, in the order of the numbers: updates the memory, pushes, answers. Ack = stored; a push
never precedes its write; numbers of a chat are dense, since one that the store refused is given to the next. (The
one exception: a clientMessageId that is a repeat from before a restart, older than the chat's tail, and in one batch
with later messages of its chat. Its number stays unused; a client sees a gap and finds by a catch-up that it is none.)

A write whose outcome is unknown is not given up: the very same write is repeated until the store says what became of
it, which is safe because the documents bear ids of ours. Meanwhile its caller is told TIMEOUT, and new writes are
refused with STORAGE_UNAVAILABLE (docs/adr/0005).
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Generic, TypeVar

import structlog

from chat.entities import Message
from chat.errors import (
    ChatError,
    ErrorCode,
    OutcomeUnknownError,
    StoreUnavailableError,
    idempotency_conflict,
)
from chat.ports import ChatRepository, Conflict, IdRepository, MessageRepository
from chat.services.chat_states import SEQ_BLOCK, ChatState, ChatStates

MAX_BATCH: Final = 500
"""Bounds one write to some hundred kB; more gain nothing (16 a batch: 27 us of driver time a message, 100: 20)."""

MAX_QUEUED: Final = 20_000
ID_BLOCK: Final = 1_000
RETRY_FIRST_S: Final = 0.1
RETRY_MAX_S: Final = 2.0
_log = structlog.get_logger("chat.journal")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Sent:
    """A stored message; `duplicate` = it was there already under this clientMessageId, and nothing was pushed."""

    message: Message
    duplicate: bool


@dataclass(slots=True, eq=False)
class Append:
    """A new message, complete but for its id and number. `commit` runs when it is stored: memory and push."""

    state: ChatState
    message: Message
    commit: Callable[[Message], None]
    done: asyncio.Future[Sent]


@dataclass(slots=True, eq=False)
class Change(Generic[T]):
    """Another change of one document: `write(seq)` must be safe to repeat with the same number."""

    state: ChatState
    write: Callable[[int], Awaitable[T]]
    commit: Callable[[T], None]
    done: asyncio.Future[T]
    seq: int = 0


class Journal:
    """See the module. `start` before use; `stop` after the last append: it waits for what is queued."""

    def __init__(
        self,
        states: ChatStates,
        messages: MessageRepository,
        chats: ChatRepository,
        ids: IdRepository,
    ) -> None:
        self._states = states
        self._messages = messages
        self._chats = chats
        self._ids = ids
        self._queue: deque[Append | Change[Any]] = deque()
        self._wake = asyncio.Event()
        self._flusher: asyncio.Task[None] | None = None
        self._next_id = 0
        self._last_reserved_id = -1
        self._stopping = False
        self._doubts = 0

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
        self._refuse_queued()

    @property
    def in_doubt(self) -> bool:
        """A write is being repeated because the store has not said what became of it."""
        return self._doubts > 0

    def append(
        self,
        state: ChatState,
        message: Message,
        commit: Callable[[Message], None],
        done: asyncio.Future[Sent],
    ) -> None:
        """Queue a new message; `done` gets it with its id and number once it is stored and pushed."""
        self._put(Append(state, message, commit, done))

    def change(
        self, state: ChatState, write: Callable[[int], Awaitable[T]], commit: Callable[[T], None]
    ) -> asyncio.Future[T]:
        """Queue a change; the future has what `write` returned once it is stored and pushed."""
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._put(Change(state, write, commit, done))
        return done

    def _put(self, entry: Append | Change[Any]) -> None:
        if self._stopping:
            raise ChatError(ErrorCode.SHUTTING_DOWN, "the server is restarting", retry_after_s=1)
        if self._doubts or len(self._queue) >= MAX_QUEUED:
            raise StoreUnavailableError
        entry.state.pending += 1
        self._queue.append(entry)
        self._wake.set()

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._queue:
                batch = self._take()
                try:
                    await self._flush(batch)
                except Exception as error:  # a fault of ours must not end the flusher
                    for entry in batch:
                        self._fail(entry, _known(error))
            if self._stopping:
                return

    def _take(self) -> list[Append | Change[Any]]:
        """The next batch: any number of new messages, but a Change shares its chat with nothing else.

        So a refused Change leaves no hole: nobody in the batch has a later number of that chat.
        """
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
        later.extend(self._queue)
        self._queue = later
        return batch

    async def _flush(self, batch: list[Append | Change[Any]]) -> None:
        appends = [entry for entry in batch if isinstance(entry, Append)]
        changes = [entry for entry in batch if isinstance(entry, Change)]
        try:
            await self._reserve(batch)
        except (StoreUnavailableError, OutcomeUnknownError):
            # Numbers may have been reserved in vain; of the batch itself nothing was written.
            for entry in batch:
                self._fail(entry, StoreUnavailableError())
            self._refuse_queued()
            return
        work = [self._apply(entry) for entry in changes]
        if appends:
            work.append(self._insert(appends))
        await asyncio.gather(*work)

    async def _reserve(self, batch: list[Append | Change[Any]]) -> None:
        """Make sure that ids and numbers for the whole batch are ours before one of them is used."""
        needed: dict[int, tuple[ChatState, int]] = {}
        for entry in batch:
            state, count = needed.get(entry.state.chat.id, (entry.state, 0))
            needed[entry.state.chat.id] = (state, count + 1)
        for state, count in needed.values():
            if state.head + count > state.reserved:
                up_to = state.head + count + SEQ_BLOCK
                await self._chats.reserve_seq(state.chat.id, up_to)
                state.reserved = up_to
        appends = sum(isinstance(entry, Append) for entry in batch)
        if self._last_reserved_id - self._next_id + 1 < 2 * appends:
            # Twice, since what is numbered anew takes a new id.
            count = 2 * appends + ID_BLOCK
            self._next_id = await self._ids.reserve("messages", count)
            self._last_reserved_id = self._next_id + count - 1

    async def _insert(self, entries: list[Append]) -> None:
        """Store new messages of any number of chats in one write; what an index refuses is answered or tried again."""
        numbered = self._number(entries)
        doubt = _Doubt()
        while entries:
            try:
                refused = await self._messages.insert(numbered)
                if refused and doubt:
                    refused = await self._not_ours(numbered, refused)
            except StoreUnavailableError as error:
                if not doubt:
                    self._fail_all(entries, error)
                    self._refuse_queued()
                    break
                await self._wait_in_doubt(entries, error, doubt)
            except OutcomeUnknownError as error:
                await self._wait_in_doubt(entries, error, doubt)
            else:
                for place, (entry, message) in enumerate(zip(entries, numbered, strict=True)):
                    if place not in refused:
                        self._committed(entry, message)
                entries = await self._step_over(entries, refused)
                numbered = self._number(entries)
        self._doubts -= bool(doubt)

    async def _not_ours(
        self, numbered: Sequence[Message], refused: Mapping[int, Conflict]
    ) -> dict[int, Conflict]:
        """Leave out what the earlier write of this very message has stored, whichever index says so."""
        return {
            place: conflict
            for place, conflict in refused.items()
            if await self._messages.find(numbered[place].id) is None
        }

    def _number(self, entries: list[Append]) -> list[Message]:
        heads: dict[int, int] = {}
        numbered: list[Message] = []
        for entry in entries:
            state = entry.state
            seq = heads.get(state.chat.id, state.head) + 1
            heads[state.chat.id] = seq
            numbered.append(replace(entry.message, id=self._next_id, seq=seq, updated_seq=seq))
            self._next_id += 1
        return numbered

    async def _step_over(
        self, entries: list[Append], refused: Mapping[int, Conflict]
    ) -> list[Append]:
        """Answer what was refused for good; return what has to be numbered anew."""
        again: list[Append] = []
        for place, conflict in refused.items():
            entry = entries[place]
            if conflict is Conflict.CLIENT_MESSAGE_ID:
                await self._answer_with_original(entry)
            elif conflict is Conflict.ID:
                self._fail(entry, _known(RuntimeError("a reserved message id is taken")))
            else:
                again.append(entry)
        # A write of before a restart, whose outcome was never learned, has landed since and has the number.
        try:
            for state in {entry.state.chat.id: entry.state for entry in again}.values():
                await self._states.refresh_head(state)
        except StoreUnavailableError as error:
            self._fail_all(again, error)
            return []
        return again

    async def _answer_with_original(self, entry: Append) -> None:
        """The sender used this clientMessageId before: the answer is what it sent then."""
        new = entry.message
        try:
            original = await self._messages.find_by_client_message_id(
                new.chat_id, new.sender_id, new.client_message_id or ""
            )
        except ChatError as error:
            self._fail(entry, error)
            return
        if original is None or original.body_digest != new.body_digest:
            self._fail(entry, idempotency_conflict())
            return
        entry.state.pending -= 1
        if not entry.done.done():
            entry.done.set_result(Sent(original, duplicate=True))

    async def _apply(self, entry: Change[Any]) -> None:
        entry.seq = entry.state.head + 1
        doubt = _Doubt()
        while True:
            try:
                outcome = await entry.write(entry.seq)
            except OutcomeUnknownError as error:
                await self._wait_in_doubt([entry], error, doubt)
            except StoreUnavailableError as error:
                if not doubt:
                    self._fail(entry, error)
                    return
                await self._wait_in_doubt([entry], error, doubt)
            except Exception as error:  # noqa: BLE001  # refused by the domain, or a fault of ours
                self._fail(entry, _known(error))
                break
            else:
                self._committed(entry, outcome)
                break
        self._doubts -= bool(doubt)

    def _committed(self, entry: Any, outcome: Any) -> None:
        """Memory, push, answer: in this order, in one turn of the loop, in the order of the numbers."""
        entry.state.head = outcome.seq if isinstance(entry, Append) else entry.seq
        entry.state.pending -= 1
        try:
            entry.commit(outcome)
        except Exception:  # it is stored: whatever failed here must not deny it
            _log.exception("commit_failed", chat_id=entry.state.chat.id)
        if not entry.done.done():
            answer = Sent(outcome, duplicate=False) if isinstance(entry, Append) else outcome
            entry.done.set_result(answer)

    async def _wait_in_doubt(
        self, entries: Sequence[Append | Change[Any]], error: ChatError, doubt: "_Doubt"
    ) -> None:
        """Tell the callers that nobody knows, refuse what comes, and wait before the same write is repeated."""
        if not doubt:
            self._doubts += 1
        _log.warning("write_in_doubt", entries=len(entries), code=error.code.value)
        for entry in entries:
            if not entry.done.done():
                entry.done.set_exception(OutcomeUnknownError())
        self._refuse_queued()
        await asyncio.sleep(doubt.next_pause_s())

    def _refuse_queued(self) -> None:
        for entry in self._queue:
            self._fail(entry, StoreUnavailableError())
        self._queue.clear()

    def _fail_all(self, entries: list[Append], error: ChatError) -> None:
        for entry in entries:
            self._fail(entry, error)

    @staticmethod
    def _fail(entry: Append | Change[Any], error: ChatError) -> None:
        entry.state.pending -= 1
        if not entry.done.done():
            entry.done.set_exception(error)


class _Doubt:
    """Whether one write is being repeated, and how long to wait before the next time."""

    def __init__(self) -> None:
        self._pause_s = 0.0

    def __bool__(self) -> bool:
        return self._pause_s > 0

    def next_pause_s(self) -> float:
        self._pause_s = min(self._pause_s * 2, RETRY_MAX_S) or RETRY_FIRST_S
        return self._pause_s


def _known(error: Exception) -> ChatError:
    """A ChatError as it is; anything else becomes INTERNAL_ERROR and is logged under its request id."""
    if isinstance(error, ChatError):
        return error
    internal = ChatError(ErrorCode.INTERNAL_ERROR, "something went wrong on the server")
    _log.error("journal_failed", request_id=internal.request_id, exc_info=error)
    return internal
