"""What the tests of the REST door share."""

import re
from collections.abc import Iterator

import pytest

from chat.testing import database_name
from tests.support.rest.server import SharedServer


@pytest.fixture(scope="module")
def shared(store_uri: str) -> Iterator[SharedServer]:
    """One running server for the tests of a file that only ask; see SharedServer. No longer than
    that: other files look at the process's threads, its log and what the collector finds.
    """
    uri = re.sub(r"/chatgateway(?=\?|$)", f"/{database_name()}", store_uri)
    server = SharedServer(uri)
    server.start()
    yield server
    server.stop()
