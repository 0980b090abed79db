"""Sending and reading messages: the rules. Both doors, and plugins, come through here."""

from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Final

import orjson

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
from chat.services.budget import ANSWERS_IN_A_BACKLOG, Budget, Turns
from chat.services.chat_states import ChatState, ChatStates
from chat.services.history import read_back, read_on, text_bytes
from chat.services.idempotency import Key, RecentSends, follow, key_of
from chat.services.journal.entries import Sent
from chat.services.journal.journal import Journal
from chat.services.journal.outcome import Outcome
from chat.services.pace import Pace
from chat.services.people import People
from chat.services.typing import TypingService
from chat.services.unread import UnreadService

PREVIEW_CHARS: Final = 200
MAY_SEND: Final = Role.MEMBER.rank


@dataclass(frozen=True, slots=True)
class Page:
    """Messages oldest first, and the same as JSON; `seq` is the last number of the chat at that
    moment.
    """

    messages: list[Message]
    encoded: list[orjson.Fragment]
    has_before: bool
    has_after: bool
    seq: int


class MessageService:
    def __init__(
        self,
        *,
        states: ChatStates,
        pace: Pace,
        journal: Journal,
        messages: MessageRepository,
        people: People,
        typing: TypingService,
        unread: UnreadService,
        broadcaster: Broadcaster,
        hooks: PluginManager,
        clock: Clock,
        max_content_chars: int,
        max_backlog_bytes: int,
        turns: Turns,
    ) -> None:
        self._states = states
        self._pace = pace
        self._journal = journal
        self._messages = messages
        self._people = people
        self._typing = typing
        self._unread = unread
        self._broadcaster = broadcaster
        self._hooks = hooks
        self._clock = clock
        self._max_content_chars = max_content_chars
        self._answer_bytes = max_backlog_bytes // ANSWERS_IN_A_BACKLOG
        self._turns = turns
        self._recent = RecentSends()

    async def begin_send(self, identity: Identity, draft: MessageDraft) -> Outcome[Sent]:
        """Check and queue a message; the outcome has it once it is stored and pushed to its chat.

        In two steps so that a socket's next event can begin while this one waits for the disk: what
        begins first is stored first. Raises NOT_PARTICIPANT, FORBIDDEN, VALIDATION_ERROR, NOT_FOUND
        (of `reply_to_id`), what plugins refuse with, STORAGE_UNAVAILABLE; the outcome
        IDEMPOTENCY_CONFLICT, TIMEOUT, and the refusal of a sender who may no longer send when the
        message's turn comes.
        """
        # In memory nearly always, and then without a coroutine of its own.
        state = self._states.require_loaded(draft.chat_id, identity, MAY_SEND)
        if state is None:
            state = await self._states.require(draft.chat_id, identity, MAY_SEND)
        check_text(draft.content, self._max_content_chars)
        sent: Outcome[Sent] = Outcome()
        key = key_of(draft)
        if key is None:
            await self._queue(identity, state, draft, None, sent)
            return sent
        recent = self._recent.find(key, draft)
        if isinstance(recent, Outcome):
            self._pace.take_lookup(identity)
            return follow(recent)
        earlier_id = recent or state.earlier_keys.get(key[1:])
        if earlier_id is not None:
            # A repeat is answered before plugins and their limits see it, so it has one of its own.
            self._pace.take_lookup(identity)
            if await self._answer_again(earlier_id, draft, sent):
                return sent
        # Known from here on: a twin that comes while plugins think it over waits for this one.
        self._recent.begin(key, draft, sent)
        try:
            await self._queue(identity, state, draft, key, sent)
        except BaseException as error:
            self._recent.failed(key, sent)
            # A twin that follows this one hears of it too.
            sent.set_exception(error if isinstance(error, ChatError) else _broken_off())
            raise
        return sent

    async def send(self, identity: Identity, draft: MessageDraft) -> Sent:
        """`begin_send`, awaited to the end."""
        return await (await self.begin_send(identity, draft))

    async def find(self, identity: Identity, message_id: int) -> Message:
        """One message of a chat of the caller's; NOT_FOUND for any other."""
        message, _ = await find_message(self._states, self._messages, identity, message_id)
        return message

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
        """A page by exclusive message ids (`around` includes its message); without one, the newest
        page. Shorter than `limit` where the messages fill the answer.
        """
        self._pace.take_page(identity)
        state = await self._states.require(chat_id, identity)
        async with self._turns.of(identity.user_id):
            if after is not None:
                page = await self._page_after(state, after, limit)
            elif around is not None:
                page = await self._page_around(state, around, limit)
            else:
                page = await self._page_before(state, before, limit)
        self._states.check(state, identity)
        self._pace.made_page(identity, len(page.messages))
        return page

    async def _page_before(self, state: ChatState, before: int | None, limit: int) -> Page:
        chat_id, head, most = state.chat.id, state.head, self._answer_bytes
        top = head + 1 if before is None else await self._seq_of(chat_id, before)
        found = await read_back(self._messages, chat_id, top, limit + 1, most)
        fitting = Budget(most).fit_messages(reversed(found[-limit:]))[::-1]
        kept = found[len(found) - len(fitting) :]
        more = len(kept) < len(found) or text_bytes(found) >= most
        return Page(kept, fitting, more, before is not None, head)

    async def _page_after(self, state: ChatState, after: int, limit: int) -> Page:
        chat_id, head, most = state.chat.id, state.head, self._answer_bytes
        seq = await self._seq_of(chat_id, after)
        found = await read_on(self._messages, chat_id, seq, head, limit + 1, most)
        fitting = Budget(most).fit_messages(found[:limit])
        more = len(fitting) < len(found) or text_bytes(found) >= most
        return Page(found[: len(fitting)], fitting, seq > 0, more, head)

    async def _page_around(self, state: ChatState, around: int, limit: int) -> Page:
        chat_id, head, most = state.chat.id, state.head, self._answer_bytes
        seq = await self._seq_of(chat_id, around)
        older = await read_back(self._messages, chat_id, seq, limit + 1, most)
        newer = await read_on(self._messages, chat_id, seq - 1, head, limit + 1, most)
        # Half of the page on either side; near an end the other side gets what is left.
        after_it = newer[: max(limit - limit // 2, limit - len(older))]
        room = limit - len(after_it)
        before_it = older[-room:] if room else []
        # From the middle outwards, so that what does not fit is at the ends.
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

    async def _answer_again(
        self, message_id: int, draft: MessageDraft, sent: Outcome[Sent]
    ) -> bool:
        """Give `sent` the message that is stored under its key; False when it is not there."""
        original = await self._messages.find(message_id)
        if original is None:
            return False
        if digest_of_message(original) != digest_of_draft(draft):
            raise idempotency_conflict()
        sent.set_result(Sent(original, duplicate=True))
        self._recent.landed(original)
        return True

    async def _queue(
        self,
        identity: Identity,
        state: ChatState,
        draft: MessageDraft,
        key: Key | None,
        sent: Outcome[Sent],
    ) -> None:
        crowd = state.crowd
        digest = None
        if self._hooks.has(before_message_send):
            asked = draft
            draft = await self._hooks.filter(before_message_send, asked)
            if draft is not asked:
                draft = _reworded(asked, draft)
                digest = digest_of_draft(asked) if key else None
        if draft.sender_id not in state.members:
            await self._states.note_author(state, draft.sender_id)
        reply_to = None
        if draft.reply_to_id is not None:
            reply_to = await self._preview(draft.chat_id, draft.reply_to_id)

        if state.crowd != crowd:
            self._states.check_rank(state, identity, MAY_SEND)

        def check() -> None:
            # A send costs 0.22 us more by it.
            self._states.check_identity(identity)
            if state.crowd != crowd:
                self._states.check_rank(state, identity, MAY_SEND)
            if reply_to is not None and state.deleted and reply_to.id in state.deleted:
                # Deleted after it was quoted: the quote would keep the text.
                raise message_not_found(reply_to.id)

        now = self._clock.now()
        message = Message(
            id=0, chat_id=draft.chat_id, seq=0, updated_seq=0, revision=1,
            sender_id=draft.sender_id, sender_type=draft.sender_type, message=draft.content,
            client_message_id=draft.client_message_id, reply_to=reply_to, metadata=draft.metadata,
            created_at=now, updated_at=now, body_digest=digest,
        )  # fmt: skip

        def commit(stored: Message) -> None:
            state.created(stored)
            # Also of a write that was in doubt, whose sender has been told TIMEOUT: a repeat is
            # answered from here, and takes no number.
            self._recent.landed(stored)
            self._read_by_writing(state, stored)
            self._typing.ended(stored.chat_id, stored.sender_id)
            self._unread.chat_changed(state)
            self._broadcaster.to_chat(stored.chat_id, new_message(stored))
            if self._hooks.has(after_message_created):
                self._hooks.notify_soon(
                    after_message_created, MessageEvent(message=stored, origin=draft.origin)
                )

        self._journal.append(state, message, check, commit, sent)

    def _read_by_writing(self, state: ChatState, message: Message) -> None:
        member = state.members.get(message.sender_id)
        if member is not None:
            member.read_up_to(message.id, message.seq)
            self._people.read_up_to(message.chat_id, message.sender_id, message.id, message.seq)

    async def _preview(self, chat_id: int, message_id: int) -> ReplyPreview:
        message = await self._messages.find(message_id)
        if message is None or message.chat_id != chat_id or message.deleted_at is not None:
            raise message_not_found(message_id)
        return ReplyPreview(message.id, message.sender_id, message.message[:PREVIEW_CHARS])

    async def _seq_of(self, chat_id: int, message_id: int) -> int:
        message = await self._messages.find(message_id)
        if message is None or message.chat_id != chat_id:
            raise message_not_found(message_id)
        return message.seq


def _reworded(asked: MessageDraft, draft: MessageDraft) -> MessageDraft:
    """What plugins made of a message: they may change the words, not who speaks where."""
    if is_blank(draft.content):
        raise ChatError(ErrorCode.REJECTED, "a plugin left nothing of the message")
    return replace(asked, content=draft.content, metadata=draft.metadata)


def _broken_off() -> ChatError:
    text = "the first send of this message was broken off; send again"
    return ChatError(ErrorCode.TIMEOUT, text, retry_after_s=1)


async def find_message(
    states: ChatStates, messages: MessageRepository, identity: Identity, message_id: int
) -> tuple[Message, ChatState]:
    """A message and its chat's state; NOT_FOUND alike for none, and for one in a chat that is not
    the caller's.
    """
    message = await messages.find(message_id)
    if message is None:
        raise message_not_found(message_id)
    try:
        return message, await states.require(message.chat_id, identity)
    except ChatError as error:
        if error.code in (ErrorCode.NOT_PARTICIPANT, ErrorCode.NOT_FOUND):
            raise message_not_found(message_id) from None
        raise


def check_text(content: str, max_chars: int) -> None:
    """Raise VALIDATION_ERROR for a text without a visible character, which a plugin may have made,
    and for one over the limit; counted in characters (code points), as people do.
    """
    if len(content) <= max_chars and not is_blank(content):
        return
    text = BLANK if is_blank(content) else f"at most {max_chars} characters"
    details = [{"path": "content", "message": text}]
    raise ChatError(ErrorCode.VALIDATION_ERROR, f"content: {text}", details=details)
