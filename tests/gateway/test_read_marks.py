"""markAsRead: the cursor, and who hears of it."""

import pytest

from tests.support.gateway.servers import generous


async def _send(client, chat_id, count):
    return [
        (await client.call("sendMessage", {"chatId": chat_id, "content": f"number {number}"}))[
            "data"
        ]["id"]
        for number in range(count)
    ]


async def test_others_hear_what_somebody_has_read(serve):
    """`messageRead {chatId, messageId, userId, timestamp}` to the other users; the ack has the
    count."""
    async with serve() as chat:
        chat_id = await chat.create_chat([1, 2])
        ada, tab = await chat.connect(1, join=chat_id), await chat.connect(1, join=chat_id)
        grace = await chat.connect(2, join=chat_id)
        ids = await _send(grace, chat_id, 3)
        answer = await ada.call("markAsRead", {"chatId": chat_id, "messageId": ids[1]})
        assert answer["success"] is True
        assert answer["data"] == {
            "chatId": chat_id,
            "lastReadMessageId": ids[1],
            "unreadCount": 1,
        }
        heard = await grace.next("messageRead")
        assert heard.pop("timestamp").endswith("Z")
        assert heard == {"chatId": chat_id, "messageId": ids[1], "userId": 1}
        for client in (ada, tab):
            await client.settle()
            assert client.of("messageRead") == []


async def test_the_cursor_only_moves_forward(serve):
    """An older message, or the same again, changes nothing and is pushed to nobody."""
    async with serve() as chat:
        chat_id = await chat.create_chat([1, 2])
        ada, grace = await chat.connect(1), await chat.connect(2, join=chat_id)
        ids = await _send(grace, chat_id, 3)
        for message_id in (ids[1], ids[0], ids[1]):
            answer = await ada.call("markAsRead", {"chatId": chat_id, "messageId": message_id})
            assert answer["data"]["lastReadMessageId"] == ids[1]
        await grace.settle()
        assert [each["messageId"] for each in grace.of("messageRead")] == [ids[1]]


async def test_sending_marks_the_chat_read_for_the_sender(serve):
    """Who writes has seen what is above."""
    async with serve() as chat:
        chat_id = await chat.create_chat([1, 2])
        ada, grace = await chat.connect(1), await chat.connect(2)
        await _send(grace, chat_id, 3)
        (mine,) = await _send(ada, chat_id, 1)
        joined = await ada.call("joinChat", {"chatId": chat_id})
        assert joined["data"]["unreadCount"] == 0
        assert joined["data"]["lastReadMessageId"] == mine


async def test_own_and_deleted_messages_are_not_unread(serve):
    """The count is of messages of others that are still there."""
    async with serve(**generous()) as chat:
        chat_id = await chat.create_chat([1, 2])
        ada, grace = await chat.connect(1), await chat.connect(2)
        ids = await _send(grace, chat_id, 4)
        await grace.call("deleteMessage", {"messageId": ids[2]})
        assert (await ada.call("joinChat", {"chatId": chat_id}))["data"]["unreadCount"] == 3
        assert (await grace.call("joinChat", {"chatId": chat_id}))["data"]["unreadCount"] == 0


@pytest.mark.parametrize("case", ["missing", "of another chat", "of a chat not mine", "not mine"])
async def test_what_is_not_in_the_chat_cannot_be_read(serve, case):
    """NOT_FOUND for a message that is not of this chat, NOT_PARTICIPANT for a chat of others."""
    async with serve() as chat:
        mine, other = await chat.create_chat([1, 2]), await chat.create_chat([1, 2])
        foreign = await chat.create_chat([2])
        ada, grace = await chat.connect(1), await chat.connect(2)
        (there,) = await _send(grace, other, 1)
        (hidden,) = await _send(grace, foreign, 1)
        chat_id, message_id, code = {
            "missing": (mine, 987_654_321, "NOT_FOUND"),
            "of another chat": (mine, there, "NOT_FOUND"),
            "of a chat not mine": (mine, hidden, "NOT_FOUND"),
            "not mine": (foreign, hidden, "NOT_PARTICIPANT"),
        }[case]
        answer = await ada.call("markAsRead", {"chatId": chat_id, "messageId": message_id})
        assert answer["error"]["code"] == code


async def test_an_admin_without_a_seat_has_no_cursor(serve):
    """Looking into a chat is not reading it."""
    async with serve() as chat:
        chat_id = await chat.create_chat([2])
        admin, grace = await chat.connect(9, "admin"), await chat.connect(2, join=chat_id)
        (message_id,) = await _send(grace, chat_id, 1)
        answer = await admin.call("markAsRead", {"chatId": chat_id, "messageId": message_id})
        assert answer["error"]["code"] == "FORBIDDEN"
        await grace.settle()
        assert grace.of("messageRead") == []
