"""Refused requests cost who asks: over the budget 429, before anything else is looked at."""

import pytest

from tests.support.gateway.servers import UNLIMITED, MovableClock

# Half of it at once, four times as many for a user.
PER_MIN = 30
OF_A_USER = 60


class StandingClock(MovableClock):
    """Time passes for limits where the test says so."""

    def monotonic(self):
        return 1_000 + self._passed_s


@pytest.fixture
def server(serve):
    """A server with a small budget, on a clock that stands."""
    clock = StandingClock()

    def start(**more):
        return serve(
            plugin_names=UNLIMITED, max_refused_per_min=PER_MIN, clock=clock,
            max_lookups_per_s=10**6, **more,
        )  # fmt: skip

    return start, clock


async def use_up(chat, user_id, refusals=OF_A_USER):
    """Refused requests until the budget of the user is used up."""
    for _ in range(refusals):
        assert (await chat.request("GET", "/chats/99", user_id)).status == 403


async def test_over_the_budget_a_user_is_told_to_come_later(server):
    """Whatever is asked for, with Retry-After; others at the same address are not held back, nor is
    the host.
    """
    start, clock = server
    async with start() as chat:
        chat_id = await chat.create_chat([1, 2])
        await use_up(chat, 1)
        refused = await chat.request("GET", f"/chats/{chat_id}", 1)
        assert (refused.status, refused.code) == (429, "RATE_LIMITED")
        assert int(refused.headers["Retry-After"]) >= 1
        assert (await chat.request("GET", f"/chats/{chat_id}", 2)).status == 200
        assert (await chat.request("GET", "/health/live", None)).status == 200
        clock.jump(5)
        assert (await chat.request("GET", f"/chats/{chat_id}", 1)).status == 200


async def test_over_the_budget_a_body_is_not_looked_at(server):
    """Not even whether it is JSON."""
    start, _ = server
    async with start() as chat:
        broken = {"method": "POST", "path": "/chats", "headers": {"Content-Type": "text/plain"}}
        assert (await chat.request(user_id=1, json={}, **broken)).status == 415
        await use_up(chat, 1, OF_A_USER - 2)
        assert (await chat.request(user_id=1, json={}, **broken)).status == 429


async def test_a_large_body_costs_more(server):
    """Reading it is most of the work."""
    start, _ = server
    async with start() as chat:
        body = {"participantIds": [[]] * 9_000, "title": "x" * 200_000}
        statuses = [(await chat.request("POST", "/chats", 1, json=body)).status for _ in range(8)]
        assert statuses[0] == 400
        assert statuses[-1] == 429


async def test_nobody_known_is_counted_by_address(server):
    """Paths that are none, and requests without a token; who has a good one does not feel it."""
    start, _ = server
    async with start() as chat:
        chat_id = await chat.create_chat([1])
        statuses = {(await chat.request("GET", "/nowhere", None)).status for _ in range(200)}
        assert statuses == {404, 429}
        assert (await chat.request("GET", "/chats", None)).status == 429
        assert (await chat.request("GET", f"/chats/{chat_id}", 1)).status == 200
        assert (await chat.request("GET", "/health/live", None)).status == 200


async def test_the_host_is_not_charged(server):
    """Its back end speaks for many."""
    start, _ = server
    async with start() as chat:
        for _ in range(OF_A_USER + 20):
            answer = await chat.request("GET", "/chats/99", "host", "service")
            assert answer.status == 404


async def test_refused_events_and_requests_draw_from_one_budget(server):
    """The other door is no way around."""
    start, _ = server
    async with start(max_sockets_per_user=20) as chat:
        for _ in range(5):
            tab = await chat.connect(1)
            for _ in range(OF_A_USER // 5):
                await tab.call("nothing")
        assert (await chat.request("GET", "/chats", 1)).status == 429
