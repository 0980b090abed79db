"""One running server for each file here."""

import re
from collections.abc import Iterator

import pytest

from chat.testing import database_name
from tests.support.rest.server import SharedServer


@pytest.fixture(scope="module")
def shared(store_uri: str) -> Iterator[SharedServer]:
    """A server without limits, which would answer in the place of authority."""
    uri = re.sub(r"/chatgateway(?=\?|$)", f"/{database_name()}", store_uri)
    server = SharedServer(uri, max_failed_tokens_per_min=100_000)
    server.start()
    yield server
    server.stop()
