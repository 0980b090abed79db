"""The demo page without a mouse, in the dark, on a phone, and for a screen reader."""

import pytest
from playwright.async_api import expect

from tests.e2e.demo_page import DESKTOP, NARROW, PHONE

pytestmark = pytest.mark.usefixtures("node_modules")
"""For axe."""

FOCUSED = "() => document.activeElement.dataset.testid ?? document.activeElement.tagName"
LONG_WORD = "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichen" * 4


async def press_until(page, key, test_id):
    """Walk with Tab or Shift+Tab until the focus is there; a trap or a hole in the order fails."""
    walked = []
    for _ in range(30):
        await page.keyboard.press(key)
        walked.append(await page.evaluate(FOCUSED))
        if walked[-1] == test_id:
            return
    raise AssertionError(f"{test_id} is not reached by {key}: {walked}")


async def test_everything_can_be_done_with_the_keyboard_alone(demo):
    """Sign in, write, edit, think better of it, delete and sign out, without a mouse."""
    async with demo() as (_chat, pages):
        ada, grace = await pages.open(), await pages.open()
        await grace.sign_in("Grace")
        await expect(ada.page.get_by_test_id("demo-user").first).to_be_visible()
        await press_until(ada.page, "Tab", "demo-user")
        await ada.page.keyboard.press("Enter")
        await ada.expect_connection("online")
        keyboard = ada.page.keyboard

        await press_until(ada.page, "Tab", "message-input")
        await keyboard.type("first line")
        await keyboard.press("Shift+Enter")
        await keyboard.type("second line")
        await keyboard.press("Enter")
        text = "first line\nsecond line"
        await expect(grace.texts).to_have_text([text], use_inner_text=True)
        await expect(ada.messages).to_have_attribute("data-state", "stored")

        await press_until(ada.page, "Shift+Tab", "message-actions")
        await keyboard.press("Enter")
        await press_until(ada.page, "Tab", "edit-message")
        await keyboard.press("Enter")
        await expect(ada.page.get_by_test_id("edit-input")).to_be_focused()
        await keyboard.press("Escape")
        await expect(ada.page.get_by_test_id("message-actions")).to_be_focused()
        await keyboard.press("Enter")
        await press_until(ada.page, "Tab", "edit-message")
        await keyboard.press("Enter")
        await keyboard.press("ControlOrMeta+A")
        await keyboard.type("one line")
        await keyboard.press("Enter")
        await grace.expect_texts(["one line"])

        await expect(ada.page.get_by_test_id("message-actions")).to_be_focused()
        await keyboard.press("Enter")
        await press_until(ada.page, "Tab", "delete-message")
        await keyboard.press("Enter")
        await keyboard.press("Enter")
        await grace.expect_texts(["Message deleted"])

        await press_until(ada.page, "Shift+Tab", "sign-out")
        await keyboard.press("Enter")
        await expect(ada.page.get_by_test_id("name-input")).to_be_visible()


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_to_complain_about(demo, size, scheme):
    """No violation on the sign-in screen, in the chat, in menu and editor, in the drawer."""
    async with demo() as (_chat, pages):
        ada = await pages.open(size, scheme)
        grace = await pages.open()
        await expect(ada.page.get_by_test_id("demo-user").first).to_be_visible()
        assert await ada.axe() == []
        await ada.sign_in("Ada")
        assert await ada.axe() == []
        await grace.sign_in("Grace")
        await grace.say("See https://example.org/notes")
        await ada.say("edit me")
        await ada.say("delete me")
        await ada.open_actions("delete me")
        assert await ada.axe() == []
        await ada.page.get_by_test_id("delete-message").click()
        await ada.page.get_by_test_id("delete-message").click()
        await expect(ada.messages.last).to_have_attribute("data-state", "deleted")
        await ada.open_actions("edit me")
        await ada.page.get_by_test_id("edit-message").click()
        await grace.input.press_sequentially("typ")
        await expect(ada.typing).to_be_visible()
        assert await ada.axe() == []
        if size == PHONE:
            await ada.page.get_by_role("button", name="Chats and people").click()
            await expect(ada.page.get_by_test_id("sign-out")).to_be_visible()
            assert await ada.axe() == []


async def test_nothing_is_wider_than_a_small_phone(demo):
    """At 360 pixels neither screen scrolls sideways, whatever people write or are called."""
    async with demo() as (_chat, pages):
        ada = await pages.open(NARROW, "light")
        await expect(ada.page.get_by_test_id("demo-user").first).to_be_visible()
        assert await ada.overflow_px() == 0
        await ada.sign_in("Wolfeschlegelsteinhausenbergerdorff")
        await ada.say(LONG_WORD)
        await ada.say(f"https://example.org/{LONG_WORD}")
        assert await ada.overflow_px() == 0
        await ada.open_actions("https://example.org")
        assert await ada.overflow_px() == 0
        await ada.page.get_by_test_id("edit-message").click()
        assert await ada.overflow_px() == 0
