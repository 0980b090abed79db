"""The collection `revisions`: the earlier texts of messages, a document each.

They are not in the message's own document, so that a page of messages never reads them. An edit
stores the earlier text before the new one. A server killed in between leaves a revision with the
number of the message's present text. It is not shown, and the next edit overwrites it.
"""

from typing import Final

from motor.motor_asyncio import AsyncIOMotorDatabase
from pymongo import ASCENDING, IndexModel, ReplaceOne

from chat.entities import Message, Revision
from chat.repositories.border import reading
from chat.repositories.documents import (
    Document,
    revision_from_document,
    revision_to_document,
)
from chat.repositories.guard import Guard

MAX_REVISIONS: Final = 50
MAX_REVISION_BYTES: Final = 256_000
"""The bound for all earlier texts of a message; the latest is kept whatever its size."""

DELETED_AT_ONCE: Final = 500
INDEXES: Final = (
    IndexModel([("chatId", ASCENDING), ("messageId", ASCENDING)], name="chat_message"),
)


class MongoRevisions:
    def __init__(self, database: AsyncIOMotorDatabase[Document], guard: Guard) -> None:
        self._guard = guard
        self._revisions = database.revisions
        self._messages = database.messages

    async def ensure_indexes(self) -> None:
        await self._revisions.create_indexes(list(INDEXES))

    async def keep(self, seen: Message) -> None:
        """Store the present text of a message that is about to be edited; safe to repeat."""
        earlier = Revision(seen.revision, seen.message, seen.updated_at)
        document = revision_to_document(seen.chat_id, seen.id, earlier)
        key = {"_id": document["_id"]}
        async with self._guard:  # index _id
            await self._revisions.replace_one(key, document, upsert=True)

    async def of(self, message: Message) -> list[Revision]:
        """Return the earlier texts that are kept, the oldest first."""
        kept, _ = await self._bounds(message.chat_id, message.id, message.revision)
        with reading():  # index _id
            documents = await self._revisions.find({"_id": {"$in": kept}}).to_list(None)
        return sorted(map(revision_from_document, documents), key=lambda each: each.revision)

    async def prune(self, message: Message) -> None:
        """Delete the earlier texts beyond the bounds."""
        _, beyond = await self._bounds(message.chat_id, message.id, message.revision)
        if beyond:
            async with self._guard:  # index _id
                await self._revisions.delete_many({"_id": {"$in": beyond}})

    async def wipe_message(self, chat_id: int, message_id: int) -> None:
        async with self._guard:  # index chat_message
            await self._revisions.delete_many({"chatId": chat_id, "messageId": message_id})

    async def wipe_chat(self, chat_id: int) -> None:
        """Delete in parts: one write might not have the time to delete all revisions of a chat."""
        with reading():  # index chat_message
            found = await self._revisions.find({"chatId": chat_id}, {"_id": 1}).to_list(None)
        ids = [each["_id"] for each in found]
        for start in range(0, len(ids), DELETED_AT_ONCE):
            async with self._guard:  # index _id
                await self._revisions.delete_many(
                    {"_id": {"$in": ids[start : start + DELETED_AT_ONCE]}}
                )

    async def move_out(self, message_id: int) -> None:
        """Move the earlier texts that version 1 kept in a message's own document; safe to repeat.

        Stores them in `revisions` before it removes them from the message.
        """
        fields = {"chatId": 1, "revisions": 1}
        with reading():  # index _id
            found = await self._messages.find_one({"_id": message_id}, fields)
        if found is None:
            return
        documents = [
            revision_to_document(
                found["chatId"], message_id, Revision(each["revision"], each["message"], each["at"])
            )
            for each in _within_bounds(found.get("revisions") or [])
        ]
        if documents:
            writes = [ReplaceOne({"_id": each["_id"]}, each, upsert=True) for each in documents]
            async with self._guard:  # index _id
                await self._revisions.bulk_write(writes, ordered=False)
        async with self._guard:  # index _id
            await self._messages.update_one({"_id": message_id}, {"$unset": {"revisions": ""}})

    async def _bounds(
        self, chat_id: int, message_id: int, before: int
    ) -> tuple[list[str], list[str]]:
        """Return the ids of the revisions below `before`: those in the bounds, and the others."""
        query = {"chatId": chat_id, "messageId": message_id}
        with reading():  # index chat_message
            cursor = self._revisions.find(query, {"revision": 1, "bytes": 1})
            found = [each for each in await cursor.to_list(None) if each["revision"] < before]
        kept: list[str] = []
        left = MAX_REVISION_BYTES
        found.sort(key=lambda each: each["revision"], reverse=True)
        for each in found[:MAX_REVISIONS]:
            left -= each["bytes"]
            if left < 0 and kept:
                break
            kept.append(each["_id"])
        return kept, [each["_id"] for each in found[len(kept) :]]


def _within_bounds(earlier: list[Document]) -> list[Document]:
    """Return the latest revisions of a document of version 1 that are within the bounds."""
    kept: list[Document] = []
    left = MAX_REVISION_BYTES
    for each in reversed(earlier[-MAX_REVISIONS:]):
        left -= len(each["message"].encode())
        if left < 0 and kept:
            break
        kept.append(each)
    return kept
