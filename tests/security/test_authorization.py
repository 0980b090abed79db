"""The table of authorization.py holds, and has a row for whatever a client can ask for."""

import asyncio
import json

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
from tests.security.surface import all_events, routes_beside
from tests.security.world import IDS, World
from tests.support.gateway_wire import RawSocket

AT_ONCE = 40
CELLS = (len(EVENTS) + len(ROUTES) + len(PUBLIC)) * (len(ACTORS) + len(SHUT_OUT))


@pytest.fixture(scope="module")
def world(shared):
    """Everybody, on one server."""
    world = World(shared.chat)
    shared.run(world.open())
    return world


@pytest.fixture(scope="module")
def differences(shared, world):
    """For each row, the callers who do not get what it says, with what they get. All rows are asked
    for at once.
    """
    rows = {f"route: {what}": row for what, row in ROUTES.items()}
    rows |= {f"event: {what}": row for what, row in EVENTS.items()}
    rows |= {f"public: {call}": (call, None, public(call)) for call in PUBLIC}
    few = asyncio.Semaphore(AT_ONCE)

    async def ask(title, row, actor, expected):
        async with few:
            allowed = expected in ("ok", "200", "201")
            spent = title.split(": ")[1].startswith(SPENT)
            chats = await world.new_chats() if allowed and spent else world.shared
            return await world.ask(actor, row[0], row[1], chats)

    async def ask_all():
        cells = [
            (title, row, actor, expected)
            for title, row in rows.items()
            for actor, expected in expectations(title, row).items()
        ]
        answers = await asyncio.gather(*(ask(*cell) for cell in cells))
        found = {title: {} for title in rows}
        for (title, _, actor, expected), got in zip(cells, answers, strict=True):
            if got != expected:
                found[title][actor] = f"{got} instead of {expected}"
        return found

    return shared.run(ask_all())


def expectations(title, row):
    """What each caller gets, by the row. No event is among it for those who cannot connect."""
    kind, _, what = title.partition(": ")
    shut_out = {} if kind == "event" else SHUT_OUT
    if kind == "public" or what in TOKENLESS:
        shut_out = dict.fromkeys(SHUT_OUT, row[2].split()[0])
    return {**shut_out, **dict(zip(ACTORS, row[2].split(), strict=True))}


def public(call):
    return " ".join([PUBLIC[call]] * len(ACTORS))


@pytest.mark.parametrize("what", ROUTES)
def test_each_route_answers_each_caller_as_the_table_says(differences, what):
    """The right answer for everybody, whatever it is that they ask for."""
    assert differences[f"route: {what}"] == {}


@pytest.mark.parametrize("what", EVENTS)
def test_each_event_answers_each_caller_as_the_table_says(differences, what):
    """As by REST; those who are shut out cannot even connect."""
    assert differences[f"event: {what}"] == {}


@pytest.mark.parametrize("call", PUBLIC)
def test_what_is_public_answers_everybody_the_same(differences, call):
    """A token, good or bad, makes no difference."""
    assert differences[f"public: {call}"] == {}


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
