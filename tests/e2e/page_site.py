"""The page of a server with a key of its own, whose users sign in with tokens."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

from playwright.async_api import Browser, Page

from chat.identity import UserId
from chat.testing import RunningChat
from tests.e2e.demo_page import NO_SERVER, NOT_FOUND, DemoPage, demo_pages

HOST: Final = ("host", "service")
ADA: Final = 1
GRACE: Final = 2
NAMES: Final[dict[UserId, str]] = {ADA: "Ada", GRACE: "Grace"}


class Site:
    """`chat` is the server; `sign_in` opens a page of a user."""

    def __init__(self, chat: RunningChat, pages: Any) -> None:
        self.chat = chat
        self._pages = pages

    async def sign_in(
        self, user_id: UserId, watch: Callable[[Page], object] = lambda _page: None
    ) -> DemoPage:
        """A page of the user that is connected; `watch` gets it before it is."""
        page: DemoPage = await self._pages.open()
        watch(page.page)
        await page.sign_in_with_token(self.chat.token(user_id, name=NAMES.get(user_id)))
        await page.expect_connection("online")
        return page


@asynccontextmanager
async def site_of(chat: RunningChat, browser: Browser) -> AsyncIterator[Site]:
    """Pages may lose their connection and look for demo mode where there is none."""
    async with demo_pages(browser, chat.url, allowed=NOT_FOUND + NO_SERVER) as pages:
        yield Site(chat, pages)


async def say(chat: RunningChat, user_id: UserId, chat_id: int, content: str) -> dict[str, Any]:
    """The message, stored."""
    body = {"chatId": chat_id, "content": content}
    sent = await chat.request("POST", "/chat-messages", user_id, json=body)
    assert sent.status == 201, sent.body
    return dict(sent.data)
