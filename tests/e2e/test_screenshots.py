"""The pictures of the front page: a conversation typed into the page by two people."""

import os

from playwright.async_api import expect

from chat.auth import mint
from chat.testing import SECRET
from tests.e2e import showcase
from tests.e2e.demo_page import demo_pages
from tests.e2e.servers import ROOT
from tests.e2e.showcase import INGRID, MAYA, NAMES, TOMAS

IMAGES = ROOT / "docs/images"
DESKTOP = (1060, 872)
PHONE = (372, 714)


def token_of(user_id, clock):
    token, _ = mint(
        SECRET, user_id, user_type="employee", clock=clock, valid_s=3600, name=NAMES[user_id]
    )
    return token


async def create_chat(chat, clock, title, user_ids, said):
    """A chat made by the host application, with what was said in it before."""
    host, _ = mint(SECRET, "crm", user_type="service", clock=clock, valid_s=3600)
    bearer = {"Authorization": f"Bearer {host}"}
    body = {"type": "group", "title": title, "participantIds": user_ids}
    made = await chat.request("POST", "/chats", None, json=body, headers=bearer)
    for user_id, content in said:
        bearer = {"Authorization": f"Bearer {token_of(user_id, clock)}"}
        body = {"chatId": made.data["id"], "content": content}
        sent = await chat.request("POST", "/chat-messages", None, json=body, headers=bearer)
        assert sent.status == 201
    clock.go_on(3)


async def open_page(pages, clock, user_id, size, scheme):
    page = await pages.open(size, scheme, device_scale_factor=2, timezone_id="UTC")
    await page.sign_in_with_token(token_of(user_id, clock))
    await page.expect_connection("online")
    return page


async def test_the_picture_of_the_front_page_is_of_this_very_page(
    serve, chromium, tmp_path, monkeypatch
):
    """Two people talk about an order; the pictures in docs/images are renewed when asked for."""
    # Nobody types as fast as a test.
    monkeypatch.setenv("CHAT_RATE_LIMIT_TYPING_PER_S", "1000")
    clock = showcase.StagedClock()
    async with (
        serve(clock=clock, presence_grace_s=0) as chat,
        chromium() as browser,
        demo_pages(browser, chat.url) as pages,
    ):
        for title, (user_ids, said) in showcase.OTHER_CHATS.items():
            await create_chat(chat, clock, title, user_ids, said)
        await create_chat(chat, clock, showcase.TITLE, [MAYA, TOMAS, INGRID], [])
        ingrid = await chat.connect(INGRID, token=token_of(INGRID, clock))
        people = {
            MAYA: await open_page(pages, clock, MAYA, DESKTOP, "light"),
            TOMAS: await open_page(pages, clock, TOMAS, PHONE, "dark"),
        }
        maya, tomas = people.values()
        await ingrid.close()
        for user_id, text, minutes in showcase.CONVERSATION:
            clock.go_on(minutes)
            await people[user_id].say(text)
        await expect(tomas.texts).to_have_count(len(showcase.CONVERSATION))
        await expect(maya.page.get_by_test_id("receipt")).to_contain_text("Seen")
        await expect(maya.person("Ingrid")).to_have_attribute("data-status", "offline")
        await maya.page.evaluate("() => document.activeElement.blur()")
        await maya.page.mouse.move(0, 0)
        await tomas.input.press_sequentially(showcase.UNFINISHED)
        await expect(maya.typing).to_be_visible()

        await maya.page.screenshot(path=tmp_path / "desktop.png")
        await tomas.page.screenshot(path=tmp_path / "phone.png")
        (tmp_path / "frame.html").write_text(showcase.FRAME)
        frame = await browser.new_page(viewport={"width": 1600, "height": 1000})
        await frame.goto((tmp_path / "frame.html").as_uri())
        await frame.screenshot(path=tmp_path / "chat.png")

    wanted = bool(os.environ.get("UPDATE_SCREENSHOTS"))
    IMAGES.mkdir(exist_ok=True)
    for made, shown in (("chat.png", "chat.png"), ("phone.png", "chat-phone.png")):
        picture = (tmp_path / made).read_bytes()
        assert picture.startswith(b"\x89PNG")
        if wanted or not (IMAGES / shown).exists():
            (IMAGES / shown).write_bytes(picture)
