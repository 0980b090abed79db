"""The memory of active chats: settings, participants, the last number, the latest messages.

A chat has one ChatState, loaded once and changed only after a write is durable, so permission
checks, joins and unread counts of an active chat ask the store nothing. If a request still holds a
forgotten state, the next request gets that state, and none is loaded.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable
from typing import Final
from weakref import WeakValueDictionary

from chat.entities import Chat, Message, Participant
from chat.errors import ChatError, ErrorCode, NotParticipantError
from chat.identity import Identity, UserId, UserKey, user_id_of
from chat.ports import ChatRepository, MessageRepository
from chat.services.absences import Absences
from chat.services.budget import READS_OF_ALL, Turns
from chat.services.chat_state import TAIL_MESSAGES, ChatState
from chat.services.grants import Grants, role_granted
from chat.services.history import read_back
from chat.services.pace import Pace
from chat.services.state_sizes import Scale

__all__ = ["SEQ_BLOCK", "TAIL_MESSAGES", "ChatState", "ChatStates"]

SEQ_BLOCK: Final = 1_000
"""Numbers are reserved in blocks, so a thousand changes cost one extra write."""

MAX_STATES: Final = 20_000

MAX_BYTES: Final = 64_000_000

MAX_OUTSIDE_AUTHORS: Final = 1_000
"""A bridge to another network may write under any number of names; a chat keeps so many."""


class ChatStates:
    """All active chats, as many as 20,000 and `most_bytes` of memory allow.

    The least recently used are forgotten. A chat of a few participants takes about 20 kB, a chat of
    a thousand about 300 kB.
    """

    def __init__(
        self,
        chats: ChatRepository,
        messages: MessageRepository,
        pace: Pace,
        check_identity: Callable[[Identity], None],
        most_bytes: int = MAX_BYTES,
        reads_of_all: int = READS_OF_ALL,
    ) -> None:
        """Make the memory; `check_identity` raises if a token has expired or is refused."""
        self.check_identity = check_identity
        self.grants = Grants()
        self._most_bytes = most_bytes
        self._scale = Scale()
        self._chats = chats
        self._messages = messages
        self._pace = pace
        # Separate turns: a page that has its turn may still have to look up its chat.
        self._turns = Turns(reads_of_all)
        # `(chat id, key)` of chats that the user is not in; `(chat id, tenant, None)` of chats that
        # the tenant does not have, for its admins and services.
        self._absent = Absences()
        self._states: OrderedDict[int, ChatState] = OrderedDict()
        # Forgotten states that a request still holds: a second one could differ from the first.
        self._held: WeakValueDictionary[int, ChatState] = WeakValueDictionary()
        self._loading: dict[int, asyncio.Task[ChatState | None]] = {}
        # Each user has a tuple: a set takes 0.2 kB, and most users are in a few chats.
        self._chats_of: dict[UserKey, tuple[int, ...]] = {}

    async def get(self, chat_id: int) -> ChatState | None:
        """The chat's state, loaded where needed; None when there is no such chat."""
        state = self._states.get(chat_id)
        if state is not None:
            self._states.move_to_end(chat_id)
            return state
        state = self._held.get(chat_id)
        if state is not None:
            self.put(state)
            return state
        loading = self._loading.get(chat_id)
        if loading is None:
            loading = asyncio.get_running_loop().create_task(self._load(chat_id))
            self._loading[chat_id] = loading
            loading.add_done_callback(lambda _: self._loading.pop(chat_id, None))
        # Shielded: several callers wait for one load, and one of them may be cancelled.
        return await asyncio.shield(loading)

    async def require(self, chat_id: int, identity: Identity, at_least: int = 0) -> ChatState:
        """The state of a chat that the caller is in with that rank; NOT_PARTICIPANT, FORBIDDEN."""
        state = self.require_loaded(chat_id, identity, at_least)
        if state is None:
            state = await self._look_up(chat_id, identity)
        self.check(state, identity, at_least)
        return state

    def require_loaded(
        self, chat_id: int, identity: Identity, at_least: int = 0
    ) -> ChatState | None:
        """The state of a chat that is in memory and that the caller is in, without a wait.

        None for any other chat. Checks only the rank: the journal checks the whole authority.
        """
        state = self._states.get(chat_id)
        if state is None:
            return None
        rank = state.rank_of(identity)
        if rank < 0:
            return None
        self._states.move_to_end(chat_id)
        if rank < at_least:
            self.check_rank(state, identity, at_least)
        return state

    async def _look_up(self, chat_id: int, identity: Identity) -> ChatState:
        """Load a chat that the caller is in.

        A missing chat, a chat that the caller is not in and one of another tenant cost the same
        work, whether they are in memory or not. The server loads no such chat.
        """
        sees_all = identity.is_privileged
        absence = (chat_id, identity.tenant, None) if sees_all else (chat_id, identity.key)
        # A seat comes with a token, so what was missing for one token is there for the next. By the
        # caller's seats anywhere: those of others in this chat must not show in the work.
        seated = not sees_all and (identity.seats is not None or self.grants.has(identity.key))
        if seated or not self._absent.holds(absence):
            async with self._turns.of(identity.key):
                # Checked only here: twenty sockets that wait for this have not been charged yet.
                self._pace.may_look_up(identity)
                since = self._absent.since
                is_in = await (
                    self._chats.is_of_tenant(chat_id, identity.tenant)
                    if sees_all
                    else self._chats.is_participant(chat_id, identity.key)
                )
                if not is_in and seated:
                    is_in = await self._may_sit(chat_id, identity)
                if is_in and (state := await self.get(chat_id)) is not None:
                    return state
                if not seated:
                    self._absent.note(absence, since)
                self._pace.found_nothing(identity)
        if sees_all:
            raise ChatError(ErrorCode.NOT_FOUND, f"no chat {chat_id}")
        raise NotParticipantError(chat_id)

    async def _may_sit(self, chat_id: int, identity: Identity) -> bool:
        """Whether the caller has a seat in that chat; does not load the chat."""
        chat = await self._chats.find(chat_id)
        if chat is None or chat.deleted_at is not None or chat.tenant != identity.tenant:
            return False
        if chat.external_ref is None:
            return False
        return self.has_seat(identity, chat.external_ref, chat_id)

    def has_seat(self, identity: Identity, external_ref: str, chat_id: int | None) -> bool:
        """Whether a token or the host gives a seat by that externalRef; `chat_id`: its chat."""
        if identity.seats is not None and identity.seats.role_in(external_ref) is not None:
            return True
        grants = None if chat_id is None else self.grants.in_chat(chat_id)
        return role_granted(grants, identity, external_ref) is not None

    def check(self, state: ChatState, identity: Identity, at_least: int = 0) -> None:
        """Check a caller's whole authority: token, participant, role, and that there is a chat.

        Called after each wait, and in the journal's step for every change.
        """
        self.check_identity(identity)
        self.check_rank(state, identity, at_least)

    @staticmethod
    def check_rank(state: ChatState, identity: Identity, at_least: int = 0) -> None:
        """Raise NOT_PARTICIPANT or FORBIDDEN if the caller is not in the chat with that rank."""
        rank = state.rank_of(identity)
        if rank < 0 or state.closed:
            raise NotParticipantError(state.chat.id)
        if rank < at_least:
            raise ChatError(ErrorCode.FORBIDDEN, "your role in this chat does not allow that")

    def loaded(self, chat_id: int) -> ChatState | None:
        """The chat's state if it is in memory; None says nothing about the chat."""
        return self._states.get(chat_id) or self._held.get(chat_id)

    def loaded_chats_of(self, key: UserKey) -> list[ChatState]:
        """The active chats that the user is in; asks nothing of the store."""
        return [self._states[chat_id] for chat_id in self._chats_of.get(key, ())]

    async def of_user(self, key: UserKey) -> list[ChatState]:
        """All chats that the user is in; each that has to be loaded takes three queries."""
        user_id = user_id_of(key)
        return [
            state
            for chat_id in await self._chats.memberships(key)
            if (state := await self.get(chat_id)) is not None and user_id in state.members
        ]

    async def peers_among(self, key: UserKey, others: Collection[UserId]) -> set[UserId]:
        """Those of `others`, of the same tenant, who share a chat with the user.

        Loads the user's chats only if those in memory do not account for all of them.
        """
        strangers = _not_in(self.loaded_chats_of(key), set(others))
        if strangers:
            strangers = _not_in(await self.of_user(key), strangers)
        return set(others) - strangers

    def put(self, state: ChatState) -> ChatState:
        """Remember a chat that was just made or loaded; returns the one state that holds for it.

        If another request was faster, that is the state of the other request.
        """
        chat_id = state.chat.id
        state = self.loaded(chat_id) or state
        self._states[chat_id] = state
        self._held.pop(chat_id, None)
        state.granted = self.grants.in_chat(chat_id)
        self._absent.appeared((chat_id, state.chat.tenant, None))
        for key in state.member_keys():
            self._link(key, chat_id)
            self._absent.appeared((chat_id, key))
        state.weigh(self._scale)
        self._forget_old()
        return state

    def set_member(self, state: ChatState, participant: Participant) -> None:
        """Note a participant who was added, changed or removed."""
        chat_id, key = state.chat.id, participant.key
        if chat_id not in self._states:
            self.put(state)  # forgotten meanwhile
        if participant.removed_at is None:
            state.added(participant)
            self._link(key, chat_id)
            self._absent.appeared((chat_id, key))
        else:
            state.removed(participant)
            self._unlink(key, chat_id)
        if self._states.get(chat_id) is state:
            state.weigh(self._scale)

    async def note_author(self, state: ChatState, user_id: UserId) -> None:
        """Store the id of an outside author before the change that contains it.

        Costs one write for each chat and author; authors outside the chat are admins and bots.
        """
        if not state.names(user_id) and len(state.outsiders) < MAX_OUTSIDE_AUTHORS:
            await self._chats.add_outside_author(state.chat.id, user_id)
            state.named(user_id)

    def drop(self, state: ChatState) -> None:
        """Drop the state of a deleted chat; all who still hold it see it closed."""
        state.dropped()
        self._states.pop(state.chat.id, None)
        self._held.pop(state.chat.id, None)
        state.unweigh()
        for key in state.member_keys():
            self._unlink(key, state.chat.id)

    async def refresh_head(self, state: ChatState) -> None:
        """Look up the last number anew, after the store refused a number as taken."""
        participants = await self._chats.participants(state.chat.id)
        state.renumbered(await self._find_head(state.chat, participants, state.reserved))

    async def _load(self, chat_id: int) -> ChatState | None:
        chat = await self._chats.find(chat_id)
        if chat is None or chat.deleted_at is not None:
            return None
        participants = await self._chats.participants(chat_id)
        head = await self._find_head(chat, participants, chat.seq_reserved)
        head = await self._add_due_line(chat, participants, head)
        tail: list[Message] = []
        # If the settings and the participants account for every number, the chat has no messages.
        if len({chat.updated_seq, *(each.updated_seq for each in participants)}) < head:
            # A hundred texts would be megabytes, and only the last one is shown.
            tail = await read_back(self._messages, chat_id, head + 1, TAIL_MESSAGES, brief=True)
        if tail:
            tail[-1] = await self._messages.find(tail[-1].id) or tail[-1]
        return self.put(ChatState(chat, participants, head, tail))

    async def _add_due_line(self, chat: Chat, participants: list[Participant], head: int) -> int:
        """Store the line of the last change if a crash came in between; returns the head then."""
        last = next((each for each in participants if each.updated_seq == head), None)
        if last is not None:
            is_change = last.joined_seq < head or last.joined_at > chat.created_at
        else:
            is_change = chat.updated_seq == head > 1
        # Most loads need not ask: the last change is a message, or the chat has just been made.
        line = await self._chats.due_line(chat.id, head) if is_change else None
        if line is None or await self._messages.insert([line]):
            return head
        return line.seq

    async def _find_head(self, chat: Chat, participants: list[Participant], reserved: int) -> int:
        """The highest number in use.

        It is in the last reserved block, or before it if a crash left that block unused.
        """
        head = max([chat.updated_seq, *(each.updated_seq for each in participants)])
        high = reserved + 1
        while high - 1 > head:
            low = max(head + 1, high - SEQ_BLOCK)
            found = await self._messages.last_updated_seq(chat.id, low, high)
            if found:
                return found
            high = low
        return head

    def _forget_old(self) -> None:
        while len(self._states) > MAX_STATES or self._scale.total > self._most_bytes:
            state = next((each for each in self._states.values() if not each.pending), None)
            if state is None:
                return
            if state is next(reversed(self._states.values())):
                return  # this state is needed now, though it is larger than the limit
            del self._states[state.chat.id]
            self._held[state.chat.id] = state
            state.unweigh()
            for key in state.member_keys():
                self._unlink(key, state.chat.id)

    def _link(self, key: UserKey, chat_id: int) -> None:
        chats = self._chats_of.get(key, ())
        if chat_id not in chats:
            self._chats_of[key] = (*chats, chat_id)

    def _unlink(self, key: UserKey, chat_id: int) -> None:
        chats = tuple(each for each in self._chats_of.get(key, ()) if each != chat_id)
        if chats:
            self._chats_of[key] = chats
        else:
            self._chats_of.pop(key, None)


def _not_in(states: Iterable[ChatState], user_ids: set[UserId]) -> set[UserId]:
    """The users who are in none of these chats."""
    for state in states:
        if not user_ids:
            break
        user_ids = user_ids - state.members.keys()
    return user_ids
