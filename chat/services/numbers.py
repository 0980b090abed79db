"""Ids of messages and numbers of chats, reserved in blocks: a thousand cost one extra write."""

from collections.abc import Sequence
from typing import Any, Final

from chat.entities import Message
from chat.ports import ChatRepository, IdRepository
from chat.services.chat_states import SEQ_BLOCK, ChatState
from chat.services.journal_entries import Append, Change

ID_BLOCK: Final = 1_000


class Numbers:
    """Used by the journal's flusher alone, so that the order of ids is the order of numbers."""

    def __init__(self, chats: ChatRepository, ids: IdRepository) -> None:
        self._chats = chats
        self._ids = ids
        self._next_id = 0
        self._last_reserved_id = -1

    async def reserve(self, batch: Sequence[Append | Change[Any]]) -> None:
        """Make sure that ids and numbers for the batch are ours before one of them is used."""
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

    def number(self, entries: Sequence[Append]) -> list[Message]:
        """The messages with their ids, and with the numbers behind the heads of their chats."""
        heads: dict[int, int] = {}
        numbered: list[Message] = []
        for entry in entries:
            state = entry.state
            seq = heads.get(state.chat.id, state.head) + 1
            heads[state.chat.id] = seq
            entry.message.give_number(self._next_id, seq)
            numbered.append(entry.message)
            self._next_id += 1
        return numbered
