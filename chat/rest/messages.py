"""/chat-messages: send, read, edit and delete."""

from typing import Any

from chat.contracts import answers
from chat.contracts.base import parse, parse_fields
from chat.contracts.client_events import Event, MessageReference
from chat.contracts.models import revision_to_wire
from chat.contracts.queries import HistoryQuery, MessagesQuery
from chat.contracts.rest import CreateMessage, QueryName, UpdateMessage
from chat.errors import ChatError, ErrorCode, invalid_field
from chat.hooks.events import MessageDraft
from chat.rest.base import ApiHandler
from chat.rest.paths import path_id
from chat.services.budget import Budget


class MessageHistory(HistoryQuery, MessageReference):
    """The path and query of `GET /chat-messages/:id/history`, as plugins see it."""


class MessagesHandler(ApiHandler):
    async def post(self) -> None:
        """Send a message: 201, or 200 if it repeats a stored message."""
        wanted = parse(CreateMessage, await self._body_with_key())
        payload = await self.begin(Event.SEND_MESSAGE, wanted)
        draft = MessageDraft(
            chat_id=payload.chat_id,
            tenant=self.identity.tenant,
            sender_id=self.identity.user_id,
            sender_type=self.identity.type,
            content=payload.content,
            client_message_id=payload.client_message_id,
            reply_to_id=payload.reply_to_id,
            metadata=payload.metadata,
        )
        sent = await self.gate.domain.messages.send(self.identity, draft)
        status = 200 if sent.duplicate else 201
        self.answer(answers.sent_message(sent.message, sent.duplicate), status)

    async def get(self) -> None:
        """Read a page, oldest first, at one of the message ids `before`, `after`, `around`."""
        chat_id = self.query_int(QueryName.CHAT_ID)
        if chat_id is None:
            raise invalid_field(QueryName.CHAT_ID, "is needed")
        query = parse_fields(
            MessagesQuery,
            chat_id=chat_id,
            limit=self.query_limit(),
            before=self.query_int("before"),
            after=self.query_int("after"),
            around=self.query_int("around"),
        )
        cursors = (query.before, query.after, query.around)
        if sum(cursor is not None for cursor in cursors) > 1:
            raise ChatError(ErrorCode.VALIDATION_ERROR, "give one of before, after and around")
        query = await self.begin("GET /chat-messages", query)
        page = await self.gate.domain.message_pages.page(
            self.identity,
            query.chat_id,
            limit=query.limit,
            before=query.before,
            after=query.after,
            around=query.around,
        )
        self.answer(
            answers.page_of_messages(
                page.encoded,
                page.messages,
                has_before=page.has_before,
                has_after=page.has_after,
                seq=page.seq,
            )
        )

    async def _body_with_key(self) -> Any:
        body = await self.body_json()
        key = self.request.headers.get("Idempotency-Key")
        return body if key is None else CreateMessage.with_key(body, key)


class MessageHandler(ApiHandler):
    async def get(self, message_id: str) -> None:
        query = await self.begin("GET /chat-messages/:id", _reference(message_id))
        message, _ = await self.gate.domain.message_pages.find(self.identity, query.message_id)
        self.about(chat_id=message.chat_id)
        self.answer(answers.one_message(message))

    async def patch(self, message_id: str) -> None:
        reference = path_id(message_id)
        self.about(message_id=reference)
        payload = await self.begin(Event.EDIT_MESSAGE, parse(UpdateMessage, await self.body_json()))
        message = await self.gate.domain.revisions.edit(
            self.identity, reference, payload.content, payload.expected_revision
        )
        self.about(chat_id=message.chat_id, sender_id=message.sender_id)
        self.answer(answers.one_message(message))

    async def put(self, message_id: str) -> None:
        """Do the same as PATCH, for back ends that edit with PUT."""
        await self.patch(message_id)

    async def delete(self, message_id: str) -> None:
        reference = await self.begin(Event.DELETE_MESSAGE, _reference(message_id))
        message = await self.gate.domain.revisions.delete(self.identity, reference.message_id)
        self.about(chat_id=message.chat_id, sender_id=message.sender_id)
        self.answer(answers.one_message(message))


class HistoryHandler(ApiHandler):
    async def get(self, message_id: str) -> None:
        """List the earlier texts of a message, oldest first; `before` is a revision's number."""
        asked = parse_fields(
            MessageHistory,
            message_id=path_id(message_id),
            limit=self.query_limit(),
            before=self.query_int("before"),
        )
        query = await self.begin("GET /chat-messages/:id/history", asked)
        if self.identity.is_privileged:
            message, _ = await self.gate.domain.message_pages.find(self.identity, query.message_id)
            self.about(chat_id=message.chat_id)
        found, has_before = await self.gate.domain.revisions.history(
            self.identity, query.message_id, before=query.before, limit=query.limit
        )
        encoded = Budget(self.gate.answer_bytes).fit(
            revision_to_wire(each) for each in reversed(found)
        )
        kept = found[len(found) - len(encoded) :]
        self.answer(
            answers.page_of_revisions(
                encoded[::-1],
                has_before=has_before or len(kept) < len(found),
                oldest_revision=kept[0].revision if kept else None,
            )
        )


def _reference(message_id: str) -> MessageReference:
    return parse_fields(MessageReference, message_id=path_id(message_id))
