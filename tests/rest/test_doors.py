"""Both doors lead into one room: what REST does is pushed to sockets, what sockets do is read by
REST.
"""

import pytest

from tests.support.rest.errors import assert_refused, assert_succeeded

HOST = ("host", "service")


async def test_what_rest_does_to_messages_is_pushed(serve):
    """POST, PATCH and DELETE push newMessage, messageUpdated, messageDeleted to everybody in the
    room, in order.
    """
    async with serve() as chat:
        chat_id = await chat.create_chat([1, 2])
        clients = [await chat.connect(1, join=chat_id), await chat.connect(2, join=chat_id)]
        body = {"chatId": chat_id, "content": "by REST", "clientMessageId": "k"}
        sent = (await chat.request("POST", "/chat-messages", json=body)).data
        path = f"/chat-messages/{sent['id']}"
        edited = (await chat.request("PUT", path, json={"content": "edited"})).data
        deleted = (await chat.request("DELETE", path)).data
        again = await chat.request("DELETE", path)
        repeat = await chat.request("POST", "/chat-messages", json=body)
        assert (again.status, repeat.status) == (200, 200)
        for client in clients:
            made = await client.next("newMessage")
            assert (made["message"], made["chatId"], made["seq"]) == (sent, chat_id, sent["seq"])
            changed = await client.next("messageUpdated")
            assert (changed["message"], changed["seq"]) == (edited, edited["updatedSeq"])
            gone = await client.next("messageDeleted")
            assert (gone["messageId"], gone["chatId"]) == (sent["id"], chat_id)
            assert gone["seq"] == deleted["updatedSeq"]
            await client.settle()
            names = [name for name, _ in client.pushed if name.startswith(("new", "message"))]
            assert names == ["newMessage", "messageUpdated", "messageDeleted"]


async def test_what_sockets_do_to_messages_is_read_by_rest(serve):
    """An acked send, edit, deletion and read mark is there for the next GET."""
    async with serve() as chat:
        chat_id = await chat.create_chat([1, 2])
        ada, grace = await chat.connect(1, join=chat_id), await chat.connect(2, join=chat_id)
        payload = {"chatId": chat_id, "content": "by socket"}
        sent = (await ada.call("sendMessage", payload))["data"]
        path = f"/chat-messages/{sent['id']}"
        assert (await chat.request("GET", path, 2)).data == sent
        edit = {"messageId": sent["id"], "content": "edited"}
        edited = (await ada.call("editMessage", edit))["data"]
        assert (await chat.request("GET", path, 2)).data == edited
        mark = {"chatId": chat_id, "messageId": sent["id"]}
        assert (await grace.call("markAsRead", mark))["success"]
        seen = (await chat.request("GET", f"/chats/{chat_id}", 2)).data
        assert (seen["unreadCount"], seen["lastReadMessageId"]) == (0, sent["id"])
        assert seen["lastMessage"] == edited
        deleted = (await ada.call("deleteMessage", {"messageId": sent["id"]}))["data"]
        assert (await chat.request("GET", path, 2)).data == deleted


async def test_a_rest_read_mark_is_pushed_to_the_others(serve):
    """`messageRead` reaches other users, no socket of the reader."""
    async with serve() as chat:
        chat_id = await chat.create_chat([1, 2])
        ada, grace = await chat.connect(1, join=chat_id), await chat.connect(2, join=chat_id)
        sent = (await ada.call("sendMessage", {"chatId": chat_id, "content": "x"}))["data"]
        mark = {"messageId": sent["id"]}
        assert_succeeded(await chat.request("POST", f"/chats/{chat_id}/read", 2, json=mark))
        pushed = await ada.next("messageRead")
        assert (pushed["chatId"], pushed["messageId"], pushed["userId"]) == (chat_id, sent["id"], 2)
        await grace.settle()
        assert grace.of("messageRead") == []


async def test_a_new_chat_is_told_to_its_people(serve):
    """`chatCreated` reaches every socket of those in it, each with the chat as they see it, and
    nobody else.
    """
    async with serve() as chat:
        ada, grace, other = [await chat.connect(user_id) for user_id in (1, 2, 3)]
        body = {"participantIds": [2], "title": "New"}
        made = (await chat.request("POST", "/chats", 1, json=body)).data
        for client, user_id in ((ada, 1), (grace, 2)):
            pushed = await client.next("chatCreated")
            seen = (await chat.request("GET", f"/chats/{made['id']}", user_id)).data
            assert pushed["chat"] == seen
            assert (pushed["chatId"], pushed["seq"]) == (made["id"], made["seq"])
        await chat.request("POST", "/chats", 1, json={"type": "direct", "participantIds": [2]})
        await grace.next("chatCreated")
        await chat.request("POST", "/chats", 2, json={"type": "direct", "participantIds": [1]})
        for client in (grace, other):
            await client.settle()
        assert (len(grace.of("chatCreated")), len(other.of("chatCreated"))) == (2, 0)


async def test_a_new_title_reaches_every_participant_once(serve):
    """In the room or outside it: lists of chats show titles. Nobody else hears of it."""
    async with serve() as chat:
        chat_id = await chat.create_chat([1, 2])
        inside, outside = await chat.connect(1, join=chat_id), await chat.connect(1)
        other, stranger = await chat.connect(2), await chat.connect(3)
        await chat.request("PATCH", f"/chats/{chat_id}", *HOST, json={"title": "New"})
        for client in (inside, outside, other, stranger):
            await client.settle()
        told = [each["chat"]["title"] for each in inside.of("chatUpdated")]
        assert told == ["New"]
        assert outside.of("chatUpdated") == other.of("chatUpdated") == inside.of("chatUpdated")
        assert stranger.of("chatUpdated") == []


async def test_changes_of_a_chat_are_pushed_in_the_order_of_their_numbers(serve):
    """chatUpdated, participantAdded, participantUpdated, participantRemoved: one number and one
    push each.
    """
    async with serve() as chat:
        chat_id = await chat.create_chat([1, 2])
        ada = await chat.connect(1, join=chat_id)
        newcomer = await chat.connect(5)
        path = f"/chats/{chat_id}"
        seat = f"{path}/participants/5"
        await chat.request("PATCH", path, *HOST, json={"title": "T", "metadata": {"a": 1}})
        await chat.request("POST", f"{path}/participants", *HOST, json={"userIds": [5]})
        await chat.request("PATCH", seat, *HOST, json={"role": "moderator"})
        await chat.request("DELETE", seat, *HOST)
        updated = await ada.next("chatUpdated")
        assert (updated["chat"]["title"], updated["chat"]["metadata"]) == ("T", {"a": 1})
        added = await ada.next("participantAdded")
        assert (added["participant"]["userId"], added["participant"]["role"]) == (5, "member")
        assert added["participantCount"] == 3
        raised = await ada.next("participantUpdated")
        assert raised["participant"]["role"] == "moderator"
        removed = await ada.next("participantRemoved")
        assert (removed["participantId"], removed["participantCount"]) == (5, 2)
        numbers = [each["seq"] for each in (updated, added, raised, removed)]
        assert numbers == list(range(numbers[0], numbers[0] + 4))
        assert (await newcomer.next("participantAdded")) == added
        out = await newcomer.next("removedFromChat")
        assert out == {"chatId": chat_id, "reason": "removed"}
        await ada.settle()
        assert ada.of("removedFromChat") == []


@pytest.mark.parametrize("how", ["removed", "left", "deleted"])
async def test_after_removed_from_chat_nothing_of_the_chat_follows(serve, how):
    """On every socket of who is out, `removedFromChat` is the last word of that chat."""
    async with serve() as chat:
        chat_id = await chat.create_chat([1, 2])
        tabs = [await chat.connect(2, join=chat_id), await chat.connect(2)]
        ada = await chat.connect(1, join=chat_id)
        if how == "removed":
            await chat.request("DELETE", f"/chats/{chat_id}/participants/2", *HOST)
        elif how == "left":
            await chat.request("POST", f"/chats/{chat_id}/leave", 2)
        else:
            await chat.request("DELETE", f"/chats/{chat_id}", *HOST)
        sent = await ada.call("sendMessage", {"chatId": chat_id, "content": "after"})
        assert sent["success"] is (how != "deleted")
        for tab in tabs:
            assert await tab.next("removedFromChat") == {"chatId": chat_id, "reason": how}
            await tab.settle()
            assert tab.pushed[-1][0] == "removedFromChat"
            assert tab.of("newMessage") == []
            refused = await tab.call("joinChat", {"chatId": chat_id})
            assert refused["error"]["code"] == "NOT_PARTICIPANT"
        if how == "deleted":
            assert (await ada.next("chatDeleted"))["chatId"] == chat_id
            assert (await ada.next("removedFromChat"))["reason"] == "deleted"


async def test_a_refused_request_pushes_nothing(serve):
    """What is refused is neither stored nor told."""
    async with serve() as chat:
        chat_id = await chat.create_chat([1, 2])
        grace = await chat.connect(2, join=chat_id)
        blank = {"chatId": chat_id, "content": " "}
        stranger = {"chatId": chat_id, "content": "let me in"}
        assert_refused(await chat.request("POST", "/chat-messages", json=blank), "VALIDATION_ERROR")
        answer = await chat.request("POST", "/chat-messages", 3, json=stranger)
        assert_refused(answer, "NOT_PARTICIPANT")
        answer = await chat.request("PATCH", f"/chats/{chat_id}", 1, json={"title": "mine"})
        assert_refused(answer, "FORBIDDEN")
        await grace.settle()
        assert grace.pushed == []
