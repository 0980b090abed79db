"""What all tests share: pytest-tornado's loop, one store process a session, and a log that must
stay free of errors.
"""

import asyncio
import functools
import inspect
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest
import structlog
from structlog.testing import LogCapture

from chat.repositories.embedded import EmbeddedStore
from chat.testing import RunningChat, running_chat
from tests.support.demo_mode import demo_chat
from tests.support.stores import fresh_database

TIMEOUT_S = 60
# Otherwise the first test on a loop would have asyncio make another one, which nothing closes.
asyncio.set_event_loop(None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every coroutine test runs on pytest-tornado's IOLoop, without having to say so."""
    for item in items:
        if isinstance(item, pytest.Function) and inspect.iscoroutinefunction(item.function):
            item.add_marker(pytest.mark.gen_test(timeout=TIMEOUT_S))


@pytest.fixture(scope="session")
def store_uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One embedded store for the whole session, on a loop of its own; each test takes a database in
    it.
    """
    folder: Path = tmp_path_factory.mktemp("store")
    loop = asyncio.new_event_loop()
    store = EmbeddedStore(folder)
    uri = loop.run_until_complete(store.start())
    yield uri
    loop.run_until_complete(store.stop())
    loop.close()


@pytest.fixture
def mongodb_uri(store_uri: str) -> str:
    """The address of a fresh database."""
    return fresh_database(store_uri)


@pytest.fixture
def serve(mongodb_uri: str) -> Callable[..., AbstractAsyncContextManager[RunningChat]]:
    """`async with serve(...) as chat:` a server on a fresh database; see running_chat."""
    return functools.partial(running_chat, mongodb_uri=mongodb_uri)


@pytest.fixture
def serve_demo(
    mongodb_uri: str, tmp_path: Path
) -> Callable[..., AbstractAsyncContextManager[RunningChat]]:
    """`async with serve_demo(...) as chat:` a server in demo mode, on the same folder and database
    when it is started again.
    """
    return functools.partial(demo_chat, mongodb_uri, tmp_path / "data")


@pytest.fixture(autouse=True)
def log(request: pytest.FixtureRequest) -> Iterator[LogCapture]:
    """The log lines of the test. A line of level error fails it, unless it is marked
    `expects_errors`.
    """
    capture = LogCapture()
    before = structlog.get_config()
    structlog.configure(processors=[structlog.processors.format_exc_info, capture])
    yield capture
    structlog.configure(**before)
    errors: list[Any] = [line for line in capture.entries if line["log_level"] == "error"]
    if request.node.get_closest_marker("expects_errors") is None:
        assert not errors, errors
