"""Joining and leaving the rooms of chats: who hears of it, and who hears nothing."""

import pytest

from tests.support.gateway.servers import cut
from tests.support.waiting import eventually


async def test_the_ack_of_join_chat_tells_where_the_chat_stands(serve):
    """The guide's `{success, message}`, and the data a client needs to go on from."""
    async with serve() as chat:
        chat_id = await chat.create_chat([1, 2])
        grace = await chat.connect(2)
        await grace.call("sendMessage", {"chatId": chat_id, "content": "one"})
        await grace.call("typing", {"chatId": chat_id, "isTyping": True})
        ada = await chat.connect(1)
        answer = await ada.call("joinChat", {"chatId": chat_id})
        assert answer["success"] is True
        assert answer["message"] == f"Joined chat {chat_id}"
        data = answer["data"]
        assert {name: data[name] for name in ("chatId", "role", "lastReadMessageId")} == {
            "chatId": chat_id,
            "role": "member",
            "lastReadMessageId": None,
        }
        assert (data["unreadCount"], data["typing"]) == (1, [2])
        assert type(data["seq"]) is int


async def test_the_ack_of_leave_chat_is_the_guides(serve):
    """`{success, message: 'Left chat 1'}`, also for a room that one is not in."""
    async with serve() as chat:
        chat_id = await chat.create_chat([1])
        ada = await chat.connect(1, join=chat_id)
        for _ in range(2):
            answer = await ada.call("leaveChat", {"chatId": chat_id})
            assert answer == {"success": True, "message": f"Left chat {chat_id}"}


@pytest.mark.parametrize("event", ["joinChat", "leaveChat"])
async def test_strangers_learn_nothing_about_a_chat(serve, event):
    """A chat of others and one that does not exist are refused alike, so ids cannot be probed."""
    async with serve() as chat:
        chat_id = await chat.create_chat([2])
        eve = await chat.connect(1)
        there = await eve.call(event, {"chatId": chat_id})
        nowhere = await eve.call(event, {"chatId": 987_654})
        assert there["error"]["code"] == nowhere["error"]["code"] == "NOT_PARTICIPANT"
        assert there["message"].replace(str(chat_id), "") == nowhere["message"].replace(
            "987654", ""
        )
        admin = await chat.connect(9, "admin")
        missing = await admin.call("joinChat", {"chatId": 987_654})
        assert missing["error"]["code"] == "NOT_FOUND"


async def test_user_joined_goes_to_the_others_on_the_first_tab_only(serve):
    """Other users hear once that somebody came in; no tab of the one who came does."""
    async with serve() as chat:
        chat_id = await chat.create_chat([1, 2])
        grace = await chat.connect(2, join=chat_id)
        one = await chat.connect(1, join=chat_id)
        two = await chat.connect(1, join=chat_id)
        await two.call("joinChat", {"chatId": chat_id})
        joined = await grace.next("userJoined")
        assert (joined["chatId"], joined["userId"]) == (chat_id, 1)
        assert joined["timestamp"].endswith("Z")
        for client in (grace, one, two):
            await client.settle()
        assert len(grace.of("userJoined")) == 1
        assert one.of("userJoined") == two.of("userJoined") == []


async def test_user_left_comes_with_the_last_tab_that_leaves(serve):
    """Leaving in one of two tabs is not leaving; the last one is, and at once."""
    async with serve() as chat:
        chat_id = await chat.create_chat([1, 2])
        grace = await chat.connect(2, join=chat_id)
        one, two = await chat.connect(1, join=chat_id), await chat.connect(1, join=chat_id)
        await one.call("leaveChat", {"chatId": chat_id})
        await grace.settle()
        assert grace.of("userLeft") == []
        await two.call("leaveChat", {"chatId": chat_id})
        left = await grace.next("userLeft")
        assert (left["chatId"], left["userId"]) == (chat_id, 1)
        await one.settle()
        assert one.of("userLeft") == []


async def test_user_left_waits_for_the_grace_after_a_lost_connection(serve):
    """A lost last socket is told as left only once the grace is over; a lost first of two is
    not."""
    async with serve(presence_grace_s=1.5) as chat:
        chat_id = await chat.create_chat([1, 2])
        grace = await chat.connect(2, join=chat_id)
        one, two = await chat.connect(1, join=chat_id), await chat.connect(1, join=chat_id)
        await cut(one)
        await eventually(lambda: len(chat.app.gateway.get_user_sockets(1)) == 1)
        await cut(two)
        await eventually(lambda: chat.app.gateway.get_user_sockets(1) == [])
        await grace.settle()
        assert grace.of("userLeft") == []
        left = await grace.next("userLeft")
        assert left["userId"] == 1
        assert len(grace.of("userLeft")) == 1


async def test_who_is_back_within_the_grace_has_neither_left_nor_joined(serve):
    """A reconnect is invisible to the others."""
    async with serve(presence_grace_s=60) as chat:
        chat_id = await chat.create_chat([1, 2])
        grace = await chat.connect(2, join=chat_id)
        ada = await chat.connect(1, join=chat_id)
        await grace.next("userJoined")
        await cut(ada)
        await eventually(lambda: chat.app.gateway.get_user_sockets(1) == [])
        back = await chat.connect(1, join=chat_id)
        await back.call("leaveChat", {"chatId": chat_id})
        await grace.next("userLeft")
        assert len(grace.of("userJoined")) == 1
        assert len(grace.of("userLeft")) == 1


async def test_the_ack_of_join_chat_lists_who_is_in_the_room(serve):
    """Each user once, whatever their tabs; the caller too; nobody who is only a participant."""
    async with serve() as chat:
        chat_id = await chat.create_chat([1, 2, 3])
        one, two = await chat.connect(1, join=chat_id), await chat.connect(1, join=chat_id)
        grace = await chat.connect(2)
        assert await present(grace, chat_id) == [1, 2]
        await one.call("leaveChat", {"chatId": chat_id})
        assert await present(grace, chat_id) == [1, 2]
        await two.call("leaveChat", {"chatId": chat_id})
        assert await present(grace, chat_id) == [2]


async def test_who_is_within_the_grace_is_present(serve):
    """No `userJoined` tells of a return within the grace, so who joins meanwhile has to know."""
    async with serve(presence_grace_s=60) as chat:
        chat_id = await chat.create_chat([1, 2])
        ada = await chat.connect(1, join=chat_id)
        await cut(ada)
        await eventually(lambda: chat.app.gateway.get_user_sockets(1) == [])
        grace = await chat.connect(2)
        assert await present(grace, chat_id) == [2, 1]
        ada = await chat.connect(1, join=chat_id)
        await ada.call("leaveChat", {"chatId": chat_id})
        assert await present(grace, chat_id) == [2]


async def test_who_was_removed_is_not_present(serve):
    """Neither with a socket nor within the grace."""
    async with serve(presence_grace_s=60) as chat:
        chat_id = await chat.create_chat([1, 2, 3])
        lost, there = await chat.connect(2, join=chat_id), await chat.connect(3, join=chat_id)
        await cut(lost)
        await eventually(lambda: chat.app.gateway.get_user_sockets(2) == [])
        ada = await chat.connect(1)
        assert sorted(await present(ada, chat_id)) == [1, 2, 3]
        for user_id in (2, 3):
            path = f"/chats/{chat_id}/participants/{user_id}"
            assert (await chat.request("DELETE", path, 9, "service")).status == 200
        assert await present(ada, chat_id) == [1]
        await there.settle()


async def present(client, chat_id):
    return (await client.call("joinChat", {"chatId": chat_id}))["data"]["present"]


async def test_two_chats_do_not_mix(serve):
    """A room hears its own chat and no other, also for somebody who is in both rooms."""
    async with serve() as chat:
        first, second = await chat.create_chat([1, 2, 3]), await chat.create_chat([1, 2, 3])
        ada = await chat.connect(1)
        in_first, in_second = await chat.connect(2, join=first), await chat.connect(3, join=second)
        for chat_id in (first, second):
            await ada.call("sendMessage", {"chatId": chat_id, "content": f"to {chat_id}"})
            await ada.call("typing", {"chatId": chat_id, "isTyping": True})
        for client, chat_id in ((in_first, first), (in_second, second)):
            await client.settle()
            heard = {
                payload["chatId"]
                for name, payload in client.pushed
                if name in ("newMessage", "userTyping")
            }
            assert heard == {chat_id}


async def test_a_member_who_has_not_joined_the_room_hears_no_message(serve):
    """Messages go to the room; being a participant alone does not put a socket into it."""
    async with serve() as chat:
        chat_id = await chat.create_chat([1, 2])
        grace = await chat.connect(2)
        ada = await chat.connect(1)
        await ada.call("sendMessage", {"chatId": chat_id, "content": "anybody?"})
        await grace.settle()
        await ada.settle()
        assert grace.of("newMessage") == ada.of("newMessage") == []


async def test_after_leaving_a_socket_hears_nothing_of_the_chat(serve):
    """Only the tab that left: the other one still hears."""
    async with serve() as chat:
        chat_id = await chat.create_chat([1, 2])
        gone, stays = await chat.connect(1, join=chat_id), await chat.connect(1, join=chat_id)
        await gone.call("leaveChat", {"chatId": chat_id})
        grace = await chat.connect(2)
        await grace.call("sendMessage", {"chatId": chat_id, "content": "hi"})
        assert (await stays.next("newMessage"))["message"]["message"] == "hi"
        await gone.settle()
        assert gone.of("newMessage") == []


async def test_nothing_of_the_chat_follows_removed_from_chat(serve):
    """The others hear of the removal; the removed one is out of the room, and out of the chat."""
    async with serve() as chat:
        chat_id = await chat.create_chat([1, 2])
        ada, tab = await chat.connect(1, join=chat_id), await chat.connect(1)
        grace = await chat.connect(2, join=chat_id)
        await ada.call("typing", {"chatId": chat_id, "isTyping": True})
        removed = await chat.request(
            "DELETE", f"/chats/{chat_id}/participants/1", "host", "service"
        )
        assert removed.status == 200
        for client in (ada, tab):
            word = await client.next("removedFromChat")
            assert word == {"chatId": chat_id, "reason": "removed"}
        gone = await grace.next("participantRemoved")
        assert (gone["participantId"], gone["participantCount"]) == (1, 1)
        assert [each["isTyping"] for each in grace.of("userTyping")] == [True, False]
        await grace.call("sendMessage", {"chatId": chat_id, "content": "gone?"})
        await grace.call("typing", {"chatId": chat_id, "isTyping": True})
        await ada.settle()
        after = [name for name, _ in ada.pushed]
        assert after[after.index("removedFromChat") + 1 :] == []
        for event in ("joinChat", "leaveChat"):
            refused = await ada.call(event, {"chatId": chat_id})
            assert refused["error"]["code"] == "NOT_PARTICIPANT"
        refused = await ada.call("sendMessage", {"chatId": chat_id, "content": "hi"})
        assert refused["error"]["code"] == "NOT_PARTICIPANT"


async def test_a_socket_has_a_bounded_number_of_rooms(serve):
    """One room more than MAX_ROOMS_PER_SOCKET is refused; leaving one makes room again."""
    async with serve(max_rooms_per_socket=2) as chat:
        chats = [await chat.create_chat([1]) for _ in range(3)]
        ada = await chat.connect(1)
        for chat_id in chats[:2]:
            assert (await ada.call("joinChat", {"chatId": chat_id}))["success"]
        refused = await ada.call("joinChat", {"chatId": chats[2]})
        assert refused["error"]["code"] == "FORBIDDEN"
        await ada.call("leaveChat", {"chatId": chats[0]})
        assert (await ada.call("joinChat", {"chatId": chats[2]}))["success"]
