"""The page's log of messages, fed by a test instead of a server: thousands of messages at once."""

from typing import Any, Final

from playwright.async_api import Locator, Page

from tests.e2e.demo_page import DESKTOP, DemoPages

# `show(patch)` renders the log with changed properties; `say(from, to, senderId)` makes messages.
HARNESS: Final = """async () => {
  const { html, render } = await import('/static/vendor/htm-preact-3.1.1.module.js');
  const { Timeline } = await import('/static/ui/timeline.js');
  const app = document.getElementById('app');
  render(null, app);
  app.className = 'conversation';
  const start = Date.UTC(2026, 0, 1);
  window.reads = 0; // how often a message was rendered
  const made = (id, senderId) => ({
    id, senderId, message: `message ${id}`, createdAt: new Date(start + id * 30_000).toISOString(),
    get replyTo() { window.reads += 1; return null; },
  });
  window.say = (from, to, senderId) =>
    Array.from({ length: to - from + 1 }, (_, at) => made(from + at, senderId ?? (from + at) % 3));
  const people = [0, 1, 2].map((userId) => ({ userId, name: `User ${userId}` }));
  window.props = {
    messages: [], outbox: [], people, reads: new Map(), user: { id: 0 }, chatId: 1,
    hasBefore: false, connection: 'online', phase: 'ready', canWrite: true, demo: false,
    nameFor: (id) => `User ${id}`, scrollToEnd: { current: null }, onRetry: () => {},
    client: { markRead: () => {} }, store: { loadEarlier: async () => {} },
  };
  window.show = async (patch) => {
    Object.assign(window.props, patch);
    render(html`<${Timeline} ...${window.props} />`, app);
    await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  };
  window.log = () => document.querySelector('[role=log]');
  await window.show({});
}"""
SETTLE: Final = """async () => {
  for (let frame = 0; frame < 2; frame += 1) await new Promise(requestAnimationFrame);
}"""


class LogHarness:
    """`log = await LogHarness.open(pages); await log.show("messages: say(1, 3000)")`."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.messages: Locator = page.get_by_test_id("message")

    @classmethod
    async def open(cls, pages: DemoPages) -> "LogHarness":
        page = (await pages.open(DESKTOP)).page
        await page.evaluate(HARNESS)
        return cls(page)

    async def show(self, patch: str) -> None:
        """Render with these properties changed, written as the inside of a JavaScript object."""
        await self.page.evaluate(f"() => show({{ {patch} }})")

    async def add(self, messages: str) -> None:
        await self.page.evaluate(f"() => show({{ messages: [...props.messages, ...{messages}] }})")

    async def scroll(self, to: str) -> None:
        """Set scrollTop to a JavaScript expression of the log's element `e`, and let it react."""
        await self.page.evaluate(f"() => {{ const e = log(); e.scrollTop = {to}; }}")
        await self.page.evaluate(SETTLE)

    async def value(self, expression: str) -> Any:
        return await self.page.evaluate(expression)

    async def ids(self) -> list[int]:
        """The ids of the messages in the DOM."""
        found: list[int] = await self.messages.evaluate_all(
            "all => all.map((each) => Number(each.dataset.messageId))"
        )
        return found

    async def top_of(self, message_id: int) -> float:
        """How far down the window the text of the message begins."""
        row = f"document.querySelector('[data-message-id=\"{message_id}\"] .bubble')"
        return float(await self.page.evaluate(f"{row}.getBoundingClientRect().top"))
