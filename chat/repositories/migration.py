"""Migrate data of version 1 to version 2: the earlier texts of a message leave its document.

It runs at a start, before any client is served, by bounded windows. It does not find again what it
has moved, so that a migration that was killed goes on where it was.
"""

from typing import Final

import structlog
from motor.motor_asyncio import AsyncIOMotorDatabase

from chat.repositories.border import reading
from chat.repositories.documents import Document
from chat.repositories.revisions import MongoRevisions

WINDOW: Final = 5_000
_log = structlog.get_logger("chat.store")


async def migrate(database: AsyncIOMotorDatabase[Document], revisions: MongoRevisions) -> None:
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
