"""The collection `messages`."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from motor.motor_asyncio import AsyncIOMotorDatabase
from pymongo import ASCENDING, IndexModel
from pymongo.errors import BulkWriteError

from chat.entities import Message, Revision
from chat.identity import UserId
from chat.ports import Conflict
from chat.repositories.border import DUPLICATE_KEY, is_outage, reading
from chat.repositories.documents import Document, message_from_document, message_to_document
from chat.repositories.guard import Guard

MAX_REVISIONS: Final = 50

INDEXES: Final = (
    IndexModel([("chatId", ASCENDING), ("seq", ASCENDING)], unique=True, name="chat_seq"),
    IndexModel(
        [("chatId", ASCENDING), ("updatedSeq", ASCENDING)], unique=True, name="chat_updated_seq"
    ),
    IndexModel(
        [("chatId", ASCENDING), ("senderId", ASCENDING), ("clientMessageId", ASCENDING)],
        unique=True,
        name="client_message_id",
        # `$exists` is not understood by the embedded store in a partial index, a comparison is by
        # both.
        partialFilterExpression={"clientMessageId": {"$gt": ""}},
    ),
    IndexModel(
        [("chatId", ASCENDING), ("replyToId", ASCENDING)],
        name="chat_reply_to",
        partialFilterExpression={"replyToId": {"$gt": 0}},
    ),
)


class MongoMessages:
    def __init__(self, database: AsyncIOMotorDatabase[Document], guard: Guard) -> None:
        self._guard = guard
        self._messages = database.messages

    async def ensure_indexes(self) -> None:
        await self._messages.create_indexes(list(INDEXES))

    async def insert(self, messages: Sequence[Message]) -> dict[int, Conflict]:
        """One unordered insert_many (ordered is half as fast on the embedded store).

        Driver CPU per message: 213-308 us alone, 59 us in a batch of 8, 27 us in one of 16.
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
        async with self._guard:  # index _id
            if message.deleted_at is not None:
                # Replaced whole: nothing of the text stays, its earlier revisions included.
                document = message_to_document(message)
                matched = (await self._messages.replace_one(query, document)).matched_count
            else:
                change = _edit(message, seen)
                matched = (await self._messages.update_one(query, change)).matched_count
        if matched:
            return True
        stored = await self.find(message.id)
        return stored is not None and stored.updated_seq == message.updated_seq

    async def revisions(self, message_id: int) -> list[Revision]:
        with reading():  # index _id
            document = await self._messages.find_one({"_id": message_id}, {"revisions": 1})
        earlier = (document or {}).get("revisions", ())
        return [Revision(each["revision"], each["message"], each["at"]) for each in earlier]

    async def wipe_previews(self, chat_id: int, message_id: int) -> None:
        query = {"chatId": chat_id, "replyToId": message_id}
        async with self._guard:  # index chat_reply_to
            await self._messages.update_many(query, {"$set": {"replyTo.message": ""}})


def _edit(message: Message, seen: Message) -> Document:
    fields = ("message", "revision", "updatedSeq", "updatedAt", "editedAt")
    document = message_to_document(message)
    earlier = {"revision": seen.revision, "message": seen.message, "at": seen.updated_at}
    changed = {field: document[field] for field in fields}
    if message.body_digest is not None:
        changed["bodyDigest"] = message.body_digest
    return {
        "$set": changed,
        "$push": {"revisions": {"$each": [earlier], "$slice": -MAX_REVISIONS}},
    }


def _conflict(error: Mapping[str, Any]) -> Conflict:
    """Which index refused a document of an insert."""
    if error.get("code") != DUPLICATE_KEY:
        raise RuntimeError(f"insert refused with code {error.get('code')}")
    keys = set(error.get("keyPattern") or ())
    if "clientMessageId" in keys:
        return Conflict.CLIENT_MESSAGE_ID
    return Conflict.SEQUENCE if keys & {"seq", "updatedSeq"} else Conflict.ID
