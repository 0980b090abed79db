"""Read cursors, which only move forward, and unread counts, which are computed and never stored."""

from dataclasses import dataclass, replace
from typing import Final

from chat.contracts.pushes import message_read
from chat.contracts.view_writers import unread_pushed
from chat.entities import Participant
from chat.errors import ChatError, ErrorCode, NotParticipantError, message_not_found
from chat.hooks.events import MessageReadEvent
from chat.hooks.manager import PluginManager
from chat.hooks.specs import after_message_read
from chat.identity import Identity, UserId
from chat.ports import Broadcaster, ChatRepository, Clock, MessageRepository
from chat.services.chat_states import ChatState, ChatStates
from chat.views import UnreadView

UNREAD_CAP: Final = 100
"""A badge says "99+" anyway, and counting further would have to read the chat's past."""

ANNOUNCED_UP_TO: Final = 100
"""In larger chats, receipts go only to the message's sender: to all they cost O(members^2)."""


@dataclass(slots=True, eq=False, kw_only=True)
class ReadService:
    states: ChatStates
    chats: ChatRepository
    messages: MessageRepository
    broadcaster: Broadcaster
    hooks: PluginManager
    clock: Clock

    async def mark_read(
        self, identity: Identity, chat_id: int, message_id: int
    ) -> tuple[Participant, int]:
        """Move the caller's cursor to a message, and count what is left unread.

        A message behind the cursor changes nothing and is no error. Others get `messageRead`, the
        caller's own sockets `unreadUpdated`. Raises NOT_PARTICIPANT, NOT_FOUND, and FORBIDDEN for
        admins who are no participants: they have no cursor. A seat has none either, but it is the
        host's choice that its user is no participant: nothing happens, and that is no error.
        """
        state = await self.states.require(chat_id, identity)
        seq, sender_id = await self._locate(state, message_id)
        self.states.check(state, identity)
        mine = state.members.get(identity.user_id)
        if mine is None:
            seat = state.mine_of(identity)
            if seat is not None:
                return replace(seat, last_read_message_id=message_id), 0
            raise ChatError(ErrorCode.FORBIDDEN, "only participants have a read cursor")
        if seq <= mine.last_read_seq:
            return mine, await self.unread_count(state, mine)
        await self.chats.set_reads({(chat_id, identity.user_id): (message_id, seq)})
        mine = self._moved(state, identity, message_id, seq, sender_id)
        unread = await self.unread_count(state, mine)
        self.states.check(state, identity)
        view = UnreadView(chat_id, mine, unread, state.last_message)
        event = unread_pushed(view, state.head, self.clock.now())
        self.broadcaster.to_user(identity.key, event)
        return mine, unread

    def _moved(
        self, state: ChatState, identity: Identity, message_id: int, seq: int, sender_id: UserId
    ) -> Participant:
        # Checked again: while the write ran, another tab may have read further, or the user may
        # have been removed or blocked.
        self.states.check(state, identity)
        chat_id, user_id = state.chat.id, identity.user_id
        mine = state.members.get(user_id)
        if mine is None:
            raise NotParticipantError(chat_id)
        if seq <= mine.last_read_seq:
            return mine
        mine = state.read(mine, message_id, seq)
        event = message_read(chat_id, message_id, user_id, self.clock.now())
        if len(state.members) <= ANNOUNCED_UP_TO:
            self.broadcaster.to_chat(chat_id, event, except_user=identity.key)
        elif sender_id != user_id and sender_id in state.members:
            self.broadcaster.to_user(state.key_of(sender_id), event)
        self.hooks.notify_soon(
            after_message_read,
            MessageReadEvent(
                chat_id=chat_id, message_id=message_id, user_id=user_id, tenant=identity.tenant
            ),
        )
        return mine

    @staticmethod
    def cursors(state: ChatState) -> list[Participant]:
        """The participants who have read something, for a client that joins.

        None in chats of more than ANNOUNCED_UP_TO.
        """
        if len(state.members) > ANNOUNCED_UP_TO:
            return []
        return [each for each in state.members.values() if each.last_read_message_id is not None]

    async def unread_count(self, state: ChatState, member: Participant | None) -> int:
        """Count what others sent after the participant's cursor and is not silent, up to 100."""
        if member is None:
            return 0
        cursor, mine = member.last_read_seq, member.user_id
        count = state.count_unread(mine, cursor)
        high = state.tail_from
        # Reached only for a participant who is far behind: mostly the tail goes back to the cursor.
        while count < UNREAD_CAP and high > cursor + 1:
            low = max(cursor + 1, high - 500)
            older = await self.messages.brief_window(state.chat.id, low, high)
            count += sum(each.sender_id != mine and not each.is_silent for each in older)
            high = low
        return min(count, UNREAD_CAP)

    async def _locate(self, state: ChatState, message_id: int) -> tuple[int, UserId]:
        entry = state.entry(message_id)
        if entry is not None:
            return entry.seq, entry.sender_id
        message = await self.messages.find(message_id)
        if message is None or message.chat_id != state.chat.id:
            raise message_not_found(message_id)
        return message.seq, message.sender_id
