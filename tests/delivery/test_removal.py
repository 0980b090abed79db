"""Somebody is put out of a chat, or goes, while others go on: nothing of the chat follows."""

import asyncio

import pytest

from chat.repositories.chats import MongoChats
from chat.repositories.messages import MongoMessages
from chat.timings import Timings
from tests.support.delivery.chats import HOST, Held, all_messages, host, say
from tests.support.gateway.servers import generous
from tests.support.waiting import eventually


def after_the_removal(client, chat_id):
    """The names of all pushes of that chat that came after `removedFromChat`."""
    names = [
        name
        for name, payload in client.pushed
        if isinstance(payload, dict) and payload.get("chatId") == chat_id
    ]
    assert names.count("removedFromChat") == 1, names
    return names[names.index("removedFromChat") + 1 :]


async def keep_busy(client, chat_id, stop):
    """Send, edit, type and read until told to stop; how many messages were sent."""
    sent = 0
    while not stop.is_set():
        (message,) = await say(client, chat_id, f"number {sent}")
        sent += 1
        await client.call("typing", {"chatId": chat_id, "isTyping": True})
        await client.call("editMessage", {"messageId": message["id"], "content": "edited"})
        await client.call("markAsRead", {"chatId": chat_id, "messageId": message["id"]})
    return sent


@pytest.mark.parametrize("seed", range(4))
async def test_nothing_follows_removed_from_chat_while_three_others_write(serve, seed):
    """In the record of each of the user's sockets `removedFromChat` is the last thing of that
    chat."""
    async with serve(timings=Timings(unread_push_every_s=0.02), **generous()) as chat:
        chat_id = await chat.create_chat([1, 2, 3, 4])
        inside = await chat.connect(1, join=chat_id)
        outside = await chat.connect(1)
        others = [await chat.connect(each, join=chat_id) for each in (2, 3, 4)]
        stop = asyncio.Event()
        busy = [asyncio.ensure_future(keep_busy(each, chat_id, stop)) for each in others]
        for _ in range(3 + 5 * seed):
            await inside.next("newMessage")
        await host(chat, "DELETE", f"/chats/{chat_id}/participants/1")
        seen_before = len(others[0].of("newMessage"))
        while len(others[0].of("newMessage")) < seen_before + 10:
            await others[0].settle()
        stop.set()
        await asyncio.gather(*busy)
        for client in (inside, outside):
            await client.settle()
            assert client.of("removedFromChat") == [{"chatId": chat_id, "reason": "removed"}]
            assert after_the_removal(client, chat_id) == []
        await others[0].settle()
        removal = others[0].of("participantRemoved")
        assert [each["participantId"] for each in removal] == [1]
        assert removal[0]["participantCount"] == 3


async def test_when_the_host_has_its_answer_the_user_is_out(serve):
    """What is said after the answer reaches none of the user's sockets, and all doors are shut."""
    async with serve() as chat:
        chat_id = await chat.create_chat([1, 2])
        tabs = [await chat.connect(1, join=chat_id) for _ in range(2)]
        grace = await chat.connect(2, join=chat_id)
        (message,) = await say(grace, chat_id, "before")
        await host(chat, "DELETE", f"/chats/{chat_id}/participants/1")
        await say(grace, chat_id, "after")
        for tab in tabs:
            for event, payload, code in (
                ("sendMessage", {"chatId": chat_id, "content": "x"}, "NOT_PARTICIPANT"),
                ("joinChat", {"chatId": chat_id}, "NOT_PARTICIPANT"),
                ("typing", {"chatId": chat_id, "isTyping": True}, "NOT_PARTICIPANT"),
                ("editMessage", {"messageId": message["id"], "content": "x"}, "NOT_FOUND"),
            ):
                answer = await tab.call(event, payload)
                assert answer["error"]["code"] == code, event
            assert [each["message"]["message"] for each in tab.of("newMessage")] == ["before"]
            assert after_the_removal(tab, chat_id) == []
        assert (await chat.request("GET", "/chats", 1)).data == []


async def test_a_send_that_waits_behind_the_removal_is_refused(serve, monkeypatch):
    """Who is out when the message's turn comes is not heard: NOT_PARTICIPANT, and nothing
    stored."""
    async with serve() as chat:
        chat_id = await chat.create_chat([1, 2])
        ada, grace = await chat.connect(1, join=chat_id), await chat.connect(2, join=chat_id)
        held = Held(monkeypatch, MongoChats, "put_participant")
        path = f"/chats/{chat_id}/participants/1"
        removing = asyncio.ensure_future(host(chat, "DELETE", path))
        await held.reached()
        sending = asyncio.ensure_future(
            ada.call("sendMessage", {"chatId": chat_id, "content": "a last word"})
        )
        await grace.settle()
        held.go_on.set()
        await removing
        answer = await sending
        assert await all_messages(chat, chat_id) == []
        assert answer["error"]["code"] == "NOT_PARTICIPANT"


async def test_a_send_that_waits_behind_a_demotion_is_refused(serve, monkeypatch):
    """`readonly` holds for the message whose turn comes afterwards."""
    async with serve() as chat:
        chat_id = await chat.create_chat([1, 2])
        ada, grace = await chat.connect(1), await chat.connect(2)
        held = Held(monkeypatch, MongoChats, "put_participant")
        path = f"/chats/{chat_id}/participants/1"
        demoting = asyncio.ensure_future(host(chat, "PATCH", path, {"role": "readonly"}))
        await held.reached()
        sending = asyncio.ensure_future(
            ada.call("sendMessage", {"chatId": chat_id, "content": "a last word"})
        )
        await grace.settle()
        held.go_on.set()
        await demoting
        answer = await sending
        assert await all_messages(chat, chat_id) == []
        assert answer["error"]["code"] == "FORBIDDEN"


async def test_a_send_that_waits_behind_the_end_of_the_chat_is_refused(serve, monkeypatch):
    """Nothing is said in a deleted chat."""
    async with serve() as chat:
        chat_id = await chat.create_chat([1, 2])
        ada, grace = await chat.connect(1), await chat.connect(2)
        held = Held(monkeypatch, MongoChats, "update")
        deleting = asyncio.ensure_future(host(chat, "DELETE", f"/chats/{chat_id}"))
        await held.reached()
        sending = asyncio.ensure_future(
            ada.call("sendMessage", {"chatId": chat_id, "content": "a last word"})
        )
        await grace.settle()
        held.go_on.set()
        await deleting
        assert (await sending)["error"]["code"] == "NOT_PARTICIPANT"


async def far_behind(chat, chat_id):
    """Make counting user 1's unread messages a matter of a query; user 2's client, and a
    message."""
    grace = await chat.connect(2, join=chat_id)
    sent = await say(grace, chat_id, *(str(number) for number in range(115)))
    for message in sent[60:]:
        await grace.call("deleteMessage", {"messageId": message["id"]})
    return grace, sent[5]


async def test_a_badge_that_is_being_counted_does_not_follow_the_removal(serve, monkeypatch):
    """Membership is asked again after the count was read, before `unreadUpdated` goes out."""
    async with serve(timings=Timings(unread_push_every_s=0.05), **generous()) as chat:
        chat_id = await chat.create_chat([1, 2, 3])
        grace, _ = await far_behind(chat, chat_id)
        ada = await chat.connect(1)
        held = Held(monkeypatch, MongoMessages, "brief_window")
        await say(grace, chat_id, "one more")
        await held.reached()
        await host(chat, "DELETE", f"/chats/{chat_id}/participants/1")
        watch = await chat.connect(3)
        held.go_on.set()
        await say(grace, chat_id, "and one more")
        await watch.next("unreadUpdated")
        await ada.settle()
        assert after_the_removal(ada, chat_id) == []


async def test_a_badge_that_is_being_counted_does_not_follow_the_end_of_the_chat(
    serve, monkeypatch
):
    """The same for a chat that is deleted while its unread messages are counted."""
    async with serve(timings=Timings(unread_push_every_s=0.05), **generous()) as chat:
        chat_id, other = await chat.create_chat([1, 2]), await chat.create_chat([1, 2])
        grace, _ = await far_behind(chat, chat_id)
        ada = await chat.connect(1)
        held = Held(monkeypatch, MongoMessages, "brief_window")
        await say(grace, chat_id, "one more")
        await held.reached()
        await host(chat, "DELETE", f"/chats/{chat_id}")
        held.go_on.set()
        await say(grace, other, "elsewhere")
        while (await ada.next("unreadUpdated"))["chatId"] != other:
            pass
        assert after_the_removal(ada, chat_id) == []


async def test_a_read_mark_that_is_being_counted_does_not_follow_the_removal(serve, monkeypatch):
    """The same for `unreadUpdated` after `markAsRead`; its ack is NOT_PARTICIPANT."""
    async with serve(**generous()) as chat:
        chat_id = await chat.create_chat([1, 2])
        _, message = await far_behind(chat, chat_id)
        ada, tab = await chat.connect(1, join=chat_id), await chat.connect(1, join=chat_id)
        held = Held(monkeypatch, MongoMessages, "brief_window")
        reading = asyncio.ensure_future(
            ada.call("markAsRead", {"chatId": chat_id, "messageId": message["id"]})
        )
        await held.reached()
        await host(chat, "DELETE", f"/chats/{chat_id}/participants/1")
        held.go_on.set()
        assert (await reading)["error"]["code"] == "NOT_PARTICIPANT"
        await tab.settle()
        assert after_the_removal(tab, chat_id) == []


async def test_a_former_member_hears_no_receipt_for_what_they_said(serve):
    """In chats of more than 100 receipts go to the message's sender, while that one is in the
    chat."""
    async with serve() as chat:
        chat_id = await chat.create_chat(list(range(1, 103)))
        ada, grace = await chat.connect(1), await chat.connect(2)
        first, second = await say(ada, chat_id, "hi", "all")
        await grace.call("markAsRead", {"chatId": chat_id, "messageId": first["id"]})
        assert (await ada.next("messageRead"))["messageId"] == first["id"]
        await host(chat, "POST", f"/chats/{chat_id}/participants", {"userIds": [500]})
        await host(chat, "DELETE", f"/chats/{chat_id}/participants/1")
        await grace.call("markAsRead", {"chatId": chat_id, "messageId": second["id"]})
        await ada.settle()
        assert after_the_removal(ada, chat_id) == []


async def test_an_overview_outlives_a_removal_while_it_is_read(serve, monkeypatch):
    """A chat that is lost meanwhile is left out of it; the others are told all the same."""
    async with serve() as chat:
        lost, kept = await chat.create_chat([1, 2]), await chat.create_chat([1, 2])
        await say(await chat.connect(1), lost, "hi")
    async with serve() as chat:
        await host(chat, "GET", f"/chats/{lost}")  # in memory already, the other one is not
        held = Held(monkeypatch, MongoChats, "find")
        asking = asyncio.ensure_future(chat.request("GET", "/chats", 1))
        await held.reached()
        await host(chat, "DELETE", f"/chats/{lost}/participants/1")
        held.go_on.set()
        answer = await asking
        assert answer.status == 200, answer.body
        assert [each["id"] for each in answer.data] == [kept]


async def test_nothing_follows_the_end_of_a_chat(serve):
    """`chatDeleted` in the room, `removedFromChat` to all, and then silence; badges too."""
    async with serve(timings=Timings(unread_push_every_s=0.05), **generous()) as chat:
        chat_id, other = await chat.create_chat([1, 2]), await chat.create_chat([1, 2])
        inside, outside = await chat.connect(1, join=chat_id), await chat.connect(1)
        grace = await chat.connect(2, join=chat_id)
        await say(grace, chat_id, "the last word")
        await chat.request("DELETE", f"/chats/{chat_id}", *HOST)
        await say(grace, other, "elsewhere")
        for client in (inside, outside):
            assert (await client.next("removedFromChat"))["reason"] == "deleted"
            while not [each for each in client.of("unreadUpdated") if each["chatId"] == other]:
                await client.next("unreadUpdated")
            assert after_the_removal(client, chat_id) == []


async def test_an_answer_that_waits_behind_the_deletion_of_what_it_quotes_is_refused(
    serve, monkeypatch
):
    """A deleted text goes from all quotes, and comes back in none: NOT_FOUND, as a moment later."""
    async with serve() as chat:
        chat_id = await chat.create_chat([1, 2, 3])
        ada, grace = await chat.connect(1, join=chat_id), await chat.connect(2, join=chat_id)
        (message,) = await say(ada, chat_id, "my password is swordfish")
        held = Held(monkeypatch, MongoChats, "put_participant")
        removing = asyncio.ensure_future(host(chat, "DELETE", f"/chats/{chat_id}/participants/3"))
        await held.reached()
        state = chat.app.domain.states.loaded(chat_id)
        deleting = asyncio.ensure_future(ada.call("deleteMessage", {"messageId": message["id"]}))
        await eventually(lambda: state.pending == 2)
        quote = {"chatId": chat_id, "content": "really?", "replyToId": message["id"]}
        answering = asyncio.ensure_future(grace.call("sendMessage", quote))
        await eventually(lambda: state.pending == 3)
        held.go_on.set()
        await removing
        assert (await deleting)["success"]
        assert (await answering)["error"]["code"] == "NOT_FOUND"
        assert "swordfish" not in str(await all_messages(chat, chat_id))
