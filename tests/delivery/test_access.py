"""Revoking, blocking, unblocking and disconnecting users, at both doors and on live sockets."""

import asyncio
import time

import pytest

from chat.plugin_api import Plugin, before_action, before_connect, hookimpl
from chat.timings import Timings
from tests.support.delivery.chats import all_messages, connect_refusal, gone, host, rest_code, say
from tests.support.gateway.servers import MovableClock, generous
from tests.support.gateway.tokens import signed
from tests.support.gateway.wire import RawPolling, RawSocket
from tests.support.waiting import eventually

AFTER_S = 32
"""More than any clock may be off, and a second for `iat`."""


def old_token(**claims):
    """A token of user 1, issued a minute ago."""
    return signed(**{"id": 1, "iat": int(time.time()) - 60, **claims})


def newer_token(**claims):
    """A token of user 1, good once the clock has been moved, and issued after all before that."""
    return signed(**{"id": 1, "iat": int(time.time()) + AFTER_S, **claims})


@pytest.mark.parametrize(("what", "code"), [("revoke", "TOKEN_REVOKED"), ("block", "USER_BLOCKED")])
async def test_live_sockets_are_ended_at_once(serve, what, code):
    """All sockets of the user hear `sessionExpired` with the code and are closed; nobody else's.
    None of it waits for the next look at the tokens.
    """
    async with serve(timings=Timings(token_tick_s=60)) as chat:
        tabs = [await chat.connect(token=old_token()) for _ in range(3)]
        grace = await chat.connect(2)
        deciding = asyncio.ensure_future(host(chat, "POST", f"/admin/users/1/{what}", {}))
        for tab in tabs:
            ended = await tab.next("sessionExpired")
            assert ended["code"] == code
            await gone(tab, 10)
        assert await deciding == {"userId": 1, "disconnected": 3}
        await eventually(lambda: chat.app.gateway.get_user_sockets(1) == [])
        await grace.settle()
        assert grace.of("sessionExpired") == []


@pytest.mark.parametrize(("what", "code"), [("revoke", "TOKEN_REVOKED"), ("block", "USER_BLOCKED")])
async def test_the_old_token_is_refused_at_both_doors(serve, what, code):
    """403 in REST, a CONNECT_ERROR with the code at connect, the same for a refresh in place."""
    async with serve() as chat:
        await host(chat, "POST", f"/admin/users/1/{what}", {})
        refused = await chat.request(
            "GET", "/chats", None, headers={"Authorization": f"Bearer {old_token()}"}
        )
        assert (refused.status, refused.code) == (403, code)
        data = await connect_refusal(chat, old_token())
        assert (data["code"], data["retryable"]) == (code, False)
        assert await rest_code(chat, chat.token(2)) is None


async def test_a_revoked_token_cannot_refresh_a_socket(serve):
    """`authenticate` with one is TOKEN_REVOKED, and the socket keeps its newer identity."""
    clock = MovableClock()
    async with serve(clock=clock) as chat:
        await host(chat, "POST", "/admin/users/1/revoke", {})
        clock.move(seconds=AFTER_S)
        ada = await chat.connect(token=newer_token(role="new"))
        answer = await ada.call("authenticate", {"token": old_token(role="old")})
        assert answer["error"]["code"] == "TOKEN_REVOKED"
        assert (await ada.call("authenticate"))["data"]["user"]["role"] == "new"


async def test_a_newer_token_works_after_a_revoke(serve):
    """Only tokens issued up to that moment are worth nothing."""
    clock = MovableClock()
    async with serve(clock=clock) as chat:
        assert await connect_refusal(chat, old_token()) is None
        await host(chat, "POST", "/admin/users/1/revoke", {})
        clock.move(seconds=AFTER_S)
        assert await connect_refusal(chat, newer_token()) is None
        assert await rest_code(chat, newer_token()) is None


async def test_a_token_that_does_not_say_when_it_was_issued_is_revoked_too(serve):
    """It may be any of those that were meant; before a revoke it is as good as others."""
    async with serve() as chat:
        undated = signed(id=1)
        assert await rest_code(chat, undated) is None
        await host(chat, "POST", "/admin/users/1/revoke", {})
        assert await rest_code(chat, undated) == "TOKEN_REVOKED"
        assert (await connect_refusal(chat, undated))["code"] == "TOKEN_REVOKED"


async def test_a_blocked_user_is_refused_whatever_the_token_until_unblocked(serve):
    """Newer tokens do not help; unblocking does, for the old ones too."""
    clock = MovableClock()
    async with serve(clock=clock) as chat:
        await host(chat, "POST", "/admin/users/1/block", {})
        clock.move(seconds=AFTER_S)
        assert await rest_code(chat, newer_token()) == "USER_BLOCKED"
        assert await rest_code(chat, newer_token(type="admin")) == "USER_BLOCKED"
        told = await host(chat, "POST", "/admin/users/1/unblock", {})
        assert told == {"userId": 1, "disconnected": 0}
        assert await rest_code(chat, old_token()) is None
        assert await connect_refusal(chat, old_token()) is None


async def test_unblocking_does_not_bring_back_revoked_tokens(serve):
    """The two are two decisions."""
    clock = MovableClock()
    async with serve(clock=clock) as chat:
        for what in ("revoke", "block", "unblock"):
            await host(chat, "POST", f"/admin/users/1/{what}", {})
        clock.move(seconds=AFTER_S)
        assert await rest_code(chat, old_token()) == "TOKEN_REVOKED"
        assert await rest_code(chat, newer_token()) is None


async def test_decisions_survive_a_restart(serve):
    """They are stored before they are answered."""
    async with serve() as chat:
        await host(chat, "POST", "/admin/users/1/revoke", {})
        await host(chat, "POST", "/admin/users/ada@example.com/block", {})
        await host(chat, "POST", "/admin/users/3/block", {})
        await host(chat, "POST", "/admin/users/3/unblock", {})
    clock = MovableClock()
    async with serve(clock=clock) as chat:
        assert await rest_code(chat, old_token()) == "TOKEN_REVOKED"
        clock.move(seconds=AFTER_S)
        assert await rest_code(chat, newer_token()) is None
        blocked = await connect_refusal(chat, chat.token("ada@example.com"))
        assert blocked["code"] == "USER_BLOCKED"
        assert await rest_code(chat, chat.token(3)) is None


async def test_a_disconnected_user_comes_back_with_the_same_token(serve):
    """Only the transport is closed: no `sessionExpired`, no DISCONNECT that would keep a client
    away."""
    async with serve() as chat:
        raw = await RawSocket.enter(chat, 1)
        told = await host(chat, "POST", "/admin/users/1/disconnect", {})
        assert told == {"userId": 1, "disconnected": 1}
        await raw.until_end()
        assert not [
            each for each in raw.frames if str(each).startswith(("41", '42/chat,["session'))
        ]
        again = await RawSocket.enter(chat, 1)
        assert await again.is_alive()
        for each in (raw, again):
            await each.close()


@pytest.mark.parametrize("what", ["disconnect", "revoke", "block", "unblock"])
async def test_only_the_host_and_admins_decide(serve, what):
    """Others get FORBIDDEN and nothing happens; an admin may as the host may."""
    async with serve() as chat:
        ada = await chat.connect(token=old_token())
        refused = await chat.request("POST", f"/admin/users/1/{what}", 2, json={})
        assert (refused.status, refused.code) == (403, "FORBIDDEN")
        nobody = await chat.request("POST", f"/admin/users/1/{what}", None, json={})
        assert nobody.status == 401
        assert (await ada.call("ping"))["pong"] > 0
        allowed = await chat.request("POST", f"/admin/users/1/{what}", 9, "admin", json={})
        assert allowed.status == 200
        if what != "unblock":
            await gone(ada)


class Slow(Plugin):
    """Holds up connects, or the sends of one user, until told to go on."""

    name = "slow"

    def __init__(self):
        super().__init__()
        self.asked, self.go_on = asyncio.Event(), asyncio.Event()
        self.connects = self.sends = False

    async def _wait(self):
        self.asked.set()
        await self.go_on.wait()

    @hookimpl(before_connect, timeout_s=5)
    async def hold_connect(self, _attempt):
        if self.connects:
            await self._wait()

    @hookimpl(before_action, timeout_s=5)
    async def hold_send(self, action):
        if self.sends and action.name == "sendMessage":
            await self._wait()


@pytest.mark.parametrize("what", ["revoke", "block"])
async def test_a_decision_during_a_connect_is_felt(serve, what):
    """Who is on the way in while plugins think it over does not slip through."""
    slow = Slow()
    async with serve(**generous(slow)) as chat:
        raw = await RawSocket.open(chat)
        slow.connects = True
        connecting = asyncio.ensure_future(raw.connect({"token": old_token()}))
        await asyncio.wait_for(slow.asked.wait(), 5)
        await host(chat, "POST", f"/admin/users/1/{what}", {})
        slow.go_on.set()
        frame = await connecting
        assert frame.startswith("44/chat,"), frame
        assert chat.app.gateway.get_user_sockets(1) == []
        await raw.close()


@pytest.mark.parametrize("what", ["revoke", "block"])
async def test_what_waits_to_be_handled_is_not_done_after_the_decision(serve, what):
    """Events that a cut-off user sent before, and that were not begun, are never run."""
    slow = Slow()
    async with serve(**generous(slow)) as chat:
        chat_id = await chat.create_chat([1, 2])
        grace = await chat.connect(2)
        raw = await RawPolling.enter(chat, 1)
        slow.sends = True
        bodies = [f'{{"chatId":{chat_id},"content":"{number}"}}' for number in range(5)]
        # All in one POST, which is answered when the server has them all.
        await raw.post(*(f'42/chat,{i}["sendMessage",{each}]' for i, each in enumerate(bodies)))
        await asyncio.wait_for(slow.asked.wait(), 5)
        await host(chat, "POST", f"/admin/users/1/{what}", {})
        slow.sends = False
        slow.go_on.set()
        await eventually(lambda: chat.app.gateway.get_user_sockets(1) == [])
        await say(grace, chat_id, "the end")
        said = [each["message"] for each in await all_messages(chat, chat_id)]
        assert [each for each in said if each not in ("0", "the end")] == []
