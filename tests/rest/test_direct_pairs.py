"""Direct chats of users whose ids hold the sign that once divided a pair."""

import pytest

from chat.services.existing_chats import direct_key
from tests.support.delivery.stores import database_of
from tests.support.rest.errors import assert_succeeded

PAIRS = [
    ("a|str:b", "c"), ("a", "b|str:c"), ("a|str:b|str:c", "d"), ("auth0|1", "auth0|2"),
    ("a%7Cb", "c"), ("int:1|", "|"),
]  # fmt: skip


def old_key(*people):
    """The key of version 0.1, written out."""
    return "|".join(sorted(f"{type(each).__name__}:{each}" for each in people))


async def open_direct(chat, one, other):
    body = {"type": "direct", "participantIds": [other]}
    return await chat.request("POST", "/chats", one, json=body)


async def test_pairs_whose_ids_hold_the_divider_have_chats_of_their_own(serve):
    """No pair keeps another from its chat, and each finds its own again from either side."""
    async with serve() as chat:
        made = {pair: assert_succeeded(await open_direct(chat, *pair), 201)["id"] for pair in PAIRS}
        assert len(set(made.values())) == len(PAIRS)
        for (one, other), chat_id in made.items():
            for pair in ((one, other), (other, one)):
                assert assert_succeeded(await open_direct(chat, *pair), 200)["id"] == chat_id


@pytest.mark.parametrize("pair", [(1, 2), (7, "07"), ("ada@example.com", "g")])
def test_keys_of_other_pairs_are_as_they_were(pair):
    """So chats that version 0.1 has stored are found."""
    assert direct_key(pair) == direct_key(pair[::-1]) == old_key(*pair)


async def test_direct_chats_of_version_0_1_are_found(serve, mongodb_uri):
    """By its key where the two are its people; another pair with the same key gets a new chat."""
    async with serve() as chat:
        first = assert_succeeded(await open_direct(chat, *PAIRS[0]), 201)["id"]
    assert old_key(*PAIRS[0]) == old_key(*PAIRS[1])
    async with database_of(mongodb_uri) as database:
        key = {"directKey": old_key(*PAIRS[0])}
        await database.chats.update_one({"_id": first}, {"$set": key})
    async with serve() as chat:
        for pair in (PAIRS[0], PAIRS[0][::-1]):
            assert assert_succeeded(await open_direct(chat, *pair), 200)["id"] == first
        second = assert_succeeded(await open_direct(chat, *PAIRS[1]), 201)["id"]
        assert second != first
        assert assert_succeeded(await open_direct(chat, *PAIRS[1]), 200)["id"] == second
