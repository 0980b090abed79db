"""Where the keyboard is after what had the focus went away; with motion, as most people have it."""

from contextlib import asynccontextmanager

import pytest
from playwright.async_api import expect

from tests.e2e.demo_page import DESKTOP, PHONE, demo_pages

MOTION = ["no-preference", "reduce"]
# The drawer in the very task that opens it: what is hidden for one frame cannot take the focus.
OPENED = """async (button) => {
  button.click();
  const drawer = document.getElementById('sidebar');
  while (!drawer.classList.contains('is-open')) await null;
  return getComputedStyle(drawer).visibility;
}"""
ON_NOTHING = "() => document.activeElement === document.body"


@pytest.fixture
def chat_of_two(serve, chromium, tmp_path, monkeypatch):
    """`async with chat_of_two(messages) as (chat, pages, chat_id):` users 1 and 2, said by 2."""
    monkeypatch.setenv("CHAT_RATE_LIMIT_SEND_BURST", "1000")

    @asynccontextmanager
    async def open_chat(messages=0):
        async with (
            serve() as chat,
            chromium() as browser,
            demo_pages(browser, chat.url) as pages,
        ):
            chat_id = await chat.create_chat([1, 2], title="Orders")
            for number in range(messages):
                await say(chat, chat_id, f"message {number}")
            yield chat, pages, chat_id

    return open_chat


async def say(chat, chat_id, text, user_id=2):
    body = {"chatId": chat_id, "content": text}
    return (await chat.request("POST", "/chat-messages", user_id, json=body)).data


async def enter(chat, pages, size=DESKTOP, **options):
    page = await pages.open(size, **options)
    await page.sign_in_with_token(chat.token(1, name="Ada"))
    await page.expect_connection("online")
    await expect(page.page.get_by_role("heading", name="Orders")).to_be_visible()
    return page


@pytest.mark.parametrize("motion", MOTION)
async def test_the_drawer_takes_the_focus_and_gives_it_back(chat_of_two, motion):
    """Opened: its close button. Closed by Escape, by the button or by a choice: what opened it."""
    async with chat_of_two() as (chat, pages, _chat_id):
        await chat.create_chat([1, 2], title="Returns")
        ada = await pages.open(PHONE, reduced_motion=motion)
        await ada.sign_in_with_token(chat.token(1, name="Ada"))
        await ada.expect_connection("online")
        opener = ada.page.get_by_role("button", name="Chats and people")
        closer = ada.page.get_by_role("button", name="Close")
        for close in (
            lambda: ada.page.keyboard.press("Escape"),
            closer.click,
            ada.page.get_by_role("button", name="Orders").click,
        ):
            assert await opener.evaluate(OPENED) == "visible"
            await expect(closer).to_be_focused()
            await close()
            await expect(opener).to_be_focused()
        await expect(ada.page.get_by_role("heading", name="Orders")).to_be_visible()


@pytest.mark.parametrize("motion", MOTION)
async def test_who_signs_in_can_write_at_once(chat_of_two, motion):
    """The composer has the focus, and so has the sign-in screen's first field after a refusal."""
    async with chat_of_two() as (chat, pages, _chat_id):
        ada = await pages.open(reduced_motion=motion)
        await ada.sign_in_with_token("nonsense")
        await expect(ada.page.get_by_test_id("sign-in-error")).to_be_visible()
        await expect(ada.page.get_by_test_id("token-input")).to_be_focused()
        await ada.sign_in_with_token(chat.token(1, name="Ada"))
        await expect(ada.input).to_be_focused()
        await ada.page.get_by_test_id("sign-out").click()
        await expect(ada.page.get_by_test_id("token-input")).to_be_focused()


async def test_loading_earlier_messages_keeps_the_focus(chat_of_two):
    """On the button while there are more, in the log when there are no more."""
    async with chat_of_two(messages=120) as (chat, pages, _chat_id):
        ada = await enter(chat, pages)
        earlier = ada.page.get_by_test_id("load-earlier")
        await earlier.focus()
        await ada.page.keyboard.press("Enter")
        await expect(ada.messages).to_have_count(100)
        await expect(earlier).to_be_focused()
        await ada.page.keyboard.press("Enter")
        await expect(ada.messages).to_have_count(120)
        await expect(ada.page.get_by_role("log")).to_be_focused()


async def test_going_to_the_latest_message_keeps_the_focus_in_the_log(chat_of_two):
    """The button goes away when it is pressed; arrow keys then scroll the log."""
    async with chat_of_two(messages=40) as (chat, pages, _chat_id):
        ada = await enter(chat, pages)
        await ada.messages.first.scroll_into_view_if_needed()
        jump = ada.page.get_by_test_id("jump-to-end")
        await jump.focus()
        await ada.page.keyboard.press("Enter")
        await expect(jump).to_have_count(0)
        await expect(ada.page.get_by_role("log")).to_be_focused()
        await expect(ada.texts.last).to_be_in_viewport()


async def test_escape_closes_the_menu_wherever_the_focus_is(chat_of_two):
    """Also in a browser that does not focus a pressed button; the button then has the focus."""
    async with chat_of_two() as (chat, pages, _chat_id):
        ada = await enter(chat, pages)
        await ada.say("mine")
        for focus in ("", "document.activeElement.blur()"):
            await ada.open_actions("mine")
            await expect(ada.page.get_by_test_id("edit-message")).to_have_count(1)
            await ada.page.evaluate(focus or "1")
            await ada.page.keyboard.press("Escape")
            await expect(ada.page.get_by_test_id("edit-message")).to_have_count(0)
            await expect(ada.page.get_by_test_id("message-actions")).to_be_focused()


@pytest.mark.usefixtures("node_modules")
async def test_an_editor_whose_message_is_deleted_elsewhere_gives_the_text_back(chat_of_two):
    """The editor closes with a notice that holds what was written; the keyboard is on it."""
    async with chat_of_two() as (chat, pages, chat_id):
        ada = await enter(chat, pages)
        mine = await say(chat, chat_id, "mine", user_id=1)
        await ada.open_actions("mine")
        await ada.page.get_by_test_id("edit-message").click()
        await ada.page.get_by_test_id("edit-input").fill("a much better text")
        await chat.request("DELETE", f"/chat-messages/{mine['id']}", 1)
        lost = ada.page.get_by_test_id("edit-lost")
        await expect(lost).to_contain_text("deleted while you were editing")
        await expect(lost).to_contain_text("a much better text")
        await expect(ada.page.get_by_test_id("edit-input")).to_have_count(0)
        await expect(lost.get_by_role("button")).to_be_focused()
        assert await ada.axe() == []
        await ada.page.keyboard.press("Enter")
        await expect(lost).to_have_count(0)
        assert not await ada.page.evaluate(ON_NOTHING)


async def test_a_blank_or_long_edit_is_explained_and_loses_nothing(chat_of_two):
    """Nothing is sent, the field keeps its text and the focus, and says what is wrong."""
    async with chat_of_two() as (chat, pages, _chat_id):
        ada = await enter(chat, pages)
        await ada.say("mine")
        await ada.open_actions("mine")
        await ada.page.get_by_test_id("edit-message").click()
        field = ada.page.get_by_test_id("edit-input")
        problem = ada.page.get_by_test_id("edit-problem")
        for text, words in (("\u200b", "visible character"), ("x" * 10_003, "3 characters too")):
            await field.fill(text)
            await ada.page.keyboard.press("Enter")
            await expect(problem).to_contain_text(words)
            await expect(field).to_be_focused()
            assert await field.input_value() == text
        await field.fill("better")
        await expect(problem).to_have_count(0)
        await ada.page.keyboard.press("Enter")
        await ada.expect_texts(["better"])
