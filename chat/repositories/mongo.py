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
from chat.errors import SetupError, StoreUnavailableError
from chat.identity import UserKey
from chat.repositories.border import is_answer, is_outage, reading
from chat.repositories.chats import MongoChats
from chat.repositories.documents import (
    SCHEMA_VERSION,
    Document,
    access_from_document,
    access_to_document,
    user_from_document,
)
from chat.repositories.epoch import open_epoch
from chat.repositories.free_space import FreeSpace
from chat.repositories.guard import Guard
from chat.repositories.lease import Lease
from chat.repositories.messages import MongoMessages
from chat.repositories.migration import WHOLE_COLLECTION_S, migrate
from chat.repositories.revisions import MongoRevisions
from chat.repositories.wipes import Wipes
from chat.timings import TIMINGS, Timings

DEFAULT_DATABASE: Final = "chatgateway"
WARM_CONNECTIONS: Final = 10
"""Connections kept open, so that a process without free descriptors still reads and writes.

If a connection cannot be opened, pymongo closes the others, too. motor has five threads a core, so
two cores never need more.
"""

FOUND_AT_ONCE: Final = 200
PING_TIMEOUT_S: Final = 1.0
_log = structlog.get_logger("chat.store")


class MongoUsers:
    """The collection `users`; an `_id` is a UserKey."""

    def __init__(self, database: AsyncIOMotorDatabase[Document], guard: Guard) -> None:
        self._guard = guard
        self._users = database.users

    async def find_many(self, keys: Sequence[UserKey]) -> dict[UserKey, User]:
        found: dict[UserKey, User] = {}
        # Read in parts, so that other reads and writes can pass in between.
        for start in range(0, len(keys), FOUND_AT_ONCE):
            some = list(keys[start : start + FOUND_AT_ONCE])
            with reading():  # index _id
                documents = await self._users.find({"_id": {"$in": some}}).to_list(None)
            found.update((each["_id"], user_from_document(each)) for each in documents)
        return found

    async def put_profiles(self, users: Sequence[User]) -> None:
        await self._set(
            {user.key: {"name": user.name, "avatarUrl": user.avatar_url} for user in users}
        )

    async def set_last_seen(self, moments: Mapping[UserKey, datetime]) -> None:
        await self._set({key: {"lastSeenAt": at} for key, at in moments.items()})

    async def _set(self, fields: Mapping[UserKey, Document]) -> None:
        updates = [
            UpdateOne({"_id": key}, {"$set": {"v": SCHEMA_VERSION, **each}}, upsert=True)
            for key, each in fields.items()
        ]
        async with self._guard:  # index _id
            await self._users.bulk_write(updates, ordered=False)


class MongoAccess:
    """The collection `access`: blocks and revocations; an `_id` is a UserKey."""

    def __init__(self, database: AsyncIOMotorDatabase[Document], guard: Guard) -> None:
        self._guard = guard
        self._access = database.access

    async def all(self) -> list[UserAccess]:
        with reading():
            documents = await self._access.find({}).to_list(None)
        return [access_from_document(each) for each in documents]

    async def put(self, access: UserAccess) -> None:
        fields = access_to_document(access)
        key = {"_id": fields.pop("_id")}
        async with self._guard:  # index _id
            await self._access.update_one(key, {"$set": fields}, upsert=True)


class MongoIds:
    """The collection `counters`: one document for each sequence, with its next free id."""

    def __init__(self, database: AsyncIOMotorDatabase[Document], guard: Guard) -> None:
        self._guard = guard
        self._counters = database.counters

    async def reserve(self, sequence: str, count: int) -> int:
        async with self._guard:  # index _id
            document = await self._counters.find_one_and_update(
                {"_id": sequence},
                {"$inc": {"next": count}},
                upsert=True,
                return_document=ReturnDocument.AFTER,
            )
        if document is None:
            # SecantusDB answers null to one of two requests that create the counter at once.
            return await self.reserve(sequence, count)
        following: int = document["next"]
        # Counters start at 0 and ids at 1.
        return following - count + 1


class MongoStore:
    """All repositories over one client; `open` before use.

    `lease_lost` is called when another server has the database; `space` refuses writes while
    a disk is nearly full. `restart` starts the server's own store again, which no other server can
    reach; it is None for any other store.
    """

    def __init__(
        self,
        uri: str,
        *,
        lease_lost: Callable[[], None] = lambda: None,
        restart: Callable[[], None] | None = None,
        space: FreeSpace | None = None,
        timings: Timings = TIMINGS,
    ) -> None:
        timeout_ms = round(timings.store_timeout_s * 1000)
        # An operator who bounds the pool in the address knows how many connections suffice.
        pool: dict[str, Any] = (
            {} if "poolsize" in uri.lower() else {"minPoolSize": WARM_CONNECTIONS}
        )
        try:
            self._client: AsyncIOMotorClient[Document] = AsyncIOMotorClient(
                uri,
                **pool,
                tz_aware=True,
                serverSelectionTimeoutMS=timeout_ms,
                timeoutMS=timeout_ms,
                appname="chatgateway",
            )
            database = self._client.get_default_database(
                DEFAULT_DATABASE, write_concern=WriteConcern(w="majority", j=True)
            )
        except (ConfigurationError, InvalidURI, ValueError) as error:
            raise SetupError(f"MONGODB_URI is no valid address: {error}.") from None
        self._database = database
        own = restart is not None
        self._space = watched = space or FreeSpace()
        self._lease = Lease(
            database,
            lost=lease_lost,
            unwell=restart or (lambda: None),
            alone=own,
            # On a full disk each write may be the store's last.
            paused=lambda: own and watched.low,
            timings=timings,
        )
        self._guard = guard = Guard(self._lease, watched)
        self._revisions = revisions = MongoRevisions(database, guard)
        wipes = Wipes(database, guard)
        self.messages = MongoMessages(database, guard, revisions, wipes)
        self.chats = MongoChats(database, guard, revisions, wipes)
        self.users = MongoUsers(database, guard)
        self.access = MongoAccess(database, guard)
        self.ids = MongoIds(database, guard)
        self.epoch = ""

    async def open(self, data_dir: Path) -> None:
        """Wait for the store, check the version of its data and ensure the indexes.

        Raises SetupError where that fails.
        """
        try:
            await self._client.admin.command("ping")
            version = await self._check_schema()
            await self._lease.take()
            with pymongo.timeout(WHOLE_COLLECTION_S):
                await self.messages.ensure_indexes()
                await self._revisions.ensure_indexes()
                await self.chats.ensure_indexes()
            if version < SCHEMA_VERSION:
                await migrate(version, self._database, self._guard, self._revisions)
                await self._set_schema()
            await self.messages.finish_wipes()
            await self.chats.finish_wipes()
            self.epoch = await open_epoch(self._database, data_dir)
        except PyMongoError as error:
            if is_outage(error) and not is_answer(error):
                raise SetupError(
                    "the store cannot be reached; start MongoDB or correct MONGODB_URI, "
                    "or unset it for the embedded store."
                ) from None
            raise SetupError(
                f"the store refuses the set-up of its indexes: {type(error).__name__}: {error}."
            ) from None
        self._space.start()

    async def ping(self) -> None:
        """Check that the store answers within a second and takes writes.

        Raises DiskFullError or StoreUnavailableError. Whether it takes writes is known from the
        last write, or from the lease, which is renewed every three seconds.
        """
        self._space.check()
        try:
            with reading(), pymongo.timeout(PING_TIMEOUT_S):
                await self._client.admin.command("ping")
        except PyMongoError as error:
            raise StoreUnavailableError from error
        if not self._lease.held:
            raise StoreUnavailableError

    async def close(self) -> None:
        self._space.stop()
        await self._lease.release()
        self._client.close()

    async def _check_schema(self) -> int:
        """Return the version of the data."""
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
        return int(meta["version"])

    async def _set_schema(self) -> None:
        await self._database.meta.update_one(
            {"_id": "schema"}, {"$set": {"version": SCHEMA_VERSION}}
        )
