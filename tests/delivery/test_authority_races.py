"""Changes of people at the same moment: who may do what follows the order of the numbers."""

import asyncio

import pytest

from chat.repositories.chats import MongoChats
from tests.support.delivery.chats import Held, host
from tests.support.waiting import eventually


@pytest.fixture
def race(serve, monkeypatch):
    """`race(first, second)`: two calls as owners 1 and 2 of a chat of 1, 2, 3 and 4, the second one
    queued while the first one is being written; both responses. 3 is a moderator."""

    async def run(first, second):
        async with serve() as chat:
            chat_id = await chat.create_chat([1, 2, 3, 4])
            people = f"/chats/{chat_id}/participants"
            for user_id, role in ((1, "owner"), (2, "owner"), (3, "moderator")):
                await host(chat, "PATCH", f"{people}/{user_id}", {"role": role})

            def call(user_id, method, path, json=None):
                return asyncio.ensure_future(
                    chat.request(method, f"{people}{path}", user_id, json=json)
                )

            held = Held(monkeypatch, MongoChats, "put_participant")
            one = call(*first)
            await held.reached()
            two = call(*second)
            state = chat.app.domain.states.loaded(chat_id)
            await eventually(lambda: state.pending == 2)
            held.go_on.set()
            answers = await asyncio.gather(one, two)
            return [*answers, {each.user_id: each.role for each in state.members.values()}]

    return run


async def test_an_owner_who_was_lowered_makes_no_more_owners(race):
    """A call that adds many is refused from the moment at which its caller lost the right."""
    adding = (1, "POST", "", {"userIds": [11, 12, 13], "role": "owner"})
    lowering = (2, "PATCH", "/1", {"role": "moderator"})
    added, lowered, roles = await race(adding, lowering)
    assert lowered.status == 200
    assert (added.status, added.code) == (403, "FORBIDDEN")
    assert [each for each in (11, 12, 13) if each in roles] == [11]


async def test_a_promotion_behind_the_demotion_of_its_giver_is_refused(race):
    """Of two owners, one lowers the other, who at the same moment makes a third one owner."""
    lowering = (2, "PATCH", "/1", {"role": "moderator"})
    promoting = (1, "PATCH", "/4", {"role": "owner"})
    lowered, promoted, roles = await race(lowering, promoting)
    assert lowered.status == 200
    assert (promoted.status, promoted.code) == (403, "FORBIDDEN")
    assert roles[4] == "member"


async def test_a_moderator_does_not_remove_somebody_who_was_just_made_owner(race):
    """The rank of the other counts as it is when the removal gets its number."""
    promoting = (1, "PATCH", "/4", {"role": "owner"})
    removing = (3, "DELETE", "/4")
    promoted, removed, roles = await race(promoting, removing)
    assert promoted.status == 200
    assert (removed.status, removed.code) == (403, "FORBIDDEN")
    assert roles[4] == "owner"


async def test_a_moderator_does_not_lower_somebody_who_was_just_made_owner(race):
    """The same of a change of role."""
    promoting = (1, "PATCH", "/4", {"role": "owner"})
    lowering = (3, "PATCH", "/4", {"role": "readonly"})
    promoted, lowered, roles = await race(promoting, lowering)
    assert promoted.status == 200
    assert (lowered.status, lowered.code) == (403, "FORBIDDEN")
    assert roles[4] == "owner"
