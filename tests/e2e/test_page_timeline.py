"""The lines of the timeline in the page: what was done to the chat, in words."""

from playwright.async_api import expect

from tests.e2e.page_site import ADA, GRACE, HOST, say


async def test_lines_are_told_in_words_and_are_nobodys_messages(site, node_modules):
    """One line each, with names; not read out, not unread, and no part of a sender's group."""
    async with site(timeline=True) as opened:
        chat = opened.chat
        chat_id = await chat.create_chat([ADA, GRACE], title="Order 1")
        for user_id, name in ((3, "Linus"), (4, "Barbara"), (5, "Edsger"), ("host", "The office")):
            await chat.request("PUT", f"/users/{user_id}", *HOST, json={"name": name})
        path = f"/chats/{chat_id}"
        await say(chat, GRACE, chat_id, "hello")
        ada = await opened.sign_in(ADA)
        lines = ada.page.get_by_test_id("line")
        await expect(ada.texts).to_have_text(["hello"])
        await chat.request("POST", f"{path}/participants", *HOST, json={"userIds": [3, 4, 5, 6]})
        await expect(lines).to_have_text(["The office added Linus, Barbara and 2 others"])
        await chat.request("PATCH", f"{path}/participants/3", *HOST, json={"role": "moderator"})
        await chat.request("DELETE", f"{path}/participants/4", *HOST)
        await chat.request("POST", f"{path}/leave", 5)
        await chat.request("PATCH", path, *HOST, json={"title": "<b>New</b>"})
        await say(chat, GRACE, chat_id, "bye")
        await expect(ada.texts).to_have_text(["hello", "bye"])
        told = [
            "The office added Linus, Barbara and 2 others",
            "The office made Linus a moderator",
            "The office removed Barbara",
            "Edsger left",
            "The office named the chat “<b>New</b>”",
        ]
        await expect(lines).to_have_text(told)
        spoken = ada.page.get_by_test_id("announcer").locator("p")
        await expect(spoken).to_have_text([f"User {GRACE}: bye"])
        assert await ada.axe() == []
        await ada.page.reload()
        await expect(lines).to_have_text(told)
        await expect(ada.texts).to_have_text(["hello", "bye"])
