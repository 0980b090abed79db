"""Typing indicators: absorbed, ended by the server, and never heard by the one who types."""

import pytest

from chat.timings import Timings
from tests.support.gateway.servers import cut, generous
from tests.support.waiting import eventually


async def test_others_hear_that_somebody_types_and_the_typist_does_not(serve):
    """`{chatId, userId, isTyping, timestamp}` to other users; all tabs of the typist are left
    out."""
    async with serve() as chat:
        chat_id = await chat.create_chat([1, 2])
        ada, tab = await chat.connect(1, join=chat_id), await chat.connect(1, join=chat_id)
        grace = await chat.connect(2, join=chat_id)
        answer = await ada.call("typing", {"chatId": chat_id, "isTyping": True})
        assert answer == {"success": True}
        heard = await grace.next("userTyping")
        timestamp = heard.pop("timestamp")
        assert timestamp.endswith("Z")
        assert heard == {"chatId": chat_id, "userId": 1, "isTyping": True}
        for client in (ada, tab):
            await client.settle()
            assert client.of("userTyping") == []


async def test_renewals_within_two_seconds_are_absorbed(serve):
    """A client signals at every keystroke; its peers hear it once."""
    async with serve(**generous()) as chat:
        chat_id = await chat.create_chat([1, 2])
        ada, grace = await chat.connect(1), await chat.connect(2, join=chat_id)
        for _ in range(20):
            answer = await ada.call("typing", {"chatId": chat_id, "isTyping": True})
            assert answer == {"success": True}
        await grace.settle()
        assert len(grace.of("userTyping")) == 1


async def test_a_renewal_after_two_seconds_is_pushed_again(serve):
    """One push for each two seconds of typing."""
    async with serve(timings=Timings(typing_push_every_s=0), **generous()) as chat:
        chat_id = await chat.create_chat([1, 2])
        ada, grace = await chat.connect(1), await chat.connect(2, join=chat_id)
        for _ in range(3):
            await ada.call("typing", {"chatId": chat_id, "isTyping": True})
        await grace.settle()
        assert [each["isTyping"] for each in grace.of("userTyping")] == [True] * 3


@pytest.mark.parametrize("end", ["stop", "send", "leave", "close", "silence", "lost"])
async def test_the_server_ends_an_indicator(serve, end):
    """Stopping, sending, leaving, closing, losing the connection and silence all end it, once."""
    ttl_s = 0.3 if end == "silence" else 60
    async with serve(typing_ttl_s=ttl_s, **generous()) as chat:
        chat_id = await chat.create_chat([1, 2])
        ada, grace = await chat.connect(1, join=chat_id), await chat.connect(2, join=chat_id)
        await ada.call("typing", {"chatId": chat_id, "isTyping": True})
        await grace.next("userTyping")
        if end == "stop":
            await ada.call("typing", {"chatId": chat_id, "isTyping": False})
        elif end == "send":
            await ada.call("sendMessage", {"chatId": chat_id, "content": "done"})
        elif end == "leave":
            await ada.call("leaveChat", {"chatId": chat_id})
        elif end == "close":
            await ada.close()
        elif end == "lost":
            await cut(ada)
        ended = await grace.next("userTyping")
        assert (ended["userId"], ended["isTyping"]) == (1, False)
        await grace.settle()
        assert len(grace.of("userTyping")) == 2
        joined = await grace.call("joinChat", {"chatId": chat_id})
        assert joined["data"]["typing"] == []


async def test_the_end_of_typing_comes_before_the_message(serve):
    """A client never shows "is typing" below what was typed."""
    async with serve() as chat:
        chat_id = await chat.create_chat([1, 2])
        ada, grace = await chat.connect(1), await chat.connect(2, join=chat_id)
        await ada.call("typing", {"chatId": chat_id, "isTyping": True})
        await ada.call("sendMessage", {"chatId": chat_id, "content": "done"})
        await grace.settle()
        names = [name for name, _ in grace.pushed if name in ("userTyping", "newMessage")]
        assert names == ["userTyping", "userTyping", "newMessage"]


async def test_the_indicator_lives_while_another_tab_is_in_the_room(serve):
    """Losing one of two tabs does not end it."""
    async with serve() as chat:
        chat_id = await chat.create_chat([1, 2])
        ada, tab = await chat.connect(1, join=chat_id), await chat.connect(1, join=chat_id)
        grace = await chat.connect(2, join=chat_id)
        await ada.call("typing", {"chatId": chat_id, "isTyping": True})
        await ada.close()
        await eventually(lambda: len(chat.app.gateway.get_user_sockets(1)) == 1)
        await grace.settle()
        assert [each["isTyping"] for each in grace.of("userTyping")] == [True]
        await tab.call("leaveChat", {"chatId": chat_id})
        await grace.settle()
        assert [each["isTyping"] for each in grace.of("userTyping")] == [True, False]


async def test_an_end_without_a_beginning_is_not_pushed(serve):
    """A client that says it stopped, and had never begun, is heard by nobody."""
    async with serve() as chat:
        chat_id = await chat.create_chat([1, 2])
        ada, grace = await chat.connect(1), await chat.connect(2, join=chat_id)
        answer = await ada.call("typing", {"chatId": chat_id, "isTyping": False})
        assert answer == {"success": True}
        await grace.settle()
        assert grace.of("userTyping") == []


async def test_strangers_cannot_type_into_a_chat(serve):
    """NOT_PARTICIPANT, and nobody hears it."""
    async with serve() as chat:
        chat_id = await chat.create_chat([2])
        eve, grace = await chat.connect(1), await chat.connect(2, join=chat_id)
        answer = await eve.call("typing", {"chatId": chat_id, "isTyping": True})
        assert answer["error"]["code"] == "NOT_PARTICIPANT"
        await grace.settle()
        assert grace.of("userTyping") == []


async def test_typing_ends_with_the_last_socket_of_somebody_who_never_joined(serve):
    """One may type without being in the room; when one is gone, one types no more."""
    async with serve() as chat:
        chat_id = await chat.create_chat([1, 2])
        ada, grace = await chat.connect(1), await chat.connect(2, join=chat_id)
        await ada.call("typing", {"chatId": chat_id, "isTyping": True})
        assert (await grace.next("userTyping"))["isTyping"] is True
        await ada.close()
        assert (await grace.next("userTyping"))["isTyping"] is False
