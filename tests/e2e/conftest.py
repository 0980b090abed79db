"""What the end-to-end tests need beside the server: Node with the official clients, and Chromium.

A test is skipped only where the machine has no Node (20 or newer) or no Chromium.
"""

import shutil
import subprocess
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser
from tornado.ioloop import IOLoop

from chat.testing import RunningChat
from tests.e2e.demo_page import DemoPages, demo_pages
from tests.e2e.js_driver import JS_FOLDER, JsDriver
from tests.e2e.one_browser import OneBrowser
from tests.e2e.page_site import Site, site_of
from tests.support.markdown import ROOT

OLDEST_NODE = 20
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")

_shared: list[Callable[[], None]] = []
"""What ends the processes that the tests here share; a test that needs one starts it again."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(
    item: pytest.Item, nextitem: pytest.Item | None
) -> Generator[None, None, None]:
    """End the shared processes when another folder's test is next: their loop stands still then."""
    yield
    if nextitem is not None and Path(__file__).parent not in nextitem.path.parents:
        for end in _shared:
            end()


@pytest.fixture(scope="session")
def node_modules() -> None:
    """The packages of tests/js and client, from their lock files when they are not there yet."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("Node is not installed")
    version = subprocess.run(
        ["node", "--version"], capture_output=True, text=True, check=True
    ).stdout
    if int(version.strip().removeprefix("v").split(".")[0]) < OLDEST_NODE:
        pytest.skip(f"Node {version.strip()} is older than {OLDEST_NODE}")
    if not all((folder / "node_modules").exists() for folder in (JS_FOLDER, ROOT / "client")):
        install = ["sh", "tools/node-packages"]
        subprocess.run(install, cwd=ROOT, check=True, capture_output=True)


@pytest.fixture(scope="session")
def loop_of_all() -> Iterator[IOLoop]:
    """One loop for all tests here: a browser belongs to the loop on which it was started."""
    loop = IOLoop(make_current=False)
    yield loop
    loop.close(all_fds=True)


@pytest.fixture
def io_loop(loop_of_all: IOLoop) -> Iterator[IOLoop]:
    """In place of pytest-tornado's loop of each test."""
    loop_of_all.make_current()
    yield loop_of_all
    loop_of_all.clear_current()


@pytest.fixture(scope="session")
def one_node(node_modules: None, loop_of_all: IOLoop) -> Iterator[JsDriver]:
    """The Node process of all tests."""
    driver = JsDriver()
    stop = partial(loop_of_all.run_sync, driver.stop)
    _shared.append(stop)
    yield driver
    stop()


@pytest.fixture
def javascript(one_node: JsDriver) -> Callable[[], AbstractAsyncContextManager[JsDriver]]:
    """`async with javascript() as js:` the official clients in Node; their sockets are disconnected
    behind the block.
    """

    @asynccontextmanager
    async def lend() -> AsyncIterator[JsDriver]:
        await one_node.start()
        try:
            yield one_node
        finally:
            await one_node.let_go()

    return lend


@pytest.fixture(scope="session")
def one_browser(loop_of_all: IOLoop) -> Iterator[OneBrowser]:
    """The Chromium of all tests here; a start takes as long as many of the tests."""
    found = next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    if found is None:
        pytest.skip("Chromium is not installed")
    browser = OneBrowser(found)
    close = partial(loop_of_all.run_sync, browser.close)
    _shared.append(close)
    yield browser
    close()


@pytest.fixture
def chromium(one_browser: OneBrowser) -> Callable[[], AbstractAsyncContextManager[Browser]]:
    """`async with chromium() as browser:` a real browser, without a window. What is opened in it is
    closed behind the block.
    """

    @asynccontextmanager
    async def lend() -> AsyncIterator[Browser]:
        browser = await one_browser.get()
        try:
            yield browser
        finally:
            for context in browser.contexts:
                await context.close()

    return lend


@pytest.fixture
def demo(
    serve_demo: Callable[..., AbstractAsyncContextManager[RunningChat]],
    chromium: Callable[[], AbstractAsyncContextManager[Browser]],
) -> Callable[..., AbstractAsyncContextManager[tuple[RunningChat, DemoPages]]]:
    """`async with demo() as (chat, pages):` the page of a server in demo mode."""

    @asynccontextmanager
    async def open_demo(**settings: Any) -> AsyncIterator[tuple[RunningChat, DemoPages]]:
        async with (
            serve_demo(**settings) as chat,
            chromium() as browser,
            demo_pages(browser, chat.url) as pages,
        ):
            yield chat, pages

    return open_demo


@pytest.fixture
def site(
    serve: Callable[..., AbstractAsyncContextManager[RunningChat]],
    chromium: Callable[[], AbstractAsyncContextManager[Browser]],
) -> Callable[..., AbstractAsyncContextManager[Site]]:
    """`async with site() as site:` the page of a server whose users sign in with tokens.

    Takes settings of that server."""

    @asynccontextmanager
    async def open_site(**settings: Any) -> AsyncIterator[Site]:
        async with (
            serve(**settings) as chat,
            chromium() as browser,
            site_of(chat, browser) as opened,
        ):
            yield opened

    return open_site
