"""Participants added, removed and given other roles; each is one numbered change of one document.

The whole rule of who may do it is checked again in the journal's step, right before the change gets
its number: authority follows the order of the changes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final, Literal

from chat.contracts.base import iso
from chat.contracts.pushes import participant_removed, removed_from_chat
from chat.contracts.view_writers import participant_added, participant_updated
from chat.entities import ChatType, Message, Participant, Role, SystemKind
from chat.errors import ChatError, ErrorCode, OutcomeUnknownError
from chat.identity import Identity, UserId
from chat.ports import Broadcaster, ChatRepository, Clock, Whereabouts
from chat.services.chat_states import ChatState, ChatStates
from chat.services.contacts import Contacts
from chat.services.journal.journal import Journal
from chat.services.people import People
from chat.services.presence import Attendance
from chat.services.timeline import Timeline
from chat.services.typing import TypingService
from chat.views import ParticipantView

LEFT_FOR: Final = timedelta(hours=24)
"""A user who has just left a chat cannot be added back at once."""


@dataclass(slots=True, eq=False, kw_only=True)
class ParticipantService:
    states: ChatStates
    journal: Journal
    chats: ChatRepository
    people: People
    contacts: Contacts
    typing: TypingService
    timeline: Timeline
    attendance: Attendance
    broadcaster: Broadcaster
    sockets: Whereabouts
    clock: Clock
    max_participants: int

    async def add(
        self, identity: Identity, chat_id: int, user_ids: Sequence[UserId], role: Role
    ) -> list[Participant]:
        """Add participants; moderators and up. Each is pushed as `participantAdded`.

        Users who are in the chat already stay as they are. Refuses users whom the caller may not
        add (see Contacts), and users who have just left.
        """
        state = await self.states.require(chat_id, identity, Role.MODERATOR.rank)
        self._check_not_direct(state)
        self._check_may_give(state, identity, role)
        newcomers = [each for each in dict.fromkeys(user_ids) if each not in state.members]
        self._check_room(state, len(newcomers))
        self._check_not_just_left(state, identity, newcomers)
        self._check_not_from_a_seat(state, identity, newcomers)
        await self.contacts.admit(identity, newcomers)
        await self.people.find([identity.key_of(each) for each in newcomers])
        await self._add_all(state, identity, newcomers, role)
        return [state.members[each] for each in dict.fromkeys(user_ids) if each in state.members]

    async def set_role(
        self, identity: Identity, chat_id: int, user_id: UserId, role: Role
    ) -> Participant:
        """Change a participant's role; only owners give roles above member.

        Pushed as `participantUpdated`.
        """
        state = await self.states.require(chat_id, identity, Role.MODERATOR.rank)

        def check() -> None:
            self._check_may_give(state, identity, role)
            self._check_outranks(state, identity, self._member(state, user_id))

        check()
        before = self._member(state, user_id)
        if before.role is role:
            return before

        async def write(seq: int) -> Participant:
            member = self._member(state, user_id)
            if member.role is Role.OWNER and role is not Role.OWNER:
                self._check_not_last_owner(state, user_id)
            changed = replace(member, role=role, updated_seq=seq)
            await self.chats.put_participant(changed, line)
            return changed

        def commit(changed: Participant) -> None:
            self._keep_cursor(state, changed)
            count, now = len(state.members), self.clock.now()
            event = participant_updated(self._view_of(changed), count, now)
            self.broadcaster.to_chat(chat_id, event)

        line = await self.timeline.line(
            state, identity, SystemKind.ROLE_CHANGED, [user_id], role=role
        )
        return await self.journal.change(state, check, write, commit, line, self.timeline.commit)

    async def remove(self, identity: Identity, chat_id: int, user_id: UserId) -> None:
        """Remove a participant; moderators and up, and only participants of a lower rank.

        When this returns, none of their sockets is in the room: `participantRemoved` went to the
        room, `removedFromChat` to them, and nothing of the chat follows it.
        """
        if user_id == identity.user_id:
            await self.leave(identity, chat_id)
            return
        state = await self.states.require(chat_id, identity, Role.MODERATOR.rank)
        self._check_not_direct(state)

        def check() -> None:
            self.states.check(state, identity, Role.MODERATOR.rank)
            self._check_outranks(state, identity, self._removable(state, user_id))

        check()
        line = await self.timeline.line(state, identity, SystemKind.PARTICIPANT_REMOVED, [user_id])
        await self._take_out(state, user_id, "removed", check, line, may_orphan=identity.is_service)

    async def leave(self, identity: Identity, chat_id: int) -> None:
        """Leave; the last owner of a chat with others in it has to make another owner first."""
        state = await self.states.require(chat_id, identity)
        self._member(state, identity.user_id)
        self._check_not_direct(state)

        def check() -> None:
            self.states.check(state, identity)

        mine = identity.user_id
        line = await self.timeline.line(state, identity, SystemKind.PARTICIPANT_LEFT, [mine])
        await self._take_out(state, mine, "left", check, line)

    async def _add_all(
        self, state: ChatState, identity: Identity, newcomers: list[UserId], role: Role
    ) -> None:
        """Add users one by one; the change of the last one carries the line that names them all."""
        added: list[UserId] = []
        is_told = False

        async def line_of(user_ids: list[UserId]) -> Message | None:
            return await self.timeline.line(
                state, identity, SystemKind.PARTICIPANTS_ADDED, user_ids
            )

        try:
            for user_id in newcomers:
                is_last = user_id == newcomers[-1]
                line = await line_of([*added, user_id]) if is_last else None
                try:
                    is_told = is_last
                    is_new = await self._add_one(state, identity, user_id, role, line)
                except ChatError as error:
                    # In doubt: the server goes on trying, and the line is stored with the change.
                    is_told = is_last and isinstance(error, OutcomeUnknownError)
                    raise
                if is_new:
                    added.append(user_id)
                else:
                    is_told = False
        finally:
            if added and not is_told and (line := await line_of(added)) is not None:
                self.timeline.tell(state, line)

    async def _add_one(
        self,
        state: ChatState,
        identity: Identity,
        user_id: UserId,
        role: Role,
        line: Message | None,
    ) -> bool:
        """Add a user; False if another call was faster."""

        def check() -> None:
            self._check_may_give(state, identity, role)

        async def write(seq: int) -> Participant | None:
            if user_id in state.members:
                raise _AlreadyInError
            self._check_room(state, 1)
            self._check_not_just_left(state, identity, [user_id])
            self._check_not_from_a_seat(state, identity, [user_id])
            # A newcomer's unread count begins here, not with the chat's whole past.
            last = state.last_message
            newcomer = Participant(
                chat_id=state.chat.id,
                tenant=state.chat.tenant,
                user_id=user_id,
                role=role,
                joined_at=self.clock.now(),
                joined_seq=seq,
                updated_seq=seq,
                last_read_message_id=last.id if last else None,
                last_read_seq=state.head,
            )
            await self.chats.put_participant(newcomer, line)
            return newcomer

        def commit(newcomer: Participant | None) -> None:
            if newcomer is not None:
                self.states.set_member(state, newcomer)
                count, now = len(state.members), self.clock.now()
                event = participant_added(self._view_of(newcomer), count, now)
                self.broadcaster.to_chat(state.chat.id, event)
                # The newcomer is not in the room yet, and has to learn of the chat.
                self.broadcaster.to_user(newcomer.key, event)

        try:
            await self.journal.change(state, check, write, commit, line, self.timeline.commit)
        except _AlreadyInError:
            return False
        return True

    def _check_room(self, state: ChatState, newcomers: int) -> None:
        if len(state.members) + newcomers > self.max_participants:
            limit = f"at most {self.max_participants} participants"
            raise ChatError(ErrorCode.VALIDATION_ERROR, limit)

    def _check_not_just_left(
        self, state: ChatState, identity: Identity, newcomers: Sequence[UserId]
    ) -> None:
        """Refuse users who left within LEFT_FOR; services and admins may add them."""
        if identity.is_privileged:
            return
        now = self.clock.now()
        for user_id in newcomers:
            left_at = state.left_at(user_id)
            if left_at is not None and now < left_at + LEFT_FOR:
                raise ChatError(
                    ErrorCode.FORBIDDEN,
                    f"{user_id} has left this chat, and can be added again "
                    f"from {iso(left_at + LEFT_FOR)} on",
                )

    @staticmethod
    def _check_not_from_a_seat(
        state: ChatState, identity: Identity, newcomers: Sequence[UserId]
    ) -> None:
        """Refuse a moderator by a seat who would remain a participant when the seat ends."""
        sits = identity.user_id not in state.members and state.seat_of(identity) is not None
        if sits and identity.user_id in newcomers and not identity.is_privileged:
            raise ChatError(ErrorCode.FORBIDDEN, "nobody with a seat only adds themselves")

    async def _take_out(
        self,
        state: ChatState,
        user_id: UserId,
        reason: Literal["removed", "left"],
        check: Callable[[], None],
        line: Message | None,
        *,
        may_orphan: bool = False,
    ) -> None:
        chat_id = state.chat.id

        async def write(seq: int) -> Participant:
            member = self._removable(state, user_id)
            if not may_orphan:
                self._check_not_last_owner(state, user_id)
            gone = replace(
                member, removed_at=self.clock.now(), left=reason == "left", updated_seq=seq
            )
            await self.chats.put_participant(gone, line)
            return gone

        def commit(gone: Participant) -> None:
            self.states.set_member(state, gone)
            self.typing.ended(chat_id, gone.key)
            self.attendance.forget(chat_id, gone.key)
            count = len(state.members)
            event = participant_removed(
                chat_id, user_id, count, gone.updated_seq, gone.removed_at or gone.joined_at
            )
            self.broadcaster.to_chat(chat_id, event)
            self.broadcaster.evict(chat_id, gone.key)
            self.broadcaster.to_user(gone.key, removed_from_chat(chat_id, reason))

        await self.journal.change(state, check, write, commit, line, self.timeline.commit)

    def _view_of(self, participant: Participant) -> ParticipantView:
        return ParticipantView(participant, self.people.known(participant.key))

    def _keep_cursor(self, state: ChatState, changed: Participant) -> None:
        # A cursor may have moved while the change was written.
        now = state.members.get(changed.user_id, changed)
        kept = replace(
            changed,
            last_read_message_id=now.last_read_message_id,
            last_read_seq=now.last_read_seq,
        )
        self.states.set_member(state, kept)

    @staticmethod
    def _member(state: ChatState, user_id: UserId) -> Participant:
        member = state.members.get(user_id)
        if member is None:
            raise ChatError(ErrorCode.NOT_FOUND, f"no participant {user_id} in this chat")
        return member

    def _removable(self, state: ChatState, user_id: UserId) -> Participant:
        """Return the participant, or one made for a user who has a seat here or wrote by one.

        The row of a removed participant keeps such a user from returning by a seat.
        """
        member = state.members.get(user_id)
        if member is not None or state.chat.external_ref is None or state.is_barred(user_id):
            return member or self._member(state, user_id)
        sockets = [
            each for each in self.sockets.in_room(state.chat.id) if each.identity.user_id == user_id
        ]
        # A user who only reads over REST has no socket, but may have a seat that the host gave.
        granted = [each.identity for each in (state.granted or {}).values()]
        sitting = [each for each in granted if each.user_id == user_id]
        sitting += [each.identity for each in sockets]
        seats = [mine for each in sitting if (mine := state.mine_of(each)) is not None]
        if seats:
            return max(seats, key=lambda each: each.role.rank)
        if sockets or not state.names(user_id):
            return self._member(state, user_id)
        now = self.clock.now()
        return Participant(
            chat_id=state.chat.id,
            tenant=state.chat.tenant,
            user_id=user_id,
            role=Role.READONLY,
            joined_at=now,
            updated_seq=0,
        )

    @staticmethod
    def _check_not_direct(state: ChatState) -> None:
        # A direct chat is found by its pair: if one user left, it could never be opened again.
        if state.chat.type is ChatType.DIRECT:
            raise ChatError(ErrorCode.FORBIDDEN, "a direct chat keeps its two people")

    def _check_may_give(self, state: ChatState, identity: Identity, role: Role) -> None:
        self.states.check(state, identity, Role.MODERATOR.rank)
        if role.rank > Role.MEMBER.rank and state.rank_of(identity) < Role.OWNER.rank:
            raise ChatError(ErrorCode.FORBIDDEN, "only an owner gives that role")

    @staticmethod
    def _check_outranks(state: ChatState, identity: Identity, other: Participant) -> None:
        mine = state.rank_of(identity)
        if mine < Role.OWNER.rank and other.role.rank >= mine:
            raise ChatError(ErrorCode.FORBIDDEN, "their role is not below yours")

    @staticmethod
    def _check_not_last_owner(state: ChatState, user_id: UserId) -> None:
        owners = [each.user_id for each in state.members.values() if each.role is Role.OWNER]
        if owners == [user_id] and len(state.members) > 1:
            raise ChatError(
                ErrorCode.FORBIDDEN, "the last owner has to make another participant owner first"
            )


class _AlreadyInError(ChatError):
    """The user is a participant already: no change, and no number taken."""

    def __init__(self) -> None:
        super().__init__(ErrorCode.VALIDATION_ERROR, "is in the chat already")
