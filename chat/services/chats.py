"""Chats: make, find, change and delete them."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

import structlog

from chat.contracts.base import is_blank
from chat.contracts.pushes import chat_created, chat_deleted, chat_updated, removed_from_chat
from chat.contracts.view_writers import chat_view_to_wire
from chat.entities import Chat, ChatType, ExternalRefSetter, Participant, Role, SystemKind
from chat.errors import ChatError, ErrorCode
from chat.hooks.events import ChatDraft
from chat.hooks.manager import PluginManager
from chat.hooks.specs import before_chat_change
from chat.identity import SERVICE, Identity, UserId, UserKey
from chat.ports import Broadcaster, ChatRepository, Clock, IdRepository
from chat.services.chat_states import SEQ_BLOCK, ChatState, ChatStates
from chat.services.chat_views import ChatViews, view_of
from chat.services.contacts import Contacts
from chat.services.existing_chats import ExistingChats, NewChat, direct_key
from chat.services.journal.journal import Journal
from chat.services.presence import Attendance
from chat.services.timeline import Timeline

UNSET: Final = object()
"""Tells "leave the field as it is" from "set it to null"."""

MAX_TRIES: Final = 3
"""How often to try to make or find a chat that other requests make and delete meanwhile."""

PARTICIPANTS_IN_A_PUSH: Final = 50
"""`chatCreated` goes to every participant: if it named all 1,000, each push would have 124 kB."""

VACATED_AT_ONCE: Final = 100
"""So many at a time, so that the store takes other writes in between."""

_log = structlog.get_logger("chat.chats")


@dataclass(slots=True, eq=False, kw_only=True)
class ChatService:
    states: ChatStates
    existing: ExistingChats
    views: ChatViews
    journal: Journal
    chats: ChatRepository
    ids: IdRepository
    contacts: Contacts
    attendance: Attendance
    timeline: Timeline
    broadcaster: Broadcaster
    hooks: PluginManager
    clock: Clock
    max_participants: int
    seats_changed: Callable[[ChatState], None]

    async def create(self, identity: Identity, new: NewChat) -> tuple[ChatState, bool]:
        """Make a chat and return True with it, or the existing one and False.

        The existing chat has the same direct pair or externalRef. Raises ChatConflictError if it is
        not what the caller asks for. The caller becomes the owner of a new chat, but a service does
        not become a participant. Every participant gets `chatCreated`.
        """
        if new.external_ref is not None:
            self.existing.check_may_refer(identity)
        people = [each for each in dict.fromkeys(new.participant_ids) if each != identity.user_id]
        if not identity.is_service:
            people.insert(0, identity.user_id)
        elif identity.user_id in new.participant_ids:
            people.append(identity.user_id)
        self._check_people(new, people)
        others = [each for each in people if each != identity.user_id]
        for tries in range(MAX_TRIES):
            found = await self.existing.find(identity, new, people)
            if found is not None:
                return found, False
            if tries == 0:
                await self.contacts.admit(identity, others, new_chat=True)
                draft = await self._ask_plugins(
                    _draft(identity, None, new.type, new.title, new.metadata)
                )
                new = replace(new, title=draft.title, metadata=draft.metadata)
            setter = _setter(identity, new.external_ref)
            state = await self._insert(identity, new, people, setter)
            if state is not None:
                await self._announce(state)
                return state, True
        raise contended()

    async def make_for_seat(
        self, identity: Identity, external_ref: str, title: str | None
    ) -> ChatState | None:
        """Make the chat of a record for a caller to whom the host gives a seat there.

        The chat has no participants. It counts towards the caller's quota of new chats, since a
        token may give seats in any number of chats. Returns None where somebody else has made it.
        """
        self.contacts.admit_empty_chat(identity)
        draft = await self._ask_plugins(_draft(identity, None, ChatType.GROUP, title, None))
        new = NewChat(
            type=ChatType.GROUP,
            title=draft.title,
            metadata=draft.metadata,
            external_ref=external_ref,
        )
        # The host has said that the user may: the reference is as good as one of the host's own.
        return await self._insert(identity, new, [], ExternalRefSetter(identity.user_id, SERVICE))

    async def ids_of(self, key: UserKey) -> list[int]:
        """Ids of the chats in which the user is, the oldest first."""
        return sorted(await self.chats.memberships(key))

    async def update(
        self,
        identity: Identity,
        chat_id: int,
        *,
        title: Any = UNSET,
        metadata: Any = UNSET,
        external_ref: Any = UNSET,
    ) -> ChatState:
        """Change settings; owners only, and `external_ref` only callers who may set it.

        Pushed as `chatUpdated`, also to participants outside the room: their lists of chats show
        the title. ChatConflictError if another chat has the externalRef.
        """
        if external_ref is not UNSET:
            self.existing.check_may_refer(identity)
        state = await self.states.require(chat_id, identity, Role.OWNER.rank)
        if title is not UNSET and state.chat.type is ChatType.DIRECT:
            raise ChatError(ErrorCode.VALIDATION_ERROR, "a direct chat has no title")

        now = state.chat
        asked = _draft(
            identity,
            now,
            now.type,
            now.title if title is UNSET else title,
            now.metadata if metadata is UNSET else metadata,
        )
        if title is not UNSET or metadata is not UNSET:
            draft = await self._ask_plugins(asked)
            if draft.title != asked.title:
                title = draft.title
            if draft.metadata != asked.metadata:
                metadata = draft.metadata

        async def write(seq: int) -> Chat:
            chat = replace(
                state.chat,
                title=state.chat.title if title is UNSET else title,
                metadata=state.chat.metadata if metadata is UNSET else metadata,
                updated_at=self.clock.now(),
                updated_seq=seq,
            )
            if external_ref is not UNSET:
                setter = _setter(identity, external_ref)
                chat = replace(chat, external_ref=external_ref, external_ref_by=setter)
            if not await self.chats.update(chat, line):
                raise _ReferenceTakenError
            return chat

        def commit(chat: Chat) -> None:
            state.configured(chat)
            if external_ref is not UNSET:
                # Seats belong to the reference.
                self.seats_changed(state)
            event = chat_updated(chat)
            self.broadcaster.to_chat(chat.id, event)
            self.broadcaster.to_users(state.member_keys(), event, outside_chat=chat.id)

        line = None
        if title is not UNSET and title != state.chat.title:
            line = await self.timeline.line(state, identity, SystemKind.TITLE_CHANGED, title=title)
        owns = self._owns_still(state, identity)
        for _ in range(MAX_TRIES):
            try:
                await self.journal.change(state, owns, write, commit, line, self.timeline.commit)
                return state
            except _ReferenceTakenError:
                await self.existing.check_free(identity, external_ref)
        raise contended()

    async def delete(self, identity: Identity, chat_id: int) -> None:
        """Delete a chat for all its participants; owners only.

        The room gets `chatDeleted`, every participant `removedFromChat`.
        """
        state = await self.states.require(chat_id, identity, Role.OWNER.rank)

        async def write(seq: int) -> Chat:
            now = self.clock.now()
            gone = replace(state.chat, deleted_at=now, updated_at=now, updated_seq=seq)
            await self.chats.update(gone)
            return gone

        def commit(chat: Chat) -> None:
            self.broadcaster.to_chat(
                chat_id, chat_deleted(chat_id, chat.updated_seq, chat.updated_at)
            )
            for key in state.member_keys():
                self.attendance.forget(chat_id, key)
            self.broadcaster.to_users(state.member_keys(), removed_from_chat(chat_id, "deleted"))
            self.broadcaster.evict(chat_id)
            self.states.drop(state)

        await self.journal.change(state, self._owns_still(state, identity), write, commit)
        await self._vacate(state)
        await self._wipe(chat_id)

    async def _vacate(self, state: ChatState) -> None:
        """Take a deleted chat out of its participants' lists, which would look it up each time."""
        members = list(state.members)
        try:
            for start in range(0, len(members), VACATED_AT_ONCE):
                some = members[start : start + VACATED_AT_ONCE]
                await self.chats.vacate(state.chat.id, some, self.clock.now())
        except ChatError as error:
            # The chat is deleted all the same; its participants' lists only cost more to read.
            _log.warning("not_vacated", chat_id=state.chat.id, code=error.code.value)

    async def _wipe(self, chat_id: int) -> None:
        """Remove what the messages of a deleted chat said before they were edited."""
        try:
            await self.chats.wipe(chat_id)
        except ChatError as error:
            # The chat is gone for everybody; the next start removes the rest of the texts.
            _log.warning("chat_not_wiped", chat_id=chat_id, code=error.code.value)

    async def _ask_plugins(self, asked: ChatDraft) -> ChatDraft:
        """Ask plugins about a chat: they may change its title and metadata."""
        if not self.hooks.has(before_chat_change):
            return asked
        draft = await self.hooks.filter(before_chat_change, asked)
        if draft.title is not None and is_blank(draft.title):
            raise ChatError(ErrorCode.REJECTED, "a plugin left nothing of the title")
        if asked.type == "direct" and draft.title is not None:
            draft = replace(draft, title=None)
        return draft

    def _owns_still(self, state: ChatState, identity: Identity) -> Callable[[], None]:
        return lambda: self.states.check(state, identity, Role.OWNER.rank)

    def _check_people(self, new: NewChat, people: list[UserId]) -> None:
        if new.type is ChatType.DIRECT:
            if len(people) != 2:
                raise ChatError(ErrorCode.VALIDATION_ERROR, "a direct chat has exactly two people")
            if new.title is not None:
                raise ChatError(ErrorCode.VALIDATION_ERROR, "a direct chat has no title")
        if len(people) > self.max_participants:
            raise ChatError(
                ErrorCode.VALIDATION_ERROR, f"at most {self.max_participants} participants"
            )

    async def _insert(
        self,
        identity: Identity,
        new: NewChat,
        people: list[UserId],
        ref_by: ExternalRefSetter | None,
    ) -> ChatState | None:
        chat_id = await self.ids.reserve("chats", 1)
        # Checked again: the call has waited for plugins and the store.
        self.states.check_identity(identity)
        now = self.clock.now()
        # The chat itself is change 1 and its participants are 2 and on, so that a catch-up from 0
        # finds all of them.
        participants = [
            Participant(
                chat_id=chat_id,
                tenant=identity.tenant,
                user_id=user_id,
                role=Role.OWNER if _owns(new, identity, user_id) else Role.MEMBER,
                joined_at=now,
                joined_seq=seq,
                updated_seq=seq,
            )
            for seq, user_id in enumerate(people, start=2)
        ]
        head = len(people) + 1
        chat = Chat(
            id=chat_id,
            tenant=identity.tenant,
            type=new.type,
            title=new.title,
            external_ref=new.external_ref,
            external_ref_by=ref_by,
            metadata=new.metadata,
            created_by=identity.user_id,
            created_at=now,
            updated_at=now,
            updated_seq=1,
            seq_reserved=head + SEQ_BLOCK,
        )
        key = direct_key(people) if new.type is ChatType.DIRECT else None
        if not await self.chats.insert(chat, participants, key):
            return None
        return self.states.put(ChatState(chat, participants, head, []))

    async def _announce(self, state: ChatState) -> None:
        participants = await self.views.participants(state, PARTICIPANTS_IN_A_PUSH)
        by_role: dict[Role, list[Participant]] = {}
        for member in state.members.values():
            by_role.setdefault(member.role, []).append(member)
        # A participant's own view differs in the role only, so there is one push for each role.
        for members in by_role.values():
            event = chat_created(chat_view_to_wire(view_of(state, members[0], 0, participants)))
            self.broadcaster.to_users([each.key for each in members], event)


def _draft(
    identity: Identity,
    chat: Chat | None,
    kind: ChatType,
    title: str | None,
    metadata: dict[str, Any] | None,
) -> ChatDraft:
    return ChatDraft(
        chat_id=None if chat is None else chat.id,
        identity=identity,
        type=kind.value,
        title=title,
        metadata=metadata,
    )


def _owns(new: NewChat, identity: Identity, user_id: UserId) -> bool:
    # In a direct chat neither user can remove the other.
    return new.type is ChatType.GROUP and user_id == identity.user_id


def _setter(identity: Identity, external_ref: str | None) -> ExternalRefSetter | None:
    return None if external_ref is None else ExternalRefSetter(identity.user_id, identity.type)


def contended() -> ChatError:
    """The refusal of a call that has used up MAX_TRIES."""
    return ChatError(
        ErrorCode.STORAGE_UNAVAILABLE,
        "others are making and deleting the same chat, try again",
        retry_after_s=1,
    )


class _ReferenceTakenError(ChatError):
    """Another chat has the externalRef; the code that catches this looks that chat up."""

    def __init__(self) -> None:
        super().__init__(ErrorCode.CONFLICT, "the externalRef belongs to another chat")
