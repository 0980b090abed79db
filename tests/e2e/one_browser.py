"""One Chromium that many tests use, each in browser contexts of its own."""

import asyncio
import os
import signal
from contextlib import suppress
from pathlib import Path
from typing import Final

from playwright.async_api import Browser, Playwright, async_playwright

from tests.support.waiting import eventually

ARGS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)
CLOSE_WITHIN_S: Final = 15


class OneBrowser:
    """`get` starts it, and starts it again after a crash. All calls are on one loop."""

    def __init__(self, executable: str) -> None:
        self._executable = executable
        self._playwright: Playwright | None = None
        self._browser: Browser | None = None

    async def get(self) -> Browser:
        if self._playwright is None:
            self._playwright = await async_playwright().start()
        if self._browser is None or not self._browser.is_connected():
            self._browser = await self._playwright.chromium.launch(
                executable_path=self._executable, args=list(ARGS)
            )
        return self._browser

    async def close(self) -> None:
        """End the browser, if it runs; one that does not end in time is killed."""
        if self._playwright is None:
            return
        try:
            async with asyncio.timeout(CLOSE_WITHIN_S):
                if self._browser is not None:
                    await self._browser.close()
                await self._playwright.stop()
        except TimeoutError:
            for pid in _drivers():
                os.kill(pid, signal.SIGKILL)
            # Playwright's own tasks end when asyncio has noticed the end of the driver.
            await eventually(lambda: not _drivers() and len(asyncio.all_tasks()) == 1)
        self._playwright = self._browser = None


def _drivers() -> list[int]:
    """The Playwright drivers that this process has started; each takes its browser with it."""
    found = []
    for children in Path("/proc/self/task").glob("*/children"):
        for pid in children.read_text().split():
            with suppress(OSError):
                if b"playwright" in Path(f"/proc/{pid}/cmdline").read_bytes():
                    found.append(int(pid))
    return found
