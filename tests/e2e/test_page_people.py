"""The people of a chat in the page: many of them, who come and go, and who have left."""

import pytest
from playwright.async_api import expect

from tests.e2e.demo_page import Traffic
from tests.e2e.page_site import ADA, GRACE, HOST, say

FIRST_ROWS = 100


@pytest.mark.parametrize("count", [250, 1000])
async def test_a_chat_of_many_people_shows_them_without_a_storm(site, count):
    """Their presence is asked for in full batches; the first hundred are drawn."""
    async with site() as opened:
        chat = opened.chat
        await chat.create_chat(list(range(1, count + 1)), title="Everybody")
        await chat.connect(count)
        traffic = []
        ada = await opened.sign_in(ADA, watch=lambda page: traffic.append(Traffic(page)))
        await expect(ada.page.get_by_text(f"{count} people, 2 online")).to_be_visible()
        await expect(ada.people).to_have_count(FIRST_ROWS)
        await expect(ada.people.nth(1)).to_contain_text(f"User {count}Online")
        asked = traffic[0]
        assert sorted(asked.sizes, reverse=True)[0] == 200
        assert sum(asked.sizes) == count
        assert asked.total() <= 6 + count // 200, asked.asked
        await ada.page.get_by_role("button", name=f"More people ({count - FIRST_ROWS})").click()
        await expect(ada.people).to_have_count(2 * FIRST_ROWS)
        await expect(ada.toast).to_have_count(0)


async def test_eighty_people_who_are_added_are_a_few_requests(site):
    """The pushes say who they are; their names and presence are asked for together."""
    async with site() as opened:
        chat = opened.chat
        chat_id = await chat.create_chat([ADA, GRACE], title="Growing")
        traffic = []
        ada = await opened.sign_in(ADA, watch=lambda page: traffic.append(Traffic(page)))
        await expect(ada.people).to_have_count(2)
        before = traffic[0].total()
        body = {"userIds": list(range(100, 180))}
        await chat.request("POST", f"/chats/{chat_id}/participants", *HOST, json=body)
        await expect(ada.page.get_by_text("82 people, 1 online")).to_be_visible()
        await expect(ada.people).to_have_count(82)
        assert traffic[0].total() - before <= 20, traffic[0].asked
        await chat.request("DELETE", f"/chats/{chat_id}/participants/{GRACE}", *HOST)
        await expect(ada.people).to_have_count(81)
        await expect(ada.toast).to_have_count(0)


async def test_what_somebody_said_keeps_their_name_after_they_left(site):
    """Senders without a seat are looked up: once for all of their messages."""
    async with site() as opened:
        chat = opened.chat
        chat_id = await chat.create_chat([ADA, GRACE, 3], title="Order 1")
        await chat.request("PUT", "/users/3", *HOST, json={"name": "Linus"})
        for number in range(3):
            await say(chat, 3, chat_id, f"so long {number}")
        await chat.request("DELETE", f"/chats/{chat_id}/participants/3", *HOST)
        traffic = []
        ada = await opened.sign_in(ADA, watch=lambda page: traffic.append(Traffic(page)))
        await expect(ada.messages.first).to_contain_text("Linus")
        assert traffic[0].asked["GET /users"] == 1
        await expect(ada.person("Linus")).to_have_count(0)
