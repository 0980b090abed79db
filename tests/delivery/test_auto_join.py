"""Joining all of one's chats at once: `autoJoin`, and AUTO_JOIN for everybody."""

import pytest

from tests.support.delivery.chats import host, say
from tests.support.gateway.servers import generous


@pytest.mark.parametrize("setting", [False, True])
async def test_all_of_the_users_chats_are_joined(serve, setting):
    """`autoJoinedChats` lists them, and the socket hears what is said in each; others' chats are
    not."""
    async with serve(auto_join=setting, **generous()) as chat:
        mine = [await chat.create_chat([1, 2]) for _ in range(3)]
        left, foreign = await chat.create_chat([1, 2]), await chat.create_chat([2])
        await host(chat, "DELETE", f"/chats/{left}/participants/1")
        ada, grace = await chat.connect(1), await chat.connect(2)
        answer = await ada.call("authenticate", None if setting else {"autoJoin": True})
        assert sorted(answer["autoJoinedChats"]) == mine
        for chat_id in (*mine, left, foreign):
            await say(grace, chat_id, f"in {chat_id}")
        await ada.settle()
        assert [each["chatId"] for each in ada.of("newMessage")] == mine


async def test_without_it_nothing_is_joined(serve):
    """The field is absent and the socket hears nothing, unless it was asked for with `true`."""
    async with serve() as chat:
        chat_id = await chat.create_chat([1, 2])
        ada, grace = await chat.connect(1), await chat.connect(2)
        for payload in (None, {}, {"autoJoin": False}):
            assert "autoJoinedChats" not in await ada.call("authenticate", payload)
        refused = await ada.call("authenticate", {"autoJoin": "yes"})
        assert refused["error"]["code"] == "VALIDATION_ERROR"
        await say(grace, chat_id, "hi")
        await ada.settle()
        assert ada.of("newMessage") == []


async def test_joining_again_is_no_second_entry(serve):
    """Twice asked, others hear of one coming; each message comes once."""
    async with serve() as chat:
        chat_id = await chat.create_chat([1, 2])
        grace = await chat.connect(2, join=chat_id)
        ada = await chat.connect(1)
        for _ in range(2):
            answer = await ada.call("authenticate", {"autoJoin": True})
            assert answer["autoJoinedChats"] == [chat_id]
        await say(grace, chat_id, "hi")
        await ada.settle()
        assert len(ada.of("newMessage")) == 1
        assert [each["userId"] for each in grace.of("userJoined")] == [1]


async def test_as_many_as_a_socket_may_are_joined(serve):
    """MAX_ROOMS_PER_SOCKET holds; which ones were joined is told."""
    async with serve(max_rooms_per_socket=2) as chat:
        for _ in range(4):
            await chat.create_chat([1])
        ada = await chat.connect(1)
        answer = await ada.call("authenticate", {"autoJoin": True})
        assert answer["success"] is True
        assert len(answer["autoJoinedChats"]) == 2
