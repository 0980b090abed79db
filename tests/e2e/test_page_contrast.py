"""The page in high contrast, and in windows of a few lines: nothing is lost, cut off or covered."""

import pytest
from playwright.async_api import expect

from tests.e2e.demo_page import DESKTOP

pytestmark = pytest.mark.usefixtures("node_modules")
"""For axe."""

ZOOMED = (320, 256)
"""A window of 1280 x 1024 pixels, enlarged to 400 %."""
SIDEWAYS = (740, 360)

HAS_BORDER = """elements => elements.map((each) => {
  const { borderTopStyle, borderTopWidth } = getComputedStyle(each);
  return borderTopStyle !== 'none' && parseFloat(borderTopWidth) >= 1;
})"""
DOT = "avatars => avatars.map((each) => getComputedStyle(each, '::after').backgroundColor)"
# Whether a press in its middle would hit the element itself.
UNCOVERED = """element => {
  const { left, top, width, height } = element.getBoundingClientRect();
  const hit = document.elementFromPoint(left + width / 2, top + height / 2);
  return element.contains(hit);
}"""


@pytest.mark.parametrize(
    ("size", "options"),
    [
        (DESKTOP, {"forced_colors": "active"}),
        (DESKTOP, {"forced_colors": "active", "scheme": "dark"}),
        (DESKTOP, {"contrast": "more"}),
        (DESKTOP, {"contrast": "more", "scheme": "dark"}),
        (ZOOMED, {}),
        (ZOOMED, {"forced_colors": "active", "reduced_motion": "no-preference"}),
        (SIDEWAYS, {"scheme": "dark", "reduced_motion": "no-preference"}),
    ],
    ids=lambda value: "-".join(map(str, value)) or "plain",
)
async def test_axe_finds_nothing_in_high_contrast_and_in_small_windows(demo, size, options):
    """In every state: signing in, the chat, its menu, its editor, scrolled up, and the drawer."""
    async with demo() as (_chat, pages):
        ada = await pages.open(size, **options)
        await expect(ada.page.get_by_test_id("demo-user").first).to_be_visible()
        found = {"sign-in": await ada.axe()}
        await ada.sign_in("Ada")
        found["empty"] = await ada.axe()
        grace = await pages.open()
        await grace.sign_in("Grace")
        await grace.say("See https://example.org/notes")
        await ada.say("mine\n" * 12)
        await ada.open_actions("mine")
        found["menu"] = await ada.axe()
        await ada.page.get_by_test_id("edit-message").click()
        found["editor"] = await ada.axe()
        await ada.page.keyboard.press("Escape")
        await ada.page.get_by_role("log").evaluate("log => { log.scrollTop = 0; }")
        await grace.say("new")
        await expect(ada.texts.last).to_have_text("new")
        found["scrolled up"] = await ada.axe()
        assert await ada.overflow_px() == 0
        opener = ada.page.get_by_role("button", name="Chats and people")
        if await opener.is_visible():
            await opener.click()
            await expect(ada.page.get_by_role("button", name="Close")).to_be_focused()
            found["drawer"] = await ada.axe()
        assert found == {state: [] for state in found}


async def test_forced_colours_leave_bubbles_states_and_buttons(demo):
    """What colours and shadows told is told by borders and shapes."""
    async with demo() as (_chat, pages):
        ada = await pages.open(forced_colors="active")
        grace = await pages.open()
        await ada.sign_in("Ada")
        await grace.sign_in("Grace")
        await grace.say("hers")
        await ada.say("mine")
        await grace.page.close()
        await expect(ada.person("Grace")).to_have_attribute(
            "data-status", "offline", timeout=20_000
        )
        await ada.open_actions("mine")
        for what in (".bubble", ".avatar", ".menu", ".menu button", ".send", ".icon-button"):
            shown = ada.page.locator(f"{what}:visible")
            borders = await shown.evaluate_all(HAS_BORDER)
            assert set(borders) == {True}, what
        online = await ada.page.locator(".avatar.is-online").evaluate_all(DOT)
        offline = await ada.page.locator(".avatar.is-offline").evaluate_all(DOT)
        assert set(online) == {"rgb(0, 0, 0)"}  # a full disc
        assert set(offline) == {"rgb(255, 255, 255)"}  # an empty ring
        await ada.page.get_by_test_id("edit-message").click()
        assert all(await ada.page.locator(".editor .button").evaluate_all(HAS_BORDER))


@pytest.mark.parametrize("size", [ZOOMED, SIDEWAYS], ids=["400 %", "sideways"])
async def test_nothing_is_covered_or_cut_off_in_a_small_window(demo, size):
    """Names, menu, editor, "Latest" and the composer can all be reached and pressed."""
    async with demo() as (_chat, pages):
        ada, grace = await pages.open(size), await pages.open()
        for user in await ada.page.get_by_test_id("demo-user").all():
            await expect(user).to_be_in_viewport(ratio=1)
        await ada.sign_in("Ada")
        await grace.sign_in("Grace")
        for number in range(12):
            await ada.say(f"line {number}")
        await ada.message("line 5").scroll_into_view_if_needed()
        await grace.say("new")
        jump = ada.page.get_by_test_id("jump-to-end")
        await expect(jump).to_be_in_viewport(ratio=1)
        assert await jump.evaluate(UNCOVERED)
        assert await ada.input.evaluate(UNCOVERED)

        await ada.open_actions("line 5")
        for name in ("edit-message", "delete-message"):
            item = ada.page.get_by_test_id(name)
            await item.focus()
            await expect(item).to_be_in_viewport(ratio=1)
            assert await item.evaluate(UNCOVERED), name
        await ada.page.get_by_test_id("edit-message").click()
        for item in (
            ada.page.get_by_test_id("save-edit"),
            ada.page.get_by_role("button", name="Cancel"),
        ):
            await item.focus()
            await expect(item).to_be_in_viewport(ratio=1)
            assert await item.evaluate(UNCOVERED)


async def test_the_drawer_of_a_small_window_scrolls_with_the_keyboard(demo):
    """Every person and the way out come into view."""
    async with demo() as (_chat, pages):
        for name in ("Linus", "Margaret", "Guido", "Barbara"):
            await (await pages.open()).sign_in(name)
        ada = await pages.open(ZOOMED)
        await ada.sign_in("Ada")
        await ada.page.get_by_role("button", name="Chats and people").click()
        await expect(ada.page.get_by_role("button", name="Close")).to_be_focused()
        last = ada.page.get_by_test_id("person").last
        await expect(last).not_to_be_in_viewport()
        for _ in range(60):
            await ada.page.keyboard.press("ArrowDown")
            if await last.evaluate(UNCOVERED):
                break
        await expect(last).to_be_in_viewport()
        await ada.page.get_by_test_id("sign-out").focus()
        await expect(ada.page.get_by_test_id("sign-out")).to_be_in_viewport(ratio=1)


async def test_without_scripts_the_page_says_so_at_once(demo):
    """The sentence is on the first screen."""
    async with demo() as (_chat, pages):
        context = await pages.browser.new_context(
            java_script_enabled=False, viewport={"width": 1280, "height": 800}
        )
        page = await context.new_page()
        await page.goto(pages.url)
        sentence = page.locator("noscript")
        assert "needs JavaScript" in await sentence.inner_html()
        box = await sentence.bounding_box()
        assert box["y"] + box["height"] < 200
