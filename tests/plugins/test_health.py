"""The health plugin: live as long as the process runs, ready as long as it can take traffic."""

import pytest

from chat.errors import StoreUnavailableError


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


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
async def test_health_is_only_for_reading(serve, method):
    """Any other method is refused by name."""
    async with serve() as chat:
        answer = await chat.request(method, "/health/live", None, body=b"")
        assert (answer.status, answer.code) == (405, "METHOD_NOT_ALLOWED")
