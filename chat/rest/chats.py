"""/chats: make, find, change and delete chats; their participants; read cursors."""

import base64
import binascii

import orjson
from pydantic import BaseModel

from chat.contracts.base import MAX_PAGE, WireModel, parse
from chat.contracts.client_events import (
    ChatReference,
    Event,
    JoinChat,
    Sync,
    sync_cursors,
)
from chat.contracts.models import ChatModel, ParticipantModel, participant_to_wire
from chat.contracts.rest import (
    AddParticipants,
    CreateChat,
    ExternalRef,
    MarkRead,
    UpdateChat,
    UpdateParticipant,
)
from chat.entities import ChatType, Participant, Role
from chat.errors import ChatError, ErrorCode
from chat.rest.base import ApiHandler
from chat.rest.paths import path_id, path_user_id
from chat.services.audit import objects_of
from chat.services.budget import Budget
from chat.services.catch_up import Cursor
from chat.services.chats import UNSET
from chat.services.existing_chats import NewChat


class FindByRef(WireModel):
    """`?externalRef=` of `GET /chats`."""

    external_ref: ExternalRef


class Overview(BaseModel):
    """The query of `GET /chats`, as plugins see it."""

    limit: int
    cursor: tuple[str, int] | None
    external_ref: str | None = None


class Seat(BaseModel):
    """A participant of a chat in a path, as plugins see it."""

    chat_id: int
    user_id: int | str


class SeatsQuery(ChatReference):
    """The query of `GET /chats/:id/participants`, as plugins see it."""

    cursor: int


class OneChatHandler(ApiHandler):
    """Base: answers one chat with as many of its participants as fit."""

    def reply_chat(self, wire: ChatModel, status: int = 200) -> None:
        people = wire["participants"]
        self.reply({**wire, "participants": Budget(self.gate.answer_bytes).fit(people)}, status)


class ChatsHandler(OneChatHandler):
    async def post(self) -> None:
        """201 with the new chat; 200 with the one there is for the same pair or externalRef;
        CONFLICT where that one is not what was asked for.
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
        wire = await self.gate.domain.chats.describe(state, self.identity, with_people=True)
        self.reply_chat(wire, 201 if created else 200)

    async def get(self) -> None:
        """The caller's chats, the last changed first; or the one with that externalRef."""
        query = Overview(
            limit=self.query_limit(), cursor=self._cursor(), external_ref=self._external_ref()
        )
        query = await self.begin("GET /chats", query)
        if query.external_ref is not None:
            chat = await self.gate.domain.chats.of_ref(self.identity, query.external_ref)
            self.about(chat_ids=[each["id"] for each in chat])
            self.reply(chat, page={"nextCursor": None})
            return
        pace = self.gate.domain.pace
        pace.take_page(self.identity)
        found, following = await self.gate.domain.chat_lists.overview(
            self.identity,
            limit=query.limit,
            cursor=query.cursor,
            budget=Budget(self.gate.answer_bytes),
        )
        pace.made_page(self.identity, len(found))
        self.reply(found, page={"nextCursor": _to_cursor(following)})

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
        # Blanks around it belong to it.
        text = self.get_query_argument("externalRef", None, strip=False)
        return None if text is None else parse(FindByRef, {"externalRef": text}).external_ref


class ChatHandler(OneChatHandler):
    async def get(self, chat_id: str) -> None:
        query = await self.begin("GET /chats/:id", _reference(chat_id))
        self.reply_chat(await self.gate.domain.chats.view(self.identity, query.chat_id))

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
        wire = await self.gate.domain.chats.describe(state, self.identity, with_people=True)
        self.reply_chat(wire)

    async def delete(self, chat_id: str) -> None:
        query = await self.begin("DELETE /chats/:id", _reference(chat_id))
        await self.gate.domain.chats.delete(self.identity, query.chat_id)
        self.reply({"chatId": query.chat_id})


class ParticipantsHandler(ApiHandler):
    async def get(self, chat_id: str) -> None:
        asked = {"chatId": path_id(chat_id), "cursor": self.query_int("cursor", default=0)}
        query = await self.begin("GET /chats/:id/participants", parse(SeatsQuery, asked))
        state = await self.gate.domain.states.require(query.chat_id, self.identity)
        budget = Budget(self.gate.answer_bytes)
        found, following = await self.gate.domain.chat_lists.people_page(
            state, query.cursor, budget
        )
        self.gate.domain.states.check(state, self.identity)
        self.reply(found, page={"nextCursor": None if following is None else str(following)})

    async def post(self, chat_id: str) -> None:
        """The seats of those named, whether they are new or were there."""
        reference = path_id(chat_id)
        self.about(chat_id=reference)
        payload = await self.begin(
            "POST /chats/:id/participants", parse(AddParticipants, await self.body_json())
        )
        seats = await self.gate.domain.participants.add(
            self.identity, reference, payload.user_ids, Role(payload.role)
        )
        self.reply([self._wire(each) for each in seats], 201)

    def _wire(self, seat: Participant) -> ParticipantModel:
        return participant_to_wire(seat, self.gate.domain.people.known(seat.user_id))


class ParticipantHandler(ApiHandler):
    async def patch(self, chat_id: str, user_id: str) -> None:
        seat = _seat(chat_id, user_id)
        self.about(**objects_of(seat))
        wanted = parse(UpdateParticipant, await self.body_json())
        payload = await self.begin("PATCH /chats/:id/participants/:userId", wanted)
        changed = await self.gate.domain.participants.set_role(
            self.identity, seat.chat_id, seat.user_id, Role(payload.role)
        )
        self.reply(participant_to_wire(changed, self.gate.domain.people.known(changed.user_id)))

    async def delete(self, chat_id: str, user_id: str) -> None:
        """When this answers, nothing of the chat reaches that user any more."""
        seat = await self.begin("DELETE /chats/:id/participants/:userId", _seat(chat_id, user_id))
        await self.gate.domain.participants.remove(self.identity, seat.chat_id, seat.user_id)
        self.reply({"chatId": seat.chat_id, "participantId": seat.user_id})


class LeaveHandler(ApiHandler):
    async def post(self, chat_id: str) -> None:
        query = await self.begin("POST /chats/:id/leave", _reference(chat_id))
        await self.gate.domain.participants.leave(self.identity, query.chat_id)
        self.reply({"chatId": query.chat_id, "participantId": self.identity.user_id})


class ReadHandler(ApiHandler):
    async def post(self, chat_id: str) -> None:
        reference = path_id(chat_id)
        payload = await self.begin(Event.MARK_AS_READ, parse(MarkRead, await self.body_json()))
        mine, unread = await self.gate.domain.reads.mark_read(
            self.identity, reference, payload.message_id
        )
        self.reply(
            {
                "chatId": reference,
                "lastReadMessageId": mine.last_read_message_id,
                "unreadCount": unread,
            }
        )


class ReadsHandler(ApiHandler):
    async def get(self, chat_id: str) -> None:
        query = await self.begin("GET /chats/:id/reads", _reference(chat_id))
        state = await self.gate.domain.states.require(query.chat_id, self.identity)
        self.reply(self.gate.domain.reads.cursors(state))


class UnreadHandler(ApiHandler):
    async def get(self) -> None:
        query = Overview(limit=MAX_PAGE, cursor=None)
        await self.begin("GET /me/unread", query)
        budget = Budget(self.gate.answer_bytes)
        self.reply(await self.gate.domain.unread.of_user(self.identity, budget))


class SyncHandler(ApiHandler):
    async def get(self, chat_id: str) -> None:
        """What changed in a chat after `?since`, as the event `sync` answers it."""
        reference = path_id(chat_id)
        asked = {
            "chatId": reference,
            "since": self.query_int("since", low=0),
            "epoch": self.get_query_argument("epoch", None),
            "limit": self.query_limit(),
        }
        query = await self.begin("GET /chats/:id/sync", parse(JoinChat, asked))
        cursor = Cursor(query.since, query.epoch)
        self.gate.domain.pace.take_page(self.identity)
        catch_up = self.gate.domain.catch_up
        page = await catch_up.page(self.identity, reference, cursor, query.limit)
        self.reply(page | {"epoch": catch_up.epoch})


class SyncAllHandler(ApiHandler):
    async def post(self) -> None:
        """The event `sync` over HTTP."""
        payload = await self.begin(Event.SYNC, parse(Sync, await self.body_json()))
        catch_up = self.gate.domain.catch_up
        cursors = sync_cursors(payload)
        self.reply(await catch_up.answer(self.identity, cursors, payload.epoch, payload.limit))


def _reference(chat_id: str) -> ChatReference:
    return parse(ChatReference, {"chatId": path_id(chat_id)})


def _seat(chat_id: str, user_id: str) -> Seat:
    return Seat(chat_id=path_id(chat_id), user_id=path_user_id(user_id))


def _to_cursor(place: tuple[str, int] | None) -> str | None:
    return None if place is None else base64.urlsafe_b64encode(orjson.dumps(place)).decode()
