"""An embedded store of a test's own, with a client."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

from pymongo import AsyncMongoClient

from chat.repositories.embedded import EmbeddedStore

Client = AsyncMongoClient[dict[str, Any]]


@contextlib.asynccontextmanager
async def running(store: EmbeddedStore) -> AsyncIterator[Client]:
    """The store started, and a client to it; stopped at the end."""
    uri = await store.start()
    try:
        async with AsyncMongoClient(uri) as client:
            yield client
    finally:
        await store.stop()
