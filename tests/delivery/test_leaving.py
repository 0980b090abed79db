"""Who may leave a chat, and coming back into one."""

import asyncio

from tests.support.delivery.chats import host, say


async def test_the_last_owner_cannot_leave_the_others_without_one(serve):
    """FORBIDDEN until another is owner; the last person of all may go."""
    async with serve() as chat:
        body = {"type": "group", "participantIds": [2, 3]}
        chat_id = (await chat.request("POST", "/chats", 1, json=body)).data["id"]
        leave = f"/chats/{chat_id}/leave"
        refused = await chat.request("POST", leave, 1, json={})
        assert (refused.status, refused.code) == (403, "FORBIDDEN")
        itself = await chat.request("DELETE", f"/chats/{chat_id}/participants/1", 1)
        assert itself.code == "FORBIDDEN"
        await chat.request("PATCH", f"/chats/{chat_id}/participants/2", 1, json={"role": "owner"})
        assert (await chat.request("POST", leave, 1, json={})).status == 200
        assert (await chat.request("POST", leave, 2, json={})).code == "FORBIDDEN"
        assert (await chat.request("POST", leave, 3, json={})).status == 200
        assert (await chat.request("POST", leave, 2, json={})).status == 200


async def test_two_owners_who_leave_at_once_do_not_both_go(serve):
    """It is asked when each one's turn comes: the second is the last owner by then."""
    async with serve() as chat:
        body = {"type": "group", "participantIds": [2, 3]}
        chat_id = (await chat.request("POST", "/chats", 1, json=body)).data["id"]
        await chat.request("PATCH", f"/chats/{chat_id}/participants/2", 1, json={"role": "owner"})
        leaving = [
            chat.request("POST", f"/chats/{chat_id}/leave", each, json={}) for each in (1, 2)
        ]
        answers = await asyncio.gather(*leaving)
        assert sorted(each.status for each in answers) == [200, 403]
        people = await host(chat, "GET", f"/chats/{chat_id}/participants")
        assert [each["role"] for each in people].count("owner") == 1


async def test_who_is_added_again_is_a_member_like_any_other(serve):
    """`participantAdded` reaches them outside the room; they join, and catch up with what they
    missed."""
    async with serve() as chat:
        chat_id = await chat.create_chat([1, 2])
        ada, grace = await chat.connect(1, join=chat_id), await chat.connect(2, join=chat_id)
        cursor = (await ada.call("joinChat", {"chatId": chat_id}))["data"]["sync"]["toSeq"]
        await host(chat, "DELETE", f"/chats/{chat_id}/participants/1")
        (missed,) = await say(grace, chat_id, "while you were out")
        await host(chat, "POST", f"/chats/{chat_id}/participants", {"userIds": [1]})
        assert (await ada.next("participantAdded"))["participant"]["userId"] == 1
        joined = await ada.call("joinChat", {"chatId": chat_id, "since": cursor})
        assert joined["data"]["sync"]["messages"] == [missed]
        assert [each["userId"] for each in joined["data"]["sync"]["participants"]] == [2, 1]
        (now,) = await say(grace, chat_id, "welcome back")
        assert (await ada.next("newMessage"))["message"] == now
