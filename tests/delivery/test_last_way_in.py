"""Who may block and revoke whom: no admin locks out the host, another admin or themselves."""

import asyncio
import time

import pytest

from tests.support.delivery.chats import connect_refusal, gone, host, rest_code
from tests.support.delivery.stores import database_of
from tests.support.gateway.servers import generous
from tests.support.gateway.tokens import signed

DECISIONS = ["block", "revoke", "unblock"]


def old(user_id, user_type):
    """A token of somebody, issued a minute ago."""
    return signed(id=user_id, type=user_type, iat=int(time.time()) - 60)


async def decide(chat, what, user_id, by=("boss", "admin")):
    return await chat.request("POST", f"/admin/users/{user_id}/{what}", *by, json={})


@pytest.mark.parametrize("what", DECISIONS)
@pytest.mark.parametrize("target", [("host", "service"), ("other", "admin")])
async def test_an_admin_does_not_decide_about_services_and_admins(serve, what, target):
    """FORBIDDEN, and they stay in: in REST, on their sockets, and at their next connect."""
    async with serve(**generous()) as chat:
        shown = old(*target)
        live = await chat.connect(token=shown)
        refused = await decide(chat, what, target[0])
        assert (refused.status, refused.code) == (403, "FORBIDDEN")
        assert (await live.call("ping"))["pong"] > 0
        assert await rest_code(chat, shown) is None
        assert await connect_refusal(chat, shown) is None


@pytest.mark.parametrize("what", DECISIONS)
@pytest.mark.parametrize("by", [("boss", "admin"), ("host", "service"), ("7", "admin")])
async def test_nobody_decides_about_themselves(serve, what, by):
    """FORBIDDEN for an admin and for a service, however the id is spelt."""
    async with serve(**generous()) as chat:
        refused = await decide(chat, what, by[0], by)
        assert (refused.status, refused.code) == (403, "FORBIDDEN")
        assert (await chat.request("GET", "/admin/stats", *by)).status == 200


@pytest.mark.parametrize(("what", "code"), [("block", "USER_BLOCKED"), ("revoke", "TOKEN_REVOKED")])
async def test_what_an_admin_decides_never_holds_for_a_service_or_an_admin(serve, what, code):
    """The server may not have met them: the type in their token decides, after a restart too."""
    async with serve(**generous()) as chat:
        assert (await decide(chat, what, "new")).status == 200
        assert await rest_code(chat, old("new", "employee")) == code
    async with serve(**generous()) as chat:
        for user_type in ("service", "admin"):
            assert await rest_code(chat, old("new", user_type)) is None
            assert await connect_refusal(chat, old("new", user_type)) is None
        for user_type in ("employee", "bot", "Service"):
            assert await rest_code(chat, old("new", user_type)) == code
            assert (await connect_refusal(chat, old("new", user_type)))["code"] == code


@pytest.mark.parametrize(("what", "code"), [("block", "USER_BLOCKED"), ("revoke", "TOKEN_REVOKED")])
@pytest.mark.parametrize("user_type", ["admin", "service", "employee"])
async def test_a_service_decides_about_everybody_else(serve, what, code, user_type):
    """Its decision holds for tokens of every type, at once and after a restart."""
    async with serve(**generous()) as chat:
        live = await chat.connect(token=old("them", user_type))
        assert (await decide(chat, what, "them", ("host", "service"))).status == 200
        assert (await live.next("sessionExpired"))["code"] == code
        await gone(live)
        assert await rest_code(chat, old("them", user_type)) == code
    async with serve(**generous()) as chat:
        assert await rest_code(chat, old("them", user_type)) == code


async def test_an_admin_does_not_undo_what_a_service_decided_about_an_admin(serve):
    """After an admin's `unblock` only the ordinary tokens of that user are good again."""
    async with serve(**generous()) as chat:
        await host(chat, "POST", "/admin/users/them/block", {})
    async with serve(**generous()) as chat:
        # The server has not met them since its start.
        assert (await decide(chat, "unblock", "them")).status == 200
        assert await rest_code(chat, old("them", "employee")) is None
        assert await rest_code(chat, old("them", "admin")) == "USER_BLOCKED"
        assert (await decide(chat, "unblock", "them")).code == "FORBIDDEN"
        await host(chat, "POST", "/admin/users/them/unblock", {})
        assert await rest_code(chat, old("them", "admin")) is None


async def test_decisions_of_version_0_1_hold_as_they_did(serve, mongodb_uri):
    """They name no type: they hold for tokens of every type, until a service undoes them."""
    async with database_of(mongodb_uri) as database:
        await database.access.insert_one(
            {"_id": "them", "v": 1, "blocked": True, "revokedBefore": None}
        )
    async with serve(**generous()) as chat:
        for user_type in ("employee", "admin", "service"):
            assert await rest_code(chat, old("them", user_type)) == "USER_BLOCKED"
        await host(chat, "POST", "/admin/users/them/unblock", {})
        for user_type in ("employee", "admin", "service"):
            assert await rest_code(chat, old("them", user_type)) is None


async def test_two_decisions_at_the_same_time_both_hold(serve):
    """A block and a revoke of one user do not store each other's old half."""
    async with serve(**generous()) as chat:
        answers = await asyncio.gather(
            *(decide(chat, what, 1, ("host", "service")) for what in ("block", "revoke"))
        )
        assert [each.status for each in answers] == [200, 200]
    async with serve(**generous()) as chat:
        assert await rest_code(chat, old(1, "employee")) == "USER_BLOCKED"
        await host(chat, "POST", "/admin/users/1/unblock", {})
        assert await rest_code(chat, old(1, "employee")) == "TOKEN_REVOKED"
