"""/chats: create, find, change and delete chats; their participants; read cursors; catching up."""

import base64
import binascii

import orjson
from pydantic import BaseModel

from chat.contracts import acks, answers
from chat.contracts.base import MAX_PAGE, parse, parse_fields
from chat.contracts.client_events import (
    CatchUpWithChat,
    ChatReference,
    Event,
    Sync,
    sync_cursors,
)
from chat.contracts.queries import ChatsQuery, ParticipantsQuery
from chat.contracts.rest import (
    AddParticipants,
    ByExternalRef,
    CreateChat,
    MarkRead,
    QueryName,
    UpdateChat,
    UpdateParticipant,
)
from chat.contracts.view_writers import participant_view_to_wire
from chat.entities import ChatType, Role
from chat.errors import ChatError, ErrorCode
from chat.rest.base import ApiHandler
from chat.rest.paths import path_id, path_user_id
from chat.services.audit import objects_of
from chat.services.budget import Budget
from chat.services.catch_up import Cursor
from chat.services.chats import UNSET
from chat.services.existing_chats import NewChat
from chat.views import ChatView


class Overview(BaseModel):
    """The query of `GET /chats`, as plugins see it."""

    limit: int
    cursor: tuple[str, int] | None
    external_ref: str | None = None


class ParticipantReference(BaseModel):
    """A participant of a chat in a path, as plugins see it."""

    chat_id: int
    user_id: int | str


class ChatParticipants(ParticipantsQuery, ChatReference):
    """The path and query of `GET /chats/:id/participants`, as plugins see it."""


class OneChatHandler(ApiHandler):
    """Base: answers one chat with as many of its participants as fit."""

    def reply_chat(self, view: ChatView, status: int = 200) -> None:
        written = map(participant_view_to_wire, view.participants or ())
        fitting = Budget(self.gate.answer_bytes).fit(written)
        self.answer(answers.one_chat(view, fitting), status)


class ChatsHandler(OneChatHandler):
    async def post(self) -> None:
        """Create a chat (201), or answer the existing one of the pair or externalRef (200).

        CONFLICT where the existing chat is not what was asked for.
        """
        payload = await self.begin("POST /chats", parse(CreateChat, await self.body_json()))
        new = NewChat(
            type=ChatType(payload.type),
            title=payload.title,
            participant_ids=payload.participant_ids,
            external_ref=payload.external_ref,
            metadata=payload.metadata,
        )
        state, created = await self.gate.domain.chats.create(self.identity, new)
        self.about(chat_id=state.chat.id, created=created)
        chat = await self.gate.domain.chat_views.of_state(
            state, self.identity, with_participants=True
        )
        self.reply_chat(chat, 201 if created else 200)

    async def get(self) -> None:
        """List the caller's chats, last changed first; or only the one with `externalRef`."""
        query = Overview(
            limit=self.query_limit(), cursor=self._cursor(), external_ref=self._external_ref()
        )
        query = await self.begin("GET /chats", query)
        pace = self.gate.domain.pace
        pace.take_page(self.identity)
        if query.external_ref is not None:
            views = await self.gate.domain.chat_views.of_ref(self.identity, query.external_ref)
            self.about(chat_ids=[each.chat.id for each in views])
            self.answer(answers.chats_of_ref(views))
            return
        found, following = await self.gate.domain.chat_views.overview(
            self.identity,
            Budget(self.gate.answer_bytes),
            limit=query.limit,
            cursor=query.cursor,
        )
        pace.made_page(self.identity, len(found))
        self.answer(answers.page_of_chats(found, _to_cursor(following)))

    def _cursor(self) -> tuple[str, int] | None:
        text = self.get_query_argument("cursor", "")
        if not text:
            return None
        try:
            moment, chat_id = orjson.loads(base64.urlsafe_b64decode(text))
        except (binascii.Error, ValueError, TypeError):
            moment = chat_id = None
        if not isinstance(moment, str) or type(chat_id) is not int:
            raise ChatError(ErrorCode.VALIDATION_ERROR, "cursor: use a nextCursor as it was given")
        return moment, chat_id

    def _external_ref(self) -> str | None:
        # Blanks around the reference are part of it.
        text = self.get_query_argument(QueryName.EXTERNAL_REF, None, strip=False)
        return None if text is None else parse_fields(ChatsQuery, external_ref=text).external_ref


class JoinHandler(OneChatHandler):
    async def post(self) -> None:
        """Answer the chat of an externalRef; create it if the host gives the caller a seat."""
        payload = await self.begin("POST /chats/join", parse(ByExternalRef, await self.body_json()))
        self.gate.domain.pace.take_page(self.identity)
        state = await self.gate.domain.seats.open(self.identity, payload.external_ref)
        self.about(chat_id=state.chat.id)
        self.reply_chat(
            await self.gate.domain.chat_views.of_state(state, self.identity, with_participants=True)
        )


class ChatHandler(OneChatHandler):
    async def get(self, chat_id: str) -> None:
        query = await self.begin("GET /chats/:id", _reference(chat_id))
        self.reply_chat(await self.gate.domain.chat_views.of_chat(self.identity, query.chat_id))

    async def patch(self, chat_id: str) -> None:
        reference = path_id(chat_id)
        self.about(chat_id=reference)
        payload = await self.begin("PATCH /chats/:id", parse(UpdateChat, await self.body_json()))
        given = payload.model_fields_set
        state = await self.gate.domain.chats.update(
            self.identity,
            reference,
            title=payload.title if "title" in given else UNSET,
            metadata=payload.metadata if "metadata" in given else UNSET,
            external_ref=payload.external_ref if "external_ref" in given else UNSET,
        )
        self.reply_chat(
            await self.gate.domain.chat_views.of_state(state, self.identity, with_participants=True)
        )

    async def delete(self, chat_id: str) -> None:
        query = await self.begin("DELETE /chats/:id", _reference(chat_id))
        await self.gate.domain.chats.delete(self.identity, query.chat_id)
        self.answer(answers.chat_reference(query.chat_id))


class ParticipantsHandler(ApiHandler):
    async def get(self, chat_id: str) -> None:
        asked = parse_fields(
            ChatParticipants,
            chat_id=path_id(chat_id),
            cursor=self.query_int("cursor", default=0, low=0),
        )
        query = await self.begin("GET /chats/:id/participants", asked)
        state = await self.gate.domain.states.require(query.chat_id, self.identity)
        budget = Budget(self.gate.answer_bytes)
        found, following = await self.gate.domain.chat_views.participants_page(
            state, query.cursor, budget
        )
        self.gate.domain.states.check(state, self.identity)
        next_cursor = None if following is None else str(following)
        self.answer(answers.page_of_participants(found, next_cursor))

    async def post(self, chat_id: str) -> None:
        """Add participants; the answer has all that were named, whether new or not."""
        reference = path_id(chat_id)
        self.about(chat_id=reference)
        payload = await self.begin(
            "POST /chats/:id/participants", parse(AddParticipants, await self.body_json())
        )
        added = await self.gate.domain.participants.add(
            self.identity, reference, payload.user_ids, Role(payload.role)
        )
        people = self.gate.domain.people
        named = ((each, people.known(each.key)) for each in added)
        self.answer(answers.added_participants(named), 201)


class ParticipantHandler(ApiHandler):
    async def patch(self, chat_id: str, user_id: str) -> None:
        asked = _participant(chat_id, user_id)
        self.about(**objects_of(asked))
        wanted = parse(UpdateParticipant, await self.body_json())
        payload = await self.begin("PATCH /chats/:id/participants/:userId", wanted)
        changed = await self.gate.domain.participants.set_role(
            self.identity, asked.chat_id, asked.user_id, Role(payload.role)
        )
        user = self.gate.domain.people.known(changed.key)
        self.answer(answers.one_participant(changed, user))

    async def delete(self, chat_id: str, user_id: str) -> None:
        """Remove a participant; after the answer, that user gets nothing more of the chat."""
        asked = _participant(chat_id, user_id)
        query = await self.begin("DELETE /chats/:id/participants/:userId", asked)
        await self.gate.domain.participants.remove(self.identity, query.chat_id, query.user_id)
        self.answer(answers.participant_reference(query.chat_id, query.user_id))


class LeaveHandler(ApiHandler):
    async def post(self, chat_id: str) -> None:
        query = await self.begin("POST /chats/:id/leave", _reference(chat_id))
        await self.gate.domain.participants.leave(self.identity, query.chat_id)
        self.answer(answers.participant_reference(query.chat_id, self.identity.user_id))


class ReadHandler(ApiHandler):
    async def post(self, chat_id: str) -> None:
        reference = path_id(chat_id)
        payload = await self.begin(Event.MARK_AS_READ, parse(MarkRead, await self.body_json()))
        mine, unread = await self.gate.domain.reads.mark_read(
            self.identity, reference, payload.message_id
        )
        self.answer(acks.marked_read(reference, mine.last_read_message_id, unread))


class ReadsHandler(ApiHandler):
    async def get(self, chat_id: str) -> None:
        query = await self.begin("GET /chats/:id/reads", _reference(chat_id))
        state = await self.gate.domain.states.require(query.chat_id, self.identity)
        cursors = self.gate.domain.reads.cursors(state)
        self.answer(answers.reads(cursors))


class UnreadHandler(ApiHandler):
    async def get(self) -> None:
        query = Overview(limit=MAX_PAGE, cursor=None)
        await self.begin("GET /me/unread", query)
        budget = Budget(self.gate.answer_bytes)
        unread = await self.gate.domain.unread.of_user(self.identity, budget)
        self.answer(answers.unread_chats(unread))


class SyncHandler(ApiHandler):
    async def get(self, chat_id: str) -> None:
        """List what changed in a chat after `?since`, as the event `sync` does."""
        reference = path_id(chat_id)
        asked = parse_fields(
            CatchUpWithChat,
            chat_id=reference,
            since=self.query_int("since", low=0),
            epoch=self.get_query_argument("epoch", None),
            limit=self.query_limit(),
        )
        query = await self.begin("GET /chats/:id/sync", asked)
        cursor = Cursor(query.since, query.epoch)
        self.gate.domain.pace.take_page(self.identity)
        catch_up = self.gate.domain.catch_up
        page = await catch_up.page(self.identity, reference, cursor, query.limit)
        self.answer(answers.caught_up(page, catch_up.epoch))


class SyncAllHandler(ApiHandler):
    async def post(self) -> None:
        """Answer like the event `sync`."""
        payload = await self.begin(Event.SYNC, parse(Sync, await self.body_json()))
        catch_up = self.gate.domain.catch_up
        cursors = sync_cursors(payload)
        answer = await catch_up.answer(self.identity, cursors, payload.epoch, payload.limit)
        self.answer(acks.synced(answer))


def _reference(chat_id: str) -> ChatReference:
    return parse_fields(ChatReference, chat_id=path_id(chat_id))


def _participant(chat_id: str, user_id: str) -> ParticipantReference:
    return ParticipantReference(chat_id=path_id(chat_id), user_id=path_user_id(user_id))


def _to_cursor(place: tuple[str, int] | None) -> str | None:
    return None if place is None else base64.urlsafe_b64encode(orjson.dumps(place)).decode()
