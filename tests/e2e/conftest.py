"""What the end-to-end tests need beside the server: Node with the official clients, and Chromium.

A test is skipped only where the machine has no Node (20 or newer) or no Chromium.
"""

import asyncio
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest
from playwright.async_api import Browser, async_playwright

from chat.testing import RunningChat
from tests.e2e.js_driver import JS_FOLDER, JsDriver
from tests.e2e.page_site import Site, site_of

OLDEST_NODE = 20
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
CHROMIUM_ARGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)


@pytest.fixture(scope="session")
def node_modules() -> None:
    """The packages of tests/js, installed from its lock file when they are not there yet."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("Node is not installed")
    version = subprocess.run(
        ["node", "--version"], capture_output=True, text=True, check=True
    ).stdout
    if int(version.strip().removeprefix("v").split(".")[0]) < OLDEST_NODE:
        pytest.skip(f"Node {version.strip()} is older than {OLDEST_NODE}")
    if not (JS_FOLDER / "node_modules").exists():
        install = ["npm", "ci", "--no-audit", "--no-fund"]
        subprocess.run(install, cwd=JS_FOLDER, check=True, capture_output=True)


@pytest.fixture
def javascript(node_modules: None) -> Callable[[], AbstractAsyncContextManager[JsDriver]]:
    """`async with javascript() as js:` a Node process with the official clients in it."""
    return JsDriver


@pytest.fixture
def chromium() -> Callable[[], AbstractAsyncContextManager[Browser]]:
    """`async with chromium() as browser:` a real browser, without a window."""
    found = next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    if found is None:
        pytest.skip("Chromium is not installed")

    @asynccontextmanager
    async def launch() -> AsyncIterator[Browser]:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(
                executable_path=found, args=list(CHROMIUM_ARGS)
            )
            try:
                yield browser
            finally:
                await browser.close()
                # The pipes to the driver are closed in callbacks; one turn of the loop runs them.
                await asyncio.sleep(0)

    return launch


@pytest.fixture
def site(
    serve: Callable[..., AbstractAsyncContextManager[RunningChat]],
    chromium: Callable[[], AbstractAsyncContextManager[Browser]],
) -> Callable[[], AbstractAsyncContextManager[Site]]:
    """`async with site() as site:` the page of a server whose users sign in with tokens."""

    @asynccontextmanager
    async def open_site() -> AsyncIterator[Site]:
        async with serve() as chat, chromium() as browser, site_of(chat, browser) as opened:
            yield opened

    return open_site
