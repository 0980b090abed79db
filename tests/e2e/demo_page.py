"""The demo page in a browser, and an eye on all that must never happen in it."""

import json
import re
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from types import MappingProxyType
from typing import Any, Final

from playwright.async_api import Browser, Locator, Page, Route, expect

from tests.e2e.js_driver import JS_FOLDER

# Instead of 5 s, which a busy machine may need.
expect.set_options(timeout=15_000)

DESKTOP: Final = (1280, 800)
PHONE: Final = (390, 844)
NARROW: Final = (360, 740)

AXE: Final = JS_FOLDER / "node_modules/axe-core/axe.min.js"
RUN_AXE: Final = """
async () => {
  // What is fading in has no contrast yet; a spinner never ends.
  const ends = ({ effect }) => effect.getTiming().iterations !== Infinity;
  await Promise.allSettled(document.getAnimations().filter(ends).map(({ finished }) => finished));
  return (await axe.run(document, { resultTypes: ['violations'] })).violations
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
}
"""
REPORT_VIOLATIONS: Final = """
document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) =>
  console.error(`content policy: ${violatedDirective} ${blockedURI}`));
"""
# What Chromium itself writes about a server that is down; the page cannot keep it from doing so.
NO_SERVER: Final = ("WebSocket connection to", "Failed to load resource: net::ERR_")
NOT_FOUND: Final = ("Failed to load resource: the server responded with a status of 404",)


class DemoPage:
    """One tab. `ada = await pages.open(); await ada.sign_in("Ada")`."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.input = page.get_by_test_id("message-input")
        self.messages = page.get_by_test_id("message")
        self.texts = page.get_by_test_id("message-text")
        self.typing = page.get_by_test_id("typing-indicator")
        self.toast = page.get_by_test_id("error-toast")
        self.connection = page.get_by_test_id("connection-state")
        self.title = page.locator("h1")
        self.chats = page.get_by_test_id("chat-item")
        self.people = page.get_by_test_id("person")
        self.closed = page.get_by_test_id("composer-closed")

    async def sign_in(self, name: str) -> None:
        """Press the name if the page offers it, else type it."""
        await expect(self.page.get_by_test_id("demo-user").first).to_be_visible()
        offered = self.page.get_by_test_id("demo-user").filter(has_text=name)
        if await offered.count():
            await offered.first.click()
        else:
            await self.page.get_by_test_id("name-input").fill(name)
            await self.page.get_by_test_id("sign-in-button").click()
        await self.expect_connection("online")

    async def sign_in_with_token(self, token: str) -> None:
        await self.page.get_by_test_id("token-input").fill(token)
        await self.page.get_by_test_id("sign-in-button").click()

    async def say(self, text: str) -> None:
        """Type and send, and wait until it is stored."""
        await self.input.fill(text)
        await self.input.press("Enter")
        await expect(self.texts.last).to_have_text(text, use_inner_text=True)
        await expect(self.messages.last).to_have_attribute("data-state", "stored")

    async def write(self, text: str) -> None:
        """Type and send, whatever becomes of it."""
        await self.input.fill(text)
        await self.input.press("Enter")

    def message(self, text: str) -> Locator:
        return self.messages.filter(has_text=text)

    def person(self, name: str) -> Locator:
        return self.people.filter(has_text=name)

    def chat(self, title: str) -> Locator:
        """Its row in the list of chats."""
        exact = re.compile(f"^{re.escape(title)}$")
        return self.chats.filter(has=self.page.locator(".chat-item-title", has_text=exact))

    async def open_actions(self, text: str) -> None:
        await self.message(text).get_by_test_id("message-actions").click()

    async def expect_connection(self, state: str) -> None:
        await expect(self.connection).to_have_attribute("data-state", state)

    async def expect_texts(self, texts: Sequence[str]) -> None:
        await expect(self.texts).to_have_text(list(texts))

    async def axe(self) -> list[str]:
        """The violations that axe finds, a line each. The test uses the fixture `node_modules`."""
        # Not an init script: half a megabyte would be parsed at every load of every page.
        if not await self.page.evaluate("() => 'axe' in window"):
            await self.page.evaluate(AXE.read_text())
        violations: list[str] = await self.page.evaluate(RUN_AXE)
        return violations

    async def overflow_px(self) -> int:
        """By how much the page is wider than its window."""
        measure = "() => document.documentElement.scrollWidth - window.innerWidth"
        return int(await self.page.evaluate(measure))


async def fulfil(answer: Any, route: Route) -> None:
    await route.fulfill(json=answer)


class Traffic:
    """What a page asks of the server from here on, by route and by event."""

    def __init__(self, page: Page) -> None:
        self.asked: Counter[str] = Counter()
        self.sizes: list[int] = []
        page.on("request", lambda request: self._on_request(request.method, request.url))
        page.on("websocket", lambda socket: socket.on("framesent", self._on_frame))

    def total(self) -> int:
        return self.asked.total()

    def _on_request(self, method: str, url: str) -> None:
        path = re.sub(r"\d+", ":id", url.split("/", 3)[3].partition("?")[0])
        if not path.startswith(("static/", "socket.io/")):
            self.asked[f"{method} /{path}"] += 1

    def _on_frame(self, frame: str | bytes) -> None:
        found = re.match(r"42/chat,\d*(\[.*)", str(frame), re.DOTALL)
        if found:
            event, *payload = json.loads(found[1])
            self.asked[event] += 1
            if event == "getPresence":
                self.sizes.append(len(payload[0]["userIds"]))


class DemoPages:
    """Tabs of different people. `troubles` must stay empty: errors, dialogs, foreign hosts."""

    def __init__(self, browser: Browser, url: str, allowed: tuple[str, ...] = ()) -> None:
        self.troubles: list[str] = []
        self.browser = browser
        self.url = url
        self._allowed = allowed

    async def open(
        self,
        size: tuple[int, int] = DESKTOP,
        scheme: Any = "light",
        *,
        path: str = "",
        answers: Mapping[str, Any] = MappingProxyType({}),
        **options: Any,
    ) -> DemoPage:
        """The page in a browser context of its own, as if on another machine.

        Motion is reduced, for speed, unless `options` say `reduced_motion="no-preference"`.
        Requests for the paths in `answers` get that JSON instead of the server's answer.
        """
        is_phone = size[0] < 500
        context = await self.browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            color_scheme=scheme,
            has_touch=is_phone,
            is_mobile=is_phone,
            **{"reduced_motion": "reduce", "locale": "en-GB", **options},
        )
        await context.add_init_script(REPORT_VIOLATIONS)
        context.set_default_timeout(20_000)
        page = await context.new_page()
        self._watch(page)
        for each, answer in answers.items():
            await page.route(self.url + each, partial(fulfil, answer))
        await page.goto(self.url + path)
        return DemoPage(page)

    async def open_beside(self, other: DemoPage) -> DemoPage:
        """One more tab of the same browser, with its storage."""
        page = await other.page.context.new_page()
        self._watch(page)
        await page.goto(self.url)
        return DemoPage(page)

    def _watch(self, page: Page) -> None:
        async def on_dialog(dialog: Any) -> None:
            self.troubles.append(f"dialog: {dialog.message}")
            await dialog.dismiss()

        def on_address(url: str) -> None:
            if not url.startswith((self.url, self.url.replace("http", "ws", 1), "data:")):
                self.troubles.append(f"foreign host: {url}")

        def on_line(kind: str, text: str) -> None:
            if kind in ("error", "warning") and not text.startswith(self._allowed):
                self.troubles.append(f"{kind}: {text}")

        page.on("dialog", on_dialog)
        page.on("request", lambda request: on_address(request.url))
        page.on("websocket", lambda socket: on_address(socket.url))
        page.on("console", lambda line: on_line(line.type, line.text))
        page.on("pageerror", lambda error: self.troubles.append(f"exception: {error}"))


@asynccontextmanager
async def demo_pages(
    browser: Browser, url: str, *, allowed: tuple[str, ...] = ()
) -> AsyncIterator[DemoPages]:
    """Fails at its end if there was trouble; `allowed` are starts of console lines."""
    pages = DemoPages(browser, url, allowed)
    yield pages
    assert pages.troubles == [], pages.troubles
