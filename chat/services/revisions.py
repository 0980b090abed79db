"""Edits and deletions of messages: who may, until when, and two at the same time."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from chat.contracts.base import is_blank
from chat.contracts.pushes import message_deleted, message_updated
from chat.entities import Message, Revision, Role
from chat.errors import (
    ChatError,
    ErrorCode,
    OutcomeUnknownError,
    StoreUnavailableError,
    message_not_found,
)
from chat.hooks.events import MessageDraft, MessageEvent
from chat.hooks.manager import PluginManager
from chat.hooks.specs import after_message_deleted, after_message_updated, before_message_edit
from chat.identity import Identity
from chat.ports import Broadcaster, Clock, MessageRepository
from chat.services.body_digest import digest_of_message
from chat.services.budget import Turns
from chat.services.chat_states import ChatState, ChatStates
from chat.services.journal.journal import Journal
from chat.services.message_pages import MessagePages
from chat.services.messages import check_text
from chat.services.unread import UnreadService


@dataclass(slots=True, eq=False, kw_only=True)
class RevisionService:
    states: ChatStates
    journal: Journal
    unread: UnreadService
    messages: MessageRepository
    pages: MessagePages
    broadcaster: Broadcaster
    hooks: PluginManager
    clock: Clock
    turns: Turns
    max_content_chars: int
    edit_window: timedelta

    async def edit(
        self,
        identity: Identity,
        message_id: int,
        content: str,
        expected_revision: int | None = None,
    ) -> Message:
        """Replace the text of one's own message; pushed as `messageUpdated`.

        Raises NOT_FOUND, FORBIDDEN, EDIT_WINDOW_CLOSED, MESSAGE_DELETED, EDIT_CONFLICT, what
        plugins refuse with.
        """
        check_text(content, self.max_content_chars)
        old, state = await self.pages.find(identity, message_id)
        self._check_may_edit(identity, state, old)
        if self.hooks.has(before_message_edit):
            draft = await self.hooks.filter(before_message_edit, _draft(identity, old, content))
            if is_blank(draft.content):
                raise ChatError(ErrorCode.REJECTED, "a plugin left nothing of the message")
            content = draft.content

        async def write(seq: int) -> Message:
            seen = await self._current(message_id)
            if seen.updated_seq == seq:
                return seen  # our own earlier write, whose answer was lost
            self._check_may_edit(identity, state, seen)
            if expected_revision is not None and seen.revision != expected_revision:
                raise _conflict()
            now = self.clock.now()
            edited = replace(
                seen, message=content, revision=seen.revision + 1, updated_seq=seq,
                updated_at=now, edited_at=now, body_digest=_kept_digest(seen),
            )  # fmt: skip
            await self._update(edited, seen)
            return edited

        def commit(message: Message) -> None:
            self._changed(state, message)

        edited = await self.journal.change(state, self._writes(state, identity), write, commit)
        self.hooks.notify_soon(
            after_message_updated,
            MessageEvent(message=edited, by=identity.user_id, tenant=identity.tenant),
        )
        return edited

    async def delete(self, identity: Identity, message_id: int) -> Message:
        """Turn a message into a tombstone: its place stays; its text and quotes of it go.

        Pushed as `messageDeleted`. Deleting twice answers the same tombstone and pushes nothing.
        Raises NOT_FOUND, FORBIDDEN, EDIT_WINDOW_CLOSED.
        """
        old, state = await self.pages.find(identity, message_id)
        self._check_may_delete(identity, state, old)
        if old.deleted_at is not None:
            return old
        await self.states.note_author(state, identity.user_id)

        async def write(seq: int) -> Message:
            seen = await self._current(message_id)
            if seen.updated_seq != seq:
                if seen.deleted_at is not None:
                    raise _AlreadyDeleted(seen)
                self._check_may_delete(identity, state, seen)
                now = self.clock.now()
                gone = replace(
                    seen, message="", metadata=None, reply_to=None, revision=seen.revision + 1,
                    updated_seq=seq, updated_at=now, deleted_at=now, deleted_by=identity.user_id,
                    body_digest=_kept_digest(seen),
                )  # fmt: skip
                await self._update(gone, seen)
                return gone
            # Our own earlier write, whose answer was lost.
            try:
                await self.messages.wipe(seen.chat_id, message_id)
            except StoreUnavailableError as error:
                raise OutcomeUnknownError from error
            return seen

        def commit(message: Message) -> None:
            self._changed(state, message)

        try:
            gone = await self.journal.change(state, self._writes(state, identity), write, commit)
        except _AlreadyDeleted as twin:
            return twin.tombstone
        self.hooks.notify_soon(
            after_message_deleted,
            MessageEvent(message=gone, by=identity.user_id, tenant=identity.tenant),
        )
        return gone

    async def history(
        self, identity: Identity, message_id: int, *, before: int | None, limit: int
    ) -> tuple[list[Revision], bool]:
        """The latest `limit` earlier texts below the revision `before`, the oldest first.

        The second value says whether there are older ones. A deleted message has none.
        """
        message, state = await self.pages.find(identity, message_id)
        async with self.turns.of(identity.key):
            earlier = await self.messages.revisions(message)
        self.states.check(state, identity)
        if state.has_deleted(message_id):
            return [], False  # deleted while they were read: its text is gone from every answer
        if before is not None:
            earlier = [each for each in earlier if each.revision < before]
        return earlier[-limit:], len(earlier) > limit

    def _changed(self, state: ChatState, message: Message) -> None:
        """Apply a message whose change is stored: memory, then pushes."""
        state.changed(message)
        is_deleted = message.deleted_at is not None
        event = message_deleted(message) if is_deleted else message_updated(message)
        self.broadcaster.to_chat(message.chat_id, event)
        # A deletion changes counts; lists of chats show the text of the last message.
        if is_deleted or state.last_message is message:
            self.unread.chat_changed(state)

    def _writes(self, state: ChatState, identity: Identity) -> Callable[[], None]:
        return lambda: self.states.check(state, identity, Role.MEMBER.rank)

    def _check_may_edit(self, identity: Identity, state: ChatState, message: Message) -> None:
        self.states.check(state, identity, Role.MEMBER.rank)
        _check_not_line(message)
        if message.sender_id != identity.user_id and not identity.is_service:
            raise ChatError(ErrorCode.FORBIDDEN, "only its sender can edit a message")
        if message.deleted_at is not None:
            raise ChatError(ErrorCode.MESSAGE_DELETED, "the message is deleted")
        self._check_window(identity, message)

    def _check_may_delete(self, identity: Identity, state: ChatState, message: Message) -> None:
        self.states.check(state, identity, Role.MEMBER.rank)
        _check_not_line(message)
        if state.rank_of(identity) >= Role.MODERATOR.rank:
            return
        if message.sender_id != identity.user_id:
            raise ChatError(
                ErrorCode.FORBIDDEN, "only its sender or a moderator can delete a message"
            )
        if message.deleted_at is None:
            self._check_window(identity, message)

    def _check_window(self, identity: Identity, message: Message) -> None:
        closed = self.clock.now() - message.created_at > self.edit_window
        if closed and not identity.is_service:
            raise ChatError(ErrorCode.EDIT_WINDOW_CLOSED, "the message is too old to be changed")

    async def _current(self, message_id: int) -> Message:
        message = await self.messages.find(message_id)
        if message is None:
            raise message_not_found(message_id)
        return message

    async def _update(self, message: Message, seen: Message) -> None:
        if not await self.messages.update(message, seen=seen):
            raise _conflict()


class _AlreadyDeleted(ChatError):
    """The message is deleted already; carries the tombstone."""

    def __init__(self, tombstone: Message) -> None:
        super().__init__(ErrorCode.MESSAGE_DELETED, "the message is deleted")
        self.tombstone = tombstone


def _draft(identity: Identity, old: Message, content: str) -> MessageDraft:
    """The new text of a message, as plugins see it."""
    return MessageDraft(
        chat_id=old.chat_id,
        tenant=identity.tenant,
        sender_id=identity.user_id,
        sender_type=identity.type,
        content=content,
        client_message_id=old.client_message_id,
        reply_to_id=None if old.reply_to is None else old.reply_to.id,
        metadata=old.metadata,
        message_id=old.id,
    )


def _check_not_line(message: Message) -> None:
    if message.system is not None:
        raise ChatError(ErrorCode.FORBIDDEN, "a line of the timeline stays as it is")


def _kept_digest(seen: Message) -> str | None:
    """The digest of what was sent, for a message that is about to say something else."""
    return digest_of_message(seen) if seen.client_message_id is not None else None


def _conflict() -> ChatError:
    return ChatError(ErrorCode.EDIT_CONFLICT, "the message was changed meanwhile")
