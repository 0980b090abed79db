"""What the tests of the REST door share."""

from collections.abc import Iterator

import pytest

from tests.support.rest.server import SharedServer
from tests.support.stores import fresh_database


@pytest.fixture(scope="module")
def shared(store_uri: str) -> Iterator[SharedServer]:
    """One running server for the tests of a file that only ask; see SharedServer. No longer than
    that: other files look at the process's threads, its log and what the collector finds.
    """
    server = SharedServer(fresh_database(store_uri))
    server.start()
    yield server
    server.stop()
