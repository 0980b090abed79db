"""externalRef: who may set it, who is told of it, and what a chat that is there already means."""

import asyncio
import itertools

import pytest

from chat.plugin_api import Plugin, before_action, hookimpl
from chat.repositories.chats import MongoChats
from tests.support.delivery.stores import database_of
from tests.support.rest.errors import assert_refused, assert_succeeded

HOST = ("host", "service")
OTHER_HOST = ("billing", "service")
AGENTS = {"external_ref_types": ("agent",)}
_numbers = itertools.count(1)


def new_ref():
    """A reference that no other test uses."""
    return f"order:{next(_numbers)}"


def create(shared, by=HOST, **body):
    return shared.request("POST", "/chats", *by, json=body)


def patch(shared, chat_id, by=HOST, **body):
    return shared.request("PATCH", f"/chats/{chat_id}", *by, json=body)


def find(shared, ref, by):
    return shared.request("GET", f"/chats?externalRef={ref}", *by)


def differs(response):
    """The fields that a conflict names."""
    assert_refused(response, "CONFLICT")
    return [each["path"] for each in response.body["error"]["details"]]


@pytest.mark.parametrize("by", [(1, "employee"), (1, "admin"), (1, "bot"), ("h", "Service")])
def test_only_a_service_sets_an_external_ref(shared, by):
    """Others get FORBIDDEN, the same for a reference that is there and one that is not."""
    taken, free = new_ref(), new_ref()
    assert_succeeded(create(shared, externalRef=taken, participantIds=[1]), 201)
    answers = [create(shared, by, externalRef=ref) for ref in (taken, free)]
    for each in answers:
        assert_refused(each, "FORBIDDEN")
    assert answers[0].body["message"] == answers[1].body["message"]
    own = assert_succeeded(create(shared, by), 201)
    for ref in (taken, free, None):
        assert_refused(patch(shared, own["id"], by, externalRef=ref), "FORBIDDEN")
    assert assert_succeeded(find(shared, free, HOST)) == []


def test_the_host_finds_its_chat_again(shared):
    """The same wish gets the same chat with 200 and changes nothing, whichever service asks."""
    ref = new_ref()
    made = create(shared, participantIds=[1, 2], externalRef=ref, title="A")
    chat = assert_succeeded(made, 201)
    assert chat["externalRef"] == ref
    for by, people in ((HOST, [1, 2]), (HOST, [2]), (HOST, []), (OTHER_HOST, [2, 1])):
        again = create(shared, by, participantIds=people, externalRef=ref, title="B")
        assert assert_succeeded(again, 200) == chat


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"participantIds": [1, 3, 4]}, ["participantIds"]),
        ({"participantIds": ["host", 1]}, ["participantIds"]),
        ({"type": "direct"}, ["type"]),
        ({"type": "direct", "participantIds": [1, 4]}, ["type", "participantIds"]),
    ],
)
def test_a_chat_that_is_not_what_was_asked_for_is_a_conflict(shared, change, fields):
    """It says what differs and which chat it is, and changes nothing."""
    ref = new_ref()
    wish = {"participantIds": [1, 2], "externalRef": ref}
    chat = assert_succeeded(create(shared, **wish), 201)
    refused = create(shared, **wish | change)
    assert differs(refused) == fields
    assert refused.body["error"]["chatId"] == chat["id"]
    assert assert_succeeded(shared.request("GET", f"/chats/{chat['id']}", *HOST)) == chat


def test_a_conflict_names_some_of_many_missing_people(shared):
    """A thousand of them would be no message."""
    ref = new_ref()
    assert_succeeded(create(shared, externalRef=ref, participantIds=[1]), 201)
    refused = create(shared, externalRef=ref, participantIds=list(range(1, 100)))
    [detail] = refused.body["error"]["details"]
    assert detail["message"].endswith("9, 10, 11 and 88 more")


def test_a_service_moves_and_clears_a_reference(shared):
    """PATCH sets it, moves it to another chat once it is free, and tells whose it is until then."""
    ref = new_ref()
    one, two = (create(shared, participantIds=[1]).data["id"] for _ in range(2))
    assert assert_succeeded(patch(shared, one, externalRef=ref))["externalRef"] == ref
    assert assert_succeeded(patch(shared, one, externalRef=ref))["externalRef"] == ref
    refused = patch(shared, two, externalRef=ref, title="not either")
    assert differs(refused) == ["externalRef"]
    assert refused.body["error"]["chatId"] == one
    assert shared.request("GET", f"/chats/{two}", *HOST).data["title"] is None
    assert assert_succeeded(patch(shared, one, externalRef=None))["externalRef"] is None
    moved = assert_succeeded(patch(shared, two, externalRef=ref, title="moved"))
    assert (moved["externalRef"], moved["title"]) == (ref, "moved")
    assert [each["id"] for each in find(shared, ref, HOST).data] == [two]
    # A change of something else leaves it.
    assert assert_succeeded(patch(shared, two, title=None))["externalRef"] == ref


def test_moves_of_one_reference_at_the_same_time_have_one_winner(shared):
    """Of ten chats one has it, and the others' calls were conflicts."""
    ref = new_ref()
    chats = [create(shared, participantIds=[1]).data["id"] for _ in range(10)]

    async def race():
        body = {"externalRef": ref}
        calls = (shared.chat.request("PATCH", f"/chats/{each}", *HOST, json=body) for each in chats)
        return await asyncio.gather(*calls)

    answers = shared.run(race())
    assert sorted(each.status for each in answers) == [200] + [409] * 9
    [found] = find(shared, ref, HOST).data
    winners = [each.data["id"] for each in answers if each.status == 200]
    assert winners == [found["id"]]
    named = {each.body["error"]["chatId"] for each in answers if each.status == 409}
    assert named == set(winners)


def test_a_missing_reference_and_one_of_others_look_the_same(shared):
    """Whoever is in the chat, or may see every chat, finds it; for others there is none."""
    ref = new_ref()
    chat_id = create(shared, participantIds=[1, 2], externalRef=ref).data["id"]
    nothing = find(shared, new_ref(), (3, "employee"))
    assert nothing.body == {"success": True, "data": [], "page": {"nextCursor": None}}
    assert find(shared, ref, (3, "employee")).body == nothing.body
    for by in (HOST, (9, "admin"), (1, "employee"), (2, "employee")):
        [found] = assert_succeeded(find(shared, ref, by))
        assert (found["id"], found["externalRef"]) == (chat_id, ref)
        assert "participants" not in found
    shared.request("DELETE", f"/chats/{chat_id}/participants/2", *HOST)
    assert find(shared, ref, (2, "employee")).body == nothing.body


def test_a_reference_is_found_as_it_was_written(shared):
    """Blanks, quotes and signs of queries are part of it."""
    spelt = {" a b ": "%20a%20b%20", "x&y=z": "x%26y%3Dz", "ä|'\"$": "%C3%A4%7C%27%22%24"}
    for ref, escaped in spelt.items():
        made = create(shared, externalRef=ref).data
        assert [each["id"] for each in find(shared, escaped, HOST).data] == [made["id"]]
    for bad in ("", "x" * 201):
        assert_refused(find(shared, bad, HOST), "VALIDATION_ERROR", path="externalRef")


def test_a_direct_chat_has_its_reference_or_says_so(shared):
    """A pair's chat without the reference that was asked for is a conflict; PATCH is the way on."""
    ada, grace, ref = shared.new_user(), shared.new_user(), new_ref()
    wish = {"type": "direct", "participantIds": [ada, grace], "externalRef": ref}
    theirs = shared.request(
        "POST", "/chats", ada, json={"type": "direct", "participantIds": [grace]}
    ).data
    refused = create(shared, **wish)
    assert differs(refused) == ["externalRef"]
    assert refused.body["error"]["chatId"] == theirs["id"]
    assert_succeeded(patch(shared, theirs["id"], externalRef=ref))
    assert assert_succeeded(create(shared, **wish), 200)["id"] == theirs["id"]
    other = create(shared, **wish | {"externalRef": new_ref()})
    assert differs(other) == ["externalRef"]


def test_the_metadata_of_whoever_opened_a_direct_chat_first_is_not_the_hosts(shared):
    """A service that asks for other metadata is told; with none of its own it gets the chat."""
    ada, grace = shared.new_user(), shared.new_user()
    pair = {"type": "direct", "participantIds": [ada, grace]}
    body = {"type": "direct", "participantIds": [grace], "metadata": {"approved": True}}
    made = shared.request("POST", "/chats", ada, json=body).data
    assert differs(create(shared, **pair, metadata={"order": 1})) == ["metadata"]
    assert assert_succeeded(create(shared, **pair), 200)["id"] == made["id"]
    assert_succeeded(patch(shared, made["id"], metadata={"order": 1}))
    assert assert_succeeded(create(shared, **pair, metadata={"order": 1}), 200)


async def test_types_that_the_operator_names_may_set_it_too(serve):
    """EXTERNAL_REF_TYPES=agent: they find their own chats again, and no chat id of others'."""
    async with serve(**AGENTS) as chat:
        # Guests, as other types are, add only people whom they know.
        await chat.create_chat([1, 2, 3])

        async def post(by, **body):
            return await chat.request("POST", "/chats", *by, json={"externalRef": "r", **body})

        agent, peer, other = (1, "agent"), (2, "agent"), (3, "agent")
        made = assert_succeeded(await post(agent, participantIds=[2]), 201)
        assert assert_succeeded(await post(agent, participantIds=[2]), 200) == made
        # One who is in it gets the way on; one who is not learns no more than that it is taken.
        assert differs(seated := await post(peer, participantIds=[1])) == ["externalRef"]
        assert seated.body["error"]["chatId"] == made["id"]
        stranger = await post(other, participantIds=[1])
        assert differs(stranger) == ["externalRef"]
        assert "chatId" not in stranger.body["error"]
        assert_refused(await post((4, "employee")), "FORBIDDEN")
        # What an agent has set is not what the host asks for, whoever made the chat.
        by_host = await post(HOST, participantIds=[1, 2])
        assert differs(by_host) == ["externalRef"]
        assert by_host.body["error"]["chatId"] == made["id"]
        path = f"/chats/{made['id']}"
        assert_succeeded(await chat.request("PATCH", path, *HOST, json={"externalRef": "r"}))
        assert assert_succeeded(await post(HOST, participantIds=[1, 2]), 200)["id"] == made["id"]


async def test_an_owner_of_a_named_type_cannot_lay_a_reference_on_the_hosts_chat(serve):
    """Who set the reference counts, not who made the chat."""
    async with serve(**AGENTS) as chat:
        made = (await chat.request("POST", "/chats", *HOST, json={"participantIds": [1]})).data
        path = f"/chats/{made['id']}"
        await chat.request("PATCH", f"{path}/participants/1", *HOST, json={"role": "owner"})
        laid = await chat.request("PATCH", path, 1, "agent", json={"externalRef": "r"})
        assert_succeeded(laid)
        wish = {"participantIds": [1], "externalRef": "r"}
        assert differs(await chat.request("POST", "/chats", *HOST, json=wish)) == ["externalRef"]


class Referring(Plugin):
    """Gives every new chat a reference."""

    name = "referring"

    @hookimpl(before_action)
    async def refer(self, action):
        if action.name != "POST /chats":
            return None
        payload = action.payload.model_copy(update={"external_ref": "by-plugin"})
        return type(action)(
            name=action.name, identity=action.identity, door=action.door,
            remote_ip=action.remote_ip, payload=payload,
        )  # fmt: skip


async def test_a_plugin_gives_no_reference_to_somebody_who_may_not_set_one(serve):
    """What runs is judged by its caller's token, whoever wrote the payload."""
    async with serve(plugins=[Referring()]) as chat:
        assert_refused(await chat.request("POST", "/chats", 1, json={}), "FORBIDDEN")
        made = await chat.request("POST", "/chats", *HOST, json={})
        assert assert_succeeded(made, 201)["externalRef"] == "by-plugin"


async def test_references_of_version_0_1_that_an_employee_made_are_conflicts(serve, mongodb_uri):
    """The host learns which chat it is, and frees the reference or takes it over."""
    async with serve() as chat:
        squat = (await chat.request("POST", "/chats", 666, json={"participantIds": [1]})).data
        own = (await chat.request("POST", "/chats", *HOST, json={"participantIds": [1, 2]})).data
        left = (await chat.request("POST", "/chats", 5, json={"participantIds": [6]})).data
        path = f"/chats/{left['id']}"
        await chat.request("PATCH", f"{path}/participants/6", 5, json={"role": "owner"})
        await chat.request("POST", f"{path}/leave", 5)
    async with database_of(mongodb_uri) as database:
        for made, ref in ((squat, "squat"), (own, "own"), (left, "left")):
            await database.chats.update_one({"_id": made["id"]}, {"$set": {"externalRef": ref}})
    async with serve() as chat:

        async def ask(ref, by=OTHER_HOST, people=(1,)):
            wish = {"externalRef": ref, "participantIds": list(people)}
            return await chat.request("POST", "/chats", *by, json=wish)

        for ref, made, people in (("squat", squat, [1]), ("left", left, [6])):
            refused = await ask(ref, people=people)
            assert differs(refused) == ["externalRef"]
            assert refused.body["error"]["chatId"] == made["id"]
        for by in (HOST, OTHER_HOST):
            assert assert_succeeded(await ask("own", by), 200)["id"] == own["id"]
        # A change of the title says nothing about the reference.
        path = f"/chats/{squat['id']}"
        assert_succeeded(await chat.request("PATCH", path, *HOST, json={"title": "T"}))
        assert differs(await ask("squat")) == ["externalRef"]
        freed = await chat.request("PATCH", path, *HOST, json={"externalRef": None})
        assert assert_succeeded(freed)["externalRef"] is None
        assert assert_succeeded(await ask("squat"), 201)["id"] != squat["id"]
        path = f"/chats/{left['id']}"
        assert_succeeded(await chat.request("PATCH", path, *HOST, json={"externalRef": "left"}))
        assert assert_succeeded(await ask("left", people=[6]), 200)["id"] == left["id"]


async def test_the_reference_survives_a_restart_with_who_set_it(serve):
    """What a service has set is trusted afterwards, what an agent has set is not."""
    async with serve(**AGENTS) as chat:
        for by, ref in ((HOST, "h"), ((1, "agent"), "a")):
            body = {"externalRef": ref, "participantIds": [1]}
            assert_succeeded(await chat.request("POST", "/chats", *by, json=body), 201)
    async with serve(**AGENTS) as chat:
        wish = {"participantIds": [1]}
        for ref, status in (("h", 200), ("a", 409)):
            body = {**wish, "externalRef": ref}
            assert (await chat.request("POST", "/chats", *OTHER_HOST, json=body)).status == status
        body = {**wish, "externalRef": "a"}
        assert (await chat.request("POST", "/chats", 1, "agent", json=body)).status == 200


async def test_a_change_of_the_reference_is_pushed(serve):
    """`chatUpdated` holds it beside title and metadata."""
    async with serve() as chat:
        chat_id = await chat.create_chat([1])
        ada = await chat.connect(1, join=chat_id)
        await chat.request("PATCH", f"/chats/{chat_id}", *HOST, json={"externalRef": "r"})
        pushed = await ada.next("chatUpdated")
        assert pushed["chat"] == {"title": None, "externalRef": "r", "metadata": None}


@pytest.mark.parametrize("method", ["POST", "PATCH"])
async def test_a_reference_that_is_freed_and_taken_all_the_time_may_be_had_later(
    serve, monkeypatch, method
):
    """Who loses every race to somebody who deletes the chat at once is refused for now only."""
    async with serve() as chat:
        chat_id = await chat.create_chat([1])

        async def loses(*_arguments):
            return False

        name = "insert" if method == "POST" else "update"
        monkeypatch.setattr(MongoChats, name, loses)
        path = "/chats" if method == "POST" else f"/chats/{chat_id}"
        refused = await chat.request(method, path, *HOST, json={"externalRef": "r"})
        assert_refused(refused, "STORAGE_UNAVAILABLE")
        monkeypatch.undo()
        answer = await chat.request(method, path, *HOST, json={"externalRef": "r"})
        assert answer.data["externalRef"] == "r"
