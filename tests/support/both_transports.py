"""Fixtures for tests of the socket door, which run on both transports. A conftest imports them."""

import functools
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import pytest

from chat.testing import RunningChat, running_chat


@pytest.fixture(params=["fast", "stock"])
def chat_transport(request: pytest.FixtureRequest) -> str:
    """CHAT_TRANSPORT of the server."""
    return str(request.param)


@pytest.fixture
def serve(
    mongodb_uri: str, chat_transport: str
) -> Callable[..., AbstractAsyncContextManager[RunningChat]]:
    """`async with serve(...) as chat:` a server on a fresh database and on the transport under
    test; see running_chat.
    """
    return functools.partial(running_chat, mongodb_uri=mongodb_uri, chat_transport=chat_transport)
