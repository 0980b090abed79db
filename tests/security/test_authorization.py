"""The table of authorization.py holds, and has a row for whatever a client can ask for."""

import asyncio
import json
from dataclasses import replace

import pytest

from tests.security.authorization import (
    ACTORS,
    EVENTS,
    PUBLIC,
    ROUTES,
    SHUT_OUT,
    SPENT,
    TOKENLESS,
)
from tests.security.seats import BY_SEAT, SITTERS
from tests.security.surface import all_events, routes_beside
from tests.security.world import IDS, MISSING, World
from tests.support.gateway.wire import RawSocket

CELLS = (len(EVENTS) + len(ROUTES) + len(PUBLIC)) * (len(ACTORS) + len(SHUT_OUT))


@pytest.fixture(scope="module")
def world(shared):
    """Everybody, on one server."""
    world = World(shared.chat)
    shared.run(world.open())
    return world


@pytest.fixture(scope="module")
def twins(shared):
    """Users of the same ids and types in another tenant."""
    twins = World(shared.chat, "acme")
    shared.run(twins.open())
    return twins


async def differences(world, what, row, shut_out, actors=ACTORS):
    """Who gets something else than the row says, and what. All callers ask at once."""
    call, body, line = row
    expected = {**shut_out, **dict(zip(actors, line.split(), strict=True))}

    async def ask(actor):
        allowed = expected[actor] in ("ok", "200", "201")
        chats = await world.new_chats() if allowed and what.startswith(SPENT) else world.shared
        return await world.ask(actor, call, body, chats)

    answers = zip(expected, await asyncio.gather(*map(ask, expected)), strict=True)
    return {
        actor: f"{got} instead of {expected[actor]}"
        for actor, got in answers
        if got != expected[actor]
    }


@pytest.mark.parametrize("what", ROUTES)
def test_each_route_answers_each_caller_as_the_table_says(shared, world, what):
    """The right answer for everybody, whatever it is that they ask for."""
    shut_out = dict.fromkeys(SHUT_OUT, "nf") if what in TOKENLESS else SHUT_OUT
    assert shared.run(differences(world, what, ROUTES[what], shut_out)) == {}


@pytest.mark.parametrize("what", EVENTS)
def test_each_event_answers_each_caller_as_the_table_says(shared, world, what):
    """As by REST; those who are shut out cannot even connect."""
    assert shared.run(differences(world, what, EVENTS[what], {})) == {}


@pytest.mark.parametrize("row", [*EVENTS.values(), *ROUTES.values()], ids=lambda row: row[0])
def test_what_another_tenant_has_is_as_good_as_missing(shared, world, twins, row):
    """Who has the id and the type of somebody who may, but in another tenant, gets the answer that
    ids of nothing get there.
    """
    call, body, _ = row
    missing = replace(
        world.shared, chat=MISSING, other_chat=MISSING, message=MISSING, other=MISSING, ref="none"
    )

    async def differs(actor):
        of_another = await twins.ask(actor, call, body, world.shared)
        of_nothing = await twins.ask(actor, call, body, missing)
        return f"{of_another} instead of {of_nothing}" if of_another != of_nothing else None

    async def all_differences():
        found = zip(ACTORS, await asyncio.gather(*map(differs, ACTORS)), strict=True)
        return {actor: difference for actor, difference in found if difference}

    assert shared.run(all_differences()) == {}


@pytest.mark.parametrize(
    ("kind", "what"), [(kind, what) for kind, rows in BY_SEAT.items() for what in rows]
)
def test_a_seat_is_what_its_token_says_of_that_chat(shared, world, kind, what):
    """The role of the seat, in the chats of its externalRefs only, and never more than that."""
    call, body, _ = (EVENTS if kind == "events" else ROUTES)[what]
    row = (call, body, BY_SEAT[kind][what])
    assert shared.run(differences(world, what, row, {}, SITTERS)) == {}


@pytest.mark.parametrize("call", PUBLIC)
def test_what_is_public_answers_everybody_the_same(shared, world, call):
    """A token, good or bad, makes no difference."""
    row = (call, None, " ".join([PUBLIC[call]] * len(ACTORS)))
    shut_out = dict.fromkeys(SHUT_OUT, PUBLIC[call])
    assert shared.run(differences(world, call, row, shut_out)) == {}


def frames_of_all_events():
    """An emit of each row of EVENTS, with an id for its ack."""
    rows = enumerate(EVENTS.values())
    return [f"42/chat,{number}{json.dumps([row[0], {}])}" for number, row in rows]


@pytest.mark.parametrize("actor", SHUT_OUT)
def test_no_event_is_answered_to_those_who_are_shut_out(shared, world, actor):
    """A client that ignores the refusal of its CONNECT and emits all the same is not answered."""

    async def emit_all():
        raw = await RawSocket.open(shared.chat)
        token = world.tokens.get(actor)
        answer = await raw.connect({"token": token} if token else None)
        assert answer.startswith("44/chat,"), answer
        assert SHUT_OUT[actor] in answer
        await raw.burst(*frames_of_all_events())
        await raw.until_end()
        return [frame for frame in raw.frames if str(frame).startswith("43")]

    assert shared.run(emit_all()) == []


def test_a_socket_that_is_cut_off_is_answered_no_more(shared, world):
    """What a client emits after it was blocked is not done, though the socket was connected."""

    async def block_and_emit():
        user_id = IDS["blocked"] + 1_000
        raw = await RawSocket.enter(shared.chat, user_id)
        path = f"/admin/users/{user_id}/block"
        assert (await shared.chat.request("POST", path, "host", "service")).status == 200
        await raw.burst(*frames_of_all_events())
        await raw.until_end()
        return [frame for frame in raw.frames if str(frame).startswith("43")]

    assert shared.run(block_and_emit()) == []


@pytest.mark.parametrize("cells", [CELLS], ids=[f"{CELLS}-cells"])
def test_the_table_has_a_row_for_every_route_and_event(cells):
    """A new route or event, of the server or of a built-in plugin, needs a row."""
    assert routes_beside([*(row[0] for row in ROUTES.values()), *PUBLIC]) == []
    assert all_events() - {row[0] for row in EVENTS.values()} == set()
    assert cells > 1_500
