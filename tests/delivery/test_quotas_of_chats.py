"""How many chats a user may make, whom they may add to them, and into how many one may be put."""

import pytest

from chat.repositories.chats import MongoChats
from chat.repositories.messages import MongoMessages
from tests.support.delivery.chats import host
from tests.support.gateway.servers import MovableClock, generous


async def make(chat, user_id, people=(), user_type="employee", **fields):
    """POST /chats as the user."""
    body = {"participantIds": list(people), **fields}
    return await chat.request("POST", "/chats", user_id, user_type, json=body)


async def add(chat, chat_id, people, user_id, user_type="employee"):
    """POST /chats/:id/participants as the user."""
    path = f"/chats/{chat_id}/participants"
    return await chat.request("POST", path, user_id, user_type, json={"userIds": list(people)})


def check_limited(answer, most_s=3_600):
    """RATE_LIMITED with the seconds to wait."""
    assert (answer.status, answer.code) == (429, "RATE_LIMITED"), answer.body
    assert 0 < answer.body["error"]["retryAfter"] <= most_s


async def test_a_user_makes_so_many_chats_an_hour(serve):
    """One more is RATE_LIMITED until a part of the hour has passed; others, admins' own quotas and
    the host are not held back, and a direct chat that is opened again costs nothing."""
    clock = MovableClock()
    async with serve(**generous(), clock=clock, max_chats_made_per_hour=3) as chat:
        assert (await make(chat, 1, [2], type="direct")).status == 201
        for _ in range(5):
            assert (await make(chat, 1, [2], type="direct")).status == 200
        assert [(await make(chat, 1)).status for _ in range(2)] == [201, 201]
        refused = await make(chat, 1)
        check_limited(refused, 1_200)
        assert (await make(chat, 2)).status == 201
        assert [(await make(chat, 1, user_type="service")).status for _ in range(5)] == [201] * 5
        clock.jump(refused.body["error"]["retryAfter"])
        assert (await make(chat, 1)).status == 201
        check_limited(await make(chat, 1), 1_200)


async def test_a_user_adds_so_many_people_an_hour(serve):
    """To new chats and to chats that there are, counted together; who is in already is free."""
    async with serve(**generous(), max_people_added_per_hour=10) as chat:
        chat_id = (await make(chat, 1, range(10, 16))).data["id"]
        assert (await add(chat, chat_id, [10, 11, 20, 21, 22], 1)).status == 201
        check_limited(await add(chat, chat_id, [23, 24], 1))
        check_limited(await make(chat, 1, [23, 24]))
        assert (await add(chat, chat_id, [23], 1)).status == 201
        check_limited(await add(chat, chat_id, [24], 1), 360)
        assert (await add(chat, chat_id, range(30, 50), "host", "service")).status == 201
        never = await make(chat, 2, range(10, 21))
        assert (never.status, never.code) == (403, "FORBIDDEN")


async def test_strangers_put_nobody_into_more_chats_than_the_quota(serve):
    """However many strangers there are, and though they share the chats that they made; colleagues
    and the host go on, and nobody else in the refused list is charged."""
    async with serve(**generous(), max_added_by_strangers_per_hour=4) as chat:
        for stranger in (11, 12):
            for _ in range(2):
                assert (await make(chat, stranger, [1])).status == 201
        check_limited(await make(chat, 13, [1]))
        check_limited(await make(chat, 11, [1]))
        for _ in range(5):
            check_limited(await make(chat, 13, [2, 1]))
        assert (await make(chat, 13, [2])).status == 201
        assert (await make(chat, "host", [1, 14], "service")).status == 201
        assert [(await make(chat, 14, [1])).status for _ in range(5)] == [201] * 5


async def test_nobody_is_in_more_chats_than_the_most(serve):
    """Neither by others nor by their own doing, also after a restart; a chat that is left or
    deleted makes room, and the host may add more."""
    settings = {**generous(), "max_chats_per_user": 3}
    async with serve(**settings) as chat:
        first, second = [(await make(chat, 1, [2])).data["id"] for _ in range(2)]
        assert (await make(chat, 3, [2])).status == 201
    async with serve(**settings) as chat:
        full = await make(chat, 4, [5, 2])
        assert (full.status, full.code) == (403, "FORBIDDEN")
        assert (await make(chat, 2)).code == "FORBIDDEN"
        mine = (await make(chat, 4, [])).data["id"]
        assert (await add(chat, mine, [2], 4)).code == "FORBIDDEN"
        assert (await chat.request("POST", f"/chats/{first}/leave", 2)).status == 200
        assert (await add(chat, mine, [2], 4)).status == 201
        assert (await make(chat, 4, [2])).code == "FORBIDDEN"
        await chat.request("DELETE", f"/chats/{second}", 1)
        assert (await make(chat, 4, [2])).status == 201
        assert (await make(chat, "host", [2], "service")).status == 201


async def test_the_chats_that_were_deleted_are_no_burden_to_who_was_in_them(serve, monkeypatch):
    """A list of chats asks the store for none of them, in the same life and in the next."""
    settings = generous()
    for life in range(2):
        async with serve(**settings) as chat:
            if life == 0:
                kept = await chat.create_chat([1, 2])
                for _ in range(5):
                    gone = await chat.create_chat([1, 2])
                    await host(chat, "DELETE", f"/chats/{gone}")
            found = []
            original = MongoChats.find

            async def find(self, chat_id, found=found, original=original):
                found.append(chat_id)
                return await original(self, chat_id)

            with monkeypatch.context() as patch:
                patch.setattr(MongoChats, "find", find)
                listed = (await chat.request("GET", "/chats", 2)).data
            assert [each["id"] for each in listed] == [kept]
            assert found in ([], [kept])


@pytest.mark.parametrize("path", ["POST /chats", "POST /chats/:id/participants"])
async def test_a_list_of_bad_ids_is_one_fault(serve, path):
    """Thousands of them cost no more than the first."""
    async with serve(**generous()) as chat:
        chat_id = await chat.create_chat([1])
        field = "participantIds" if path == "POST /chats" else "userIds"
        target = path.removeprefix("POST ").replace(":id", str(chat_id))
        user = ("host", "service")
        refused = await chat.request("POST", target, *user, json={field: [1, *["a b"] * 900]})
        assert (refused.status, refused.code) == (400, "VALIDATION_ERROR")
        assert [each["path"] for each in refused.body["error"]["details"]] == [f"{field}.1"]


async def test_a_list_that_is_too_long_is_refused_for_its_length(serve):
    """Before its first item is looked at."""
    async with serve(**generous()) as chat:
        client = await chat.connect(1)
        refused = await client.call("getPresence", {"userIds": ["a b"] * 201})
        assert refused["error"]["details"] == [{"path": "userIds", "message": "at most 200"}]


async def test_a_chat_without_a_message_is_listed_without_a_look_for_one(serve, monkeypatch):
    """Many empty chats are what somebody is buried in; one with messages shows its last one, also
    where its people came and went."""
    for life in range(2):
        async with serve(**generous()) as chat:
            if life == 0:
                empty = await chat.create_chat([1, 2])
                used = await chat.create_chat([1, 2, 3])
                await host(chat, "DELETE", f"/chats/{used}/participants/3")
                body = {"chatId": used, "content": "hello"}
                sent = (await chat.request("POST", "/chat-messages", 2, json=body)).data
                await host(chat, "POST", f"/chats/{used}/participants", {"userIds": [3]})
            looked_into = []
            original = MongoMessages.brief_window

            async def window(self, chat_id, *bounds, looked_into=looked_into, original=original):
                looked_into.append(chat_id)
                return await original(self, chat_id, *bounds)

            with monkeypatch.context() as patch:
                patch.setattr(MongoMessages, "brief_window", window)
                listed = (await chat.request("GET", "/chats", 1)).data
            found = {each["id"]: each["lastMessage"] for each in listed}
            assert found == {empty: None, used: sent}
            assert set(looked_into) == (set() if life == 0 else {used})
