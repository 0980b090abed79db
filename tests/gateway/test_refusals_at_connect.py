"""Which refusals at connect are final for the official client, and which it comes back from.

After a CONNECT_ERROR it stays away for good, so only a refusal that no later try with the same
token can change is one; every other one closes the transport.
"""

import asyncio
import json

import pytest

from chat.plugin_api import ErrorCode, Plugin, Reject, before_connect, hookimpl
from tests.support.delivery.chats import host
from tests.support.gateway.servers import UNLIMITED, generous, limits
from tests.support.gateway.tokens import hours, signed
from tests.support.gateway.wire import RawPolling, RawSocket

OTHER = "another-secret-that-is-long-enough-to-be-one"


class Judge(Plugin):
    """Does to each user what their id says."""

    name = "judge"

    @hookimpl(before_connect, timeout_s=0.05)
    async def decide(self, attempt):
        what = attempt.identity.user_id
        if what == "hangs":
            await asyncio.Event().wait()
        elif what == "crashes":
            raise RuntimeError("a bug")
        elif what == "times-out":
            raise TimeoutError
        elif isinstance(what, str) and what in ErrorCode.__members__:
            raise Reject(ErrorCode[what], "no")


async def outcome(chat, token, transport=RawSocket):
    """The code of the CONNECT_ERROR, `in`, or `closed` where the transport just ended."""
    raw = await transport.open(chat)
    packet = "40/chat," + json.dumps({"token": token})
    await (raw.post(packet) if transport is RawPolling else raw.send(packet))
    try:
        answer = await raw.until("40/chat,", "44/chat,")
    except AssertionError:
        assert not [frame for frame in raw.frames if frame.startswith(("40", "44"))]
        return "closed"
    return "in" if answer[1] == "0" else json.loads(answer.partition(",")[2])["data"]["code"]


@pytest.mark.expects_errors
@pytest.mark.parametrize("transport", [RawSocket, RawPolling])
@pytest.mark.parametrize("what", ["hangs", "crashes", "times-out"])
async def test_a_plugin_that_fails_keeps_nobody_away(serve, transport, what):
    """Its time-out, its crash: the client tries again."""
    async with serve(**generous(Judge())) as chat:
        assert await outcome(chat, chat.token(what), transport) == "closed"
        assert await outcome(chat, chat.token(1), transport) == "in"


@pytest.mark.parametrize("code", ["REJECTED", "FORBIDDEN", "USER_BLOCKED"])
async def test_a_plugin_that_says_no_is_final(serve, code):
    """With the code that it gives."""
    async with serve(**generous(Judge())) as chat:
        assert await outcome(chat, chat.token(code)) == code


@pytest.mark.parametrize(
    "code", ["RATE_LIMITED", "STORAGE_UNAVAILABLE", "TIMEOUT", "INTERNAL_ERROR", "AUTH_UNAVAILABLE"]
)
async def test_a_plugin_that_says_not_now_is_not_final(serve, code):
    """The codes that are retryable everywhere else are so here."""
    async with serve(**generous(Judge())) as chat:
        assert await outcome(chat, chat.token(code)) == "closed"


async def test_what_the_token_says_is_final(serve):
    """No later try with the same one can succeed."""
    async with serve(**generous()) as chat:
        for user_id, what in ((3, "block"), (4, "revoke")):
            await host(chat, "POST", f"/admin/users/{user_id}/{what}", {})
        for token, code in (
            (None, "UNAUTHENTICATED"),
            (signed(OTHER, id=1), "TOKEN_INVALID"),
            (signed(id=1, nbf=hours(0) + 60), "TOKEN_INVALID"),
            (signed(id=1, exp=hours(-1)), "TOKEN_EXPIRED"),
            (signed(id=3), "USER_BLOCKED"),
            (signed(id=4), "TOKEN_REVOKED"),
        ):
            assert await outcome(chat, token) == code
        assert await outcome(chat, signed(id=1, nbf=hours(0) + 20, iat=hours(0) + 20)) == "in"


async def test_limits_are_not_final(serve):
    """Of connects, of a user's sockets, of bad tokens."""
    settings = {"max_failed_tokens_per_min": 1, "max_sockets_per_user": 1}
    hasty = [limits(connect_per_s=0.01, connect_burst=2)]
    async with serve(plugin_names=UNLIMITED, plugins=hasty, **settings) as chat:
        assert [await outcome(chat, chat.token(1)) for _ in range(3)] == ["in", "closed", "closed"]
        assert await outcome(chat, signed(OTHER, id=2)) == "TOKEN_INVALID"
        assert await outcome(chat, signed(OTHER, id=2)) == "closed"


async def test_a_server_that_drains_is_not_final(serve):
    """Its successor lets the client in."""
    async with serve(**generous()) as chat:
        chat.app.gateway.refuse_newcomers()
        assert await outcome(chat, chat.token(1)) == "closed"
        assert await outcome(chat, signed(OTHER, id=1)) == "closed"


@pytest.mark.expects_errors
async def test_a_crash_of_the_server_is_not_final(serve, monkeypatch):
    """Whatever it is, the client tries again."""
    async with serve(**generous()) as chat:

        def crash(_identity):
            raise RuntimeError("a bug")

        monkeypatch.setattr(chat.app.domain.access, "admit", crash)
        assert await outcome(chat, chat.token(1)) == "closed"
