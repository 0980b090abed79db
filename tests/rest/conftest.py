"""What the tests of the REST door share."""

import re
from collections.abc import Iterator

import pytest

from chat.testing import database_name
from tests.support.rest_server import SharedServer


@pytest.fixture(scope="session")
def shared(store_uri: str) -> Iterator[SharedServer]:
    """One running server for tests that only ask; see SharedServer."""
    uri = re.sub(r"/chatgateway(?=\?|$)", f"/{database_name()}", store_uri)
    server = SharedServer(uri)
    server.start()
    yield server
    server.stop()
