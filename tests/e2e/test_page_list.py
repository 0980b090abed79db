"""The list of chats in the page: whole, in order, and following what happens."""

from playwright.async_api import expect

from tests.e2e.demo_page import Traffic
from tests.e2e.page_site import ADA, GRACE, HOST, say


async def many_chats(chat, count):
    """Chats of Ada and Grace; the ids in the order of creation."""
    return [
        await chat.create_chat([ADA, GRACE], title=f"Order {number}")
        for number in range(1, count + 1)
    ]


async def test_the_list_holds_all_chats_and_the_last_active_comes_first(site):
    """More chats than a page has; a message in the oldest brings it to the top, unread."""
    async with site() as opened:
        chat = opened.chat
        ids = await many_chats(chat, 65)
        asked = []
        ada = await opened.sign_in(ADA, watch=lambda page: asked.append(Traffic(page)))
        await expect(ada.chats).to_have_count(65)
        await expect(ada.chats.first).to_contain_text("Order 65")
        await expect(ada.chats.last).to_contain_text("Order 1")
        assert asked[0].asked["GET /chats"] <= 3
        await say(chat, GRACE, ids[0], "still there?")
        await expect(ada.chats.first).to_contain_text("Order 1still there?1 unread")
        await expect(ada.chats).to_have_count(65)


async def test_the_open_chat_is_not_left_unasked(site):
    """A new chat, with the open one far down: what one reads and has half written stays."""
    async with site() as opened:
        chat = opened.chat
        await many_chats(chat, 65)
        ada = await opened.sign_in(ADA)
        await ada.chat("Order 1").click()
        await expect(ada.title).to_have_text("Order 1")
        await ada.input.fill("half a thought")
        await chat.create_chat([ADA, GRACE], title="Another")
        await expect(ada.chats.first).to_contain_text("Another")
        # A lost connection reads the list again; its first page does not have the open chat.
        await chat.request("POST", f"/admin/users/{ADA}/disconnect", *HOST)
        await ada.expect_connection("reconnecting")
        await ada.expect_connection("online")
        await expect(ada.chats).to_have_count(66)
        await expect(ada.title).to_have_text("Order 1")
        await expect(ada.input).to_have_value("half a thought")


async def test_a_chat_one_is_added_to_appears_is_renamed_and_goes_live(site):
    """Without a reload, and while another chat is open."""
    async with site() as opened:
        chat = opened.chat
        await chat.create_chat([ADA, GRACE], title="Home")
        other = await chat.create_chat([GRACE], title="Elsewhere")
        ada = await opened.sign_in(ADA)
        await expect(ada.title).to_have_text("Home")
        await chat.request("POST", f"/chats/{other}/participants", *HOST, json={"userIds": [ADA]})
        await expect(ada.chat("Elsewhere")).to_be_visible()
        await say(chat, GRACE, other, "welcome")
        await expect(ada.chat("Elsewhere").locator(".badge")).to_contain_text("1")
        await expect(ada.chat("Elsewhere")).to_contain_text("welcome")
        await chat.request("PATCH", f"/chats/{other}", *HOST, json={"title": "Nowhere"})
        await expect(ada.chat("Nowhere")).to_be_visible()
        await chat.request("DELETE", f"/chats/{other}/participants/{ADA}", *HOST)
        await expect(ada.chat("Nowhere")).to_have_count(0)
        await expect(ada.title).to_have_text("Home")
        await expect(ada.toast).to_have_count(0)


async def test_a_new_title_of_the_open_chat_is_shown_in_both_places(site):
    """The heading and the list say the same."""
    async with site() as opened:
        chat = opened.chat
        await chat.create_chat([ADA], title="Other")
        chat_id = await chat.create_chat([ADA, GRACE], title="Order 1")
        ada = await opened.sign_in(ADA)
        await chat.request("PATCH", f"/chats/{chat_id}", *HOST, json={"title": "Order 1 (paid)"})
        await expect(ada.title).to_have_text("Order 1 (paid)")
        await expect(ada.chat("Order 1 (paid)")).to_be_visible()


async def test_a_direct_chat_is_called_after_the_other_one(site):
    """In the list, also when it was never opened, and under a new name as soon as there is one."""
    async with site() as opened:
        chat = opened.chat
        await chat.request("PUT", f"/users/{GRACE}", *HOST, json={"name": "Grace"})
        direct = {"type": "direct", "participantIds": [GRACE]}
        made = await chat.request("POST", "/chats", ADA, json=direct)
        await chat.create_chat([ADA, GRACE], title="Both")
        await say(chat, GRACE, made.data["id"], "just us")
        ada = await opened.sign_in(ADA)
        await ada.chat("Both").click()
        await expect(ada.title).to_have_text("Both")
        await expect(ada.chat("Grace")).to_contain_text("just us")
        await chat.request("PUT", f"/users/{GRACE}", *HOST, json={"name": "Grace Hopper"})
        await expect(ada.chat("Grace Hopper")).to_be_visible()
        await expect(ada.person("Grace Hopper")).to_be_visible()
        await ada.chat("Grace Hopper").click()
        await expect(ada.title).to_have_text("Grace Hopper")
        third = {"type": "direct", "participantIds": [3]}
        await chat.request("POST", "/chats", ADA, json=third)
        await expect(ada.chat("User 3")).to_be_visible()


async def test_whoever_is_removed_from_the_open_chat_stays_where_they_are(site):
    """The title stays, nothing else opens, and no toast says what the page says already."""
    async with site() as opened:
        chat = opened.chat
        await chat.create_chat([ADA, GRACE], title="Other")
        chat_id = await chat.create_chat([ADA, GRACE], title="Closed circle")
        ada = await opened.sign_in(ADA)
        await expect(ada.title).to_have_text("Closed circle")
        await expect(ada.people).to_have_count(2)
        await chat.request("DELETE", f"/chats/{chat_id}/participants/{ADA}", *HOST)
        await expect(ada.chat("Closed circle")).to_have_count(0)
        await expect(ada.title).to_have_text("Closed circle")
        await expect(ada.people).to_have_count(0)
        await expect(ada.closed).to_have_text("You are no longer in this chat.")
        # They come back as soon as they are let in again.
        await chat.request("POST", f"/chats/{chat_id}/participants", *HOST, json={"userIds": [ADA]})
        await expect(ada.people).to_have_count(2)
        await ada.say("thank you")
        # While they were away from the server nothing told them: the next join does.
        await ada.page.context.set_offline(True)
        await chat.request("POST", f"/admin/users/{ADA}/disconnect", *HOST)
        await ada.expect_connection("offline")
        await chat.request("DELETE", f"/chats/{chat_id}/participants/{ADA}", *HOST)
        await ada.page.context.set_offline(False)
        await ada.expect_connection("online")
        await expect(ada.people).to_have_count(0)
        await expect(ada.title).to_have_text("Closed circle")
        await expect(ada.toast).to_have_count(0)


async def test_a_role_that_may_only_read_closes_the_composer(site):
    """As it is given and taken, and from the start."""
    async with site() as opened:
        chat = opened.chat
        chat_id = await chat.create_chat([ADA, GRACE], title="Notices")
        seat = f"/chats/{chat_id}/participants/{ADA}"
        ada = await opened.sign_in(ADA)
        await expect(ada.input).to_be_enabled()
        await chat.request("PATCH", seat, *HOST, json={"role": "readonly"})
        await expect(ada.closed).to_contain_text("You can read this chat")
        await ada.page.reload()
        await expect(ada.closed).to_contain_text("You can read this chat")
        await chat.request("PATCH", seat, *HOST, json={"role": "member"})
        await expect(ada.closed).to_have_count(0)
        await ada.say("thank you")


async def test_a_chat_that_is_deleted_goes_for_everybody(site):
    """Out of the list; open, it stays in view under its title."""
    async with site() as opened:
        chat = opened.chat
        kept = await chat.create_chat([ADA, GRACE], title="Kept")
        gone = await chat.create_chat([ADA, GRACE], title="Gone")
        ada, grace = await opened.sign_in(ADA), await opened.sign_in(GRACE)
        await grace.chat("Kept").click()
        await expect(grace.title).to_have_text("Kept")
        await chat.request("DELETE", f"/chats/{gone}", *HOST)
        await expect(ada.chat("Gone")).to_have_count(0)
        await expect(ada.title).to_have_text("Gone")
        await expect(ada.closed).to_have_text("This chat was deleted.")
        await expect(grace.chats).to_have_count(0)  # the only one is open
        await ada.chat("Kept").click()
        await say(chat, GRACE, kept, "we are still here")
        await ada.expect_texts(["we are still here"])
        await expect(ada.toast).to_have_count(0)


async def test_whoever_has_no_chat_is_told_so_and_gets_the_first_one(site):
    """No composer to write into the void; the first chat opens by itself."""
    async with site() as opened:
        chat = opened.chat
        ada = await opened.sign_in(ADA)
        await expect(ada.title).to_have_text("No chats yet")
        await expect(ada.input).to_be_disabled()
        await chat.create_chat([ADA, GRACE], title="The first")
        await expect(ada.title).to_have_text("The first")
        await expect(ada.input).to_be_enabled()


async def test_the_preview_follows_edits_and_deletions_of_the_last_message(site):
    """In the open chat and in another: what was deleted is read nowhere any more."""
    async with site() as opened:
        chat = opened.chat
        first = await chat.create_chat([ADA, GRACE], title="First")
        second = await chat.create_chat([ADA, GRACE], title="Second")
        sent = [await say(chat, ADA, each, "my password") for each in (first, second)]
        ada = await opened.sign_in(ADA)
        await expect(ada.title).to_have_text("Second")
        for title in ("First", "Second"):
            await expect(ada.chat(title)).to_contain_text("my password")
        for each in sent:
            path = f"/chat-messages/{each['id']}"
            await chat.request("PATCH", path, ADA, json={"content": "my passphrase"})
        for title in ("First", "Second"):
            await expect(ada.chat(title)).to_contain_text("my passphrase")
        for each in sent:
            await chat.request("DELETE", f"/chat-messages/{each['id']}", ADA)
        for title in ("First", "Second"):
            await expect(ada.chat(title)).to_contain_text("Message deleted")


async def test_going_back_to_a_chat_shows_it_at_once_and_what_was_missed(site):
    """Without reading the page again, also before there is a connection."""
    async with site() as opened:
        chat = opened.chat
        home = await chat.create_chat([ADA, GRACE], title="Home")
        await chat.create_chat([ADA, GRACE], title="Away")
        for number in range(1, 4):
            await say(chat, GRACE, home, f"message {number}")
        traffic = []
        ada = await opened.sign_in(ADA, watch=lambda page: traffic.append(Traffic(page)))
        await expect(ada.texts).to_have_count(3)
        await ada.chat("Away").click()
        await expect(ada.page.get_by_text("Nothing said yet")).to_be_visible()
        await say(chat, GRACE, home, "message 4")
        pages_read = traffic[0].asked["GET /chat-messages"]
        await ada.chat("Home").click()
        await ada.expect_texts([f"message {number}" for number in range(1, 5)])
        assert traffic[0].asked["GET /chat-messages"] == pages_read

        await ada.chat("Away").click()
        await expect(ada.title).to_have_text("Away")
        await ada.page.context.set_offline(True)
        await chat.request("POST", f"/admin/users/{ADA}/disconnect", *HOST)
        await ada.expect_connection("offline")
        await ada.chat("Home").click()
        await expect(ada.texts).to_have_count(4)


async def test_two_tabs_of_one_person_agree(site):
    """What is read in one is read in the other; what is said in one is seen in the other's list."""
    async with site() as opened:
        chat = opened.chat
        await chat.create_chat([ADA, GRACE], title="First")
        second = await chat.create_chat([ADA, GRACE], title="Second")
        one, two = await opened.sign_in(ADA), await opened.sign_in(ADA)
        for tab in (one, two):
            await tab.chat("First").click()
            await expect(tab.title).to_have_text("First")
        await say(chat, GRACE, second, "are you there?")
        for tab in (one, two):
            await expect(tab.chat("Second").locator(".badge")).to_contain_text("1")
        await one.chat("Second").click()
        await expect(two.chat("Second").locator(".badge")).to_have_count(0)
        await one.say("I am")
        await expect(two.chat("Second")).to_contain_text("I am")
        await expect(two.chats.first).to_contain_text("Second")
