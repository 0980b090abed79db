"""POST /chats/:id/read and GET /users/presence."""

import asyncio
import re

import pytest

from tests.support.rest.errors import assert_refused, assert_succeeded


def read(shared, chat_id, user_id, message_id, *user_type):
    path = f"/chats/{chat_id}/read"
    return shared.request("POST", path, user_id, *user_type, json={"messageId": message_id})


def test_a_read_mark_answers_where_the_reader_is(shared):
    """The cursor, and what is still unread behind it."""
    chat_id = shared.create_chat([1, 2])
    ids = [shared.send(chat_id, 2) for _ in range(4)]
    answer = assert_succeeded(read(shared, chat_id, 1, ids[1]))
    assert answer == {"chatId": chat_id, "lastReadMessageId": ids[1], "unreadCount": 2}
    seen = shared.request("GET", f"/chats/{chat_id}", 1).data
    assert (seen["lastReadMessageId"], seen["unreadCount"]) == (ids[1], 2)
    people = {each["userId"]: each["lastReadMessageId"] for each in seen["participants"]}
    assert people == {1: ids[1], 2: ids[3]}


def test_the_cursor_only_moves_forward(shared):
    """An older mark changes nothing and is no error; the answer tells where the cursor is."""
    chat_id = shared.create_chat([1, 2])
    ids = [shared.send(chat_id, 2) for _ in range(3)]
    assert_succeeded(read(shared, chat_id, 1, ids[2]))
    for message_id in (ids[0], ids[2]):
        answer = assert_succeeded(read(shared, chat_id, 1, message_id))
        assert answer == {"chatId": chat_id, "lastReadMessageId": ids[2], "unreadCount": 0}


def test_marks_that_race_end_at_the_furthest(shared):
    """Twenty tabs that read different messages at once leave the cursor at the newest of them."""
    chat_id = shared.create_chat([1, 2])
    ids = [shared.send(chat_id, 2) for _ in range(20)]

    async def race():
        path = f"/chats/{chat_id}/read"
        calls = [shared.chat.request("POST", path, 1, json={"messageId": each}) for each in ids]
        return await asyncio.gather(*calls[::2], *calls[1::2])

    for answer in shared.run(race()):
        assert_succeeded(answer)
    seen = shared.request("GET", f"/chats/{chat_id}", 1).data
    assert (seen["lastReadMessageId"], seen["unreadCount"]) == (ids[-1], 0)


def test_one_can_read_up_to_a_tombstone(shared):
    """A deleted message keeps its place, for cursors too."""
    chat_id = shared.create_chat([1, 2])
    ids = [shared.send(chat_id, 2) for _ in range(2)]
    shared.request("DELETE", f"/chat-messages/{ids[0]}", 2)
    answer = assert_succeeded(read(shared, chat_id, 1, ids[0]))
    assert (answer["lastReadMessageId"], answer["unreadCount"]) == (ids[0], 1)


@pytest.mark.parametrize("value", [None, "1", 1.0, True, 0, -1, 2**53, [1], {"$gt": 0}])
def test_a_message_id_that_is_none_is_refused(shared, value):
    """VALIDATION_ERROR that names the field."""
    chat_id = shared.create_chat([1, 2])
    shared.send(chat_id, 2)
    assert_refused(read(shared, chat_id, 1, value), "VALIDATION_ERROR", path="messageId")


async def test_cursors_outlive_a_restart_by_read_and_by_writing(serve):
    """A mark is stored at once, and what the sender has read by writing at the stop at
    the latest.
    """
    async with serve() as chat:
        chat_id = await chat.create_chat([1, 2])
        sent = []
        for user_id in (2, 2, 1):
            body = {"chatId": chat_id, "content": "x"}
            sent.append((await chat.request("POST", "/chat-messages", user_id, json=body)).data)
        path = f"/chats/{chat_id}/read"
        await chat.request("POST", path, 2, json={"messageId": sent[2]["id"]})
    async with serve() as chat:
        seen = (await chat.request("GET", f"/chats/{chat_id}", 1)).data
        cursors = {each["userId"]: each["lastReadMessageId"] for each in seen["participants"]}
        assert cursors == {1: sent[2]["id"], 2: sent[2]["id"]}


async def test_presence_says_who_has_a_socket(serve):
    """Online with a socket, offline after the grace, `lastSeenAt` from then on, also after a
    restart.
    """
    async with serve(presence_grace_s=0) as chat:
        await chat.create_chat([1, 2, 3])
        ada, grace = await chat.connect(1), await chat.connect(2)

        async def look(ids):
            return assert_succeeded(await chat.request("GET", f"/users/presence?ids={ids}", 3))

        online = await look("1,2,3,u-9")
        assert [(each["userId"], each["status"]) for each in online] == [
            (1, "online"), (2, "online"), (3, "offline"), ("u-9", "offline"),
        ]  # fmt: skip
        assert all(each["lastSeenAt"] is None for each in online)
        await ada.close()
        gone = await grace.next("presenceChanged")
        assert (gone["userId"], gone["status"]) == (1, "offline")
        seen = (await look("1"))[0]
        assert seen == {"userId": 1, "status": "offline", "lastSeenAt": gone["lastSeenAt"]}
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", seen["lastSeenAt"])
    async with serve() as chat:
        assert (await look("1"))[0] == seen


async def test_a_request_without_a_socket_makes_nobody_online(serve):
    """REST calls are not presence."""
    async with serve() as chat:
        await chat.create_chat([1, 2])
        found = await chat.request("GET", "/users/presence?ids=1", 1)
        assert assert_succeeded(found)[0]["status"] == "offline"


@pytest.mark.parametrize(
    ("ids", "expected"),
    [("", []), ("5", [5]), ("05", ["05"]), ("5,5", [5, 5]), (",5,", [5]), ("a%7Cb", ["a|b"])],
)
def test_presence_takes_user_ids_as_they_are_written(shared, ids, expected):
    """Digits mean integers, the rest are names; empty places are skipped."""
    found = assert_succeeded(shared.request("GET", f"/users/presence?ids={ids}"))
    assert [each["userId"] for each in found] == expected


@pytest.mark.parametrize(
    "query",
    ["ids=a%20b", "ids=%D9%A1", "ids=" + "x" * 65, "ids=%FF", "ids=" + ",".join("1" * 201)],
)
def test_presence_of_what_is_no_user_is_refused(shared, query):
    """Ids that are none, and more than 200 of them."""
    assert_refused(shared.request("GET", f"/users/presence?{query}"), "VALIDATION_ERROR")
