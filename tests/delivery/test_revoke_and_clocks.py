"""Tokens whose `iat` is close to a revoke: nobody knows whether they were issued before it."""

import time

import pytest

from chat.plugin_api import Plugin, after_auth_failure, hookimpl
from tests.support.delivery.chats import connect_refusal, gone, host, rest_code, sent_away
from tests.support.gateway.servers import MovableClock, generous
from tests.support.gateway.tokens import signed
from tests.support.gateway.wire import RawSocket

SKEW_S = 30


def token(moved_s=0.0, **claims):
    """A token of user 1, issued that many seconds from now."""
    return signed(**{"id": 1, "iat": int(time.time()) + moved_s, **claims})


async def revoke(chat, user_id=1):
    await host(chat, "POST", f"/admin/users/{user_id}/revoke", {})


async def refused(chat, shown):
    """The whole REST answer to a token."""
    bearer = {"Authorization": f"Bearer {shown}"}
    return await chat.request("GET", "/chats", None, headers=bearer)


@pytest.mark.parametrize("shown", ["shown before", "not shown"])
@pytest.mark.parametrize("ahead_s", [0, 1, 15, 29])
async def test_a_token_of_a_fast_clock_is_never_good_after_a_revoke(serve, ahead_s, shown):
    """Issued before the revoke, it is refused at once and ever after; its sockets are ended."""
    clock = MovableClock()
    async with serve(clock=clock, **generous()) as chat:
        issued_before = token(ahead_s)
        transports = [["websocket"], ["polling"]] if shown == "shown before" else []
        tabs = [await chat.connect(token=issued_before, transports=each) for each in transports]
        await revoke(chat)
        for tab in tabs:
            assert (await tab.next("sessionExpired"))["code"] == "TOKEN_REVOKED"
            await gone(tab)
        assert await rest_code(chat, issued_before) == "AUTH_UNAVAILABLE"
        assert await sent_away(chat, issued_before)
        for moved_s in (SKEW_S + 2, SKEW_S, 600):
            clock.move(seconds=moved_s)
            assert await rest_code(chat, issued_before) in ("AUTH_UNAVAILABLE", "TOKEN_EXPIRED")
        assert await rest_code(chat, issued_before) == "TOKEN_EXPIRED"
        assert (await connect_refusal(chat, issued_before))["code"] == "TOKEN_EXPIRED"


async def test_who_signs_in_right_after_a_revoke_is_told_when_to_come_again(serve):
    """A retryable refusal with the time to wait, at both doors; a token of then is good."""
    clock = MovableClock()
    async with serve(clock=clock, **generous()) as chat:
        await revoke(chat)
        early = await refused(chat, token())
        assert (early.status, early.code) == (503, "AUTH_UNAVAILABLE")
        assert early.body["error"]["retryable"] is True
        wait_s = early.body["error"]["retryAfter"]
        assert 0 < wait_s <= SKEW_S + 1
        assert int(early.headers["Retry-After"]) >= 1
        assert await sent_away(chat, token())
        clock.move(seconds=wait_s)
        # The second may end between the two lines.
        good = token(wait_s + 1)
        assert await rest_code(chat, good) is None
        assert await connect_refusal(chat, good) is None
        socket = await RawSocket.open(chat)
        await socket.connect({"token": good})
        assert (await socket.call("authenticate", {"token": good}))["success"]


async def test_a_host_whose_clock_is_behind_is_not_told_that_it_is_over(serve):
    """Its new tokens seem older than the revoke: they are refused for now, and good later."""
    clock = MovableClock()
    async with serve(clock=clock, **generous()) as chat:
        await revoke(chat)
        assert await rest_code(chat, token(-5)) == "AUTH_UNAVAILABLE"
        clock.move(seconds=SKEW_S + 2)
        assert await rest_code(chat, token(SKEW_S + 2 - 5)) == "AUTH_UNAVAILABLE"
        clock.move(seconds=6)
        assert await rest_code(chat, token(SKEW_S + 8 - 5)) is None


async def test_a_token_certainly_issued_before_a_revoke_is_revoked(serve):
    """Its `iat` is further before the revoke than any clock may be off, or it has none."""
    async with serve(**generous()) as chat:
        await revoke(chat)
        for shown in (token(-SKEW_S - 2), signed(id=1)):
            assert await rest_code(chat, shown) == "TOKEN_REVOKED"
            assert (await connect_refusal(chat, shown))["code"] == "TOKEN_REVOKED"


async def test_a_refused_refresh_leaves_the_socket_as_it_is(serve):
    """`authenticate` with a token that is close to a revoke is retryable, and ends nothing."""
    clock = MovableClock()
    async with serve(clock=clock, **generous()) as chat:
        early = token()
        await revoke(chat)
        clock.move(seconds=SKEW_S + 2)
        socket = await RawSocket.open(chat)
        await socket.connect({"token": token(SKEW_S + 3)})
        answer = await socket.call("authenticate", {"token": early})
        assert answer["error"]["code"] == "TOKEN_EXPIRED"
        assert await socket.is_alive()


async def test_the_accepted_skew_is_a_setting(serve):
    """With CLOCK_SKEW_S=0 only the second of the revoke is in doubt, and `iat` is never ahead."""
    clock = MovableClock()
    async with serve(clock=clock, clock_skew_s=0, **generous()) as chat:
        assert await rest_code(chat, token(5)) == "TOKEN_INVALID"
        await revoke(chat)
        early = await refused(chat, token())
        if early.code is not None:  # otherwise the second has ended
            assert early.code == "AUTH_UNAVAILABLE"
            assert early.body["error"]["retryAfter"] == 1
        clock.move(seconds=1)
        assert await rest_code(chat, token(1)) is None


async def test_the_doubt_survives_a_restart(serve):
    """The moment of a revoke is stored."""
    issued_before = token(20)
    async with serve() as chat:
        await revoke(chat)
    async with serve() as chat:
        assert await rest_code(chat, issued_before) == "AUTH_UNAVAILABLE"


async def test_a_revoke_answers_at_once(serve):
    """It holds from its moment on; nobody has to wait for the next second."""
    async with serve(**generous()) as chat:
        began = time.monotonic()
        for _ in range(5):
            await revoke(chat)
        assert time.monotonic() - began < 3.5  # five of them would wait for four seconds


class Watcher(Plugin):
    """Keeps what it is told of refused tokens."""

    name = "watcher"

    def __init__(self):
        super().__init__()
        self.failures = []

    @hookimpl(after_auth_failure)
    async def keep(self, failure):
        self.failures.append(failure)


async def test_a_client_that_tries_again_and_again_does_not_fill_the_log(serve):
    """Of refusals that pass, plugins are told as many a minute as of bad tokens."""
    watcher = Watcher()
    async with serve(max_failed_tokens_per_min=3, **generous(watcher)) as chat:
        await revoke(chat)
        for _ in range(8):
            assert await rest_code(chat, token()) == "AUTH_UNAVAILABLE"
        await chat.app.hooks.drain()
        told = [(each.code.value, each.reason, each.user_id) for each in watcher.failures]
        assert told == [("AUTH_UNAVAILABLE", "near a revoke", 1)] * 3
