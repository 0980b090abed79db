"""The collection `wipes`: deletions whose text may still be elsewhere.

A tombstone is one write; deleting the earlier texts and the quotes takes more. A deletion is noted
before the first of these writes and crossed off after the last, so that a start finishes the
deletions that a killed server had begun. The collection is nearly always empty, so it is read
without an index.
"""

from typing import Literal

from motor.motor_asyncio import AsyncIOMotorDatabase

from chat.repositories.border import reading
from chat.repositories.documents import SCHEMA_VERSION, Document
from chat.repositories.guard import Guard

Kind = Literal["message", "chat"]


class Wipes:
    def __init__(self, database: AsyncIOMotorDatabase[Document], guard: Guard) -> None:
        self._guard = guard
        self._wipes = database.wipes

    async def begin(self, kind: Kind, thing_id: int) -> None:
        """Note a deletion before it is stored; safe to repeat."""
        document = {"_id": f"{kind}:{thing_id}", "v": SCHEMA_VERSION, "kind": kind, "id": thing_id}
        async with self._guard:  # index _id
            await self._wipes.replace_one({"_id": document["_id"]}, document, upsert=True)

    async def done(self, kind: Kind, thing_id: int) -> None:
        async with self._guard:  # index _id
            await self._wipes.delete_one({"_id": f"{kind}:{thing_id}"})

    async def begun(self, kind: Kind) -> list[int]:
        """Return the ids of the deletions that were not finished."""
        with reading():
            documents = await self._wipes.find({}).to_list(None)
        return [each["id"] for each in documents if each["kind"] == kind]
