"""The console of a browser page: code typed into it, and what is written to it."""

import asyncio
from typing import Any, Self

from playwright.async_api import ConsoleMessage, Page

from tests.e2e.js_driver import WAIT_S


class Console:
    """Evaluates as the developer tools do: `const` lasts and `await` is allowed."""

    def __init__(self, page: Page) -> None:
        self.lines: list[ConsoleMessage] = []
        self._page = page
        self._arrived = asyncio.Event()
        page.on("console", self._on_line)

    @classmethod
    async def open(cls, page: Page, url: str) -> Self:
        console = cls(page)
        await page.goto(url)
        console._session = await page.context.new_cdp_session(page)
        return console

    async def run(self, code: str) -> None:
        """Run statements; an exception of the page fails the test."""
        await self._evaluate(code, by_value=False)

    async def value(self, expression: str) -> Any:
        """What the expression gives, as JSON."""
        return (await self._evaluate(expression, by_value=True)).get("value")

    async def _evaluate(self, code: str, *, by_value: bool) -> dict[str, Any]:
        options = {"replMode": True, "awaitPromise": True, "returnByValue": by_value}
        answer = await self._session.send("Runtime.evaluate", {"expression": code, **options})
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return dict(answer["result"])

    async def line(self, start: str) -> ConsoleMessage:
        """The first line that begins so; it may have been written already."""
        async with asyncio.timeout(WAIT_S):
            while True:
                for line in self.lines:
                    if line.text.startswith(start):
                        return line
                self._arrived.clear()
                await self._arrived.wait()

    def _on_line(self, line: ConsoleMessage) -> None:
        self.lines.append(line)
        self._arrived.set()
