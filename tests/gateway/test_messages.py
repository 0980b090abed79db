"""Sending, editing and deleting messages over the socket."""

import json

import pytest

from tests.support.gateway.servers import MovableClock, generous
from tests.support.gateway.wire import RawPolling


async def test_a_message_is_acked_and_pushed_to_everybody_in_the_room(serve):
    """The sender's ack and every member's push carry the same stored message."""
    async with serve() as chat:
        chat_id = await chat.create_chat([1, 2])
        ada = await chat.connect(1, join=chat_id)
        grace = await chat.connect(2, join=chat_id)
        ack = await ada.call("sendMessage", {"chatId": chat_id, "content": "Hello, world!"})
        assert ack["success"] is True
        assert ack["data"]["message"] == "Hello, world!"
        for client in (ada, grace):
            pushed = await client.next("newMessage")
            assert pushed["message"] == ack["data"]
            assert pushed["chatId"] == chat_id


async def test_the_message_has_every_field_of_the_contract(serve):
    """All fields are there, also those that are null; the server alone makes ids, numbers and
    times."""
    async with serve() as chat:
        chat_id = await chat.create_chat([1])
        ada = await chat.connect(1)
        forged = {
            "id": 5, "senderId": 2, "seq": 9, "createdAt": "1999-01-01", "senderType": "admin",
            "revision": 7, "deletedAt": "1999-01-01", "type": "system", "duplicate": True,
        }  # fmt: skip
        sent = {"chatId": chat_id, "content": "mine", "metadata": {"a": [1, {"b": None}]}, **forged}
        ack = await ada.call("sendMessage", sent)
        assert ack["duplicate"] is False
        message = ack["data"]
        assert message.pop("createdAt") == message.pop("updatedAt")
        assert message.pop("seq") == message.pop("updatedSeq")
        assert type(message.pop("id")) is int
        assert message == {
            "chatId": chat_id, "revision": 1, "senderId": 1, "senderType": "employee",
            "type": "text", "message": "mine", "clientMessageId": None, "replyToId": None,
            "replyTo": None, "metadata": {"a": [1, {"b": None}]}, "editedAt": None,
            "deletedAt": None, "deletedBy": None,
        }  # fmt: skip


@pytest.mark.parametrize(
    "content",
    [
        "x",
        "x" * 10_000,
        "\U0001f600" * 10_000,
        "  kept as it is \n",
        "<script>alert(1)</script>",
        "\u0000ff"[1:],
        "\u202e right to left",
        '{"$gt": ""}',
        "\x1b[31m\r\n",
    ],
)
async def test_any_text_comes_out_as_it_went_in(serve, content):
    """1 to 10,000 characters, whatever they are; escaping is the business of who shows them."""
    async with serve() as chat:
        chat_id = await chat.create_chat([1])
        ada = await chat.connect(1, join=chat_id)
        ack = await ada.call("sendMessage", {"chatId": chat_id, "content": content})
        assert ack["data"]["message"] == content
        assert (await ada.next("newMessage"))["message"]["message"] == content
        page = await chat.request("GET", f"/chat-messages?chatId={chat_id}")
        assert page.data[0]["message"] == content


async def test_message_is_taken_for_content(serve):
    """What comes out as `message` may go in under that name."""
    async with serve() as chat:
        chat_id = await chat.create_chat([1])
        ada = await chat.connect(1)
        ack = await ada.call("sendMessage", {"chatId": chat_id, "message": "the other name"})
        assert ack["data"]["message"] == "the other name"


async def test_a_participant_sends_without_having_joined_the_room(serve):
    """Membership is what counts: a client flushes its buffer before it rejoins."""
    async with serve() as chat:
        chat_id = await chat.create_chat([1, 2])
        ada, grace = await chat.connect(1), await chat.connect(2, join=chat_id)
        assert (await ada.call("sendMessage", {"chatId": chat_id, "content": "hi"}))["success"]
        assert (await grace.next("newMessage"))["message"]["senderId"] == 1


async def test_a_message_sent_over_rest_is_pushed_like_any_other(serve):
    """Both doors reach the room."""
    async with serve() as chat:
        chat_id = await chat.create_chat([1, 2])
        ada, grace = await chat.connect(1, join=chat_id), await chat.connect(2, join=chat_id)
        body = {"chatId": chat_id, "content": "from the form"}
        response = await chat.request("POST", "/chat-messages", 1, json=body)
        for client in (ada, grace):
            assert (await client.next("newMessage"))["message"] == response.data
        await chat.request(
            "PATCH", f"/chat-messages/{response.data['id']}", 1, json={"content": "edited"}
        )
        assert (await grace.next("messageUpdated"))["message"]["message"] == "edited"
        await chat.request("DELETE", f"/chat-messages/{response.data['id']}", 1)
        assert (await grace.next("messageDeleted"))["messageId"] == response.data["id"]


async def test_an_answer_quotes_what_it_answers(serve):
    """`replyTo` holds the head of the other message, until that is deleted."""
    async with serve() as chat:
        chat_id = await chat.create_chat([1, 2])
        ada, grace = await chat.connect(1), await chat.connect(2)
        first = await ada.call("sendMessage", {"chatId": chat_id, "content": "x" * 300})
        reply = {"chatId": chat_id, "content": "yes", "replyToId": first["data"]["id"]}
        second = (await grace.call("sendMessage", reply))["data"]
        assert second["replyToId"] == first["data"]["id"]
        assert second["replyTo"] == {
            "id": first["data"]["id"], "senderId": 1, "message": "x" * 200,
        }  # fmt: skip
        await ada.call("deleteMessage", {"messageId": first["data"]["id"]})
        stored = await chat.request("GET", f"/chat-messages/{second['id']}", 2)
        assert stored.data["replyTo"]["message"] == ""
        refused = await grace.call("sendMessage", reply)
        assert refused["error"]["code"] == "NOT_FOUND"


@pytest.mark.parametrize("event", ["editMessage", "deleteMessage"])
async def test_changes_are_acked_and_pushed_to_the_room(serve, event):
    """The ack has the whole message; the push its new state, under the chat's next number."""
    async with serve() as chat:
        chat_id = await chat.create_chat([1, 2])
        ada, grace = await chat.connect(1, join=chat_id), await chat.connect(2, join=chat_id)
        sent = (await ada.call("sendMessage", {"chatId": chat_id, "content": "hi"}))["data"]
        payload = {"messageId": sent["id"], "content": "hello"}
        ack = await ada.call(event, payload)
        assert ack["success"] is True
        changed = ack["data"]
        assert (changed["id"], changed["seq"]) == (sent["id"], sent["seq"])
        assert (changed["updatedSeq"], changed["revision"]) == (sent["updatedSeq"] + 1, 2)
        for client in (ada, grace):
            if event == "editMessage":
                pushed = await client.next("messageUpdated")
                assert pushed["message"] == changed
                assert (changed["message"], changed["deletedAt"]) == ("hello", None)
            else:
                pushed = await client.next("messageDeleted")
                assert pushed["messageId"] == sent["id"]
                assert (changed["message"], changed["deletedBy"]) == ("", 1)
            assert (pushed["chatId"], pushed["seq"]) == (chat_id, changed["updatedSeq"])


async def test_deleting_twice_answers_the_same_tombstone_and_editing_it_is_refused(serve):
    """The second delete is a success that pushes nothing; a tombstone has no text to edit."""
    async with serve() as chat:
        chat_id = await chat.create_chat([1])
        ada = await chat.connect(1, join=chat_id)
        sent = (await ada.call("sendMessage", {"chatId": chat_id, "content": "hi"}))["data"]
        first = await ada.call("deleteMessage", {"messageId": sent["id"]})
        second = await ada.call("deleteMessage", {"messageId": sent["id"]})
        assert first == second
        edit = await ada.call("editMessage", {"messageId": sent["id"], "content": "back"})
        assert edit["error"]["code"] == "MESSAGE_DELETED"
        await ada.settle()
        assert len(ada.of("messageDeleted")) == 1


async def test_who_may_change_a_message(serve):
    """Its sender may; a member may not; an admin may delete and not edit; strangers see no
    message."""
    async with serve() as chat:
        chat_id = await chat.create_chat([1, 2])
        ada, grace = await chat.connect(1), await chat.connect(2)
        eve, admin = await chat.connect(3), await chat.connect(9, "admin")
        sent = (await ada.call("sendMessage", {"chatId": chat_id, "content": "hi"}))["data"]
        edit = {"messageId": sent["id"], "content": "changed"}
        codes = {}
        for name, client in (("member", grace), ("stranger", eve), ("admin", admin)):
            for event in ("editMessage", "deleteMessage"):
                answer = await client.call(event, edit)
                codes[name, event] = answer.get("error", {}).get("code")
        assert codes == {
            ("member", "editMessage"): "FORBIDDEN",
            ("member", "deleteMessage"): "FORBIDDEN",
            ("stranger", "editMessage"): "NOT_FOUND",
            ("stranger", "deleteMessage"): "NOT_FOUND",
            ("admin", "editMessage"): "FORBIDDEN",
            ("admin", "deleteMessage"): None,
        }
        nowhere = await eve.call("editMessage", {"messageId": 987_654, "content": "x"})
        assert nowhere["error"]["code"] == "NOT_FOUND"


async def test_messages_become_fixed_after_a_day(serve):
    """The edit window closes for the sender, not for the host's back end."""
    clock = MovableClock()
    async with serve(clock=clock) as chat:
        chat_id = await chat.create_chat([1])
        ada = await chat.connect(token=chat.token(1, valid_s=1e6))
        sent = (await ada.call("sendMessage", {"chatId": chat_id, "content": "hi"}))["data"]
        clock.move(hours=24, seconds=1)
        for event in ("editMessage", "deleteMessage"):
            answer = await ada.call(event, {"messageId": sent["id"], "content": "late"})
            assert answer["error"]["code"] == "EDIT_WINDOW_CLOSED"


async def test_an_edit_that_expects_another_revision_is_refused(serve):
    """EDIT_CONFLICT is retryable: read again, and try with what is there now."""
    async with serve() as chat:
        chat_id = await chat.create_chat([1])
        ada = await chat.connect(1)
        sent = (await ada.call("sendMessage", {"chatId": chat_id, "content": "hi"}))["data"]
        edit = {"messageId": sent["id"], "content": "one", "expectedRevision": 1}
        assert (await ada.call("editMessage", edit))["data"]["revision"] == 2
        refused = await ada.call("editMessage", edit)
        assert (refused["error"]["code"], refused["error"]["retryable"]) == ("EDIT_CONFLICT", True)


async def test_pushes_reach_polling_and_websocket_sockets_in_the_same_order(serve):
    """The transport makes no difference to what is heard."""
    async with serve(**generous()) as chat:
        chat_id = await chat.create_chat([1, 2, 3])
        ada, grace = await RawPolling.enter(chat, 1), await chat.connect(3, join=chat_id)
        listener = await RawPolling.enter(chat, 2)
        await listener.event(f'["joinChat",{{"chatId":{chat_id}}}]')
        texts = [f"number {number}" for number in range(20)]
        packets = [f'["sendMessage",{{"chatId":{chat_id},"content":"{text}"}}]' for text in texts]
        await ada.post(*(f"42/chat,{packet}" for packet in packets))
        heard = [(await grace.next("newMessage"))["message"]["message"] for _ in texts]
        await listener.until('42/chat,["newMessage"')
        polled = [json.loads(each[8:])[1] for each in listener.frames if "newMessage" in each]
        assert heard == texts
        assert [each["message"]["message"] for each in polled] == texts
