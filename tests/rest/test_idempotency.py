"""Sending the same message twice: clientMessageId and its alias, the header Idempotency-Key."""

import asyncio

import pytest

from tests.support.rest.errors import assert_refused, assert_succeeded

KEY = "client-1"


def post(shared, chat_id, content="hello", *, key=None, header=None, user_id=1, **fields):
    body = {"chatId": chat_id, "content": content, **fields}
    if key is not None:
        body["clientMessageId"] = key
    headers = {"Idempotency-Key": header} if header is not None else None
    return shared.request("POST", "/chat-messages", user_id, json=body, headers=headers)


@pytest.mark.parametrize("first", [{"key": KEY}, {"header": KEY}])
@pytest.mark.parametrize("second", [{"key": KEY}, {"header": KEY}, {"key": KEY, "header": KEY}])
def test_a_repeat_answers_the_original(shared, first, second):
    """The same key by body or header: 201 and then 200, `duplicate`, the same message,
    stored once.
    """
    chat_id = shared.create_chat([1, 2])
    one, other = post(shared, chat_id, **first), post(shared, chat_id, **second)
    assert (one.status, one.body["duplicate"]) == (201, False)
    assert (other.status, other.body["duplicate"]) == (200, True)
    assert one.data == other.data
    assert one.data["clientMessageId"] == KEY
    listed = shared.request("GET", f"/chat-messages?chatId={chat_id}").data
    assert listed == [one.data]


@pytest.mark.parametrize(
    "change",
    [
        {"content": "other"},
        {"content": "hello "},
        {"metadata": {"a": 2}},
        {"metadata": None},
        {"replyToId": "first"},
    ],
)
def test_another_body_under_the_same_key_is_a_conflict(shared, change):
    """The key stands for one body: text, reply and metadata."""
    chat_id = shared.create_chat([1, 2])
    target = shared.send(chat_id, 2)
    fields = {"content": "hello", "metadata": {"a": 1, "b": [1, 2]}}
    assert_succeeded(post(shared, chat_id, key=KEY, **fields), 201)
    if change.get("replyToId"):
        change = {"replyToId": target}
    assert_refused(post(shared, chat_id, key=KEY, **(fields | change)), "IDEMPOTENCY_CONFLICT")


def test_the_order_of_metadata_keys_makes_no_other_body(shared):
    """Bodies are compared in canonical form, and `message` for `content` is the same body."""
    chat_id = shared.create_chat([1, 2])
    one = post(shared, chat_id, key=KEY, metadata={"a": 1, "b": {"c": 1, "d": 2}})
    other = post(shared, chat_id, key=KEY, metadata={"b": {"d": 2, "c": 1}, "a": 1})
    assert (one.status, other.status) == (201, 200)
    body = {"chatId": chat_id, "message": "hello", "clientMessageId": "2"}
    assert_succeeded(post(shared, chat_id, key="2"), 201)
    assert_succeeded(shared.request("POST", "/chat-messages", json=body), 200)


def test_a_key_belongs_to_one_sender_in_one_chat(shared):
    """The same key of another person, or in another chat, is another message."""
    chat_id, other_chat = shared.create_chat([1, 2]), shared.create_chat([1, 2])
    answers = [
        post(shared, chat_id, key=KEY),
        post(shared, chat_id, key=KEY, user_id=2),
        post(shared, other_chat, key=KEY),
    ]
    assert [each.status for each in answers] == [201] * 3
    assert len({each.data["id"] for each in answers}) == 3


def test_header_and_field_that_differ_are_refused(shared):
    """Two keys for one message make no sense."""
    chat_id = shared.create_chat([1, 2])
    assert_refused(post(shared, chat_id, key="a", header="b"), "VALIDATION_ERROR")


def test_a_null_field_leaves_the_word_to_the_header(shared):
    """`clientMessageId: null` is none, as everywhere; the header counts."""
    chat_id = shared.create_chat([1, 2])
    answer = post(shared, chat_id, header=KEY, clientMessageId=None)
    assert assert_succeeded(answer, 201)["clientMessageId"] == KEY


@pytest.mark.parametrize(
    "key", ["", " ", "a b", "x" * 65, "ä", "tab\t", 7, True, {"$gt": ""}, ["a"]]
)
def test_a_key_is_1_to_64_printable_characters(shared, key):
    """Anything else is refused, in the field and in the header."""
    chat_id = shared.create_chat([1, 2])
    response = post(shared, chat_id, clientMessageId=key)
    assert_refused(response, "VALIDATION_ERROR", path="clientMessageId")
    if isinstance(key, str) and key.strip() == key != "":
        assert_refused(post(shared, chat_id, header=key), "VALIDATION_ERROR")


def test_a_refused_message_does_not_use_up_its_key(shared):
    """A send that failed is not the answer of the next try."""
    chat_id = shared.create_chat([1, 2])
    gone = shared.send(chat_id, 1)
    shared.request("DELETE", f"/chat-messages/{gone}")
    assert_refused(post(shared, chat_id, key=KEY, replyToId=gone), "NOT_FOUND")
    assert_succeeded(post(shared, chat_id, key=KEY), 201)


def test_membership_is_asked_before_the_key(shared):
    """Who was removed does not learn what they sent before."""
    chat_id = shared.create_chat([1, 2])
    assert_succeeded(post(shared, chat_id, key=KEY), 201)
    path = f"/chats/{chat_id}/participants/1"
    assert_succeeded(shared.request("DELETE", path, "host", "service"))
    assert_refused(post(shared, chat_id, key=KEY), "NOT_PARTICIPANT")


async def test_concurrent_twins_are_stored_once_through_either_door(serve):
    """Twenty at once with one key, by REST and socket: one message, one push, one that is no
    duplicate.
    """
    async with serve(plugin_names=()) as chat:
        chat_id = await chat.create_chat([1, 2])
        ada, grace = await chat.connect(1, join=chat_id), await chat.connect(2, join=chat_id)
        body = {"chatId": chat_id, "content": "once", "clientMessageId": KEY}
        calls = [chat.request("POST", "/chat-messages", json=body) for _ in range(10)]
        emits = [ada.call("sendMessage", body) for _ in range(10)]
        answers = [
            each if isinstance(each, dict) else each.body
            for each in await asyncio.gather(*calls, *emits)
        ]
        assert {each["success"] for each in answers} == {True}
        assert len({each["data"]["id"] for each in answers}) == 1
        assert sorted(each["duplicate"] for each in answers) == [False] + [True] * 19
        await grace.settle()
        assert len(grace.of("newMessage")) == 1


async def test_a_repeat_after_a_restart_answers_the_original(serve):
    """The unique index outlives the server's memory: also for a message beyond the chat's tail."""
    async with serve(plugin_names=()) as chat:
        chat_id = await chat.create_chat([1, 2])
        body = {"chatId": chat_id, "content": "kept", "clientMessageId": KEY}
        late = {"chatId": chat_id, "content": "late", "clientMessageId": "late"}
        first = await chat.request("POST", "/chat-messages", json=body)
        filler = {"chatId": chat_id, "content": "filler"}
        await asyncio.gather(
            *(chat.request("POST", "/chat-messages", 2, json=filler) for _ in range(110))
        )
        last = await chat.request("POST", "/chat-messages", json=late)
    async with serve(plugin_names=()) as chat:
        for sent, original in ((late, last), (body, first)):
            again = await chat.request("POST", "/chat-messages", json=sent)
            assert (again.status, again.body["duplicate"]) == (200, True)
            assert again.data == original.data
            other = await chat.request("POST", "/chat-messages", json=sent | {"content": "other"})
            assert_refused(other, "IDEMPOTENCY_CONFLICT")
        newest = await chat.request("POST", "/chat-messages", json=filler)
        assert newest.data["seq"] == last.data["seq"] + 1
