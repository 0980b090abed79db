"""What a screen reader is told of the log, and the states in which there is nothing to read."""

import re
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import expect

from tests.e2e.demo_page import demo_pages
from tests.support.rest.errors import assert_succeeded

# Every text that a live region shows from now on; the typing line and the connection are apart.
LISTEN = """() => {
  window.told = [];
  const region = document.querySelector('[data-testid=announcer]');
  const listen = ({ addedNodes }) => addedNodes.forEach((node) => told.push(node.textContent));
  new MutationObserver((changes) => changes.forEach(listen)).observe(region, { childList: true });
}"""
LIVE_LOG = """() => ['polite', 'assertive'].includes(
  document.querySelector('[role=log]').getAttribute('aria-live') ?? 'polite')"""


@pytest.fixture
def world(serve, chromium, monkeypatch):
    """`async with world() as (chat, pages):` a server with tokens, and its page."""
    monkeypatch.setenv("CHAT_RATE_LIMIT_SEND_BURST", "1000")

    @asynccontextmanager
    async def start():
        async with (
            serve() as chat,
            chromium() as browser,
            demo_pages(browser, chat.url) as pages,
        ):
            yield chat, pages

    return start


async def say(chat, chat_id, text, user_id=2):
    body = {"chatId": chat_id, "content": text}
    return assert_succeeded(await chat.request("POST", "/chat-messages", user_id, json=body), 201)


async def enter(chat, pages, **options):
    page = await pages.open(**options)
    await page.sign_in_with_token(chat.token(1, name="Ada"))
    await page.expect_connection("online")
    return page


async def test_only_new_messages_of_others_are_read_out(world):
    """Not the history, not the earlier page, not one's own; one region says it, not the log too."""
    async with world() as (chat, pages):
        chat_id = await chat.create_chat([1, 2], title="Orders")
        for number in range(70):
            await say(chat, chat_id, f"message {number}")
        ada = await enter(chat, pages)
        await expect(ada.messages).to_have_count(50)
        await expect(ada.page.get_by_role("log")).to_have_attribute("aria-busy", "false")
        assert not await ada.page.evaluate(LIVE_LOG)
        assert await ada.page.get_by_test_id("announcer").inner_text() == ""
        await ada.page.evaluate(LISTEN)
        await ada.page.get_by_test_id("load-earlier").click()
        await expect(ada.messages).to_have_count(70)
        await ada.say("my own")
        await say(chat, chat_id, "a new one")
        await expect(ada.texts.last).to_have_text("a new one")
        assert await ada.page.evaluate("told") == ["User 2: a new one"]


@pytest.mark.usefixtures("node_modules")
async def test_a_chat_says_why_there_is_nothing_in_it(world):
    """No chat at all, one that can only be read, and an empty one."""
    async with world() as (chat, pages):
        ada = await enter(chat, pages)
        empty = ada.page.get_by_test_id("log-empty")
        closed = ada.page.get_by_test_id("composer-closed")
        await expect(empty).to_have_attribute("data-phase", "none")
        await expect(empty).to_contain_text("No chats yet")
        await expect(ada.input).to_be_hidden()
        assert await ada.axe() == []

        chat_id = await chat.create_chat([2], title="Orders")
        host = {"Authorization": f"Bearer {chat.token('crm', type='service')}"}
        people = f"/chats/{chat_id}/participants"
        body = {"userIds": [1], "role": "readonly"}
        assert_succeeded(await chat.request("POST", people, None, json=body, headers=host), 201)
        await ada.page.reload()
        await expect(closed).to_contain_text("not write in it")
        await expect(ada.input).to_be_hidden()
        await expect(empty).to_contain_text("Nothing said yet")
        assert await ada.axe() == []

        member = {"role": "member"}
        await chat.request("PATCH", f"{people}/1", None, json=member, headers=host)
        await expect(ada.input).to_be_visible()
        await expect(closed).to_have_count(0)
        await expect(empty).to_contain_text("Write the first message")
        await ada.say("thank you")


async def test_a_message_without_visible_text_says_so(world):
    """Such messages were stored by earlier versions; their bubble is not empty."""
    async with world() as (chat, pages):
        chat_id = await chat.create_chat([1, 2], title="Orders")
        stored = await say(chat, chat_id, "stored before the rule")
        ada = await pages.open()
        await ada.page.route(
            "**/chat-messages**", lambda route: route.fulfill(json=with_text(stored, "\u200b"))
        )
        await ada.sign_in_with_token(chat.token(1, name="Ada"))
        await ada.expect_texts(["Message without visible text"])


def with_text(message, text):
    page = {"hasBefore": False, "hasAfter": False}
    return {"success": True, "data": [message | {"message": text}], "page": page}


async def test_texts_and_names_have_the_direction_of_their_letters(world):
    """Arabic and Hebrew run from right to left, line by line, in texts, names and the composer."""
    async with world() as (chat, pages):
        chat_id = await chat.create_chat([1, 2], title="\u05e9\u05dc\u05d5\u05dd!")
        await say(chat, chat_id, "\u0645\u0631\u062d\u0628\u0627!")
        await say(chat, chat_id, "Hello!")
        ada = await enter(chat, pages)
        await ada.expect_texts(["\u0645\u0631\u062d\u0628\u0627!", "Hello!"])
        direction = "element => getComputedStyle(element).direction"
        texts = await ada.texts.evaluate_all(f"all => all.map({direction})")
        assert texts == ["rtl", "ltr"]
        assert await ada.page.get_by_role("heading", level=1).evaluate(direction) == "rtl"
        await ada.input.fill("\u05e9")
        assert await ada.input.evaluate(direction) == "rtl"


@pytest.mark.parametrize(
    ("locale", "clock"), [("de-DE", r"\d\d:\d\d"), ("en-US", r"\d\d:\d\d [AP]M")]
)
async def test_dates_are_in_the_language_of_the_page(world, locale, clock):
    """A German browser shows no German weekday in an English page, but its own 24-hour clock."""
    async with world() as (chat, pages):
        chat_id = await chat.create_chat([1, 2], title="Orders")
        await say(chat, chat_id, "hello")
        ada = await enter(chat, pages, locale=locale)
        shown = await ada.page.locator("time").inner_text()
        title = await ada.page.locator("time").get_attribute("title")
        assert re.fullmatch(clock, shown.replace("\u202f", " "))
        assert re.match("(Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day", title)
