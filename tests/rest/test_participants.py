"""/chats/:id/participants and leave: who may put whom where."""

import asyncio
from urllib.parse import quote

import pytest

from tests.support.rest.errors import assert_refused, assert_succeeded

OWNER, MODERATOR, MEMBER, READONLY = 11, 12, 13, 14
ROLES = {OWNER: "owner", MODERATOR: "moderator", MEMBER: "member", READONLY: "readonly"}
HOST = ("host", "service")


@pytest.fixture
def chat_id(shared):
    """A chat with one person of each role."""
    made = shared.create_chat([OWNER, MODERATOR, MEMBER, READONLY])
    for user_id, role in ROLES.items():
        set_role(shared, made, user_id, role)
    return made


def set_role(shared, chat_id, user_id, role, *by):
    path = f"/chats/{chat_id}/participants/{user_id}"
    return shared.request("PATCH", path, *(by or HOST), json={"role": role})


def add(shared, chat_id, user_ids, *by, **more):
    body = {"userIds": user_ids, **more}
    return shared.request("POST", f"/chats/{chat_id}/participants", *(by or HOST), json=body)


def remove(shared, chat_id, user_id, *by):
    return shared.request("DELETE", f"/chats/{chat_id}/participants/{user_id}", *(by or HOST))


def leave(shared, chat_id, *by):
    return shared.request("POST", f"/chats/{chat_id}/leave", *by)


def roles_in(shared, chat_id):
    listed = assert_succeeded(shared.request("GET", f"/chats/{chat_id}/participants", *HOST))
    return {each["userId"]: each["role"] for each in listed}


def test_a_participant_is_told_whole(shared, chat_id):
    """The list has every field of a participant, and who came later stands further down."""
    add(shared, chat_id, [21])
    listed = assert_succeeded(shared.request("GET", f"/chats/{chat_id}/participants", READONLY))
    assert {each["userId"] for each in listed[:4]} == set(ROLES)
    assert [each["userId"] for each in listed[4:]] == [21]
    fields = {"userId", "role", "name", "avatarUrl", "joinedAt", "lastReadMessageId"}
    assert all(set(each) == fields for each in listed)
    assert roles_in(shared, chat_id) == ROLES | {21: "member"}


async def test_names_come_from_tokens_and_outlive_a_restart(serve):
    """`name` and `avatarUrl` of the token are kept when its owner calls."""
    async with serve() as chat:
        chat_id = await chat.create_chat([1, 2])
        token = chat.token(1, name="Ada", avatarUrl="https://example.com/a.png")
        await chat.request("GET", "/chats", headers={"Authorization": f"Bearer {token}"})
        listed = (await chat.request("GET", f"/chats/{chat_id}/participants", 2)).data
        assert [each["name"] for each in listed] == ["Ada", None]
    async with serve() as chat:
        listed = (await chat.request("GET", f"/chats/{chat_id}/participants", 2)).data
        assert [each["name"] for each in listed] == ["Ada", None]
        assert listed[0]["avatarUrl"] == "https://example.com/a.png"


def test_adding_answers_the_seats_of_all_who_were_named(shared, chat_id):
    """Newcomers get the role, who is in already stays as they are, and each newcomer takes one
    number.
    """
    before = shared.request("GET", f"/chats/{chat_id}", *HOST).data["seq"]
    seats = assert_succeeded(add(shared, chat_id, [21, OWNER, "22", 21], role="readonly"), 201)
    named = [(each["userId"], each["role"]) for each in seats]
    assert named == [(21, "readonly"), (OWNER, "owner"), (22, "readonly")]
    assert shared.request("GET", f"/chats/{chat_id}", *HOST).data["seq"] == before + 2


def test_two_who_add_the_same_person_at_once_both_succeed(shared, chat_id):
    """Who is in already stays as they are: the slower of two gets the same seat."""

    async def race():
        path = f"/chats/{chat_id}/participants"
        body = {"userIds": [21, 22]}
        calls = [shared.chat.request("POST", path, *HOST, json=body) for _ in range(4)]
        return await asyncio.gather(*calls)

    for answer in shared.run(race()):
        assert [each["userId"] for each in assert_succeeded(answer, 201)] == [21, 22]
    assert len(roles_in(shared, chat_id)) == 6


async def test_the_cap_on_participants_holds_when_many_are_added_at_once(serve):
    """Additions that race each other never leave more than MAX_PARTICIPANTS in the chat."""
    async with serve(max_participants=4) as chat:
        chat_id = await chat.create_chat([1, 2])
        path = f"/chats/{chat_id}/participants"
        calls = [
            chat.request("POST", path, *HOST, json={"userIds": [user_id]})
            for user_id in range(10, 18)
        ]
        await asyncio.gather(*calls)
        listed = (await chat.request("GET", path, *HOST)).data
        assert len(listed) == 4


@pytest.mark.parametrize(
    ("by", "role", "code"),
    [
        (OWNER, "owner", None),
        (OWNER, "moderator", None),
        (MODERATOR, "member", None),
        (MODERATOR, "readonly", None),
        (MODERATOR, "moderator", "FORBIDDEN"),
        (MODERATOR, "owner", "FORBIDDEN"),
        (MEMBER, "member", "FORBIDDEN"),
        (READONLY, "readonly", "FORBIDDEN"),
        ("admin", "member", None),
        ("admin", "moderator", "FORBIDDEN"),
        ("service", "owner", None),
    ],
)
def test_roles_above_member_are_the_owners_to_give(shared, chat_id, by, role, code):
    """By adding somebody with that role, and by changing the role of a member."""
    caller = (99, by) if isinstance(by, str) else (by,)
    added = add(shared, chat_id, [21], *caller, role=role)
    assert added.code == code, added.body
    assert (21 in roles_in(shared, chat_id)) is (code is None)
    add(shared, chat_id, [22])
    changed = set_role(shared, chat_id, 22, role, *caller)
    assert changed.code == code, changed.body
    assert roles_in(shared, chat_id)[22] == ("member" if code else role)


@pytest.mark.parametrize(
    ("by", "whom", "code"),
    [
        (OWNER, MODERATOR, None),
        (OWNER, READONLY, None),
        (MODERATOR, MEMBER, None),
        (MODERATOR, READONLY, None),
        (MODERATOR, OWNER, "FORBIDDEN"),
        (MODERATOR, 15, "FORBIDDEN"),
        (MEMBER, READONLY, "FORBIDDEN"),
        (READONLY, MEMBER, "FORBIDDEN"),
        ("admin", MEMBER, None),
        ("admin", MODERATOR, "FORBIDDEN"),
        ("admin", OWNER, "FORBIDDEN"),
        ("service", MODERATOR, None),
        (OWNER, 77, "NOT_FOUND"),
        (MEMBER, 77, ("FORBIDDEN", "NOT_FOUND")),
    ],
)
def test_nobody_puts_out_their_own_rank_or_above(shared, chat_id, by, whom, code):
    """Moderators remove members, owners everybody, and the removed are out at once."""
    add(shared, chat_id, [15], role="moderator")
    caller = (99, by) if isinstance(by, str) else (by,)
    answer = remove(shared, chat_id, whom, *caller)
    assert answer.code in (code if isinstance(code, tuple) else (code,)), answer.body
    if code is None:
        assert answer.data == {"chatId": chat_id, "participantId": whom}
        assert whom not in roles_in(shared, chat_id)
        assert_refused(shared.request("GET", f"/chats/{chat_id}", whom), "NOT_PARTICIPANT")


def test_an_owner_puts_out_another_owner(shared, chat_id):
    """As long as one is left."""
    assert_succeeded(set_role(shared, chat_id, MODERATOR, "owner", OWNER))
    assert_succeeded(remove(shared, chat_id, OWNER, MODERATOR))


@pytest.mark.parametrize("how", ["leave", "remove oneself", "step down"])
def test_the_last_owner_stays_until_there_is_another(shared, chat_id, how):
    """While others are in the chat it is not left without an owner."""

    def go():
        if how == "leave":
            return leave(shared, chat_id, OWNER)
        if how == "remove oneself":
            return remove(shared, chat_id, OWNER, OWNER)
        return set_role(shared, chat_id, OWNER, "member", OWNER)

    assert_refused(go(), "FORBIDDEN")
    assert roles_in(shared, chat_id) == ROLES
    assert_succeeded(set_role(shared, chat_id, MEMBER, "owner", OWNER))
    assert_succeeded(go())


def test_two_owners_who_leave_at_once_do_not_both_go(shared, chat_id):
    """The rule is asked again when the change is written."""
    set_role(shared, chat_id, MEMBER, "owner")

    async def race():
        path = f"/chats/{chat_id}/leave"
        return await asyncio.gather(
            shared.chat.request("POST", path, OWNER), shared.chat.request("POST", path, MEMBER)
        )

    assert sorted(each.status for each in shared.run(race())) == [200, 403]
    assert list(roles_in(shared, chat_id).values()).count("owner") == 1


def test_the_host_may_put_out_the_last_owner(shared, chat_id):
    """A service token may do all."""
    assert_succeeded(remove(shared, chat_id, OWNER))
    assert OWNER not in roles_in(shared, chat_id)


def test_the_last_person_may_go(shared):
    """An owner alone leaves an empty chat behind."""
    me = shared.new_user()
    made = shared.request("POST", "/chats", me, json={"type": "group"}).data
    left = assert_succeeded(leave(shared, made["id"], me))
    assert left == {"chatId": made["id"], "participantId": me}
    assert_refused(leave(shared, made["id"], me), "NOT_PARTICIPANT")
    assert roles_in(shared, made["id"]) == {}


def test_who_was_removed_can_come_back(shared, chat_id):
    """With the role they are added with now, and their old messages still theirs."""
    message_id = shared.send(chat_id, MODERATOR)
    remove(shared, chat_id, MODERATOR)
    assert_refused(shared.request("GET", f"/chat-messages/{message_id}", MODERATOR), "NOT_FOUND")
    add(shared, chat_id, [MODERATOR])
    assert roles_in(shared, chat_id)[MODERATOR] == "member"
    edited = shared.request(
        "PATCH", f"/chat-messages/{message_id}", MODERATOR, json={"content": "mine"}
    )
    assert_succeeded(edited)


def test_giving_the_role_there_is_changes_nothing(shared, chat_id):
    """No number is taken for it."""
    before = shared.request("GET", f"/chats/{chat_id}", OWNER).data["seq"]
    assert assert_succeeded(set_role(shared, chat_id, MEMBER, "member", OWNER))["role"] == "member"
    assert shared.request("GET", f"/chats/{chat_id}", OWNER).data["seq"] == before


@pytest.mark.parametrize(
    "user_id", ["a/b", "a b", "7/../8", "auth0|5f7c", "x" * 64, "a|" * 32, "%41"]
)
def test_every_user_id_can_stand_in_a_path(shared, chat_id, user_id):
    """Percent-encoded, whatever is a user id names its participant; what is none is NOT_FOUND."""
    allowed = " " not in user_id
    if allowed:
        assert_succeeded(add(shared, chat_id, [user_id]), 201)
    answer = remove(shared, chat_id, quote(user_id, safe=""))
    if allowed:
        assert assert_succeeded(answer)["participantId"] == user_id
    else:
        assert_refused(answer, "NOT_FOUND")


@pytest.mark.parametrize(
    "body",
    [
        {}, {"userIds": []}, {"userIds": 5}, {"userIds": [True]}, {"userIds": [{"$gt": ""}]},
        {"userIds": [1], "role": "admin"}, {"userIds": [1], "role": {"$gt": ""}},
        {"userIds": [1.5]},
        {"userIds": [1], "role": None}, {"userIds": list(range(1_001))}, [1], "x",
    ],
)  # fmt: skip
def test_people_that_are_none_are_refused(shared, chat_id, body):
    """VALIDATION_ERROR, and nobody is added."""
    path = f"/chats/{chat_id}/participants"
    assert_refused(shared.request("POST", path, *HOST, json=body), "VALIDATION_ERROR")
    assert roles_in(shared, chat_id) == ROLES


@pytest.mark.parametrize("role", ["", "Owner", "admin", None, 1, ["owner"], {"$gt": ""}])
def test_a_role_that_is_none_is_refused(shared, chat_id, role):
    """VALIDATION_ERROR that names the field."""
    answer = set_role(shared, chat_id, MEMBER, role)
    assert_refused(answer, "VALIDATION_ERROR", path="role")
