"""Migrate data of earlier versions, step by step.

Version 2: the earlier texts of a message leave its document. Version 3: chats and participants have
a tenant, `''` in all earlier data.

It runs at a start, before any client is served, in bounded parts. It looks only for what is not yet
migrated, so a migration that was killed goes on where it was.
"""

from time import monotonic
from typing import Any, Final

import pymongo
import structlog
from motor.motor_asyncio import AsyncIOMotorDatabase

from chat.repositories.border import reading
from chat.repositories.documents import SCHEMA_VERSION, Document
from chat.repositories.guard import Guard
from chat.repositories.revisions import MongoRevisions

WINDOW: Final = 5_000
CHATS_AT_ONCE: Final = 50
"""Chats whose participants are read together: at most 50,000 of their ids."""

WRITTEN_AT_ONCE: Final = 500
WHOLE_COLLECTION_S: Final = 3_600.0
"""The time limit of work that grows with a collection, such as building an index."""

PROGRESS_EVERY_S: Final = 5.0
OLD_INDEXES: Final = (
    ("chats", "direct_key"),
    ("chats", "external_ref"),
    ("participants", "user"),
)
"""Indexes of version 2; those of version 3 have the tenant before these fields.

A unique index without the tenant would refuse to one tenant a value that another one has.
"""

_UNDONE: Final = {"tenant": {"$exists": False}}
_DONE: Final = {"$set": {"tenant": "", "v": SCHEMA_VERSION}}
_log = structlog.get_logger("chat.store")


async def migrate(
    version: int,
    database: AsyncIOMotorDatabase[Document],
    guard: Guard,
    revisions: MongoRevisions,
) -> None:
    """Migrate data of `version`; the indexes of SCHEMA_VERSION are there already."""
    _log.info("migration_begins", from_version=version, to_version=SCHEMA_VERSION)
    if version < 2:
        await _move_revisions(database, revisions)
    await _give_tenants(database, guard)
    await _drop_old_indexes(database)
    _log.info("migration_done", to_version=SCHEMA_VERSION)


async def _move_revisions(
    database: AsyncIOMotorDatabase[Document], revisions: MongoRevisions
) -> None:
    moved = 0
    with reading():
        chats = await database.chats.find({}, {"seqReserved": 1, "deletedAt": 1}).to_list(None)
    for chat in chats:
        for low in range(1, chat["seqReserved"] + 1, WINDOW):
            query = {
                "chatId": chat["_id"],
                "seq": {"$gte": low, "$lt": low + WINDOW},
                "revisions": {"$exists": True},
            }
            with reading():  # index chat_seq
                found = await database.messages.find(query, {"_id": 1}).to_list(None)
            for each in found:
                await revisions.move_out(each["_id"])
            moved += len(found)
        if chat["deletedAt"] is not None:
            await revisions.wipe_chat(chat["_id"])
    if moved:
        _log.info("revisions_moved", messages=moved)


async def _give_tenants(database: AsyncIOMotorDatabase[Document], guard: Guard) -> None:
    """Write the tenant `''` into the participants of each chat, then into the chat itself."""
    with reading(), pymongo.timeout(WHOLE_COLLECTION_S):  # no index: reads all chats
        chats = await _ids(database.chats, _UNDONE)
    told_at = monotonic()
    for start in range(0, len(chats), CHATS_AT_ONCE):
        some = chats[start : start + CHATS_AT_ONCE]
        with reading():  # index chat_updated_seq
            people = await _ids(database.participants, {"chatId": {"$in": some}, **_UNDONE})
        await _update(database.participants, guard, people)
        await _update(database.chats, guard, some)
        if monotonic() - told_at >= PROGRESS_EVERY_S:
            told_at = monotonic()
            _log.info("migration_goes_on", chats=start + len(some), of=len(chats))


async def _ids(collection: Any, query: Document) -> list[Any]:
    return [each["_id"] for each in await collection.find(query, {"_id": 1}).to_list(None)]


async def _update(collection: Any, guard: Guard, ids: list[Any]) -> None:
    for start in range(0, len(ids), WRITTEN_AT_ONCE):
        query = {"_id": {"$in": ids[start : start + WRITTEN_AT_ONCE]}}
        async with guard:  # index _id
            await collection.update_many(query, _DONE)


async def _drop_old_indexes(database: AsyncIOMotorDatabase[Document]) -> None:
    for collection, name in OLD_INDEXES:
        if name in await database[collection].index_information():
            await _drop(database[collection], name)


async def _drop(collection: Any, name: str) -> None:
    with pymongo.timeout(WHOLE_COLLECTION_S):
        await collection.drop_index(name)
