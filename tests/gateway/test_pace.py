"""Limits that hold without any plugin, and before the work is done."""

import asyncio

import pytest

from tests.support.gateway.servers import UNLIMITED

CORE = {"plugin_names": UNLIMITED}
"""No plugin limits anything."""


async def granted(client, event, payload, times):
    """How many of the calls were answered with a success; the others were RATE_LIMITED."""
    answers = [await client.call(event, payload) for _ in range(times)]
    refused = [each["error"] for each in answers if not each["success"]]
    assert {each["code"] for each in refused} <= {"RATE_LIMITED"}
    assert all(each["retryable"] and each["retryAfter"] > 0 for each in refused)
    return times - len(refused)


async def test_joins_are_limited_also_where_the_socket_is_in_the_room(serve):
    """Each is a page. MAX_PAGES_PER_S, 30 seconds' worth at once."""
    async with serve(**CORE, max_pages_per_s=0.5) as chat:
        chat_id = await chat.create_chat([1, 2])
        ada, tab = await chat.connect(1), await chat.connect(1)
        assert await granted(ada, "joinChat", {"chatId": chat_id}, 20) in (15, 16)
        assert await granted(tab, "joinChat", {"chatId": chat_id}, 3) <= 1
        grace = await chat.connect(2)
        assert await granted(grace, "joinChat", {"chatId": chat_id}, 3) == 3


async def test_a_page_costs_what_is_in_it(serve):
    """One with 100 messages costs three: a client that is up to date rejoins for one."""
    async with serve(**CORE, max_pages_per_s=0.5) as chat:
        chat_id = await chat.create_chat([1, 2])
        ada, grace = await chat.connect(1), await chat.connect(2)
        for number in range(100):
            answer = await ada.call("sendMessage", {"chatId": chat_id, "content": str(number)})
        full = {"chatId": chat_id, "limit": 100}
        assert await granted(ada, "joinChat", full, 10) in (5, 6)
        up_to_date = {"chatId": chat_id, "since": answer["data"]["seq"], "limit": 200}
        assert await granted(grace, "joinChat", up_to_date, 15) == 15


@pytest.mark.parametrize(
    "path", ["/chats", "/chats?externalRef=order:1", "/chat-messages?chatId={}"]
)
async def test_pages_over_rest_are_limited_like_those_of_a_socket(serve, path):
    """A page of few costs one; the host's back end reads as many as it likes."""
    async with serve(**CORE, max_pages_per_s=0.2) as chat:
        path = path.format(await chat.create_chat([1]))

        async def read(user_id, user_type="employee"):
            answers = [await chat.request("GET", path, user_id, user_type) for _ in range(9)]
            return [each.code for each in answers]

        codes = await read(1)
        assert codes.count(None) in (5, 6, 7)
        assert set(codes) == {None, "RATE_LIMITED"}
        assert await read("host", "service") == [None] * 9


@pytest.mark.parametrize("door", ["socket", "rest"])
async def test_syncs_are_limited_by_their_chats(serve, door):
    """One for each ten chats; without chats five."""
    async with serve(**CORE, max_pages_per_s=0.2) as chat:
        first = await chat.create_chat([1])
        chats = [{"chatId": first + number} for number in range(30)]
        ada = await chat.connect(1)

        async def sync(payload):
            if door == "socket":
                return (await ada.call("sync", payload)).get("error", {}).get("code")
            return (await chat.request("POST", "/sync", 1, json=payload)).code

        codes = [await sync({"chats": chats}) for _ in range(3)]
        assert codes == [None, None, "RATE_LIMITED"]


async def test_a_typing_signal_is_limited_and_the_end_of_an_indicator_never_is(serve):
    """Also a `false`, where nothing is to be ended."""
    async with serve(**CORE, max_typing_per_s=1) as chat:
        chat_id = await chat.create_chat([1, 2])
        ada, grace = await chat.connect(1), await chat.connect(2, join=chat_id)
        stop = {"chatId": chat_id, "isTyping": False}
        assert (await ada.call("typing", {"chatId": chat_id, "isTyping": True}))["success"]
        answers = [await ada.call("typing", {"chatId": chat_id, "isTyping": True}) for _ in "12345"]
        assert answers[-1]["error"]["code"] == "RATE_LIMITED"
        assert (await ada.call("typing", stop))["success"], "an indicator that stays"
        assert (await ada.call("typing", stop))["error"]["code"] == "RATE_LIMITED"
        await grace.settle()
        assert [each["isTyping"] for each in grace.of("userTyping")] == [True, False]


@pytest.mark.parametrize("door", ["socket", "rest"])
async def test_the_presence_of_many_is_several_looks(serve, door):
    """One for each 20 users. MAX_LOOKUPS_PER_S, 10 seconds' worth at once."""
    async with serve(**CORE, max_lookups_per_s=1) as chat:
        ada = await chat.connect(1)
        ids = list(range(100))

        async def ask():
            if door == "socket":
                answer = await ada.call("getPresence", {"userIds": ids})
                return answer.get("error", {}).get("code")
            path = f"/users/presence?ids={','.join(map(str, ids))}"
            return (await chat.request("GET", path, 1)).code

        codes = [await ask() for _ in range(4)]
        assert codes[:2] == [None, None]
        assert codes[-1] == "RATE_LIMITED"


@pytest.mark.parametrize("door", ["socket", "rest"])
async def test_repeats_of_a_message_are_limited(serve, door):
    """They pass before plugins see them, and each asks the store."""
    async with serve(**CORE, max_lookups_per_s=0.5) as chat:
        chat_id = await chat.create_chat([1])
        ada = await chat.connect(1)
        body = {"chatId": chat_id, "content": "once", "clientMessageId": "k"}

        async def send():
            if door == "socket":
                answer = await ada.call("sendMessage", body)
                return answer.get("error", {}).get("code"), answer.get("duplicate")
            answer = await chat.request("POST", "/chat-messages", 1, json=body)
            return answer.code, answer.status == 200

        assert await send() == (None, False)
        repeats = [await send() for _ in range(8)]
        assert repeats[:5] == [(None, True)] * 5
        assert repeats[-1][0] == "RATE_LIMITED"


async def test_a_client_in_two_hundred_chats_comes_back_at_once(serve):
    """The limits of the core let the client library rejoin all of them in one go."""
    async with serve(**CORE) as chat:
        ids = [await chat.create_chat([1, number + 10]) for number in range(200)]
        ada = await chat.connect(1)
        answers = await asyncio.gather(*(ada.call("joinChat", {"chatId": each}) for each in ids))
        assert all(each["success"] for each in answers)


async def test_the_host_has_no_limits(serve):
    """It may do everything, as often as it has to."""
    async with serve(
        **CORE, max_pages_per_s=0.1, max_lookups_per_s=0.1, max_typing_per_s=0.1
    ) as chat:
        chat_id = await chat.create_chat([1])
        host = await chat.connect("host", "service")
        assert await granted(host, "joinChat", {"chatId": chat_id}, 10) == 10
        assert await granted(host, "typing", {"chatId": chat_id, "isTyping": True}, 10) == 10
        answers = [await host.call("joinChat", {"chatId": 10**6}) for _ in range(9)]
        assert {each["error"]["code"] for each in answers} == {"NOT_FOUND"}
