"""The health plugin: live as long as the process runs, ready as long as it can take traffic."""

import asyncio

import pytest

from chat.errors import StoreUnavailableError
from tests.support.gateway.servers import MovableClock
from tests.support.waiting import turns


async def test_a_running_server_is_live_and_ready_for_everybody(serve):
    """Both routes are public; each part is named."""
    async with serve() as chat:
        live = await chat.request("GET", "/health/live", None)
        assert (live.status, live.body) == (200, {"status": "live"})
        ready = await chat.request("GET", "/health/ready", None)
        assert ready.status == 200
        assert ready.body["status"] == "ready"
        assert ready.body["parts"] == {"server": "ok", "store": "ok"}


async def test_without_its_store_the_server_is_live_and_not_ready(serve, monkeypatch):
    """503 tells a load balancer to look elsewhere; which part it is stands in the body."""
    async with serve() as chat:

        async def unreachable(_self):
            raise StoreUnavailableError

        monkeypatch.setattr("chat.repositories.mongo.MongoStore.ping", unreachable)
        ready = await chat.request("GET", "/health/ready", None)
        assert ready.status == 503
        assert ready.body["status"] == "unavailable"
        assert ready.body["parts"]["store"] == "unreachable"
        assert (await chat.request("GET", "/health/live", None)).status == 200


async def test_the_store_is_asked_once_a_second_however_many_ask(serve, monkeypatch):
    """The route is public: what one stranger asks in a loop must not become load on the store."""
    asked = []

    async def ping(_self):
        asked.append(1)
        await turns()  # so that all of them are there before it answers

    monkeypatch.setattr("chat.repositories.mongo.MongoStore.ping", ping)
    clock = MovableClock()
    async with serve(clock=clock) as chat:
        for expected in (1, 2):
            asking = (chat.request("GET", "/health/ready", None) for _ in range(20))
            answers = await asyncio.gather(*asking)
            assert {each.status for each in answers} == {200}
            assert (await chat.request("GET", "/health/ready", None)).status == 200
            assert len(asked) == expected
            clock.jump(1.1)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
async def test_health_is_only_for_reading(serve, method):
    """Any other method is refused by name."""
    async with serve() as chat:
        answer = await chat.request(method, "/health/live", None, body=b"")
        assert (answer.status, answer.code) == (405, "METHOD_NOT_ALLOWED")
