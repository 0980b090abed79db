"""The store on MongoDB: the client, the small collections, and all indexes.

Every acknowledged write is on disk: write concern `majority` with `j: true`. One standalone server
suffices: each change is one document, so there is no transaction. Each query names the index it
uses. motor is past its end of life; docs/adr/0002 says why it is used and how to leave it.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import pymongo
import structlog
from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorDatabase
from pymongo import ReturnDocument, UpdateOne, WriteConcern
from pymongo.errors import ConfigurationError, InvalidURI, PyMongoError

from chat.entities import User, UserAccess
from chat.errors import ChatError, SetupError, StoreUnavailableError
from chat.identity import UserId
from chat.repositories.border import reading, writing
from chat.repositories.chats import MongoChats
from chat.repositories.documents import SCHEMA_VERSION, Document, user_from_document
from chat.repositories.epoch import open_epoch
from chat.repositories.lease import Lease
from chat.repositories.messages import MongoMessages

DEFAULT_DATABASE: Final = "chatgateway"
TIMEOUT_MS: Final = 4_000
"""Without it a write to a stopped store hangs for ever; with it every answer comes within five
seconds.
"""

PING_TIMEOUT_S: Final = 1.0
_log = structlog.get_logger("chat.store")


class MongoUsers:
    """The collection `users`."""

    def __init__(self, database: AsyncIOMotorDatabase[Document], lease: Lease) -> None:
        self._lease = lease
        self._users = database.users

    async def find_many(self, user_ids: Sequence[UserId]) -> dict[UserId, User]:
        with reading():  # index _id
            documents = await self._users.find({"_id": {"$in": list(user_ids)}}).to_list(None)
        return {each["_id"]: user_from_document(each) for each in documents}

    async def put_profiles(self, users: Sequence[User]) -> None:
        await self._set(
            {user.id: {"name": user.name, "avatarUrl": user.avatar_url} for user in users}
        )

    async def set_last_seen(self, moments: Mapping[UserId, datetime]) -> None:
        await self._set({user_id: {"lastSeenAt": at} for user_id, at in moments.items()})

    async def _set(self, fields: Mapping[UserId, Document]) -> None:
        updates = [
            UpdateOne({"_id": user_id}, {"$set": {"v": SCHEMA_VERSION, **each}}, upsert=True)
            for user_id, each in fields.items()
        ]
        await self._lease.ensure()
        with writing():  # index _id
            await self._users.bulk_write(updates, ordered=False)


class MongoAccess:
    """The collection `access`: blocks and revocations."""

    def __init__(self, database: AsyncIOMotorDatabase[Document], lease: Lease) -> None:
        self._lease = lease
        self._access = database.access

    async def all(self) -> list[UserAccess]:
        with reading():
            documents = await self._access.find({}).to_list(None)
        return [
            UserAccess(
                user_id=each["_id"],
                blocked=each["blocked"],
                revoked_before=each["revokedBefore"],
            )
            for each in documents
        ]

    async def put(self, access: UserAccess) -> None:
        decided = {"blocked": access.blocked, "revokedBefore": access.revoked_before}
        change = {"$set": {"v": SCHEMA_VERSION, **decided}}
        await self._lease.ensure()
        with writing():  # index _id
            await self._access.update_one({"_id": access.user_id}, change, upsert=True)


class MongoIds:
    """The collection `counters`: one document a sequence, holding the next free id."""

    def __init__(self, database: AsyncIOMotorDatabase[Document], lease: Lease) -> None:
        self._lease = lease
        self._counters = database.counters

    async def reserve(self, sequence: str, count: int) -> int:
        await self._lease.ensure()
        with writing():  # index _id
            document = await self._counters.find_one_and_update(
                {"_id": sequence},
                {"$inc": {"next": count}},
                upsert=True,
                return_document=ReturnDocument.AFTER,
            )
        following: int = document["next"]
        # Counters start at 0 and ids at 1.
        return following - count + 1


class MongoStore:
    """All repositories over one client. `open` before use."""

    def __init__(self, uri: str, *, lease_lost: Callable[[], None] = lambda: None) -> None:
        try:
            self._client: AsyncIOMotorClient[Document] = AsyncIOMotorClient(
                uri,
                tz_aware=True,
                serverSelectionTimeoutMS=TIMEOUT_MS,
                timeoutMS=TIMEOUT_MS,
                appname="chatgateway",
            )
            database = self._client.get_default_database(
                DEFAULT_DATABASE, write_concern=WriteConcern(w="majority", j=True)
            )
        except (ConfigurationError, InvalidURI, ValueError) as error:
            raise SetupError(f"MONGODB_URI is no valid address: {error}.") from None
        self._database = database
        self._lease = Lease(database, lease_lost)
        self.messages = MongoMessages(database, self._lease)
        self.chats = MongoChats(database, self._lease)
        self.users = MongoUsers(database, self._lease)
        self.access = MongoAccess(database, self._lease)
        self.ids = MongoIds(database, self._lease)
        self.epoch = ""

    async def open(self, data_dir: Path) -> None:
        """Wait for the server, check the version of the data and ensure the indexes; SetupError
        where that fails.
        """
        try:
            with writing():
                await self._client.admin.command("ping")
                await self._check_schema()
                await self._lease.take()
                await self.messages.ensure_indexes()
                await self.chats.ensure_indexes()
                self.epoch = await open_epoch(self._database, data_dir)
        except ChatError:
            raise SetupError(
                "the store cannot be reached; start MongoDB or mend MONGODB_URI, "
                "or unset it for the embedded store."
            ) from None
        except PyMongoError as error:
            raise SetupError(
                f"the store refuses the set-up of its indexes: {type(error).__name__}: {error}."
            ) from None

    async def ping(self) -> None:
        """Return when the store answers within a second, else raise StoreUnavailableError."""
        try:
            with reading(), pymongo.timeout(PING_TIMEOUT_S):
                await self._client.admin.command("ping")
        except PyMongoError as error:
            raise StoreUnavailableError from error

    async def close(self) -> None:
        await self._lease.release()
        self._client.close()

    async def drop_database(self) -> None:
        """Delete everything; for tests, which take a database each."""
        await self._client.drop_database(self._database.name)

    async def _check_schema(self) -> None:
        meta: Any = await self._database.meta.find_one_and_update(
            {"_id": "schema"},
            {"$setOnInsert": {"version": SCHEMA_VERSION}},
            upsert=True,
            return_document=ReturnDocument.AFTER,
        )
        if meta["version"] > SCHEMA_VERSION:
            raise SetupError(
                f"the data is of version {meta['version']}, this server knows {SCHEMA_VERSION}; "
                "start a newer server."
            )
