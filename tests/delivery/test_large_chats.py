"""What making, changing and deleting a chat of many people pushes to them."""

import json

import pytest
from motor.motor_asyncio import AsyncIOMotorCollection

from chat.gateway.fanout import Fanout
from tests.support.delivery.chats import host
from tests.support.gateway.servers import generous
from tests.support.gateway.wire import RawPolling, RawSocket
from tests.support.waiting import eventually


async def make(chat, user_id, people, user_type="employee", **fields):
    """The data of POST /chats as the user."""
    body = {"participantIds": list(people), **fields}
    made = await chat.request("POST", "/chats", user_id, user_type, json=body)
    assert made.status == 201, made.body
    return made.data


async def test_a_new_chat_is_told_with_its_count_and_its_first_people(serve):
    """`chatCreated` holds the first 50 participants, whoever gets it, and how many there are; the
    answer of the call and GET have all of them."""
    async with serve(**generous()) as chat:
        ada, last = await chat.connect(1), await chat.connect(120)
        made = await make(chat, 1, range(2, 121))
        assert len(made["participants"]) == made["participantCount"] == 120
        for client, role in ((ada, "owner"), (last, "member")):
            told = (await client.next("chatCreated"))["chat"]
            assert told == made | {"role": role, "participants": made["participants"][:50]}
        listed = (await chat.request("GET", f"/chats/{made['id']}/participants", 120)).data
        assert listed == made["participants"]
        joined = await last.call("joinChat", {"chatId": made["id"]})
        assert joined["data"]["sync"]["participants"] == made["participants"]


@pytest.fixture
def receivers(monkeypatch):
    """`receivers(event)`: how many sockets each of its packets went to, by user."""
    packets = []
    original = Fanout.to_sessions

    def to_sessions(self, sessions, event):
        packets.append((event.name, len(sessions)))
        original(self, sessions, event)

    monkeypatch.setattr(Fanout, "to_sessions", to_sessions)
    return lambda event: [count for name, count in packets if name == event]


async def test_what_many_are_told_is_written_once(serve, receivers):
    """One packet for all owners and one for all members of a new chat; one for everybody who is
    outside its room when it changes, when it is deleted, and when somebody comes online."""
    async with serve(**generous(), presence_grace_s=60) as chat:
        people = range(2, 12)
        sockets = [await RawSocket.enter(chat, each) for each in people]
        polling = await RawPolling.enter(chat, 2)
        made = await make(chat, 1, people)
        assert receivers("chatCreated") == [len(people) + 1]
        path = f"/chats/{made['id']}"
        await chat.request("PATCH", path, 1, json={"title": "new"})
        assert receivers("chatUpdated") == [len(people) + 1]
        ada = await chat.connect(1)
        await eventually(lambda: receivers("presenceChanged") == [len(people) + 1])
        await chat.request("DELETE", path, 1)
        assert receivers("removedFromChat") == [len(people) + 2]
        await ada.settle()
        for each in sockets:
            for name in ("chatCreated", "chatUpdated", "presenceChanged", "removedFromChat"):
                await each.until(f'42/chat,["{name}"')
        packet = await polling.until('42/chat,["chatCreated"')
        assert packet == next(each for each in sockets[0].frames if "chatCreated" in str(each))
        told = json.loads(packet.removeprefix("42/chat,"))[1]["chat"]
        assert (told["role"], told["participantCount"]) == ("member", 11)


@pytest.mark.parametrize("how", ["made", "deleted"])
async def test_messages_of_others_pass_while_a_large_chat_is(serve, how, monkeypatch):
    """The people of a large chat are stored, and taken out of it, in parts."""
    sizes = []
    async with serve(**generous()) as chat:
        small = await chat.create_chat([1, 2])
        ada = await chat.connect(1, join=small)
        large = None
        if how == "deleted":
            large = (await make(chat, "host", range(1_000), "service"))["id"]
        name = "insert_many" if how == "made" else "update_many"
        original = getattr(AsyncIOMotorCollection, name)

        def count(self, *args, **kwargs):
            first = args[0]
            if self.name == "participants":
                sizes.append(len(first if isinstance(first, list) else first["_id"]["$in"]))
            return original(self, *args, **kwargs)

        monkeypatch.setattr(AsyncIOMotorCollection, name, count)
        if how == "made":
            await make(chat, "host", range(1_000), "service")
        else:
            await host(chat, "DELETE", f"/chats/{large}")
        sent = await ada.call("sendMessage", {"chatId": small, "content": "hello"})
        assert sent["success"]
        assert (sum(sizes), max(sizes)) == (1_000, 100)
