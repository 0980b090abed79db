"""Writes of one batch of the journal: commits, refusals, and writes whose outcome is unknown."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import structlog

from chat.entities import Message
from chat.errors import (
    ChatError,
    ErrorCode,
    OutcomeUnknownError,
    StoreUnavailableError,
    idempotency_conflict,
)
from chat.ports import Conflict, MessageRepository
from chat.services.body_digest import digest_of_message
from chat.services.chat_states import ChatStates
from chat.services.journal.entries import Append, Change, Doubt, Sent, settle
from chat.services.journal.numbers import Numbers

_log = structlog.get_logger("chat.journal")


@dataclass(slots=True, eq=False)
class Committer:
    """Writes for the journal's flusher only; calls `refuse_queued(error)` if the store is away."""

    states: ChatStates
    messages: MessageRepository
    numbers: Numbers
    refuse_queued: Callable[[StoreUnavailableError], None]
    _doubts: int = field(default=0, init=False)

    @property
    def in_doubt(self) -> bool:
        return self._doubts > 0

    async def insert(self, entries: list[Append]) -> None:
        """Store new messages of any chats in one write; answer or repeat what an index refuses."""
        entries = [entry for entry in entries if _still_allowed(entry)]
        numbered = self.numbers.number(entries)
        with self._doubt() as doubt:
            while entries:
                try:
                    refused = await self.messages.insert(numbered)
                    if refused and doubt:
                        refused = await self._not_ours(numbered, refused)
                except StoreUnavailableError as error:
                    if not doubt:
                        _fail_all(entries, error)
                        self.refuse_queued(error)
                        return
                    await self._wait_in_doubt(entries, error, doubt)
                except OutcomeUnknownError as error:
                    await self._wait_in_doubt(entries, error, doubt)
                else:
                    for place, (entry, message) in enumerate(zip(entries, numbered, strict=True)):
                        if place not in refused:
                            self._stored(entry, message)
                    entries = await self._step_over(entries, numbered, refused)
                    entries = [entry for entry in entries if _still_allowed(entry)]
                    numbered = self.numbers.number(entries)

    @contextmanager
    def _doubt(self) -> Iterator[Doubt]:
        """Count a write as in doubt from its first failure to its end, whatever its outcome."""
        doubt = Doubt()
        try:
            yield doubt
        finally:
            self._doubts -= bool(doubt)

    async def _not_ours(
        self, numbered: Sequence[Message], refused: Mapping[int, Conflict]
    ) -> dict[int, Conflict]:
        """Leave out refused messages that an earlier try of this same write has stored."""
        return {
            place: conflict
            for place, conflict in refused.items()
            if await self.messages.find(numbered[place].id) is None
        }

    async def _step_over(
        self, entries: list[Append], numbered: Sequence[Message], refused: Mapping[int, Conflict]
    ) -> list[Append]:
        """Answer the entries that were refused for good; return those to be numbered again."""
        again: dict[int, Append] = {}
        for place, conflict in refused.items():
            entry = entries[place]
            if conflict is Conflict.CLIENT_MESSAGE_ID:
                await self._answer_with_original(entry)
            elif conflict is Conflict.ID:
                fail(entry, known(RuntimeError("a reserved message id is taken")))
            else:
                again[place] = entry
        ours = {message.id for message in numbered}
        try:
            # The lowest taken number of each chat; higher numbers may be taken, too.
            first = {again[place].state.chat.id: place for place in sorted(again, reverse=True)}
            for place in first.values():
                await self._publish_late(again[place], numbered[place].seq, ours)
        except StoreUnavailableError as error:
            _fail_all(list(again.values()), error)
            return []
        return list(again.values())

    async def _publish_late(self, entry: Append, low: int, ours: set[int]) -> None:
        """Push stored messages that hold the taken numbers; numbering continues after them.

        The server wrote them before a restart, never learned the outcome, and found them stored
        only now.
        """
        state = entry.state
        await self.states.refresh_head(state)
        for late in await self.messages.window(state.chat.id, low, state.head + 1):
            if late.id not in ours:
                _log.warning("late_write_found", chat_id=state.chat.id, seq=late.seq)
                entry.commit(late)

    async def _answer_with_original(self, entry: Append) -> None:
        """Answer with the message that the sender stored under this clientMessageId before."""
        new = entry.message
        try:
            original = await self.messages.find_by_client_message_id(
                new.chat_id, new.sender_id, new.client_message_id or ""
            )
        except ChatError as error:
            fail(entry, error)
            return
        if original is None or digest_of_message(original) != digest_of_message(new):
            fail(entry, idempotency_conflict())
            return
        settle(entry)
        if not entry.done.done():
            entry.done.set_result(Sent(original, duplicate=True))

    async def apply(self, entry: Change[Any]) -> None:
        if not _still_allowed(entry):
            return
        entry.seq = entry.state.head + 1
        if entry.line is not None:
            self.numbers.number_line(entry.line, entry.seq + 1)
        with self._doubt() as doubt:
            while True:
                try:
                    outcome = await entry.write(entry.seq)
                except OutcomeUnknownError as error:
                    await self._wait_in_doubt([entry], error, doubt)
                except StoreUnavailableError as error:
                    if not doubt:
                        fail(entry, error)
                        return
                    await self._wait_in_doubt([entry], error, doubt)
                except Exception as error:  # noqa: BLE001  # refused by the domain, or a fault of ours
                    fail(entry, known(error))
                    return
                else:
                    break
            line = entry.line
            if line is not None and not await self._insert_line(entry, line, doubt):
                line = None
        self._committed(entry, entry.seq, outcome, outcome)
        if line is not None and entry.commit_line is not None:
            entry.state.committed(line.seq)
            try:
                entry.commit_line(entry.state, line)
            except Exception:  # noqa: BLE001  # the message is stored, as above
                _log.exception("commit_failed", chat_id=entry.state.chat.id)

    async def _insert_line(self, entry: Change[Any], line: Message, doubt: Doubt) -> bool:
        """Store the line of a stored change; neither is pushed before both are stored."""
        while True:
            try:
                refused = await self.messages.insert([line])
                refused = refused and await self._not_ours([line], refused)
            except (OutcomeUnknownError, StoreUnavailableError) as error:
                await self._wait_in_doubt([entry], error, doubt)
            else:
                break
        if refused:  # a late write from before a restart; the next message finds it
            _log.warning("line_not_stored", chat_id=line.chat_id, seq=line.seq)
        return not refused

    def _stored(self, entry: Append, message: Message) -> None:
        self._committed(entry, message.seq, message, Sent(message, False))

    @staticmethod
    def _committed(entry: Append | Change[Any], seq: int, outcome: Any, answer: Any) -> None:
        """Apply and answer a stored entry: memory, push, ack, in one turn of the loop.

        Called in the order of the numbers.
        """
        entry.state.committed(seq)
        settle(entry)
        try:
            entry.commit(outcome)
        except Exception:  # noqa: BLE001  # stored: a failure here must not deny that
            _log.exception("commit_failed", chat_id=entry.state.chat.id)
        if not entry.done.done():
            entry.done.set_result(answer)

    async def _wait_in_doubt(
        self, entries: Sequence[Append | Change[Any]], error: ChatError, doubt: Doubt
    ) -> None:
        """Answer that the outcome is unknown, refuse new writes, wait for the next try."""
        if not doubt:
            self._doubts += 1
        _log.warning("write_in_doubt", entries=len(entries), code=error.code.value)
        for entry in entries:
            if not entry.done.done():
                entry.done.set_exception(OutcomeUnknownError())
        self.refuse_queued(StoreUnavailableError())
        await asyncio.sleep(doubt.next_pause_s())


def fail(entry: Append | Change[Any], error: ChatError) -> None:
    """Answer an entry with an error."""
    if settle(entry) and not entry.done.done():
        entry.done.set_exception(error)


def _still_allowed(entry: Append | Change[Any]) -> bool:
    """Whether the caller may make the change right before it is numbered; answers a refusal."""
    try:
        entry.check()
    except Exception as error:  # noqa: BLE001  # refused, or a fault of ours
        fail(entry, known(error))
        return False
    return True


def _fail_all(entries: Sequence[Append], error: ChatError) -> None:
    for entry in entries:
        fail(entry, error)


def known(error: Exception) -> ChatError:
    """A ChatError as it is; anything else becomes INTERNAL_ERROR, logged under its request id."""
    if isinstance(error, ChatError):
        return error
    internal = ChatError(ErrorCode.INTERNAL_ERROR, "something went wrong on the server")
    _log.error("journal_failed", request_id=internal.request_id, exc_info=error)
    return internal
