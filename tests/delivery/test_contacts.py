"""Who may add whom to chats, who sees whom, and who stays out of a chat that they left."""

import asyncio

import pytest

from tests.support.delivery.chats import HOST, Held, host
from tests.support.gateway.servers import MovableClock

NOBODY_KNOWN = 404_404


async def make(chat, user_id, people, user_type="employee", **fields):
    """POST /chats as the user."""
    body = {"participantIds": people, **fields}
    return await chat.request("POST", "/chats", user_id, user_type, json=body)


async def add(chat, chat_id, people, user_id, user_type="employee"):
    """POST /chats/:id/participants as the user, with a token that is good for days."""
    path = f"/chats/{chat_id}/participants"
    token = chat.token(user_id, user_type, valid_s=7 * 86_400)
    headers = {"Authorization": f"Bearer {token}"}
    return await chat.request("POST", path, None, json={"userIds": people}, headers=headers)


async def presence(door, chat, asker, user_ids, user_type="employee"):
    """`{user id: (status, lastSeenAt)}` as the door answers it."""
    if door == "socket":
        client = await chat.connect(asker, user_type)
        found = (await client.call("getPresence", {"userIds": user_ids}))["data"]
    else:
        path = f"/users/presence?ids={','.join(map(str, user_ids))}"
        found = (await chat.request("GET", path, asker, user_type)).data
    return {each["userId"]: (each["status"], each["lastSeenAt"]) for each in found}


@pytest.mark.parametrize("door", ["socket", "REST"])
async def test_presence_of_a_stranger_is_that_of_a_user_who_does_not_exist(serve, door):
    """Online and last-seen are for those who share a chat now, and for admins and the host."""
    async with serve(presence_grace_s=0) as chat:
        shared = await chat.create_chat([1, 2])
        await chat.connect(2)
        gone = await chat.connect(3)
        await chat.create_chat([3, 4])
        watcher = await chat.connect(4)
        await gone.close()
        await watcher.next("presenceChanged")  # by then the server knows when 3 was here
        asked = [2, 3, NOBODY_KNOWN]
        nothing = ("offline", None)
        assert await presence(door, chat, 1, asked) == {
            2: ("online", None), 3: nothing, NOBODY_KNOWN: nothing,
        }  # fmt: skip
        assert await presence(door, chat, 5, asked) == dict.fromkeys(asked, nothing)
        seen = await presence(door, chat, 9, asked, "admin")
        assert (seen[2], seen[3][0]) == (("online", None), "offline")
        assert seen[3][1] is not None
        await host(chat, "DELETE", f"/chats/{shared}/participants/1")
        assert (await presence(door, chat, 1, [2]))[2] == nothing


@pytest.mark.parametrize("door", ["socket", "REST"])
async def test_presence_is_seen_in_a_chat_that_is_not_in_memory(serve, door):
    """After a restart the asker's chats are looked up in the store."""
    async with serve() as chat:
        await chat.create_chat([1, 2])
    async with serve() as chat:
        await chat.connect(2)
        assert (await presence(door, chat, 1, [2]))[2] == ("online", None)


async def test_an_open_directory_is_open_to_all_but_guests(serve):
    """OPEN_DIRECTORY shows names and presence to employees who share no chat with their owner."""
    async with serve(open_directory=True) as chat:
        await chat.connect(2)
        await host(chat, "PUT", "/users/2", {"name": "Grace"})
        assert (await presence("REST", chat, 1, [2]))[2] == ("online", None)
        assert (await chat.request("GET", "/users?ids=2", 1)).data[0]["name"] == "Grace"
        assert (await presence("REST", chat, 1, [2], "customer"))[2] == ("offline", None)
        assert (await chat.request("GET", "/users?ids=2", 1, "customer")).data == []


@pytest.mark.parametrize(
    ("contacts", "user_type", "acquaintance", "stranger"),
    [
        ("all", "employee", True, True),
        ("all", "bot", True, True),
        ("all", "customer", True, False),
        ("all", "guest", True, False),
        ("shared", "employee", True, False),
        ("shared", "customer", True, False),
        ("shared", "admin", True, True),
        ("shared", "service", True, True),
        ("host", "employee", False, False),
        ("host", "customer", False, False),
        ("host", "admin", True, True),
        ("host", "service", True, True),
    ],
)
async def test_contacts_says_whom_one_may_add(serve, contacts, user_type, acquaintance, stranger):
    """`all`, `shared` or `host`, in new chats, direct ones and chats that there are; admins and the
    host are free of it."""
    async with serve(contacts=contacts) as chat:
        await chat.create_chat([1, 2])
        mine = await chat.create_chat([1])
        role = {"role": "owner"}
        await host(chat, "PATCH", f"/chats/{mine}/participants/1", role)
        for user_id, allowed in ((2, acquaintance), (3, stranger)):
            direct = [1, user_id] if user_type == "service" else [user_id]
            answers = [
                await make(chat, 1, [user_id], user_type),
                await make(chat, 1, direct, user_type, type="direct"),
                await add(chat, mine, [user_id], 1, user_type),
            ]
            codes = {each.code for each in answers}
            assert codes == {None if allowed else "FORBIDDEN"}, (user_id, codes)


@pytest.mark.parametrize("contacts", ["shared", "host"])
async def test_a_refusal_does_not_tell_who_exists(serve, contacts):
    """Somebody who is online and somebody who never was are refused in the same words, in one list
    with an acquaintance too, and nobody is added."""
    async with serve(contacts=contacts) as chat:
        await chat.create_chat([1, 2])
        other = await chat.create_chat([3, 4])
        stranger = await chat.connect(3)
        await host(chat, "PUT", "/users/3", {"name": "Ada"})
        said = set()
        for people in ([3], [NOBODY_KNOWN], [2, 3], [2, NOBODY_KNOWN]):
            refused = await make(chat, 1, people)
            assert (refused.status, refused.code) == (403, "FORBIDDEN")
            said.add(refused.body["message"])
        assert len(said) == 1
        await stranger.settle()
        assert stranger.of("chatCreated") == []
        listed = (await chat.request("GET", "/chats", 3)).data
        assert [each["id"] for each in listed] == [other]


async def test_a_type_that_may_name_chats_is_no_guest(serve):
    """EXTERNAL_REF_TYPES names types that the operator trusts; CONTACTS holds for them as for
    employees."""
    for contacts, code in (("shared", "FORBIDDEN"), ("all", None)):
        async with serve(contacts=contacts, external_ref_types=("agent",)) as chat:
            made = await make(chat, 1, [2], "agent", externalRef=f"order:{contacts}")
            assert made.code == code, made.body


async def test_a_direct_chat_that_there_is_is_found_whatever_contacts_says(serve):
    """Opening it again adds nobody."""
    async with serve(contacts="host") as chat:
        made = await make(chat, "host", [1, 2], "service", type="direct")
        assert made.status == 201
        found = await make(chat, 1, [2], type="direct")
        assert (found.status, found.data["id"]) == (200, made.data["id"])


@pytest.mark.parametrize("way", ["leave", "remove oneself"])
async def test_who_left_is_not_brought_back_for_a_day(serve, way):
    """Not by an owner, one by one or among others; the refusal names them, also after a restart,
    and after a day they may be added."""
    clock = MovableClock()
    async with serve(clock=clock) as chat:
        chat_id = (await make(chat, 1, [2, 3])).data["id"]
        if way == "leave":
            left = await chat.request("POST", f"/chats/{chat_id}/leave", 2)
        else:
            left = await chat.request("DELETE", f"/chats/{chat_id}/participants/2", 2)
        assert left.status == 200
        refused = await add(chat, chat_id, [2], 1)
        assert (refused.status, refused.code) == (403, "FORBIDDEN")
        assert refused.body["message"].startswith("2 has left this chat")
    async with serve(clock=clock) as chat:
        assert (await add(chat, chat_id, [4, 2], 1)).code == "FORBIDDEN"
        people = await host(chat, "GET", f"/chats/{chat_id}/participants")
        assert [each["userId"] for each in people] == [1, 3]
        clock.move(hours=23)
        assert (await add(chat, chat_id, [2], 1)).code == "FORBIDDEN"
        clock.move(hours=2)
        assert (await add(chat, chat_id, [2], 1)).status == 201


@pytest.mark.parametrize("user_type", ["service", "admin"])
async def test_the_host_and_admins_bring_back_who_left(serve, user_type):
    """And who was brought back and is removed may be added by anybody who may add."""
    async with serve() as chat:
        chat_id = (await make(chat, 1, [2])).data["id"]
        await chat.request("POST", f"/chats/{chat_id}/leave", 2)
        assert (await add(chat, chat_id, [2], "boss", user_type)).status == 201
        await chat.request("DELETE", f"/chats/{chat_id}/participants/2", 1)
        assert (await add(chat, chat_id, [2], 1)).status == 201


async def test_who_was_removed_may_be_added_at_once(serve):
    """A moderator may undo a mistake."""
    async with serve() as chat:
        chat_id = (await make(chat, 1, [2])).data["id"]
        await chat.request("DELETE", f"/chats/{chat_id}/participants/2", 1)
        assert (await add(chat, chat_id, [2], 1)).status == 201


async def test_who_leaves_while_they_are_being_added_is_not_brought_back(serve, monkeypatch):
    """It is asked again when the change gets its number: the host may have seated them, and they
    may have left, while the caller's contacts were looked up."""
    async with serve(contacts="shared") as chat:
        await chat.create_chat([1, 2])
        chat_id = await chat.create_chat([1])
        await host(chat, "PATCH", f"/chats/{chat_id}/participants/1", {"role": "owner"})
        held = Held(monkeypatch, chat.app.domain.states, "peers_among")
        adding = asyncio.ensure_future(add(chat, chat_id, [2], 1))
        await held.reached()
        assert (await add(chat, chat_id, [2], *HOST)).status == 201
        assert (await chat.request("POST", f"/chats/{chat_id}/leave", 2)).status == 200
        held.go_on.set()
        assert (await adding).code == "FORBIDDEN"
        people = await host(chat, "GET", f"/chats/{chat_id}/participants")
        assert [each["userId"] for each in people] == [1]
