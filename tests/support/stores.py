"""Embedded stores of a test's own, and databases in the one that the tests share."""

import contextlib
import re
import secrets
from collections.abc import AsyncIterator
from typing import Any

from pymongo import AsyncMongoClient

from chat.repositories.embedded import EmbeddedStore

Client = AsyncMongoClient[dict[str, Any]]


def fresh_database(store_uri: str) -> str:
    """The address of a database that no other test has, in the store of that address."""
    return re.sub(r"/chatgateway(?=\?|$)", f"/test_{secrets.token_hex(6)}", store_uri)


@contextlib.asynccontextmanager
async def running(store: EmbeddedStore) -> AsyncIterator[Client]:
    """The store started, and a client to it; stopped at the end."""
    uri = await store.start()
    try:
        async with AsyncMongoClient(uri) as client:
            yield client
    finally:
        await store.stop()
