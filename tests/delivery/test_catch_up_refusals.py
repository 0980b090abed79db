"""What catch-up refuses, whose chats it tells of, and the overview of all chats."""

import json

import pytest

from tests.support.delivery.chats import (
    DOORS,
    HOST,
    ask,
    catch_up,
    head_of,
    host,
    page_of,
    say,
)
from tests.support.gateway.servers import generous
from tests.support.gateway.wire import RawSocket

BAD_CURSORS = [
    '{"since": -1}',
    '{"since": 9007199254740992}',
    '{"since": 9223372036854775808}',
    '{"since": 1e3}',
    '{"since": 1.5}',
    '{"since": "1"}',
    '{"since": true}',
    '{"since": [1]}',
    '{"limit": 0}',
    '{"limit": -1}',
    '{"limit": 201}',
    '{"limit": 1000000000}',
    '{"limit": "50"}',
    '{"limit": null}',
    '{"epoch": 5}',
    '{"epoch": "' + "x" * 65 + '"}',
]


@pytest.mark.parametrize("door", ["joinChat", "sync", "POST"])
async def test_a_malformed_cursor_is_refused_and_nothing_happens(serve, door):
    """VALIDATION_ERROR that names the field; nobody joins, and a good cursor works afterwards."""
    async with serve(**generous()) as chat:
        chat_id = await chat.create_chat([1, 2])
        grace = await chat.connect(2)
        raw = await RawSocket.enter(chat, 1)
        for text in BAD_CURSORS:
            cursor = json.loads(text)
            (field,) = cursor
            inner = text.strip("{}") + f', "chatId": {chat_id}'
            inside = field == "since"
            asked = (
                f'{{"chats": [{{{inner}}}]}}'
                if inside
                else f'{{"chats": [{{"chatId": {chat_id}}}], {text.strip("{}")}}}'
            )
            if door == "POST":
                json_type = {"Content-Type": "application/json"}
                response = await chat.request(
                    "POST", "/sync", 1, body=asked.encode(), headers=json_type
                )
                answer = response.body
                assert response.status == 400, text
            else:
                payload = asked if door == "sync" else f"{{{inner}}}"
                answer = await raw.event(f'["{door}", {payload}]')
            assert answer["error"]["code"] == "VALIDATION_ERROR", text
            assert field in answer["error"]["details"][0]["path"], text
        await say(grace, chat_id, "nobody is in the room")
        good = await raw.call("sync", {"chats": [{"chatId": chat_id, "since": 0}]})
        assert good["data"]["chats"][0]["messages"][0]["message"] == "nobody is in the room"
        assert not any(frame.startswith('42/chat,["newMessage"') for frame in raw.frames)
        await raw.close()


@pytest.mark.parametrize(
    "query",
    [
        "since=-1",
        "since=9007199254740992",
        "since=9223372036854775808",
        "since=1e3",
        "since=",
        "since=one",
        "since=%D9%A1",
        "limit=0",
        "limit=201",
        "limit=1000000000",
        "limit=x",
        "epoch=" + "x" * 65,
    ],
)
async def test_a_malformed_query_is_refused(serve, query):
    """The route takes digits alone, within the same bounds."""
    async with serve() as chat:
        chat_id = await chat.create_chat([1])
        response = await chat.request("GET", f"/chats/{chat_id}/sync?{query}", 1)
        assert (response.status, response.code) == (400, "VALIDATION_ERROR")


async def test_the_largest_limit_and_cursor_are_taken(serve):
    """200 messages a page, and cursors up to the largest number that JavaScript can count to."""
    async with serve() as chat:
        chat_id = await chat.create_chat([1])
        ada = await chat.connect(1)
        for door in DOORS:
            page = await catch_up(door, chat, ada, chat_id, since=2**53 - 1, limit=200)
            assert page["reset"] is True


async def test_a_chat_that_is_not_mine_has_an_error_of_its_own(serve):
    """The others are answered all the same; a chat that does not exist looks like one of others."""
    async with serve() as chat:
        mine, other = await chat.create_chat([1]), await chat.create_chat([2])
        ada = await chat.connect(1)
        (message,) = await say(ada, mine, "mine")
        cursors = [{"chatId": each, "since": 0} for each in (other, mine, 10**9)]
        socket_answer = await ada.call("sync", {"chats": cursors})
        rest_answer = await chat.request("POST", "/sync", 1, json={"chats": cursors})
        for data in (socket_answer["data"], rest_answer.data):
            foreign, own, missing = data["chats"]
            assert own["messages"] == [message]
            for refused, chat_id in ((foreign, other), (missing, 10**9)):
                assert set(refused) == {"chatId", "error"}
                assert refused["chatId"] == chat_id
                assert refused["error"]["code"] == "NOT_PARTICIPANT"
                assert refused["error"]["retryable"] is False


@pytest.mark.parametrize("door", DOORS)
async def test_who_was_removed_is_told_nothing_more(serve, door):
    """NOT_PARTICIPANT, with any cursor."""
    async with serve() as chat:
        chat_id = await chat.create_chat([1, 2])
        ada = await chat.connect(1)
        await say(ada, chat_id, "hi")
        await host(chat, "DELETE", f"/chats/{chat_id}/participants/1")
        for cursor in ({}, {"since": 0}, {"since": 2**52}):
            refused = await catch_up(door, chat, ada, chat_id, **cursor)
            assert refused["error"]["code"] == "NOT_PARTICIPANT"
            assert "messages" not in refused


@pytest.mark.parametrize("door", DOORS)
async def test_a_deleted_chat_is_nobodys(serve, door):
    """Its people get NOT_PARTICIPANT, the host NOT_FOUND."""
    async with serve() as chat:
        chat_id = await chat.create_chat([1])
        ada, machine = await chat.connect(1), await chat.connect(*HOST)
        await host(chat, "DELETE", f"/chats/{chat_id}")
        refused = await catch_up(door, chat, ada, chat_id, since=0)
        assert refused["error"]["code"] == "NOT_PARTICIPANT"
        if door in ("joinChat", "sync"):
            missing = page_of(door, await ask(door, chat, machine, chat_id, since=0))
            assert missing["error"]["code"] == "NOT_FOUND"


async def test_a_page_never_holds_what_belongs_to_another_chat(serve):
    """Messages, edits and deletions of one chat move no number and come in no page of another."""
    async with serve(**generous()) as chat:
        one, two = await chat.create_chat([1]), await chat.create_chat([1])
        ada = await chat.connect(1)
        sent = await say(ada, one, "a", "b", "c")
        head = await head_of(chat, two)
        await ada.call("editMessage", {"messageId": sent[0]["id"], "content": "A"})
        await ada.call("deleteMessage", {"messageId": sent[1]["id"]})
        page = await catch_up("sync", chat, ada, two, since=0)
        assert (page["messages"], page["toSeq"]) == ([], head)
        page = await catch_up("sync", chat, ada, one, since=0)
        assert {each["chatId"] for each in page["messages"]} == {one}


async def test_a_hundred_chats_are_answered_and_one_more_is_not(serve):
    """At most 100 chats a call; in the order in which they were asked for, none is none."""
    async with serve() as chat:
        chat_id = await chat.create_chat([1])
        ada = await chat.connect(1)
        cursors = [{"chatId": each} for each in range(chat_id, chat_id + 100)]
        answer = await ada.call("sync", {"chats": cursors})
        asked = [each["chatId"] for each in cursors]
        assert [each["chatId"] for each in answer["data"]["chats"]] == asked
        refused = await ada.call("sync", {"chats": [*cursors, {"chatId": 1}]})
        assert refused["error"]["code"] == "VALIDATION_ERROR"
        response = await chat.request("POST", "/sync", 1, json={"chats": [*cursors, {"chatId": 1}]})
        assert response.code == "VALIDATION_ERROR"
        assert (await ada.call("sync", {"chats": []}))["data"]["chats"] == []


async def test_without_chats_the_overview_comes(serve):
    """All chats of the user as `GET /chats` shows them, so that additions and removals are seen."""
    async with serve() as chat:
        ada = await chat.connect(1)
        mine = [await chat.create_chat([1, 2], title=title) for title in ("one", "two", "three")]
        await chat.create_chat([2])
        await say(ada, mine[0], "hi")
        await host(chat, "DELETE", f"/chats/{mine[1]}/participants/1")
        expected = (await chat.request("GET", "/chats", 1)).data
        by_socket = (await ada.call("sync", {}))["data"]
        by_rest = (await chat.request("POST", "/sync", 1, json={})).data
        assert by_socket["chats"] == by_rest["chats"] == expected
        assert [each["id"] for each in expected] == [mine[0], mine[2]]
        assert (await ada.call("sync", {"epoch": None}))["data"]["chats"] == expected


async def test_every_answer_tells_the_epoch_and_the_time(serve):
    """`sync` and both routes name the epoch; it is the one of the `authenticate` ack."""
    async with serve() as chat:
        chat_id = await chat.create_chat([1])
        ada = await chat.connect(1)
        epoch = (await ada.call("authenticate"))["data"]["epoch"]
        for door in DOORS:
            answer = await ask(door, chat, ada, chat_id, since=0)
            assert answer["data"]["epoch"] == epoch, door
            if door in ("sync", "POST"):
                assert answer["data"]["serverTime"].endswith("Z")


async def test_an_admin_without_a_seat_can_catch_up(serve):
    """Admins look into every chat, and read its changes as its people do."""
    async with serve() as chat:
        chat_id = await chat.create_chat([1])
        ada, admin = await chat.connect(1), await chat.connect(9, "admin")
        sent = await say(ada, chat_id, "hi")
        page = await catch_up("sync", chat, admin, chat_id, since=0)
        assert page["messages"] == sent
        assert page["chat"]["role"] is None
