"""/chat-messages: send, read one, edit, delete."""

import asyncio
import re

import pytest

from tests.support.gateway.servers import MovableClock
from tests.support.rest.errors import assert_refused, assert_succeeded

MESSAGE_FIELDS = {
    "id", "chatId", "seq", "updatedSeq", "revision", "senderId", "senderType", "type", "message",
    "clientMessageId", "replyToId", "replyTo", "metadata", "createdAt", "updatedAt", "editedAt",
    "deletedAt", "deletedBy",
}  # fmt: skip
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def test_a_sent_message_is_answered_whole(shared):
    """POST answers 201 with every field of the message, the sender taken from the token."""
    chat_id = shared.create_chat([1, 2])
    body = {"chatId": chat_id, "content": "Hello, world!", "metadata": {"ticket": 7}}
    response = shared.request("POST", "/chat-messages", 1, "admin", json=body)
    message = assert_succeeded(response, 201)
    assert set(message) == MESSAGE_FIELDS
    assert response.body["duplicate"] is False
    assert message["chatId"] == chat_id
    assert (message["senderId"], message["senderType"]) == (1, "admin")
    assert (message["message"], message["metadata"]) == ("Hello, world!", {"ticket": 7})
    assert (message["type"], message["revision"]) == ("text", 1)
    assert message["updatedSeq"] == message["seq"] > 0
    assert MOMENT.fullmatch(message["createdAt"])
    assert message["updatedAt"] == message["createdAt"]
    empty = ("clientMessageId", "replyToId", "replyTo", "editedAt", "deletedAt", "deletedBy")
    assert [message[name] for name in empty] == [None] * 6


def test_message_is_taken_for_content(shared):
    """What comes out as `message` is accepted going in under that name."""
    chat_id = shared.create_chat([1, 2])
    response = shared.request("POST", "/chat-messages", json={"chatId": chat_id, "message": "hi"})
    assert assert_succeeded(response, 201)["message"] == "hi"


@pytest.mark.parametrize(
    "content", ["x" * 10_000, "\U0001f600" * 10_000, " a\tb\r\nc ", "﷽", "<b>&"]
)
def test_a_text_is_stored_to_the_character(shared, content):
    """Up to 10,000 characters, counted as code points, come out as they went in."""
    chat_id = shared.create_chat([1, 2])
    message_id = shared.send(chat_id, 1, content)
    found = shared.request("GET", f"/chat-messages/{message_id}", 2)
    assert assert_succeeded(found)["message"] == content


@pytest.mark.parametrize(
    "content",
    ["", " \t\n", "\u2003", "x" * 10_001, "a\x00b", None, 7, True, ["a"], {"$gt": ""}],
)
def test_a_text_that_is_no_text_is_refused(shared, content):
    """Blank, too long, with a NUL, or no string: VALIDATION_ERROR that names the field, by POST and
    PATCH alike.
    """
    chat_id = shared.create_chat([1, 2])
    message_id = shared.send(chat_id, 1)
    sent = shared.request("POST", "/chat-messages", json={"chatId": chat_id, "content": content})
    assert_refused(sent, "VALIDATION_ERROR", path="content")
    path = f"/chat-messages/{message_id}"
    edited = shared.request("PATCH", path, json={"content": content})
    assert_refused(edited, "VALIDATION_ERROR", path="content")


@pytest.mark.parametrize(
    "chat_id", ["1", 1.0, True, None, 0, -1, 2**53, 2**63, 2**70, "chat_1", [1]]
)
def test_an_id_is_a_json_integer_and_nothing_else(shared, chat_id):
    """Ids in bodies are strict positive integers up to 2^53 - 1."""
    raw = str(chat_id).encode() if isinstance(chat_id, int) and chat_id >= 2**64 else None
    if raw is None:
        body = {"chatId": chat_id, "content": "x"}
        response = shared.request("POST", "/chat-messages", json=body)
    else:
        sent = b'{"chatId": %s, "content": "x"}' % raw
        headers = {"Content-Type": "application/json"}
        response = shared.request("POST", "/chat-messages", body=sent, headers=headers)
    assert_refused(response, "VALIDATION_ERROR", path="chatId")


def test_a_reply_quotes_the_head_of_what_it_answers(shared):
    """`replyTo` holds the sender and the first 200 characters; deleting the original empties the
    quote.
    """
    chat_id = shared.create_chat([1, 2])
    original = shared.send(chat_id, 1, "q" * 300)
    reply = shared.send(chat_id, 2, "yes", replyToId=original)
    found = assert_succeeded(shared.request("GET", f"/chat-messages/{reply}"))
    assert found["replyToId"] == original
    assert found["replyTo"] == {"id": original, "senderId": 1, "message": "q" * 200}
    assert_succeeded(shared.request("DELETE", f"/chat-messages/{original}"))
    found = assert_succeeded(shared.request("GET", f"/chat-messages/{reply}"))
    assert found["replyTo"] == {"id": original, "senderId": 1, "message": ""}
    listed = assert_succeeded(shared.request("GET", f"/chat-messages?chatId={chat_id}", 2))
    assert "qq" not in str(listed)


@pytest.mark.parametrize("target", ["missing", "deleted", "another chat's"])
def test_a_reply_to_what_is_not_there_is_refused(shared, target):
    """A reply needs a living message of the same chat; else NOT_FOUND, and nothing is stored."""
    chat_id = shared.create_chat([1, 2])
    reply_to = 2**53 - 1
    if target == "deleted":
        reply_to = shared.send(chat_id, 1)
        shared.request("DELETE", f"/chat-messages/{reply_to}")
    elif target == "another chat's":
        reply_to = shared.send(shared.create_chat([1, 2]), 1)
    body = {"chatId": chat_id, "content": "lost reply", "replyToId": reply_to}
    assert_refused(shared.request("POST", "/chat-messages", json=body), "NOT_FOUND")
    listed = assert_succeeded(shared.request("GET", f"/chat-messages?chatId={chat_id}"))
    assert "lost reply" not in [each["message"] for each in listed]


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_an_edit_makes_a_new_revision(shared, method):
    """PATCH and PUT replace the text, raise the revision and take the chat's next number; the place
    stays.
    """
    chat_id = shared.create_chat([1, 2])
    message_id = shared.send(chat_id, 1, "before")
    before = assert_succeeded(shared.request("GET", f"/chat-messages/{message_id}"))
    response = shared.request(method, f"/chat-messages/{message_id}", json={"content": "after"})
    after = assert_succeeded(response)
    assert (after["message"], after["revision"]) == ("after", 2)
    assert (after["seq"], after["updatedSeq"]) == (before["seq"], before["updatedSeq"] + 1)
    assert after["createdAt"] == before["createdAt"]
    assert after["editedAt"] == after["updatedAt"] >= before["updatedAt"]
    assert assert_succeeded(shared.request("GET", f"/chat-messages/{message_id}", 2)) == after


def test_an_edit_of_another_revision_is_a_conflict(shared):
    """`expectedRevision` that is not the stored one: EDIT_CONFLICT, and the text stays."""
    chat_id = shared.create_chat([1, 2])
    path = f"/chat-messages/{shared.send(chat_id, 1, 'one')}"
    body = {"content": "two", "expectedRevision": 1}
    assert assert_succeeded(shared.request("PATCH", path, json=body))["revision"] == 2
    assert_refused(shared.request("PATCH", path, json=body | {"content": "no"}), "EDIT_CONFLICT")
    assert assert_succeeded(shared.request("GET", path))["message"] == "two"


def test_concurrent_edits_that_expect_a_revision_have_one_winner(shared):
    """Of ten edits that all expect revision 1, one succeeds and nine are EDIT_CONFLICT."""
    chat_id = shared.create_chat([1, 2])
    path = f"/chat-messages/{shared.send(chat_id, 1)}"

    async def race():
        bodies = [{"content": f"try {number}", "expectedRevision": 1} for number in range(10)]
        return await asyncio.gather(
            *(shared.chat.request("PATCH", path, json=body) for body in bodies)
        )

    answers = shared.run(race())
    assert sorted(each.code or "" for each in answers) == [""] + ["EDIT_CONFLICT"] * 9
    winner = next(each for each in answers if each.code is None)
    assert assert_succeeded(shared.request("GET", path)) == winner.data


def test_a_deleted_message_becomes_a_tombstone(shared):
    """DELETE wipes text and metadata, keeps the place, and says who did it and when."""
    chat_id = shared.create_chat([1, 2])
    secret = {"chatId": chat_id, "content": "secret words", "metadata": {"a": "secret"}}
    message = assert_succeeded(shared.request("POST", "/chat-messages", json=secret), 201)
    path = f"/chat-messages/{message['id']}"
    tombstone = assert_succeeded(shared.request("DELETE", path))
    assert (tombstone["message"], tombstone["metadata"]) == ("", None)
    assert (tombstone["id"], tombstone["seq"]) == (message["id"], message["seq"])
    assert tombstone["updatedSeq"] == message["seq"] + 1
    assert tombstone["deletedBy"] == 1
    assert MOMENT.fullmatch(tombstone["deletedAt"])
    assert assert_succeeded(shared.request("GET", path, 2)) == tombstone
    listed = assert_succeeded(shared.request("GET", f"/chat-messages?chatId={chat_id}", 2))
    assert listed == [tombstone]


def test_deleting_twice_answers_the_same_tombstone(shared):
    """The second DELETE is a success with the first one's tombstone, also when both come
    at once.
    """
    chat_id = shared.create_chat([1, 2])
    path = f"/chat-messages/{shared.send(chat_id, 1)}"

    async def both():
        one = shared.chat.request("DELETE", path, 1)
        other = shared.chat.request("DELETE", path, "host", "service")
        return await asyncio.gather(one, other)

    first, second = (assert_succeeded(each) for each in shared.run(both()))
    assert first == second
    assert assert_succeeded(shared.request("DELETE", path)) == first


def test_an_edit_of_a_tombstone_is_gone(shared):
    """MESSAGE_DELETED, 410."""
    chat_id = shared.create_chat([1, 2])
    path = f"/chat-messages/{shared.send(chat_id, 1)}"
    shared.request("DELETE", path)
    assert_refused(shared.request("PATCH", path, json={"content": "back"}), "MESSAGE_DELETED")


async def test_after_the_edit_window_only_others_may_still_delete(serve):
    """Own messages can be edited and deleted for EDIT_WINDOW_S; moderators and the host are not
    bound by it.
    """
    clock = MovableClock()
    async with serve(clock=clock, edit_window_s=60) as chat:
        chat_id = await chat.create_chat([1, 2])
        sent = {"chatId": chat_id, "content": "old"}
        old = (await chat.request("POST", "/chat-messages", json=sent)).data
        path = f"/chat-messages/{old['id']}"
        clock.move(seconds=59)
        assert_succeeded(await chat.request("PATCH", path, json={"content": "in time"}))
        clock.move(seconds=3)
        late = await chat.request("PATCH", path, json={"content": "late"})
        assert_refused(late, "EDIT_WINDOW_CLOSED")
        assert_refused(await chat.request("DELETE", path), "EDIT_WINDOW_CLOSED")
        by_host = await chat.request("PATCH", path, "host", "service", json={"content": "by host"})
        assert assert_succeeded(by_host)["senderId"] == 1
        assert assert_succeeded(await chat.request("DELETE", path, 9, "admin"))["deletedBy"] == 9


async def test_numbers_of_a_chat_are_dense_and_ids_rise_with_them(serve):
    """Fifty messages sent at once get consecutive numbers, and a later number means a later id."""
    async with serve(plugin_names=()) as chat:
        chat_id = await chat.create_chat([1, 2])
        body = {"chatId": chat_id, "content": "x"}
        sends = [chat.request("POST", "/chat-messages", 1 + n % 2, json=body) for n in range(50)]
        messages = [assert_succeeded(each, 201) for each in await asyncio.gather(*sends)]
        messages.sort(key=lambda each: each["seq"])
        first = messages[0]["seq"]
        assert [each["seq"] for each in messages] == list(range(first, first + 50))
        ids = [each["id"] for each in messages]
        assert ids == sorted(set(ids))
