"""Catch-up: the latest state of everything in a chat that changed after a client's cursor.

A client keeps `toSeq` and the epoch. It asks when it joins, and when it sees a gap; it applies a
page, and only then moves its cursor. Nothing is replayed: an edited message comes once, as it is
now, a deleted one as a tombstone.
"""

from dataclasses import dataclass
from typing import Any, Final

import structlog

from chat.contracts.base import DEFAULT_PAGE, iso
from chat.errors import ChatError, ErrorCode
from chat.identity import Identity
from chat.ports import Clock, MessageRepository
from chat.services.budget import ANSWERS_IN_A_BACKLOG, Budget, Turns, shortened
from chat.services.chat_lists import ChatLists
from chat.services.chat_states import ChatState, ChatStates
from chat.services.chats import ChatService
from chat.services.history import read_back, read_changes
from chat.services.pace import Pace

MAX_OVERVIEW: Final = 1_000
OVERVIEW_PAGES: Final = 5
CHATS_OF_A_PAGE: Final = 10
"""What a `sync` takes of its user's pages: most of its chats have nothing new."""

_OF_THE_CHAT: Final = (ErrorCode.NOT_PARTICIPANT, ErrorCode.NOT_FOUND, ErrorCode.RATE_LIMITED)
_log = structlog.get_logger("chat.catch_up")


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a client is: `since` None = nowhere yet, `epoch` None = it does not say."""

    since: int | None = None
    epoch: str | None = None


class CatchUpService:
    def __init__(
        self,
        *,
        states: ChatStates,
        pace: Pace,
        messages: MessageRepository,
        chats: ChatService,
        lists: ChatLists,
        clock: Clock,
        epoch: str,
        max_backlog_bytes: int,
        turns: Turns,
    ) -> None:
        self._states = states
        self._pace = pace
        self._messages = messages
        self._chats = chats
        self._lists = lists
        self._clock = clock
        self._answer_bytes = max_backlog_bytes // ANSWERS_IN_A_BACKLOG
        self._turns = turns
        self.epoch = epoch

    async def page(
        self, identity: Identity, chat_id: int, cursor: Cursor, limit: int = DEFAULT_PAGE
    ) -> dict[str, Any]:
        """The dict of CatchUpModel for one chat, of up to `limit` messages; raises
        NOT_PARTICIPANT.

        `reset` = the cursor is of another epoch or ahead of the server: drop what you have of the
        chat. Every page is bounded above by the last number that was pushed when it was asked for.
        """
        async with self._turns.of(identity.user_id):
            return await self._page(identity, chat_id, cursor, limit, Budget(self._answer_bytes))

    async def _page(
        self, identity: Identity, chat_id: int, cursor: Cursor, limit: int, budget: Budget
    ) -> dict[str, Any]:
        state = await self._states.require(chat_id, identity)
        head = state.head
        reset = cursor.since is not None and (
            cursor.since > head or cursor.epoch not in (None, self.epoch)
        )
        since = 0 if reset or cursor.since is None else cursor.since
        # Without a cursor, a page for which there was no room costs its client the newest messages
        # for all of them: later, then.
        waits = budget.far_spent if reset or cursor.since is None else budget.spent
        if waits and since < head:
            return _nothing_yet(chat_id, since, reset)
        if reset or cursor.since is None:
            # Most joins of a new chat find it empty: that is known without a query.
            empty = state.last_message is None
            most = budget.left
            newest = (
                [] if empty else await read_back(self._messages, chat_id, head + 1, limit, most)
            )
            messages = budget.fit_messages(reversed(newest))[::-1]
            upto = head
        else:
            changed, upto = await read_changes(
                self._messages, chat_id, since, head, limit, budget.left
            )
            messages = budget.fit_messages(changed)
            if len(messages) < len(changed):
                upto = changed[len(messages) - 1].updated_seq
        page: dict[str, Any] = {
            "chatId": chat_id,
            "fromSeq": since,
            "toSeq": upto,
            "hasMore": upto < head,
            "reset": reset,
            "messages": messages,
        }
        if state.participants_seq > since:
            page["participants"] = budget.encode(await self._chats.people_of(state))
        if state.chat.updated_seq > since:
            chat = await self._chats.describe(state, identity, with_people=False)
            page["chat"] = budget.encode(chat)
        self._pace.made_page(identity, len(messages))
        self._states.check(state, identity)
        return page

    async def answer(
        self,
        identity: Identity,
        cursors: list[tuple[int, int | None]] | None,
        epoch: str | None,
        limit: int,
    ) -> dict[str, Any]:
        """`{epoch, serverTime, chats}`: a page of each chat named, an `error` in place of one that
        is not the caller's; without cursors all of the caller's chats as `GET /chats` shows them.
        """
        pages = OVERVIEW_PAGES if cursors is None else len(cursors) / CHATS_OF_A_PAGE
        self._pace.take_page(identity, pages)
        budget = Budget(self._answer_bytes)
        chats: list[Any]
        async with self._turns.of(identity.user_id):
            if cursors is None:
                overview, _ = await self._lists.overview(identity, limit=MAX_OVERVIEW, cursor=None)
                chats = [shortened(each, budget) for each in overview]
            else:
                chats = [
                    await self._page_or_error(
                        identity, chat_id, Cursor(since, epoch), limit, budget
                    )
                    for chat_id, since in cursors
                ]
        return {"epoch": self.epoch, "serverTime": iso(self._clock.now()), "chats": chats}

    def head_of(self, state: ChatState) -> dict[str, Any]:
        """What every join tells: where the chat is."""
        return {"chatId": state.chat.id, "epoch": self.epoch, "seq": state.head}

    async def _page_or_error(
        self, identity: Identity, chat_id: int, cursor: Cursor, limit: int, budget: Budget
    ) -> dict[str, Any]:
        try:
            return await self._page(identity, chat_id, cursor, limit, budget)
        except ChatError as error:
            # What concerns the caller, and not the chat, is the refusal of the whole. Looks for
            # many chats that are not there come to their end bit by bit.
            if error.code not in _OF_THE_CHAT:
                raise
            # The rest of the answer is a success, so that no plugin is told.
            _log.warning(
                "refused",
                action="sync",
                code=error.code.value,
                user_id=identity.user_id,
                chat_id=chat_id,
                request_id=error.request_id,
            )
            return {"chatId": chat_id, "error": error.to_wire()}


def _nothing_yet(chat_id: int, since: int, reset: bool) -> dict[str, Any]:
    """A page for which the answer had no room; who asks for what there is more of gets there."""
    return {
        "chatId": chat_id,
        "fromSeq": since,
        "toSeq": since,
        "hasMore": True,
        "reset": reset,
        "messages": [],
    }
