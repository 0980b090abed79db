"""GET /chats: the caller's chats in the order of their last change, with what is unread in each."""

import asyncio
import base64

import orjson
import pytest

from tests.support.gateway.servers import MovableClock
from tests.support.rest.errors import assert_refused, assert_succeeded


def overview(shared, user_id, query=""):
    response = shared.request("GET", f"/chats{query}", user_id)
    return assert_succeeded(response), response.body["page"]["nextCursor"]


def unread_of(shared, chat_id, user_id):
    """The unread count, the same in the list and in the chat itself."""
    listed = {each["id"]: each["unreadCount"] for each in overview(shared, user_id)[0]}
    alone = assert_succeeded(shared.request("GET", f"/chats/{chat_id}", user_id))
    assert listed[chat_id] == alone["unreadCount"]
    return listed[chat_id]


def test_somebody_without_chats_has_an_empty_list(shared):
    """No chats, no next page."""
    assert overview(shared, shared.new_user()) == ([], None)


def test_the_list_holds_what_the_chat_holds_but_its_people(shared):
    """An entry is the chat as GET /chats/:id shows it to the caller, without `participants`."""
    me = shared.new_user()
    chat_id = shared.create_chat([me, 2], title="T", metadata={"a": 1})
    shared.send(chat_id, 2, "last words")
    entry = overview(shared, me)[0][0]
    whole = assert_succeeded(shared.request("GET", f"/chats/{chat_id}", me))
    assert entry == {name: value for name, value in whole.items() if name != "participants"}
    assert entry["lastMessage"]["message"] == "last words"


async def test_the_last_changed_chat_comes_first(serve):
    """A message or a change of settings moves its chat to the top."""
    clock = MovableClock()
    async with serve(clock=clock) as chat:
        ids = []
        for _ in range(4):
            ids.append(await chat.create_chat([1, 2]))
            clock.move(seconds=1)

        async def order():
            return [each["id"] for each in (await chat.request("GET", "/chats")).data]

        assert await order() == ids[::-1]
        body = {"chatId": ids[1], "content": "up"}
        assert_succeeded(await chat.request("POST", "/chat-messages", json=body), 201)
        clock.move(seconds=1)
        assert await order() == [ids[1], ids[3], ids[2], ids[0]]
        change = {"title": "up"}
        path = f"/chats/{ids[0]}"
        assert_succeeded(await chat.request("PATCH", path, "host", "service", json=change))
        assert await order() == [ids[0], ids[1], ids[3], ids[2]]


@pytest.mark.parametrize("limit", [1, 2, 6, 7])
def test_walking_the_pages_meets_every_chat_once(shared, limit):
    """`nextCursor` leads on, and is null on the last page; chats of the same millisecond are not
    lost.
    """
    me = shared.new_user()

    async def make():
        return await asyncio.gather(*(shared.chat.create_chat([me, 2]) for _ in range(7)))

    ids = set(shared.run(make()))
    found, cursor = overview(shared, me, f"?limit={limit}")
    while cursor is not None:
        page, cursor = overview(shared, me, f"?limit={limit}&cursor={cursor}")
        assert 0 < len(page) <= limit
        found += page
    assert [each["id"] for each in found] == [each["id"] for each in overview(shared, me)[0]]
    assert {each["id"] for each in found} == ids
    assert len(found) == 7


def _cursor(value):
    return base64.urlsafe_b64encode(orjson.dumps(value)).decode()


@pytest.mark.parametrize(
    "cursor",
    [
        "x", "!!!!", "e30=", "%FF", "%C3%A4", _cursor([1, 2]), _cursor(["a"]), _cursor(["a", "b"]),
        _cursor(["a", True]), _cursor(["a", 1.5]), _cursor(["a", 1, 2]), _cursor({"$gt": ""}),
        _cursor([{"$gt": ""}, 1]), _cursor(["a", {"$gt": 0}]), _cursor(None), _cursor(7),
    ],
)  # fmt: skip
def test_a_cursor_of_somebody_elses_making_is_refused(shared, cursor):
    """Cursors are used as they were given; anything else is VALIDATION_ERROR, never a crash."""
    assert_refused(shared.request("GET", f"/chats?cursor={cursor}"), "VALIDATION_ERROR")


@pytest.mark.parametrize("limit", ["0", "201", "-1", "x", "1.5", "%D9%A1"])
def test_the_limit_is_1_to_200(shared, limit):
    """As on every page."""
    assert_refused(shared.request("GET", f"/chats?limit={limit}"), "VALIDATION_ERROR", path="limit")


def test_unread_counts_what_others_said_since(shared):
    """Newer than the cursor, not mine, not deleted; sending marks one's own chat read."""
    me, other = shared.new_user(), shared.new_user()
    chat_id = shared.create_chat([me, other])
    assert unread_of(shared, chat_id, me) == 0
    ids = [shared.send(chat_id, other) for _ in range(3)]
    assert (unread_of(shared, chat_id, me), unread_of(shared, chat_id, other)) == (3, 0)
    shared.request("DELETE", f"/chat-messages/{ids[1]}", other)
    assert unread_of(shared, chat_id, me) == 2
    shared.request("PATCH", f"/chat-messages/{ids[0]}", other, json={"content": "edited"})
    assert unread_of(shared, chat_id, me) == 2
    shared.send(chat_id, me)
    assert (unread_of(shared, chat_id, me), unread_of(shared, chat_id, other)) == (0, 1)


def test_a_newcomer_begins_with_nothing_unread(shared):
    """The chat's past is not a badge."""
    other, newcomer = shared.new_user(), shared.new_user()
    chat_id = shared.create_chat([other])
    last = shared.send(chat_id, other)
    path = f"/chats/{chat_id}/participants"
    seats = shared.request("POST", path, "host", "service", json={"userIds": [newcomer]})
    assert assert_succeeded(seats, 201)[0]["lastReadMessageId"] == last
    assert unread_of(shared, chat_id, newcomer) == 0
    shared.send(chat_id, other)
    assert unread_of(shared, chat_id, newcomer) == 1


def test_unread_is_counted_up_to_a_hundred_and_beyond_the_memory(shared):
    """Counts are right below, at and above 100, also when the cursor lies before the 100 messages
    kept in memory.
    """
    me, other = shared.new_user(), shared.new_user()
    chat_id = shared.create_chat([me, other])
    first = shared.send(chat_id, other, "first")
    shared.request("POST", f"/chats/{chat_id}/read", me, json={"messageId": first})

    async def say(user_id, count):
        body = {"chatId": chat_id, "content": "x"}
        calls = [
            shared.chat.request("POST", "/chat-messages", user_id, "service", json=body)
            for _ in range(count)
        ]
        answers = await asyncio.gather(*calls)
        return sorted(each.data["id"] for each in answers)

    mine_first = shared.run(say(other, 60))
    assert unread_of(shared, chat_id, me) == 60
    shared.run(say(other, 39))
    assert unread_of(shared, chat_id, me) == 99
    shared.run(say(other, 1))
    assert unread_of(shared, chat_id, me) == 100
    shared.run(say(other, 30))
    assert unread_of(shared, chat_id, me) == 100
    # 130 unread. Deleting 40 that are older than the memory's 100 leaves 90.
    for message_id in mine_first[:40]:
        shared.request("DELETE", f"/chat-messages/{message_id}", other)
    assert unread_of(shared, chat_id, me) == 90
    read = shared.request("POST", f"/chats/{chat_id}/read", me, json={"messageId": mine_first[9]})
    assert assert_succeeded(read)["unreadCount"] == 90


async def test_counts_and_last_message_are_the_same_after_a_restart(serve):
    """What the memory said is what the store says."""
    async with serve(plugin_names=()) as chat:
        chat_id = await chat.create_chat([1, 2])
        body = {"chatId": chat_id, "content": "x"}
        sends = [chat.request("POST", "/chat-messages", 2, json=body) for _ in range(12)]
        ids = sorted([each.data["id"] for each in await asyncio.gather(*sends)])
        await chat.request("POST", f"/chats/{chat_id}/read", 1, json={"messageId": ids[3]})
        await chat.request("DELETE", f"/chat-messages/{ids[-1]}", 2)
        before = [(await chat.request("GET", "/chats", user)).data for user in (1, 2)]
    assert [each[0]["unreadCount"] for each in before] == [7, 0]
    async with serve(plugin_names=()) as chat:
        after = [(await chat.request("GET", "/chats", user)).data for user in (1, 2)]
    assert after == before
