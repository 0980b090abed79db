"""Unread counts: who is told, when, and how many."""

import asyncio
from functools import partial

import pytest

from chat.repositories.chats import MongoChats
from chat.timings import Timings
from tests.support.delivery.chats import Held, head_of, host, say
from tests.support.gateway.servers import generous


@pytest.fixture
def serve(serve):
    """Badges are pushed every 0.1 s instead of every second."""
    return partial(serve, timings=Timings(unread_push_every_s=0.1))


async def test_somebody_outside_the_room_is_told_of_a_new_message(serve):
    """`unreadUpdated {chatId, unreadCount, lastReadMessageId, lastMessage, seq, timestamp}`."""
    async with serve() as chat:
        chat_id = await chat.create_chat([1, 2])
        ada, grace = await chat.connect(1), await chat.connect(2)
        (message,) = await say(grace, chat_id, "hi")
        told = await ada.next("unreadUpdated")
        assert told.pop("timestamp").endswith("Z")
        assert told == {
            "chatId": chat_id,
            "unreadCount": 1,
            "lastReadMessageId": None,
            "lastMessage": message,
            "seq": message["seq"],
        }
        assert ada.of("newMessage") == []


async def test_a_burst_is_told_once_within_the_real_second(serve):
    """Ten messages in a moment are one push to a socket, with the last of them and all ten
    counted."""
    async with serve(timings=Timings(), **generous()) as chat:
        chat_id = await chat.create_chat([1, 2])
        ada, grace = await chat.connect(1), await chat.connect(2)
        sent = await say(grace, chat_id, *"abcdefghij")
        told = await ada.next("unreadUpdated")
        assert (told["unreadCount"], told["lastMessage"]) == (10, sent[-1])
        await say(grace, chat_id, "next")
        assert (await ada.next("unreadUpdated"))["unreadCount"] == 11
        assert len(ada.of("unreadUpdated")) == 2


async def test_who_is_in_the_room_gets_the_message_and_no_badge(serve):
    """A socket in the room hears `newMessage`, another tab of the same user outside it the
    badge."""
    async with serve() as chat:
        chat_id = await chat.create_chat([1, 2])
        inside, outside = await chat.connect(1, join=chat_id), await chat.connect(1)
        grace = await chat.connect(2, join=chat_id)
        await say(grace, chat_id, "hi")
        assert (await outside.next("unreadUpdated"))["unreadCount"] == 1
        await inside.settle()
        await grace.settle()
        assert len(inside.of("newMessage")) == 1
        assert inside.of("unreadUpdated") == grace.of("unreadUpdated") == []


async def test_who_joins_before_the_badge_goes_out_gets_none(serve):
    """What counts is who is outside at that moment."""
    async with serve() as chat:
        chat_id = await chat.create_chat([1, 2, 3])
        ada, grace, watch = await chat.connect(1), await chat.connect(2), await chat.connect(3)
        await say(grace, chat_id, "hi")
        await ada.call("joinChat", {"chatId": chat_id})
        await watch.next("unreadUpdated")
        await ada.settle()
        assert ada.of("unreadUpdated") == []


async def test_strangers_and_former_members_get_no_badge(serve):
    """Only participants; who was removed while the second ran is one no more."""
    async with serve() as chat:
        chat_id = await chat.create_chat([1, 2, 3])
        former, grace, watch = await chat.connect(1), await chat.connect(2), await chat.connect(3)
        stranger = await chat.connect(4)
        await say(grace, chat_id, "hi")
        await host(chat, "DELETE", f"/chats/{chat_id}/participants/1")
        await watch.next("unreadUpdated")
        for client in (former, stranger):
            await client.settle()
            assert client.of("unreadUpdated") == []


async def test_reading_is_told_to_all_own_sockets_at_once(serve):
    """`markAsRead` moves the badges of all the reader's sockets, in the room or not, and nobody
    else's."""
    async with serve() as chat:
        chat_id = await chat.create_chat([1, 2])
        grace = await chat.connect(2, join=chat_id)
        sent = await say(grace, chat_id, "a", "b", "c")
        tabs = [await chat.connect(1, join=chat_id), await chat.connect(1), await chat.connect(1)]
        answer = await tabs[1].call("markAsRead", {"chatId": chat_id, "messageId": sent[1]["id"]})
        assert answer["data"]["unreadCount"] == 1
        for tab in tabs:
            told = await tab.next("unreadUpdated")
            if told["lastReadMessageId"] is None:  # that of the three sends, on a busy machine
                told = await tab.next("unreadUpdated")
            assert (told["unreadCount"], told["lastReadMessageId"]) == (1, sent[1]["id"])
            assert told["lastMessage"] == sent[2]
        await grace.settle()
        assert grace.of("unreadUpdated") == []


async def test_reading_by_rest_is_told_to_the_sockets_too(serve):
    """The door does not matter."""
    async with serve() as chat:
        chat_id = await chat.create_chat([1, 2])
        ada, grace = await chat.connect(1, join=chat_id), await chat.connect(2)
        sent = await say(grace, chat_id, "a", "b")
        body = {"messageId": sent[0]["id"]}
        response = await chat.request("POST", f"/chats/{chat_id}/read", 1, json=body)
        assert response.data["unreadCount"] == 1
        assert (await ada.next("unreadUpdated"))["unreadCount"] == 1


async def test_a_deleted_message_is_not_unread_and_the_badge_says_so(serve):
    """A deletion is told as a new message is; counts are right at once, by every way to ask."""
    async with serve(**generous()) as chat:
        chat_id = await chat.create_chat([1, 2])
        ada, grace = await chat.connect(1), await chat.connect(2)
        sent = await say(grace, chat_id, "a", "b", "c")
        assert (await ada.next("unreadUpdated"))["unreadCount"] == 3
        await grace.call("deleteMessage", {"messageId": sent[2]["id"]})
        mine = (await chat.request("GET", "/me/unread", 1)).data
        assert (mine["total"], mine["chats"][0]["lastMessage"]["message"]) == (2, "")
        assert (await chat.request("GET", "/chats", 1)).data[0]["unreadCount"] == 2
        told = await ada.next("unreadUpdated")
        assert told["unreadCount"] == 2
        assert told["lastMessage"]["deletedAt"] is not None


async def test_ones_own_messages_are_never_unread(serve):
    """Another tab of the sender, outside the room, hears of the message with a count of none."""
    async with serve() as chat:
        chat_id = await chat.create_chat([1, 2])
        tab = await chat.connect(1)
        ada, grace = await chat.connect(1, join=chat_id), await chat.connect(2, join=chat_id)
        await say(grace, chat_id, "hi")
        assert (await tab.next("unreadUpdated"))["unreadCount"] == 1
        (mine,) = await say(ada, chat_id, "hello")
        told = await tab.next("unreadUpdated")
        assert (told["unreadCount"], told["lastReadMessageId"]) == (0, mine["id"])


@pytest.mark.parametrize(("count", "shown"), [(99, 99), (100, 100), (130, 100)])
async def test_counts_end_at_a_hundred(serve, count, shown):
    """100 means that many or more, wherever the count is told."""
    async with serve(**generous()) as chat:
        chat_id = await chat.create_chat([1, 2])
        grace = await chat.connect(2)
        await say(grace, chat_id, *(str(number) for number in range(count)))
        ada = await chat.connect(1)
        assert (await ada.call("joinChat", {"chatId": chat_id}))["data"]["unreadCount"] == shown
        assert (await chat.request("GET", "/me/unread", 1)).data["total"] == shown


async def test_deletions_beyond_memory_are_counted_right(serve):
    """Older messages are counted too where the newest hundred were deleted or are one's own."""
    async with serve(**generous()) as chat:
        chat_id = await chat.create_chat([1, 2])
        ada, grace = await chat.connect(1), await chat.connect(2)
        sent = await say(grace, chat_id, *(str(number) for number in range(120)))
        for message in sent[40:]:
            await grace.call("deleteMessage", {"messageId": message["id"]})
        assert (await ada.call("joinChat", {"chatId": chat_id}))["data"]["unreadCount"] == 40
    async with serve(**generous()) as chat:
        assert (await chat.request("GET", "/me/unread", 1)).data["total"] == 40


async def test_me_unread_sums_up_the_chats_that_have_any(serve):
    """`{total, chats}`: chats that are read are not in it; others' chats neither."""
    async with serve(**generous()) as chat:
        one, two, read, foreign = [await chat.create_chat(each) for each in [[1, 2]] * 3 + [[2]]]
        ada, grace = await chat.connect(1), await chat.connect(2)
        in_one = await say(grace, one, "a", "b", "c")
        in_two = await say(grace, two, "d")
        in_read = await say(grace, read, "e")
        await say(grace, foreign, "f")
        await ada.call("markAsRead", {"chatId": one, "messageId": in_one[0]["id"]})
        await ada.call("markAsRead", {"chatId": read, "messageId": in_read[0]["id"]})
        data = (await chat.request("GET", "/me/unread", 1)).data
        assert data["total"] == 3
        assert sorted(data["chats"], key=lambda each: each["chatId"]) == [
            {
                "chatId": one,
                "unreadCount": 2,
                "lastReadMessageId": in_one[0]["id"],
                "lastMessage": in_one[2],
            },
            {
                "chatId": two,
                "unreadCount": 1,
                "lastReadMessageId": None,
                "lastMessage": in_two[0],
            },
        ]
        assert (await chat.request("GET", "/me/unread", 2)).data == {"total": 0, "chats": []}


async def test_reads_tell_how_far_everybody_is(serve):
    """`GET /chats/:id/reads` as in the `joinChat` ack; nobody who has read nothing, no stranger
    asks."""
    async with serve() as chat:
        chat_id = await chat.create_chat([1, 2, 3])
        ada, grace = await chat.connect(1), await chat.connect(2)
        sent = await say(grace, chat_id, "a", "b")
        await ada.call("markAsRead", {"chatId": chat_id, "messageId": sent[0]["id"]})
        expected = [
            {"userId": 1, "lastReadMessageId": sent[0]["id"]},
            {"userId": 2, "lastReadMessageId": sent[1]["id"]},
        ]
        assert (await chat.request("GET", f"/chats/{chat_id}/reads", 3)).data == expected
        joined = await ada.call("joinChat", {"chatId": chat_id})
        assert joined["data"]["reads"] == expected
        refused = await chat.request("GET", f"/chats/{chat_id}/reads", 9)
        assert (refused.status, refused.code) == (403, "NOT_PARTICIPANT")


async def test_a_newcomer_begins_with_nothing_unread(serve):
    """What was said before somebody came is not unread for them."""
    async with serve() as chat:
        chat_id = await chat.create_chat([2])
        grace = await chat.connect(2)
        await say(grace, chat_id, "a", "b")
        await host(chat, "POST", f"/chats/{chat_id}/participants", {"userIds": [1]})
        assert (await chat.request("GET", "/me/unread", 1)).data["total"] == 0
        await say(grace, chat_id, "c")
        assert (await chat.request("GET", "/me/unread", 1)).data["total"] == 1


async def test_a_role_that_changes_while_somebody_reads_keeps_the_read_mark(serve, monkeypatch):
    """The cursor only moves forward: a mark that was acknowledged is there after a restart too."""
    async with serve() as chat:
        chat_id = await chat.create_chat([1, 2])
        ada, grace = await chat.connect(1), await chat.connect(2)
        sent = await say(grace, chat_id, "a", "b")
        held = Held(monkeypatch, MongoChats, "put_participant")
        path = f"/chats/{chat_id}/participants/1"
        promoting = asyncio.ensure_future(host(chat, "PATCH", path, {"role": "moderator"}))
        await held.reached()
        read = await ada.call("markAsRead", {"chatId": chat_id, "messageId": sent[1]["id"]})
        assert read["success"] is True
        held.go_on.set()
        await promoting
        assert (await chat.request("GET", "/me/unread", 1)).data["total"] == 0
    async with serve() as chat:
        assert (await chat.request("GET", f"/chats/{chat_id}", 1)).data["role"] == "moderator"
        assert (await chat.request("GET", "/me/unread", 1)).data["total"] == 0
        assert await head_of(chat, chat_id) == sent[1]["seq"] + 1
