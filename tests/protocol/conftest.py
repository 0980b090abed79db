"""Conformance with Engine.IO 4 and Socket.IO 5.

The protocols' own test suites (socketio/engine.io-protocol with 24 cases, socketio/socket.io-
protocol with 32, of which 16 say the first ones' again) ask for a server that echoes. The chat is
none, so a plugin brings the namespaces `/` and `/custom` that do; what the Engine.IO suite sends
bare is sent as a message of Socket.IO here. `make suites` runs the suites themselves.
"""

import functools
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import pytest

from chat.testing import RunningChat
from tests.support.protocol.namespaces import EchoPlugin


@pytest.fixture
def echo() -> EchoPlugin:
    """The plugin that `serve_echo` brings."""
    return EchoPlugin()


@pytest.fixture
def serve_echo(
    serve: Callable[..., AbstractAsyncContextManager[RunningChat]], echo: EchoPlugin
) -> Callable[..., AbstractAsyncContextManager[RunningChat]]:
    """`async with serve_echo(...) as chat:` a server with the namespaces that echo."""
    return functools.partial(serve, plugins=[echo])
