"""The collection `wipes`: deletions whose text may still be elsewhere.

A tombstone is one write, and what it leaves behind (earlier texts, quotes) are others. Noted before
the first of them and crossed off after the last, so that a start finishes what a killed server had
begun. Nearly always empty, so it is read without an index.
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
        """The ids of those that were not finished."""
        with reading():
            documents = await self._wipes.find({}).to_list(None)
        return [each["id"] for each in documents if each["kind"] == kind]
