"""The collections `chats` and `participants`."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from motor.motor_asyncio import AsyncIOMotorDatabase
from pymongo import ASCENDING, IndexModel, UpdateOne
from pymongo.errors import DuplicateKeyError

from chat.entities import Chat, Message, Participant
from chat.identity import UserId, UserKey, tenant_of, user_id_of
from chat.repositories.border import reading
from chat.repositories.documents import (
    Document,
    chat_from_document,
    chat_settings,
    chat_to_document,
    external_ref_fields,
    message_from_document,
    message_to_document,
    participant_from_document,
    participant_id,
    participant_to_document,
)
from chat.repositories.guard import Guard
from chat.repositories.revisions import MongoRevisions
from chat.repositories.wipes import Wipes

# A query by one of the fields has to name the tenant as well: SecantusDB 0.7.0b3 searches
# the partial index for the field only, and finds nothing.
CHAT_INDEXES: Final = tuple(
    IndexModel(
        [("tenant", ASCENDING), (field, ASCENDING)],
        unique=True,
        name=name,
        partialFilterExpression={field: {"$gt": ""}},
    )
    for field, name in (("directKey", "tenant_direct_key"), ("externalRef", "tenant_external_ref"))
)
PARTICIPANT_INDEXES: Final = (
    IndexModel(
        [("chatId", ASCENDING), ("updatedSeq", ASCENDING)], unique=True, name="chat_updated_seq"
    ),
    IndexModel([("tenant", ASCENDING), ("userId", ASCENDING)], name="tenant_user"),
)

INSERTED_AT_ONCE: Final = 100
"""The most participants of one insert, which takes the embedded store about 10 ms."""


class MongoChats:
    def __init__(
        self,
        database: AsyncIOMotorDatabase[Document],
        guard: Guard,
        revisions: MongoRevisions,
        wipes: Wipes,
    ) -> None:
        self._guard = guard
        self._revisions = revisions
        self._wipes = wipes
        self._chats = database.chats
        self._participants = database.participants
        # Held while one part of one chat is inserted, so that messages wait for one part at most.
        self._inserting = asyncio.Lock()

    async def ensure_indexes(self) -> None:
        await self._chats.create_indexes(list(CHAT_INDEXES))
        await self._participants.create_indexes(list(PARTICIPANT_INDEXES))

    async def insert(
        self, chat: Chat, participants: Sequence[Participant], direct_key: str | None
    ) -> bool:
        """Insert the participants first, then the chat.

        A chat is then never seen without its participants; participants without a chat do no harm.
        """
        async with self._guard:
            if participants:
                documents = [participant_to_document(each) for each in participants]
                # Inserted in parts, so that other writes can pass in between.
                for start in range(0, len(documents), INSERTED_AT_ONCE):
                    some = documents[start : start + INSERTED_AT_ONCE]
                    async with self._inserting:
                        await self._participants.insert_many(some)
            try:
                await self._chats.insert_one(chat_to_document(chat, direct_key))
            except DuplicateKeyError:
                await self._participants.delete_many({"chatId": chat.id})  # index chat_updated_seq
                return False
        return True

    async def find(self, chat_id: int) -> Chat | None:
        with reading():
            document = await self._chats.find_one({"_id": chat_id}, {"line": 0})  # index _id
        return chat_from_document(document) if document else None

    async def find_direct(self, tenant: str, direct_key: str) -> int | None:
        # index tenant_direct_key
        return await self._find_id({"tenant": tenant, "directKey": direct_key})

    async def find_by_external_ref(self, tenant: str, external_ref: str) -> int | None:
        # index tenant_external_ref
        return await self._find_id({"tenant": tenant, "externalRef": external_ref})

    async def external_refs(self, count: int) -> list[str | None]:
        with reading():  # no index: reads `count` documents
            documents = await self._chats.find({}, {"externalRef": 1}).limit(count).to_list(None)
        return [each.get("externalRef") for each in documents]

    async def update(self, chat: Chat, line: Message | None = None) -> bool:
        kept: Document = {} if chat.deleted_at is not None else external_ref_fields(chat)
        if line is not None:
            kept["line"] = message_to_document(line)
        change: Document = {"$set": {**chat_settings(chat), **kept}}
        freed = dict.fromkeys({"externalRef", "externalRefBy", "line"} - kept.keys(), "")
        if chat.deleted_at is not None:
            # A new chat may have the same pair of users, or the same externalRef.
            freed["directKey"] = ""
            await self._wipes.begin("chat", chat.id)
        if freed:
            change["$unset"] = freed
        async with self._guard:
            try:
                await self._chats.update_one({"_id": chat.id}, change)  # index _id
            except DuplicateKeyError:
                return False
        return True

    async def vacate(self, chat_id: int, user_ids: Sequence[UserId], at: datetime) -> None:
        ids = [participant_id(chat_id, each) for each in user_ids]
        async with self._guard:  # index _id
            await self._participants.update_many({"_id": {"$in": ids}}, {"$set": {"removedAt": at}})

    async def wipe(self, chat_id: int) -> None:
        await self._revisions.wipe_chat(chat_id)
        await self._wipes.done("chat", chat_id)

    async def finish_wipes(self) -> None:
        """Wipe the rest of chats that were deleted right before the server was killed."""
        for chat_id in await self._wipes.begun("chat"):
            chat = await self.find(chat_id)
            if chat is not None and chat.deleted_at is not None:
                await self.wipe(chat_id)
            else:
                await self._wipes.done("chat", chat_id)

    async def reserve_seq(self, chat_id: int, up_to: int) -> None:
        async with self._guard:  # index _id
            await self._chats.update_one({"_id": chat_id}, {"$max": {"seqReserved": up_to}})

    async def add_outside_author(self, chat_id: int, user_id: UserId) -> None:
        async with self._guard:  # index _id
            await self._chats.update_one(
                {"_id": chat_id}, {"$addToSet": {"outsideAuthors": user_id}}
            )

    async def participants(self, chat_id: int) -> list[Participant]:
        with reading():  # index chat_updated_seq
            cursor = self._participants.find({"chatId": chat_id}, {"line": 0})
            documents = await cursor.to_list(None)
        return [participant_from_document(each) for each in documents]

    async def is_participant(self, chat_id: int, key: UserKey) -> bool:
        query = {"_id": participant_id(chat_id, user_id_of(key))}  # index _id
        with reading():
            document = await self._participants.find_one(query, {"tenant": 1, "removedAt": 1})
        return (
            document is not None
            and document.get("tenant", "") == tenant_of(key)
            and document["removedAt"] is None
        )

    async def is_of_tenant(self, chat_id: int, tenant: str) -> bool:
        with reading():  # index _id
            document = await self._chats.find_one({"_id": chat_id}, {"tenant": 1})
        return document is not None and document.get("tenant", "") == tenant

    async def memberships(self, key: UserKey) -> list[int]:
        query = {"tenant": tenant_of(key), "userId": user_id_of(key)}
        with reading():  # index tenant_user
            cursor = self._participants.find(query, {"chatId": 1, "removedAt": 1})
            documents = await cursor.to_list(None)
        return [each["chatId"] for each in documents if each["removedAt"] is None]

    async def put_participant(self, participant: Participant, line: Message | None = None) -> None:
        fields = participant_to_document(participant)
        key = {"_id": fields.pop("_id")}
        # The cursor may have moved since the participant was loaded, and must never go back.
        cursor = {name: fields.pop(name) for name in ("lastReadMessageId", "lastReadSeq")}
        change: Document = {"$set": fields, "$max": cursor}
        if line is None:
            change["$unset"] = {"line": ""}
        else:
            fields["line"] = message_to_document(line)
        async with self._guard:  # index _id
            await self._participants.update_one(key, change, upsert=True)

    async def due_line(self, chat_id: int, seq: int) -> Message | None:
        key = {"chatId": chat_id, "updatedSeq": seq}
        with reading():  # index chat_updated_seq
            document = await self._participants.find_one(key, {"line": 1})
            if document is None:  # index _id
                document = await self._chats.find_one({"_id": chat_id}, {"line": 1})
        line = document.get("line") if document else None
        return message_from_document(line) if line and line["seq"] == seq + 1 else None

    async def set_reads(self, cursors: Mapping[tuple[int, UserId], tuple[int, int]]) -> None:
        updates = [
            UpdateOne(  # index _id
                {"_id": participant_id(chat_id, user_id), "lastReadSeq": {"$lt": seq}},
                {"$set": {"lastReadMessageId": message_id, "lastReadSeq": seq}},
            )
            for (chat_id, user_id), (message_id, seq) in cursors.items()
        ]
        async with self._guard:
            await self._participants.bulk_write(updates, ordered=False)

    async def _find_id(self, query: Document) -> int | None:
        with reading():
            document = await self._chats.find_one(query, {"_id": 1})
        return document["_id"] if document else None
