"""/chats: made, found again, changed, deleted."""

import asyncio

import pytest

from tests.support.rest.errors import assert_refused, assert_succeeded

CHAT_FIELDS = {
    "id", "type", "title", "externalRef", "metadata", "createdBy", "createdAt", "updatedAt", "seq",
    "participantCount", "participants", "role", "unreadCount", "lastReadMessageId", "lastMessage",
}  # fmt: skip
DEFAULTS = {"title": None, "externalRef": None, "metadata": None, "unreadCount": 0}


def create(shared, user_id=1, user_type="employee", **body):
    return shared.request("POST", "/chats", user_id, user_type, json=body)


def test_a_group_belongs_to_who_made_it(shared):
    """The caller of POST /chats is the owner, the others are members, and each number is given to
    one change.
    """
    response = create(shared, 1, type="group", title="Team", participantIds=[2, "u-3", 2, 1])
    chat = assert_succeeded(response, 201)
    assert set(chat) == CHAT_FIELDS
    roles = [(each["userId"], each["role"]) for each in chat["participants"]]
    assert roles == [(1, "owner"), (2, "member"), ("u-3", "member")]
    assert (chat["title"], chat["role"], chat["participantCount"]) == ("Team", "owner", 3)
    assert chat["seq"] == 1 + 3
    assert (chat["createdBy"], chat["lastMessage"], chat["unreadCount"]) == (1, None, 0)
    seen = assert_succeeded(shared.request("GET", f"/chats/{chat['id']}", 2))
    assert seen == chat | {"role": "member"}


async def test_the_first_chats_of_a_server_may_be_made_at_once(serve):
    """Each has an id of its own, though the store makes its counter of ids in that moment."""
    async with serve() as chat:
        ids = await asyncio.gather(*(chat.create_chat([1, 2]) for _ in range(8)))
    assert len(set(ids)) == 8


def test_the_host_takes_no_seat(shared):
    """A service token makes chats for others: nobody is owner, and the host is not in it unless it
    names itself.
    """
    chat = assert_succeeded(create(shared, "host", "service", participantIds=[1, 2]), 201)
    assert [each["userId"] for each in chat["participants"]] == [1, 2]
    assert {each["role"] for each in chat["participants"]} == {"member"}
    assert chat["role"] is None
    seated = assert_succeeded(create(shared, "host", "service", participantIds=["host", 2]), 201)
    assert {each["userId"] for each in seated["participants"]} == {"host", 2}


def test_a_group_is_the_default_and_may_be_lonely(shared):
    """`{}` is a group of one."""
    chat = assert_succeeded(create(shared, 1, **{"metadata": None}), 201)
    assert (chat["type"], chat["participantCount"]) == ("group", 1)
    assert {name: chat[name] for name in DEFAULTS} == DEFAULTS


def test_digits_and_integers_are_the_same_person(shared):
    """A canonical digit string means the integer; any other string is a name of its own."""
    chat = assert_succeeded(create(shared, 1, participantIds=["2", 2, "02", 0]), 201)
    assert [each["userId"] for each in chat["participants"]] == [1, 2, "02", 0]


def test_a_direct_chat_is_found_again_by_either_side(shared):
    """The same pair gets the same chat with 200, whoever asks; nobody owns it."""
    ada, grace = shared.new_user(), shared.new_user()
    made = assert_succeeded(create(shared, ada, type="direct", participantIds=[grace]), 201)
    assert [each["role"] for each in made["participants"]] == ["member", "member"]
    for user_id, others in ((ada, [grace]), (grace, [ada]), (grace, [ada, grace, ada])):
        found = create(shared, user_id, type="direct", participantIds=others)
        assert assert_succeeded(found, 200)["id"] == made["id"]
    by_host = create(shared, "host", "service", type="direct", participantIds=[grace, ada])
    assert assert_succeeded(by_host, 200)["id"] == made["id"]


def test_a_number_and_a_name_that_look_alike_are_two_people(shared):
    """The pair of 1 and 7 is not the pair of 1 and "07"."""
    user_id = shared.new_user()
    one = create(shared, user_id, type="direct", participantIds=[7])
    other = create(shared, user_id, type="direct", participantIds=["07"])
    assert (one.status, other.status) == (201, 201)
    assert one.data["id"] != other.data["id"]


@pytest.mark.parametrize("kind", ["direct", "externalRef"])
def test_concurrent_creations_of_the_same_chat_make_one(shared, kind):
    """Ten at once: one 201, nine 200, one id, and nobody is in a chat beside it."""
    ada, grace = shared.new_user(), shared.new_user()

    async def race():
        calls = []
        for number in range(10):
            me, other = (ada, grace) if number % 2 else (grace, ada)
            if kind == "direct":
                body = {"type": "direct", "participantIds": [other]}
                calls.append(shared.chat.request("POST", "/chats", me, json=body))
            else:
                body = {"participantIds": [ada, grace], "externalRef": f"race:{ada}"}
                calls.append(shared.chat.request("POST", "/chats", "host", "service", json=body))
        return await asyncio.gather(*calls)

    answers = shared.run(race())
    assert sorted(each.status for each in answers) == [200] * 9 + [201], answers
    assert len({each.data["id"] for each in answers}) == 1
    for user_id in (ada, grace):
        listed = assert_succeeded(shared.request("GET", "/chats", user_id))
        assert [each["id"] for each in listed] == [answers[0].data["id"]]


def test_the_list_says_with_whom_a_direct_chat_is(shared):
    """Direct chats are listed with their two participants and names, groups without theirs."""
    ada, grace, linus = shared.new_user(), shared.new_user(), shared.new_user()
    shared.request("PUT", f"/users/{grace}", "host", "service", json={"name": "Grace"})
    shared.create_chat([ada, grace])
    for other in (grace, linus):
        assert_succeeded(create(shared, ada, type="direct", participantIds=[other]), 201)
    listed = assert_succeeded(shared.request("GET", "/chats", ada))
    people = [
        [(each["userId"], each["name"]) for each in chat.get("participants", [])] for chat in listed
    ]
    assert people == [[(ada, None), (linus, None)], [(ada, None), (grace, "Grace")], []]
    overview = assert_succeeded(shared.request("POST", "/sync", ada, json={}))["chats"]
    assert overview == listed


@pytest.mark.parametrize("people", [[], [1], [2, 3], [1, 2, 3]])
def test_a_direct_chat_has_exactly_two_people(shared, people):
    """The caller and one other."""
    response = create(shared, 1, type="direct", participantIds=people)
    assert_refused(response, "VALIDATION_ERROR")


def test_a_direct_chat_stays_one_of_two(shared):
    """Nobody is added to it, not by the host either, and it has no title."""
    ada, grace = shared.new_user(), shared.new_user()
    titled = create(shared, ada, type="direct", participantIds=[grace], title="Us")
    assert_refused(titled, "VALIDATION_ERROR")
    chat = assert_succeeded(create(shared, ada, type="direct", participantIds=[grace]), 201)
    path = f"/chats/{chat['id']}"
    added = shared.request("POST", f"{path}/participants", "host", "service", json={"userIds": [3]})
    assert_refused(added, "FORBIDDEN")
    patched = shared.request("PATCH", path, "host", "service", json={"title": "Us"})
    assert_refused(patched, "VALIDATION_ERROR")


def test_a_direct_pair_can_always_be_opened_again(shared):
    """Leaving a direct chat, where it is allowed at all, does not shut the pair out for good."""
    ada, grace = shared.new_user(), shared.new_user()
    chat = assert_succeeded(create(shared, ada, type="direct", participantIds=[grace]), 201)
    shared.request("POST", f"/chats/{chat['id']}/leave", ada)
    again = create(shared, ada, type="direct", participantIds=[grace])
    assert again.status in (200, 201), again.body
    assert {each["userId"] for each in again.data["participants"]} == {ada, grace}
    assert again.data["role"] == "member"


BAD_CHATS = {
    "type": ["", "Direct", "channel", 1, None, ["group"], {"$gt": ""}],
    "title": ["", "  ", "x" * 201, "a\x00", 7, ["x"], {"$gt": ""}],
    "participantIds": [
        None, 2, "2", {"$gt": ""}, [True], [1.0], [-1], [2**53], [""], ["a b"], ["x" * 65],
        ["٣"], [None], [[1]], [{"$gt": ""}], ["a\n"],
    ],
    "externalRef": ["", "x" * 201, 7, ["x"], {"$gt": ""}],
    "metadata": ["x", 7, [1], {"a": "x" * 20_000}, {"a\x00": 1}, {"a": "\x00"}, {"a": 2**53}],
}  # fmt: skip


@pytest.mark.parametrize(
    ("field", "value"), [(field, value) for field, values in BAD_CHATS.items() for value in values]
)
def test_a_chat_that_does_not_fit_is_refused(shared, field, value):
    """VALIDATION_ERROR that names the field."""
    response = create(shared, 1, **{field: value})
    assert_refused(response, "VALIDATION_ERROR")
    assert field in response.body["error"]["details"][0]["path"]


async def test_a_chat_takes_no_more_than_max_participants(serve):
    """Neither when it is made nor by adding people later."""
    async with serve(max_participants=3) as chat:
        body = {"participantIds": [2, 3, 4]}
        assert_refused(await chat.request("POST", "/chats", 1, json=body), "VALIDATION_ERROR")
        chat_id = await chat.create_chat([1, 2])
        path = f"/chats/{chat_id}/participants"
        over = await chat.request("POST", path, "host", "service", json={"userIds": [3, 4]})
        assert_refused(over, "VALIDATION_ERROR")
        known = await chat.request("POST", path, "host", "service", json={"userIds": [1, 2, 3]})
        assert_succeeded(known, 201)


@pytest.mark.parametrize(
    ("change", "title", "metadata"),
    [
        ({"title": "new"}, "new", {"a": 1}),
        ({"title": None}, None, {"a": 1}),
        ({"metadata": {"b": 2}}, "old", {"b": 2}),
        ({"metadata": None}, "old", None),
        ({"title": None, "metadata": None}, None, None),
        ({"title": "old"}, "old", {"a": 1}),
    ],
)
def test_a_patch_changes_what_it_names(shared, change, title, metadata):
    """A field that is absent stays, null clears it; the change takes the next number."""
    made = create(shared, 1, title="old", metadata={"a": 1}, participantIds=[2])
    path = f"/chats/{made.data['id']}"
    patched = assert_succeeded(shared.request("PATCH", path, 1, json=change))
    assert (patched["title"], patched["metadata"]) == (title, metadata)
    assert patched["seq"] == made.data["seq"] + 1
    assert assert_succeeded(shared.request("GET", path, 1)) == patched


@pytest.mark.parametrize(
    "change", [{}, {"type": "direct"}, {"title": ""}, {"title": 1}, [], "x", None]
)
def test_a_patch_that_says_nothing_or_nonsense_is_refused(shared, change):
    """VALIDATION_ERROR, and the chat stays as it is."""
    made = create(shared, 1, title="old").data
    path = f"/chats/{made['id']}"
    body = b"null" if change is None else None
    headers = {"Content-Type": "application/json"}
    response = shared.request("PATCH", path, 1, json=change, body=body, headers=headers)
    assert_refused(response, "VALIDATION_ERROR")
    assert shared.request("GET", path, 1).data == made


def test_a_deleted_chat_is_gone_for_everybody(shared):
    """It reads like one that never was, its messages too, and its pair and externalRef are free
    again.
    """
    ada, grace = shared.new_user(), shared.new_user()
    ref = f"gone:{ada}"
    made = create(shared, ada, participantIds=[grace]).data
    path = f"/chats/{made['id']}"
    named = shared.request("PATCH", path, "host", "service", json={"externalRef": ref})
    assert_succeeded(named)
    message_id = shared.send(made["id"], grace)
    assert assert_succeeded(shared.request("DELETE", path, ada)) == {"chatId": made["id"]}
    for user_id in (ada, grace):
        assert_refused(shared.request("GET", path, user_id), "NOT_PARTICIPANT")
        message = shared.request("GET", f"/chat-messages/{message_id}", user_id)
        assert_refused(message, "NOT_FOUND")
        assert shared.request("GET", "/chats", user_id).data == []
    assert_refused(shared.request("GET", path, 9, "admin"), "NOT_FOUND")
    assert_refused(shared.request("DELETE", path, "host", "service"), "NOT_FOUND")
    again = create(shared, "host", "service", participantIds=[ada], externalRef=ref)
    assert assert_succeeded(again, 201)["id"] != made["id"]


def test_a_deleted_direct_chat_can_be_made_anew(shared):
    """The host deletes it; the pair then gets a new one."""
    ada, grace = shared.new_user(), shared.new_user()
    made = create(shared, ada, type="direct", participantIds=[grace]).data
    assert_refused(shared.request("DELETE", f"/chats/{made['id']}", ada), "FORBIDDEN")
    assert_succeeded(shared.request("DELETE", f"/chats/{made['id']}", "host", "service"))
    new = assert_succeeded(create(shared, grace, type="direct", participantIds=[ada]), 201)
    assert new["id"] != made["id"]


def test_nobody_sends_into_a_chat_that_is_being_deleted(shared):
    """Of sends that race a deletion each is either stored before it or refused; none is stored
    after.
    """
    made = create(shared, 1, participantIds=[2]).data
    body = {"chatId": made["id"], "content": "x"}

    async def race():
        sends = [shared.chat.request("POST", "/chat-messages", 2, json=body) for _ in range(5)]
        gone = shared.chat.request("DELETE", f"/chats/{made['id']}", 1)
        late = [shared.chat.request("POST", "/chat-messages", 2, json=body) for _ in range(5)]
        return await asyncio.gather(*sends, gone, *late)

    *answers, last = shared.run(race())
    assert {each.code for each in (*answers, last)} <= {None, "NOT_PARTICIPANT"}
    assert answers[5].status == 200
    assert_refused(shared.request("POST", "/chat-messages", 2, json=body), "NOT_PARTICIPANT")
