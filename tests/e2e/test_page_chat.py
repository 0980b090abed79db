"""The demo page used by two people: everything a chat is for, seen from both sides."""

from playwright.async_api import expect

from tests.e2e.demo_page import NO_SERVER, demo_pages
from tests.e2e.no_shouting import NoShouting
from tests.e2e.servers import server_process


async def both(pages):
    ada, grace = await pages.open(), await pages.open()
    await ada.sign_in("Ada")
    await grace.sign_in("Grace")
    return ada, grace


async def test_two_people_see_each_other_typing_and_talking(demo):
    """What one writes appears at the other, with typing before it and a receipt after it."""
    async with demo() as (_chat, pages):
        ada, grace = await both(pages)
        await expect(ada.person("Grace")).to_have_attribute("data-status", "online")
        await expect(grace.person("Ada")).to_have_attribute("data-status", "online")

        await ada.input.press_sequentially("Hello, Gr")
        await expect(grace.typing).to_have_text("Ada is typing…")
        await ada.say("Hello, Grace")
        await expect(grace.typing).to_have_count(0)
        await grace.expect_texts(["Hello, Grace"])
        await expect(ada.page.get_by_test_id("receipt")).to_have_text("Seen")
        await grace.say("Hello, Ada")
        await ada.expect_texts(["Hello, Grace", "Hello, Ada"])


async def test_the_history_is_there_after_a_reload(demo):
    """A reload stays signed in and shows the same messages in the same order."""
    async with demo() as (_chat, pages):
        ada, grace = await both(pages)
        await ada.say("one")
        await grace.say("two\nwith a second line")
        await ada.page.reload()
        await ada.expect_connection("online")
        await expect(ada.texts).to_have_text(
            ["one", "two\nwith a second line"], use_inner_text=True
        )


async def test_an_edit_and_a_deletion_are_seen_by_the_other(demo):
    """An edited message says so, and a deleted one leaves a tombstone, on both pages."""
    async with demo() as (_chat, pages):
        ada, grace = await both(pages)
        await ada.say("first darft")
        await ada.say("never mind")
        await ada.open_actions("first darft")
        await ada.page.get_by_test_id("edit-message").click()
        await ada.page.get_by_test_id("edit-input").fill("first draft")
        await ada.page.get_by_test_id("save-edit").click()
        await ada.open_actions("never mind")
        await ada.page.get_by_test_id("delete-message").click()
        await ada.page.get_by_test_id("delete-message").click()
        for page in (ada, grace):
            await page.expect_texts(["first draft", "Message deleted"])
            await expect(page.message("first draft")).to_contain_text("edited")
            await expect(page.messages.last).to_have_attribute("data-state", "deleted")


async def test_earlier_messages_are_loaded_without_losing_the_place(demo, monkeypatch):
    """The newest fifty come first; earlier ones go above them, and what was read stays in place."""
    monkeypatch.setenv("CHAT_RATE_LIMIT_SEND_BURST", "1000")
    async with demo() as (chat, pages):
        made = await chat.request("POST", "/demo/token", None, json={"name": "Ada"})
        bearer = {"Authorization": f"Bearer {made.data['token']}"}
        for number in range(1, 71):
            body = {"chatId": made.data["chatId"], "content": f"message {number}"}
            await chat.request("POST", "/chat-messages", None, json=body, headers=bearer)
        grace = await pages.open()
        await grace.sign_in("Grace")
        await expect(grace.messages).to_have_count(50)
        await expect(grace.texts.last).to_be_in_viewport()

        earlier = grace.page.get_by_test_id("load-earlier")
        await earlier.scroll_into_view_if_needed()
        place = grace.message("message 21").locator(".bubble")
        before = await place.bounding_box()
        await earlier.click()
        await expect(grace.messages).to_have_count(70)
        await expect(grace.texts.first).to_have_text("message 1")
        await expect(earlier).to_have_count(0)
        after = await place.bounding_box()
        assert abs(after["y"] - before["y"]) < 60


async def test_a_refused_message_is_explained_and_can_be_taken_back(demo):
    """A toast shows the reason and the code; the message stays as not sent until discarded."""
    async with demo(plugins=[NoShouting()]) as (_chat, pages):
        ada, grace = await both(pages)
        await ada.input.fill("HELLO")
        await ada.input.press("Enter")
        await expect(ada.toast).to_have_attribute("data-code", "REJECTED")
        await expect(ada.toast).to_contain_text("not so loud, please")
        await expect(ada.messages.last).to_have_attribute("data-state", "failed")
        await ada.page.get_by_text("Discard").click()
        await expect(ada.messages).to_have_count(0)
        await ada.say("hello")
        await grace.expect_texts(["hello"])


async def test_who_is_here_follows_who_comes_and_goes(demo):
    """A new person appears in the list, and one who signs out is offline after the grace."""
    async with demo(presence_grace_s=0.1) as (_chat, pages):
        ada, grace = await both(pages)
        annie = await pages.open()
        await annie.sign_in("Annie Jump Cannon")
        await expect(ada.person("Annie Jump Cannon")).to_have_attribute("data-status", "online")
        await grace.page.get_by_test_id("sign-out").click()
        await expect(ada.person("Grace")).to_have_attribute("data-status", "offline")


async def test_a_message_written_while_the_server_restarts_is_delivered_once(chromium, tmp_path):
    """The page reconnects by itself and sends what was composed meanwhile, once."""
    async with (
        server_process(tmp_path) as server,
        chromium() as browser,
        demo_pages(browser, server.url, allowed=NO_SERVER) as pages,
    ):
        ada, grace = await both(pages)
        await ada.say("before")
        await server.stop()
        await ada.expect_connection("reconnecting")
        await ada.input.fill("written while away")
        await ada.input.press("Enter")
        await expect(ada.messages.last).to_have_attribute("data-state", "pending")
        await server.start()
        await ada.expect_connection("online")
        await ada.page.reload()
        for page in (ada, grace):
            await page.expect_connection("online")
            await page.expect_texts(["before", "written while away"])


async def test_a_lost_answer_does_not_make_a_message_twice(demo):
    """It was stored, but the page did not hear of it: its repeat is the same message."""
    lost = []

    def lose_the_first_answer(page_side):
        server_side = page_side.connect_to_server()
        is_broken = False

        async def pass_on(frame):
            nonlocal is_broken
            if is_broken:
                return
            if lost or "clientMessageId" not in frame:
                page_side.send(frame)
                return
            is_broken = True
            lost.append(frame)
            await page_side.close()
            await server_side.close()

        server_side.on_message(pass_on)

    async with demo() as (_chat, pages):
        ada, grace = await pages.open(), await pages.open()
        await ada.page.route_web_socket("**/socket.io/**", lose_the_first_answer)
        await ada.page.reload()
        await ada.sign_in("Ada")
        await grace.sign_in("Grace")
        await ada.say("only once")
        await ada.say("and this")
        assert len(lost) == 1
        for page in (ada, grace):
            await page.expect_texts(["only once", "and this"])


async def test_without_demo_mode_the_page_asks_for_a_token(serve, chromium):
    """A good token opens the chat; a bad one says why it does not."""
    async with (
        serve() as chat,
        chromium() as browser,
        demo_pages(browser, chat.url) as pages,
    ):
        await chat.create_chat([1, 2], title="Orders")
        ada = await pages.open()
        await ada.sign_in_with_token("nonsense")
        problem = ada.page.get_by_test_id("sign-in-error")
        await expect(problem).to_have_attribute("data-code", "TOKEN_INVALID")
        await ada.sign_in_with_token(chat.token(1, name="Ada"))
        await ada.expect_connection("online")
        await expect(ada.page.get_by_role("heading", name="Orders")).to_be_visible()


async def test_a_name_that_the_server_learns_later_is_shown_at_once(serve, chromium):
    """Who was a number when the page was opened has a name after coming in with a token."""
    async with (
        serve() as chat,
        chromium() as browser,
        demo_pages(browser, chat.url) as pages,
    ):
        chat_id = await chat.create_chat([1, 2])
        ada = await pages.open()
        await ada.sign_in_with_token(chat.token(1, name="Ada"))
        await expect(ada.person("User 2")).to_be_visible()
        await chat.connect(2, token=chat.token(2, name="Grace"), join=chat_id)
        await expect(ada.person("Grace")).to_have_attribute("data-status", "online")
