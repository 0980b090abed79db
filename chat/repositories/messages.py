"""The collection `messages`."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import structlog
from motor.motor_asyncio import AsyncIOMotorDatabase
from pymongo import ASCENDING, IndexModel
from pymongo.errors import BulkWriteError

from chat.entities import Message, Revision
from chat.errors import ChatError, OutcomeUnknownError, StoreUnavailableError
from chat.identity import UserId
from chat.ports import Conflict
from chat.repositories.border import DUPLICATE_KEY, is_outage, reading
from chat.repositories.documents import Document, message_from_document, message_to_document
from chat.repositories.guard import Guard
from chat.repositories.revisions import MongoRevisions
from chat.repositories.wipes import Wipes

_BRIEF: Final = dict.fromkeys(
    ("message", "metadata", "replyTo", "replyToId", "bodyDigest", "system"), 0
)
_log = structlog.get_logger("chat.store")

INDEXES: Final = (
    IndexModel([("chatId", ASCENDING), ("seq", ASCENDING)], unique=True, name="chat_seq"),
    IndexModel(
        [("chatId", ASCENDING), ("updatedSeq", ASCENDING)], unique=True, name="chat_updated_seq"
    ),
    IndexModel(
        [("chatId", ASCENDING), ("senderId", ASCENDING), ("clientMessageId", ASCENDING)],
        unique=True,
        name="client_message_id",
        # A comparison, since the embedded store understands no `$exists` in a partial index.
        partialFilterExpression={"clientMessageId": {"$gt": ""}},
    ),
    IndexModel(
        [("chatId", ASCENDING), ("replyToId", ASCENDING)],
        name="chat_reply_to",
        partialFilterExpression={"replyToId": {"$gt": 0}},
    ),
)


class MongoMessages:
    def __init__(
        self,
        database: AsyncIOMotorDatabase[Document],
        guard: Guard,
        revisions: MongoRevisions,
        wipes: Wipes,
    ) -> None:
        self._guard = guard
        self._messages = database.messages
        self._revisions = revisions
        self._wipes = wipes

    async def ensure_indexes(self) -> None:
        await self._messages.create_indexes(list(INDEXES))

    async def insert(self, messages: Sequence[Message]) -> dict[int, Conflict]:
        """Insert with one unordered insert_many (ordered is half as fast on the embedded store).

        Driver CPU per message: 213-308 us singly, 59 us in a batch of 8, 27 us in one of 16.
        """
        documents = [message_to_document(message) for message in messages]
        async with self._guard:
            try:
                await self._messages.insert_many(documents, ordered=False)
            except BulkWriteError as error:
                if is_outage(error):
                    raise
                return {each["index"]: _conflict(each) for each in error.details["writeErrors"]}
        return {}

    async def find(self, message_id: int) -> Message | None:
        with reading():
            document = await self._messages.find_one({"_id": message_id})  # index _id
        return message_from_document(document) if document else None

    async def find_by_client_message_id(
        self, chat_id: int, sender_id: UserId, client_message_id: str
    ) -> Message | None:
        query = {"chatId": chat_id, "senderId": sender_id, "clientMessageId": client_message_id}
        with reading():
            document = await self._messages.find_one(query)  # index client_message_id
        return message_from_document(document) if document else None

    async def window(self, chat_id: int, low: int, high: int) -> list[Message]:
        query = {"chatId": chat_id, "seq": {"$gte": low, "$lt": high}}
        with reading():
            documents = await self._messages.find(query).to_list(None)  # index chat_seq
        # Sorted here: the embedded store's indexes do not sort, and a window is small.
        documents.sort(key=lambda each: each["seq"])
        return [message_from_document(each) for each in documents]

    async def brief_window(self, chat_id: int, low: int, high: int) -> list[Message]:
        query = {"chatId": chat_id, "seq": {"$gte": low, "$lt": high}}
        with reading():  # index chat_seq
            documents = await self._messages.find(query, _BRIEF).to_list(None)
        documents.sort(key=lambda each: each["seq"])
        return [message_from_document({**each, "message": ""}) for each in documents]

    async def changed(self, chat_id: int, low: int, high: int) -> list[Message]:
        query = {"chatId": chat_id, "updatedSeq": {"$gte": low, "$lt": high}}
        with reading():
            documents = await self._messages.find(query).to_list(None)  # index chat_updated_seq
        documents.sort(key=lambda each: each["updatedSeq"])
        return [message_from_document(each) for each in documents]

    async def last_updated_seq(self, chat_id: int, low: int, high: int) -> int:
        query = {"chatId": chat_id, "updatedSeq": {"$gte": low, "$lt": high}}
        with reading():
            cursor = self._messages.find(query, {"updatedSeq": 1})  # index chat_updated_seq
            documents = await cursor.to_list(None)
        return max((each["updatedSeq"] for each in documents), default=0)

    async def update(self, message: Message, *, seen: Message) -> bool:
        query = {"_id": message.id, "revision": seen.revision}
        if message.deleted_at is not None:
            return await self._delete(query, message)
        await self._revisions.keep(seen)
        async with self._guard:  # index _id
            done = await self._messages.update_one(query, _edit(message))
        if not done.matched_count:
            return await self._is_stored(message)
        try:
            await self._revisions.prune(message)
        except ChatError as error:
            # The edit is stored; the next edit prunes the texts.
            _log.info("revisions_not_pruned", message_id=message.id, code=error.code.value)
        return True

    async def revisions(self, message: Message) -> list[Revision]:
        return [] if message.deleted_at is not None else await self._revisions.of(message)

    async def wipe(self, chat_id: int, message_id: int) -> None:
        await self._revisions.wipe_message(chat_id, message_id)
        query = {"chatId": chat_id, "replyToId": message_id}
        async with self._guard:  # index chat_reply_to
            await self._messages.update_many(query, {"$set": {"replyTo.message": ""}})
        await self._wipes.done("message", message_id)

    async def finish_wipes(self) -> None:
        """Wipe what belongs to messages that were deleted right before the server was killed."""
        for message_id in await self._wipes.begun("message"):
            message = await self.find(message_id)
            if message is not None and message.deleted_at is not None:
                await self.wipe(message.chat_id, message_id)
            else:
                await self._wipes.done("message", message_id)

    async def _delete(self, query: Document, message: Message) -> bool:
        await self._wipes.begin("message", message.id)
        async with self._guard:  # index _id
            # The whole document is replaced, so that nothing of the text stays.
            done = await self._messages.replace_one(query, message_to_document(message))
        if not done.matched_count and not await self._is_stored(message):
            await self._wipes.done("message", message.id)
            return False
        try:
            await self.wipe(message.chat_id, message.id)
        except StoreUnavailableError as error:
            # The tombstone is stored: an error that denied it would leave its number to others.
            raise OutcomeUnknownError from error
        return True

    async def _is_stored(self, message: Message) -> bool:
        """Whether this very update is already stored, and only the first answer was lost."""
        stored = await self.find(message.id)
        return stored is not None and stored.updated_seq == message.updated_seq


def _edit(message: Message) -> Document:
    fields = ("message", "revision", "updatedSeq", "updatedAt", "editedAt")
    document = message_to_document(message)
    changed = {field: document[field] for field in fields}
    if message.body_digest is not None:
        changed["bodyDigest"] = message.body_digest
    return {"$set": changed}


def _conflict(error: Mapping[str, Any]) -> Conflict:
    """Which index refused a document of an insert."""
    if error.get("code") != DUPLICATE_KEY:
        raise RuntimeError(f"insert refused with code {error.get('code')}")
    keys = set(error.get("keyPattern") or ())
    if "clientMessageId" in keys:
        return Conflict.CLIENT_MESSAGE_ID
    return Conflict.SEQUENCE if keys & {"seq", "updatedSeq"} else Conflict.ID
