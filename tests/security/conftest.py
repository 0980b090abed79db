"""One running server for each file here."""

from collections.abc import Iterator

import pytest

from tests.support.rest.server import SharedServer
from tests.support.stores import fresh_database


@pytest.fixture(scope="module")
def shared(store_uri: str) -> Iterator[SharedServer]:
    """A server without limits, which would answer in the place of authority."""
    server = SharedServer(fresh_database(store_uri), max_failed_tokens_per_min=100_000)
    server.start()
    yield server
    server.stop()
