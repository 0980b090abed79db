"""Catch-up: the latest state of everything in a chat that changed after a client's cursor.

A client keeps `toSeq` and the epoch. It asks when it joins, and when it sees a gap; it applies a
page, and only then moves its cursor. Nothing is replayed: an edited message comes once, as it is
now, a deleted one as a tombstone.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import orjson
import structlog

from chat.contracts.base import iso
from chat.contracts.models import message_to_wire
from chat.entities import Message
from chat.errors import ChatError, ErrorCode
from chat.identity import Identity
from chat.ports import Clock, MessageRepository
from chat.services.chat_states import ChatState, ChatStates
from chat.services.chats import ChatService
from chat.services.history import read_back

DEFAULT_LIMIT: Final = 50
MAX_OVERVIEW: Final = 1_000
WINDOW: Final = 512
"""Numbers read at once: about 4 ms in a chat of any length, and mostly the whole of what was
missed.
"""

ANSWERS_IN_A_BACKLOG: Final = 4
"""One answer fills this part of what may wait for a socket, and twice that where it cannot be cut
short. Over all of it who catches up would be cut, come back, and be cut again for ever.
"""

_log = structlog.get_logger("chat.catch_up")


class _Budget:
    """The bytes that one answer has left, for all of its pages; counted as they are written, since
    a character takes one to six of them.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most = self._left = most_bytes

    @property
    def spent(self) -> bool:
        return self._left < 0

    @property
    def far_spent(self) -> bool:
        return self._left < -self._most

    def encode(self, value: Any) -> orjson.Fragment:
        encoded = orjson.dumps(value)
        self._left -= len(encoded)
        return orjson.Fragment(encoded)

    def fit(self, messages: Iterable[Message]) -> list[orjson.Fragment]:
        """The first of them that fit; one at least, so that every page goes on."""
        fitting: list[orjson.Fragment] = []
        for message in messages:
            encoded = self.encode(message_to_wire(message))
            if self.spent and fitting:
                break
            fitting.append(encoded)
        return fitting


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
        messages: MessageRepository,
        chats: ChatService,
        clock: Clock,
        epoch: str,
        max_backlog_bytes: int,
    ) -> None:
        self._states = states
        self._messages = messages
        self._chats = chats
        self._clock = clock
        self._answer_bytes = max_backlog_bytes // ANSWERS_IN_A_BACKLOG
        self.epoch = epoch

    async def page(
        self, identity: Identity, chat_id: int, cursor: Cursor, limit: int = DEFAULT_LIMIT
    ) -> dict[str, Any]:
        """The dict of CatchUpModel for one chat, of up to `limit` messages; raises
        NOT_PARTICIPANT.

        `reset` = the cursor is of another epoch or ahead of the server: drop what you have of the
        chat. Every page is bounded above by the last number that was pushed when it was asked for.
        """
        return await self._page(identity, chat_id, cursor, limit, _Budget(self._answer_bytes))

    async def _page(
        self, identity: Identity, chat_id: int, cursor: Cursor, limit: int, budget: _Budget
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
            newest = [] if empty else await read_back(self._messages, chat_id, head + 1, limit)
            messages = budget.fit(reversed(newest))[::-1]
            upto = head
        else:
            changed, upto = await self._changed(chat_id, since, head, limit)
            messages = budget.fit(changed)
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
        if state.people_seq > since:
            page["participants"] = budget.encode(await self._chats.people_of(state))
        if state.chat.updated_seq > since:
            chat = await self._chats.describe(state, identity, with_people=False)
            page["chat"] = budget.encode(chat)
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
        budget = _Budget(self._answer_bytes)
        chats: list[Any]
        if cursors is None:
            overview, _ = await self._chats.overview(identity, limit=MAX_OVERVIEW, cursor=None)
            chats = [_shortened(each, budget) for each in overview]
        else:
            chats = [
                await self._page_or_error(identity, chat_id, Cursor(since, epoch), limit, budget)
                for chat_id, since in cursors
            ]
        return {"epoch": self.epoch, "serverTime": iso(self._clock.now()), "chats": chats}

    def head_of(self, state: ChatState) -> dict[str, Any]:
        """What every join tells: where the chat is."""
        return {"chatId": state.chat.id, "epoch": self.epoch, "seq": state.head}

    async def _page_or_error(
        self, identity: Identity, chat_id: int, cursor: Cursor, limit: int, budget: _Budget
    ) -> dict[str, Any]:
        try:
            return await self._page(identity, chat_id, cursor, limit, budget)
        except ChatError as error:
            # What concerns the caller, and not the chat, is the refusal of the whole.
            if error.code not in (ErrorCode.NOT_PARTICIPANT, ErrorCode.NOT_FOUND):
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

    async def _changed(
        self, chat_id: int, since: int, head: int, limit: int
    ) -> tuple[list[Message], int]:
        """Up to `limit` messages changed in `(since, head]`, in the order of their changes, and up
        to where.
        """
        found: list[Message] = []
        low = since + 1
        while low <= head and len(found) <= limit:
            high = min(head + 1, low + WINDOW)
            found += await self._messages.changed(chat_id, low, high)
            low = high
        if len(found) > limit:
            kept = found[:limit]
            return kept, kept[-1].updated_seq
        return found, low - 1


def _shortened(chat: dict[str, Any], budget: _Budget) -> orjson.Fragment:
    """A chat of an overview, which is to name all of them; what it can do without goes first."""
    if budget.spent:
        chat["lastMessage"] = None
    if budget.far_spent:
        chat["metadata"] = None
    return budget.encode(chat)


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
