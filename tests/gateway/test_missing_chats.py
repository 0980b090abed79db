"""Chats that are missing or another's: the same answer for the same work, and only once."""

import asyncio

import pytest

from chat.plugin_api import Plugin, Seat, SeatQuestion, hookimpl, resolve_seat
from tests.support.gateway.servers import UNLIMITED, generous

EVENTS = {
    "joinChat": {},
    "typing": {"isTyping": True},
    "sendMessage": {"content": "x"},
    "leaveChat": {},
    "markAsRead": {"messageId": 1},
}


class Counting:
    """The repository of chats, and how often each of its methods was called."""

    def __init__(self, chats):
        self._chats = chats
        self.calls = []

    def __getattr__(self, name):
        self.calls.append(name)
        return getattr(self._chats, name)


def counting(chat):
    """From here on count what is asked of the store about chats."""
    states = chat.app.domain.states
    states._chats = Counting(states._chats)
    return states._chats.calls


async def code_of(client, event, chat_id):
    answer = await client.call(event, {"chatId": chat_id, **EVENTS[event]})
    return answer.get("error", {}).get("code")


@pytest.mark.parametrize("event", EVENTS)
async def test_a_chat_that_is_not_the_callers_asks_the_store_once(serve, event):
    """Again and again within a second: from memory."""
    async with serve(**generous()) as chat:
        mallory = await chat.connect(9)
        calls = counting(chat)
        codes = {await code_of(mallory, event, 10**6) for _ in range(10)}
        assert codes == {"NOT_PARTICIPANT"}
        assert len(calls) <= 2


async def test_a_missing_chat_and_a_foreign_one_take_the_same_work(serve):
    """In memory or not; and nothing is loaded for a stranger, or he could push out what others
    use.
    """
    async with serve(**generous()) as chat:
        mine, other = await chat.create_chat([1]), await chat.create_chat([1])
    async with serve(**generous()) as chat:
        ada, mallory = await chat.connect(1), await chat.connect(9)
        assert await code_of(ada, "joinChat", mine) is None
        work, calls = {}, counting(chat)
        for name, chat_id in (("loaded", mine), ("not loaded", other), ("missing", 10**6)):
            assert await code_of(mallory, "joinChat", chat_id) == "NOT_PARTICIPANT"
            work[name] = calls.copy()
            calls.clear()
        assert work["loaded"] == work["not loaded"] == work["missing"] == ["is_participant"]
        assert chat.app.domain.states.loaded(other) is None


@pytest.mark.parametrize("user_type", ["employee", "admin", "service"])
async def test_a_missing_chat_and_one_of_another_tenant_take_the_same_work(serve, user_type):
    """Though the user of the same id is in it; admins and services load none of them either."""
    async with serve(**generous()) as chat:
        mine, other = await chat.create_chat([1]), await chat.create_chat([1])
    async with serve(**generous()) as chat:
        ada = await chat.connect(1)
        twin = await chat.connect(1, user_type, tenant="acme")
        assert await code_of(ada, "joinChat", mine) is None
        calls = counting(chat)
        work = []
        for chat_id in (mine, other, 10**6):
            code = await code_of(twin, "joinChat", chat_id)
            assert code == ("NOT_PARTICIPANT" if user_type == "employee" else "NOT_FOUND")
            work.append(calls.copy())
            calls.clear()
        asked = "is_participant" if user_type == "employee" else "is_of_tenant"
        assert work == [[asked]] * 3
        assert chat.app.domain.states.loaded(other) is None


class Desk(Plugin):
    """Gives everybody a seat."""

    name = "desk"

    @hookimpl(resolve_seat)
    async def seat(self, question: SeatQuestion) -> Seat:
        return Seat(role="member")


@pytest.mark.parametrize(
    ("user_type", "tenant"),
    [("employee", ""), ("employee", "acme"), ("admin", "acme"), ("service", "acme")],
)
async def test_the_seats_of_others_do_not_show_in_the_work(serve, user_type, tenant):
    """A chat in which somebody has a seat takes the work of a missing one, again and again."""
    settings = generous()
    settings["plugins"] = [*settings["plugins"], Desk()]
    async with serve(**settings) as chat:
        ada = await chat.connect(1)
        seated = (await ada.call("joinChat", {"externalRef": "order:1"}))["data"]["chatId"]
        mallory = await chat.connect(9, user_type, tenant=tenant)
        calls = counting(chat)
        work = []
        for chat_id in (seated, 10**6):
            codes = {await code_of(mallory, "joinChat", chat_id) for _ in range(3)}
            assert codes <= {"NOT_PARTICIPANT", "NOT_FOUND"}
            work.append(calls.copy())
            calls.clear()
        assert work[0] == work[1]


@pytest.mark.parametrize("user_type", ["employee", "admin", "service"])
async def test_a_missing_message_and_one_of_another_tenant_take_the_same_work(serve, user_type):
    """One look for the message, and one for a chat."""
    async with serve(**generous()) as chat:
        chat_id = await chat.create_chat([1])
        ada = await chat.connect(1)
        sent = await ada.call("sendMessage", {"chatId": chat_id, "content": "hello"})
        twin = await chat.connect(1, user_type, tenant="acme")
        calls = counting(chat)
        work = []
        for message_id in (sent["data"]["id"], 10**6):
            answer = await twin.call("editMessage", {"messageId": message_id, "content": "x"})
            assert answer["error"]["code"] == "NOT_FOUND"
            work.append(calls.copy())
            calls.clear()
        assert work[0] == work[1] != []


async def test_a_chat_that_was_just_made_is_never_hidden(serve):
    """Whoever asked for its id a moment ago."""
    async with serve(**generous()) as chat:
        known = await chat.create_chat([1])
        ada, admin = await chat.connect(1), await chat.connect(7, "admin")
        for number in range(1, 6):
            expected = known + number
            assert await code_of(ada, "joinChat", expected) == "NOT_PARTICIPANT"
            assert await code_of(admin, "joinChat", expected) == "NOT_FOUND"
            assert await chat.create_chat([1]) == expected
            assert await code_of(ada, "joinChat", expected) is None
            assert await code_of(admin, "joinChat", expected) is None


async def test_somebody_who_was_just_added_is_never_kept_out(serve):
    """Nor while looks into the store are on their way."""
    async with serve(**generous()) as chat:
        chat_id = await chat.create_chat([1])
        for user_id in range(20, 30):
            client = await chat.connect(user_id)
            asking = [asyncio.ensure_future(code_of(client, "typing", chat_id)) for _ in range(5)]
            path = f"/chats/{chat_id}/participants"
            added = await chat.request("POST", path, "host", "service", json={"userIds": [user_id]})
            assert added.status == 201
            assert await code_of(client, "joinChat", chat_id) is None
            await asyncio.gather(*asking)


async def test_somebody_who_was_removed_is_refused_at_once(serve):
    """And let in again when added again."""
    async with serve(**generous()) as chat:
        chat_id = await chat.create_chat([1, 2])
        grace = await chat.connect(2)
        assert await code_of(grace, "joinChat", chat_id) is None
        await chat.request("DELETE", f"/chats/{chat_id}/participants/2", "host", "service")
        assert await code_of(grace, "joinChat", chat_id) == "NOT_PARTICIPANT"
        await chat.request(
            "POST", f"/chats/{chat_id}/participants", "host", "service", json={"userIds": [2]}
        )
        assert await code_of(grace, "joinChat", chat_id) is None


@pytest.mark.parametrize("door", ["socket", "rest"])
async def test_looks_for_ever_new_chats_are_limited(serve, door):
    """MAX_LOOKUPS_PER_S, 10 seconds' worth at once; chats that one is in cost nothing."""
    async with serve(plugin_names=UNLIMITED, max_lookups_per_s=1) as chat:
        ids = [await chat.create_chat([1]) for _ in range(15)]
        ada = await chat.connect(1)

        async def ask(chat_id):
            if door == "socket":
                return await code_of(ada, "joinChat", chat_id)
            return (await chat.request("GET", f"/chats/{chat_id}", 1)).code

        codes = [await ask(10**6 + number) for number in range(14)]
        assert codes[:10] == ["NOT_PARTICIPANT"] * 10
        assert codes[-1] == "RATE_LIMITED"
        assert [await ask(each) for each in ids] == [None] * 15


async def test_a_sync_with_many_lost_chats_gets_to_its_end(serve):
    """What is over the limit has RATE_LIMITED in its own place, and the rest its page."""
    async with serve(plugin_names=UNLIMITED, max_lookups_per_s=1) as chat:
        chat_id = await chat.create_chat([1])
        ada = await chat.connect(1)
        asked = [*(10**6 + number for number in range(20)), chat_id]
        answer = await ada.call("sync", {"chats": [{"chatId": each} for each in asked]})
        pages = answer["data"]["chats"]
        codes = [each.get("error", {}).get("code") for each in pages]
        assert codes[:10] == ["NOT_PARTICIPANT"] * 10
        assert codes[15:20] == ["RATE_LIMITED"] * 5
        assert codes[20] is None
