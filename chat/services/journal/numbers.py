"""Ids of messages and numbers of chats, reserved in blocks: a thousand cost one extra write."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from chat.entities import Message
from chat.ports import ChatRepository, IdRepository
from chat.services.chat_states import SEQ_BLOCK
from chat.services.journal.entries import Append, Change

ID_BLOCK: Final = 1_000


@dataclass(slots=True, eq=False)
class Numbers:
    """Ids and numbers for the journal's flusher only, so the order of ids is that of numbers."""

    chats: ChatRepository
    ids: IdRepository
    _next_id: int = field(default=0, init=False)
    _last_reserved_id: int = field(default=-1, init=False)

    async def reserve(self, batch: Sequence[Append | Change[Any]]) -> None:
        """Reserve ids and numbers for the batch before one of them is used."""
        for entry in batch:
            state = entry.state
            # Enough for all that is pending in the chat, which includes its part of the batch.
            # One more for the line that a change may have; a change shares its chat with nothing.
            if state.head + state.pending >= state.reserved:
                up_to = state.head + state.pending + SEQ_BLOCK
                await self.chats.reserve_seq(state.chat.id, up_to)
                state.reserved_up_to(up_to)
        # Twice as many ids, since a message that is numbered again takes a new id.
        at_most = 2 * len(batch)
        if self._last_reserved_id - self._next_id + 1 < at_most:
            count = at_most + ID_BLOCK
            self._next_id = await self.ids.reserve("messages", count)
            self._last_reserved_id = self._next_id + count - 1

    def number_line(self, line: Message, seq: int) -> None:
        """Give a line its id and its number."""
        line.id = self._next_id
        line.seq = line.updated_seq = seq
        self._next_id += 1

    def number(self, entries: Sequence[Append]) -> list[Message]:
        """Give the messages their ids, and the numbers behind the heads of their chats."""
        heads: dict[int, int] = {}
        numbered: list[Message] = []
        for entry in entries:
            message = entry.message
            chat_id = message.chat_id
            heads[chat_id] = seq = heads.get(chat_id, entry.state.head) + 1
            message.id = self._next_id
            message.seq = message.updated_seq = seq
            numbered.append(message)
            self._next_id += 1
        return numbered
