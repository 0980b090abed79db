"""Catch-up: the latest state of everything in a chat that changed after a client's cursor.

A client keeps `toSeq` and the epoch. It asks when it joins, and when it sees a gap; it applies a
page, and only then moves its cursor. Nothing is replayed: an edited message comes once, as it is
now, a deleted one as a tombstone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from chat.contracts.base import DEFAULT_PAGE
from chat.contracts.view_writers import chat_view_to_wire, participant_view_to_wire
from chat.errors import ChatError, ErrorCode
from chat.identity import Identity, named
from chat.ports import Clock, MessageRepository
from chat.services.budget import Budget, Turns
from chat.services.chat_states import ChatStates
from chat.services.chat_views import ChatViews
from chat.services.history import read_back, read_changes
from chat.services.pace import Pace
from chat.views import CatchUp, CatchUpPage, ChatRefused, Json

MAX_OVERVIEW: Final = 1_000
OVERVIEW_PAGES: Final = 5
CHATS_OF_A_PAGE: Final = 10
"""Chats of a `sync` that cost its user one page: most of them have nothing new."""

_OF_THE_CHAT: Final = (ErrorCode.NOT_PARTICIPANT, ErrorCode.NOT_FOUND, ErrorCode.RATE_LIMITED)
_log = structlog.get_logger("chat.catch_up")


@dataclass(frozen=True, slots=True)
class Cursor:
    """A client's cursor: `since` None = it has none yet, `epoch` None = it does not say."""

    since: int | None = None
    epoch: str | None = None


@dataclass(slots=True, eq=False, kw_only=True)
class CatchUpService:
    """Pages of what a client missed; `answer_bytes` bounds an answer."""

    states: ChatStates
    pace: Pace
    messages: MessageRepository
    views: ChatViews
    clock: Clock
    turns: Turns
    answer_bytes: int
    epoch: str

    async def page(
        self, identity: Identity, chat_id: int, cursor: Cursor, limit: int = DEFAULT_PAGE
    ) -> CatchUpPage:
        """Read a page of one chat, of up to `limit` messages; raises NOT_PARTICIPANT.

        The page goes no further than the last number that was pushed when the client asked.
        """
        async with self.turns.of(identity.key):
            return await self._page(identity, chat_id, cursor, limit, Budget(self.answer_bytes))

    async def _page(
        self, identity: Identity, chat_id: int, cursor: Cursor, limit: int, budget: Budget
    ) -> CatchUpPage:
        state = await self.states.require(chat_id, identity)
        head = state.head
        reset = cursor.since is not None and (
            cursor.since > head or cursor.epoch not in (None, self.epoch)
        )
        since = 0 if reset or cursor.since is None else cursor.since
        # An empty first page would make a client without a cursor load the whole history, so it is
        # deferred only when the budget is far overspent.
        waits = budget.far_spent if reset or cursor.since is None else budget.spent
        if waits and since < head:
            return _nothing_yet(chat_id, since, reset)
        if reset or cursor.since is None:
            # Most joins of a new chat find it empty; the state knows that without a query.
            empty = state.last_message is None
            most = budget.left
            newest = [] if empty else await read_back(self.messages, chat_id, head + 1, limit, most)
            messages = budget.fit_messages(reversed(newest))[::-1]
            upto = head
        else:
            changed, upto = await read_changes(
                self.messages, chat_id, since, head, limit, budget.left
            )
            messages = budget.fit_messages(changed)
            if len(messages) < len(changed):
                upto = changed[len(messages) - 1].updated_seq
        participants = chat = None
        if state.participants_seq > since:
            views = await self.views.participants(state)
            participants = budget.encode([participant_view_to_wire(each) for each in views])
        if state.chat.updated_seq > since:
            view = await self.views.of_state(state, identity, with_participants=False)
            chat = budget.encode(chat_view_to_wire(view))
        self.pace.made_page(identity, len(messages))
        self.states.check(state, identity)
        return CatchUpPage(
            chat_id=chat_id,
            from_seq=since,
            to_seq=upto,
            has_more=upto < head,
            reset=reset,
            messages=messages,
            participants=participants,
            chat=chat,
        )

    async def answer(
        self,
        identity: Identity,
        cursors: list[tuple[int, int | None]] | None,
        epoch: str | None,
        limit: int,
    ) -> CatchUp:
        """Read a page of each named chat; a chat that is not the caller's has a refusal instead.

        Without cursors, return all of the caller's chats as `GET /chats` shows them.
        """
        pages = OVERVIEW_PAGES if cursors is None else len(cursors) / CHATS_OF_A_PAGE
        self.pace.take_page(identity, pages)
        budget = Budget(self.answer_bytes)
        chats: Sequence[CatchUpPage | ChatRefused | Json]
        async with self.turns.of(identity.key):
            if cursors is None:
                chats, _ = await self.views.overview(
                    identity, budget, limit=MAX_OVERVIEW, shorten=True
                )
            else:
                chats = [
                    await self._page_or_error(
                        identity, chat_id, Cursor(since, epoch), limit, budget
                    )
                    for chat_id, since in cursors
                ]
        return CatchUp(self.epoch, self.clock.now(), chats)

    async def _page_or_error(
        self, identity: Identity, chat_id: int, cursor: Cursor, limit: int, budget: Budget
    ) -> CatchUpPage | ChatRefused:
        try:
            return await self._page(identity, chat_id, cursor, limit, budget)
        except ChatError as error:
            # An error that concerns the caller, and not the chat, refuses the whole answer. A user
            # who names many missing chats runs out of look-ups from one chat to the next.
            if error.code not in _OF_THE_CHAT:
                raise
            # The rest of the answer is a success, so plugins get no notice of this.
            _log.warning(
                "refused",
                action="sync",
                code=error.code.value,
                **named(identity.key),
                chat_id=chat_id,
                request_id=error.request_id,
            )
            return ChatRefused(chat_id, error)


def _nothing_yet(chat_id: int, since: int, reset: bool) -> CatchUpPage:
    """An empty page, where the answer had no room; the client asks again, since it has more."""
    return CatchUpPage(
        chat_id=chat_id, from_seq=since, to_seq=since, has_more=True, reset=reset, messages=[]
    )
