"""Messages read: one by its id, or a page of a chat."""

from dataclasses import dataclass
from itertools import zip_longest
from typing import Final

import orjson

from chat.entities import Message
from chat.errors import ChatError, ErrorCode, message_not_found
from chat.identity import Identity
from chat.ports import MessageRepository
from chat.services.budget import Budget, Turns
from chat.services.chat_states import ChatState, ChatStates
from chat.services.history import read_back, read_on, text_bytes
from chat.services.pace import Pace

NO_CHAT: Final = 0
"""The chat in which missing messages are looked for: ids begin at 1."""


@dataclass(frozen=True, slots=True)
class Page:
    """Messages, the oldest first, and the same as JSON.

    `seq` is the last number of the chat at that moment.
    """

    messages: list[Message]
    encoded: list[orjson.Fragment]
    has_before: bool
    has_after: bool
    seq: int


@dataclass(slots=True, eq=False, kw_only=True)
class MessagePages:
    """Reads of messages; `answer_bytes` bounds a page."""

    states: ChatStates
    pace: Pace
    messages: MessageRepository
    turns: Turns
    answer_bytes: int

    async def find(self, identity: Identity, message_id: int) -> tuple[Message, ChatState]:
        """A message and the state of its chat.

        Raises NOT_FOUND alike for a missing message and for one in a chat that is not the caller's,
        after the same work.
        """
        message = await self.messages.find(message_id)
        try:
            state = await self.states.require(message.chat_id if message else NO_CHAT, identity)
        except ChatError as error:
            if error.code in (ErrorCode.NOT_PARTICIPANT, ErrorCode.NOT_FOUND):
                raise message_not_found(message_id) from None
            raise
        if message is None:
            raise message_not_found(message_id)
        return message, state

    async def page(
        self,
        identity: Identity,
        chat_id: int,
        *,
        limit: int,
        before: int | None = None,
        after: int | None = None,
        around: int | None = None,
    ) -> Page:
        """Read a page by exclusive message ids; `around` includes its message.

        Without an id, it is the newest page. It is shorter than `limit` if the messages fill the
        answer.
        """
        self.pace.take_page(identity)
        state = await self.states.require(chat_id, identity)
        async with self.turns.of(identity.key):
            if after is not None:
                page = await self._page_after(state, after, limit)
            elif around is not None:
                page = await self._page_around(state, around, limit)
            else:
                page = await self._page_before(state, before, limit)
        self.states.check(state, identity)
        self.pace.made_page(identity, len(page.messages))
        return page

    async def _page_before(self, state: ChatState, before: int | None, limit: int) -> Page:
        chat_id, head, most = state.chat.id, state.head, self.answer_bytes
        top = head + 1 if before is None else await self._seq_of(chat_id, before)
        found = await read_back(self.messages, chat_id, top, limit + 1, most)
        fitting = Budget(most).fit_messages(reversed(found[-limit:]))[::-1]
        kept = found[len(found) - len(fitting) :]
        more = len(kept) < len(found) or text_bytes(found) >= most
        return Page(kept, fitting, more, before is not None, head)

    async def _page_after(self, state: ChatState, after: int, limit: int) -> Page:
        chat_id, head, most = state.chat.id, state.head, self.answer_bytes
        seq = await self._seq_of(chat_id, after)
        found = await read_on(self.messages, chat_id, seq, head, limit + 1, most)
        fitting = Budget(most).fit_messages(found[:limit])
        more = len(fitting) < len(found) or text_bytes(found) >= most
        return Page(found[: len(fitting)], fitting, seq > 0, more, head)

    async def _page_around(self, state: ChatState, around: int, limit: int) -> Page:
        chat_id, head, most = state.chat.id, state.head, self.answer_bytes
        seq = await self._seq_of(chat_id, around)
        older = await read_back(self.messages, chat_id, seq, limit + 1, most)
        newer = await read_on(self.messages, chat_id, seq - 1, head, limit + 1, most)
        # Half of the page on either side; near an end the other side gets the rest.
        after_it = newer[: max(limit - limit // 2, limit - len(older))]
        room = limit - len(after_it)
        before_it = older[-room:] if room else []
        # Encodes from the middle outwards, so that the budget cuts the ends.
        outwards = [
            each
            for pair in zip_longest(after_it, reversed(before_it))
            for each in pair
            if each is not None
        ]
        fitting = Budget(most).fit_messages(outwards)
        by_seq = sorted(zip(outwards, fitting, strict=False), key=lambda each: each[0].seq)
        kept = [message for message, _ in by_seq]
        count_before = sum(message.seq < seq for message in kept)
        return Page(
            kept,
            [encoded for _, encoded in by_seq],
            count_before < len(older) or text_bytes(older) >= most,
            len(kept) - count_before < len(newer) or text_bytes(newer) >= most,
            head,
        )

    async def _seq_of(self, chat_id: int, message_id: int) -> int:
        message = await self.messages.find(message_id)
        if message is None or message.chat_id != chat_id:
            raise message_not_found(message_id)
        return message.seq
