"""Sending messages: the rules, and the way of one message. Sockets, REST and plugins use it."""

from dataclasses import dataclass, field, replace
from typing import Final

from chat.contracts.base import BLANK, is_blank
from chat.contracts.pushes import new_message
from chat.entities import Message, ReplyPreview, Role
from chat.errors import ChatError, ErrorCode, idempotency_conflict, message_not_found
from chat.hooks.events import MessageDraft, MessageEvent
from chat.hooks.manager import PluginManager
from chat.hooks.specs import after_message_created, before_message_send
from chat.identity import Identity
from chat.ports import Broadcaster, Clock, MessageRepository
from chat.services.body_digest import digest_of_draft, digest_of_message
from chat.services.chat_states import ChatState, ChatStates
from chat.services.idempotency import Key, RecentSends, follow, key_of
from chat.services.journal.entries import Append, Sent
from chat.services.journal.journal import Journal
from chat.services.journal.outcome import Outcome
from chat.services.pace import Pace
from chat.services.people import People
from chat.services.typing import TypingService
from chat.services.unread import UnreadService

PREVIEW_CHARS: Final = 200
MAY_SEND: Final = Role.MEMBER.rank


@dataclass(slots=True, eq=False, kw_only=True)
class MessageService:
    """Checks a message, asks the plugins, and hands it to the journal as a `Delivery`."""

    states: ChatStates
    pace: Pace
    journal: Journal
    messages: MessageRepository
    people: People
    typing: TypingService
    unread: UnreadService
    broadcaster: Broadcaster
    hooks: PluginManager
    clock: Clock
    max_content_chars: int
    recent: RecentSends = field(default_factory=RecentSends, init=False)

    async def begin_send(self, identity: Identity, draft: MessageDraft) -> Outcome[Sent]:
        """Check and queue a message; the outcome has it once it is stored and pushed to its chat.

        In two steps so that a socket's next event can begin while this one waits for the disk: the
        message that begins first is stored first. Raises NOT_PARTICIPANT, FORBIDDEN,
        VALIDATION_ERROR, NOT_FOUND (of `reply_to_id`), what plugins refuse with,
        STORAGE_UNAVAILABLE. The outcome may be IDEMPOTENCY_CONFLICT, TIMEOUT, or the refusal of a
        sender who may no longer send when the message's turn comes.
        """
        # The chat is in memory nearly always; then this needs no coroutine of its own.
        state = self.states.require_loaded(draft.chat_id, identity, MAY_SEND)
        if state is None:
            state = await self.states.require(draft.chat_id, identity, MAY_SEND)
        check_text(draft.content, self.max_content_chars)
        sent: Outcome[Sent] = Outcome()
        key = key_of(draft)
        if key is None:
            await self._queue(identity, state, draft, None, sent)
            return sent
        recent = self.recent.find(key, draft)
        if isinstance(recent, Outcome):
            self.pace.take_lookup(identity)
            return follow(recent)
        earlier_id = recent or state.earlier_keys.get(key[1:])
        if earlier_id is not None:
            # Plugins and their limits never see a repeat, so it has a limit here.
            self.pace.take_lookup(identity)
            if await self._answer_again(earlier_id, draft, sent):
                return sent
        # Known from here on: a repeat that arrives while plugins are asked waits for this send.
        self.recent.begin(key, draft, sent)
        try:
            await self._queue(identity, state, draft, key, sent)
        except BaseException as error:
            self.recent.failed(key, sent)
            # A repeat that waits for this send gets the same error.
            sent.set_exception(error if isinstance(error, ChatError) else _broken_off())
            raise
        return sent

    async def send(self, identity: Identity, draft: MessageDraft) -> Sent:
        """`begin_send`, awaited to the end."""
        return await (await self.begin_send(identity, draft))

    async def _answer_again(
        self, message_id: int, draft: MessageDraft, sent: Outcome[Sent]
    ) -> bool:
        """Settle `sent` as a duplicate of the message stored earlier; False if that is missing."""
        original = await self.messages.find(message_id)
        if original is None:
            return False
        if digest_of_message(original) != digest_of_draft(draft):
            raise idempotency_conflict()
        sent.set_result(Sent(original, duplicate=True))
        self.recent.landed(original)
        return True

    async def _queue(
        self,
        identity: Identity,
        state: ChatState,
        draft: MessageDraft,
        key: Key | None,
        sent: Outcome[Sent],
    ) -> None:
        # The seats of a token may end while this waits, so they are always looked at again.
        version = state.members_version if identity.seats is None else -1
        digest = None
        if self.hooks.has(before_message_send):
            asked = draft
            draft = await self.hooks.filter(before_message_send, asked)
            if draft is not asked:
                draft = _reworded(asked, draft)
                digest = digest_of_draft(asked) if key else None
        if draft.sender_id not in state.members:
            await self.states.note_author(state, draft.sender_id)
        reply_to = None
        if draft.reply_to_id is not None:
            reply_to = await self._preview(draft.chat_id, draft.reply_to_id)

        if state.members_version != version:
            self.states.check(state, identity, MAY_SEND)

        now = self.clock.now()
        message = Message(
            id=0, chat_id=draft.chat_id, seq=0, updated_seq=0, revision=1,
            sender_id=draft.sender_id, sender_type=draft.sender_type, message=draft.content,
            client_message_id=draft.client_message_id, reply_to=reply_to, metadata=draft.metadata,
            created_at=now, updated_at=now, body_digest=digest,
        )  # fmt: skip
        self.journal.append(Delivery(state, message, sent, self, identity, version, draft.origin))

    async def _preview(self, chat_id: int, message_id: int) -> ReplyPreview:
        message = await self.messages.find(message_id)
        if message is None or message.chat_id != chat_id or message.deleted_at is not None:
            raise message_not_found(message_id)
        if message.system is not None:
            raise ChatError(ErrorCode.FORBIDDEN, "a line of the timeline has no answers")
        return ReplyPreview(message.id, message.sender_id, message.message[:PREVIEW_CHARS])


@dataclass(slots=True, eq=False)
class Delivery(Append):
    """The way of one message: `check`, the write, `commit`, and the ack, which is `done`.

    `members_version` is that at which the sender's role was checked.
    """

    service: MessageService
    identity: Identity
    members_version: int
    origin: str | None

    def check(self) -> None:
        """Raise where the sender may not send it any more; costs a send 0.22 us."""
        state = self.state
        self.service.states.check_identity(self.identity)
        if state.members_version != self.members_version:
            self.service.states.check_rank(state, self.identity, MAY_SEND)
        quoted = self.message.reply_to
        if quoted is not None and state.has_deleted(quoted.id):
            # Deleted after it was quoted: the quote would keep the text.
            raise message_not_found(quoted.id)

    def commit(self, message: Message) -> None:
        """Apply a stored message: memory, pushes, plugins. The journal then settles the ack.

        Also for a write that was in doubt, whose sender got TIMEOUT: RecentSends answers a repeat,
        which takes no number.
        """
        service, state = self.service, self.state
        is_participant = state.created(message)
        service.recent.landed(message)
        if is_participant:
            service.people.read_up_to(message.chat_id, message.sender_id, message.id, message.seq)

        service.typing.ended(message.chat_id, state.key_of(message.sender_id))
        service.unread.chat_changed(state)
        service.broadcaster.to_chat(message.chat_id, new_message(message))

        # A line of the timeline may be found in the place of the message, too.
        if message.system is None and service.hooks.has(after_message_created):
            event = MessageEvent(message=message, origin=self.origin, tenant=self.identity.tenant)
            service.hooks.notify_soon(after_message_created, event)


def _reworded(asked: MessageDraft, draft: MessageDraft) -> MessageDraft:
    """The draft as plugins changed it: they may change the text and metadata only."""
    if is_blank(draft.content):
        raise ChatError(ErrorCode.REJECTED, "a plugin left nothing of the message")
    return replace(asked, content=draft.content, metadata=draft.metadata)


def _broken_off() -> ChatError:
    text = "the first send of this message was broken off; send again"
    return ChatError(ErrorCode.TIMEOUT, text, retry_after_s=1)


def check_text(content: str, max_chars: int) -> None:
    """Raise VALIDATION_ERROR for a text that is blank or over the limit.

    A plugin may have made a blank one. The limit counts characters (code points), as people do.
    """
    if len(content) <= max_chars and not is_blank(content):
        return
    text = BLANK if is_blank(content) else f"at most {max_chars} characters"
    details = [{"path": "content", "message": text}]
    raise ChatError(ErrorCode.VALIDATION_ERROR, f"content: {text}", details=details)
