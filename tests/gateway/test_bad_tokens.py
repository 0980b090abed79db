"""Bad tokens in numbers: limited by address and user at both doors, never in a good one's way."""

import json

import pytest

from chat.auth import claimed_user
from chat.plugin_api import AuthFailure, Plugin, after_auth_failure, hookimpl
from chat.services.admission import MAX_NAMES, FailedTokens
from tests.support.gateway.servers import MovableClock, generous
from tests.support.gateway.tokens import hours, signed
from tests.support.gateway.wire import RawPolling, RawSocket
from tests.support.waiting import eventually

OTHER_SECRET = "another-secret-that-is-long-enough-to-be-one"


class Watcher(Plugin):
    """Hears of every failure."""

    name = "watcher"

    def __init__(self):
        super().__init__()
        self.codes = []

    @hookimpl(after_auth_failure)
    async def heard(self, failure: AuthFailure) -> None:
        self.codes.append(failure.code.value)


def bad(user_id=1):
    return signed(OTHER_SECRET, id=user_id)


async def _asked(chat, token):
    return await chat.request("GET", "/chats", None, headers={"Authorization": f"Bearer {token}"})


async def test_rest_refuses_bad_tokens_over_the_limit_with_429(serve):
    """Retry-After says when; a good token of the same user from the same address passes, and so
    does what another user's bad one has to hear. After the minute the truth is told again.
    """
    clock, watcher = MovableClock(), Watcher()
    settings = {"max_failed_tokens_per_min": 3, **generous(watcher)}
    async with serve(clock=clock, **settings) as chat:
        codes = [(await _asked(chat, bad())).code for _ in range(5)]
        assert codes == ["TOKEN_INVALID"] * 3 + ["RATE_LIMITED"] * 2
        limited = await _asked(chat, bad())
        assert limited.status == 429
        assert 0 < int(limited.headers["Retry-After"]) <= 20
        assert limited.body["error"]["retryable"] is True
        assert (await _asked(chat, chat.token(1))).status == 200
        assert (await _asked(chat, bad(2))).code == "TOKEN_INVALID"
        assert (await _asked(chat, signed(id=3, exp=hours(-1)))).code == "TOKEN_EXPIRED"
        await chat.app.hooks.drain()
        assert watcher.codes == ["TOKEN_INVALID"] * 4 + ["TOKEN_EXPIRED"]
        clock.jump(60)
        assert (await _asked(chat, bad())).code == "TOKEN_INVALID"


async def test_a_socket_with_a_bad_token_over_the_limit_is_closed_without_a_word(serve):
    """RATE_LIMITED is retryable, so it is no CONNECT_ERROR: the client comes back by itself, and
    hears the truth then. Someone with a good token is let in meanwhile.
    """
    async with serve(max_failed_tokens_per_min=2, **generous()) as chat:
        for transport in (RawSocket, RawPolling):
            raw = await transport.open(chat)
            answer = await raw.connect({"token": bad()})
            assert json.loads(answer.partition(",")[2])["data"]["code"] == "TOKEN_INVALID"
        raw = await RawSocket.open(chat)
        await raw.send("40/chat," + json.dumps({"token": bad()}))
        await raw.until_end()
        assert not [frame for frame in raw.frames if frame.startswith(("40", "44"))]
        assert await (await RawSocket.enter(chat, 1)).is_alive()
        assert (await _asked(chat, bad())).code == "RATE_LIMITED"


async def test_a_socket_that_renews_its_token_is_limited_too(serve):
    """`authenticate` with one bad token after the other is no way around the limit; the socket
    itself keeps its good one.
    """
    async with serve(max_failed_tokens_per_min=2, **generous()) as chat:
        raw = await RawSocket.enter(chat, 1)
        answers = [await raw.call("authenticate", {"token": bad()}) for _ in range(4)]
        codes = [answer["error"]["code"] for answer in answers]
        assert codes == ["TOKEN_INVALID"] * 2 + ["RATE_LIMITED"] * 2
        assert answers[-1]["error"]["retryAfter"] > 0
        assert (await raw.call("authenticate", {"token": chat.token(1)}))["success"]


async def test_a_request_without_a_token_is_no_failed_token(serve):
    """There is nothing to guess with: the answer stays UNAUTHENTICATED."""
    async with serve(max_failed_tokens_per_min=1, **generous()) as chat:
        answers = [await chat.request("GET", "/chats", None) for _ in range(4)]
        assert [answer.code for answer in answers] == ["UNAUTHENTICATED"] * 4


async def test_a_refused_session_gets_no_second_try(serve):
    """After a CONNECT_ERROR the next CONNECT ends the session, a good token in it or not."""
    async with serve(**generous()) as chat:
        for token in (bad(), chat.token(1)):
            raw = await RawSocket.open(chat)
            await raw.connect({"token": bad()})
            await raw.send("40/chat," + json.dumps({"token": token}))
            await raw.until_end()
            assert len([frame for frame in raw.frames if frame.startswith("44")]) == 1
        polling = await RawPolling.open(chat)
        await polling.connect({"token": bad()})
        await polling.post("40/chat," + json.dumps({"token": chat.token(1)}))
        await polling.until_end()
        assert chat.app.gateway.get_active_users_count() == 0
        await eventually(lambda: len(chat.app.gateway.server.eio.quota) == 0)


@pytest.mark.parametrize(
    ("token", "user_id"),
    [
        (bad(7), 7),
        (signed(OTHER_SECRET, sub="7"), 7),
        (signed(OTHER_SECRET, sub="6f1c"), "6f1c"),
        (signed(OTHER_SECRET, id=[1]), None),
        (signed(OTHER_SECRET, id="x" * 65), None),
        (signed(OTHER_SECRET), None),
        (bad() + "x" * 9_000, None),
        ("a.b.c", None),
        ("", None),
        (None, None),
        ({"$gt": ""}, None),
    ],
)
def test_the_user_of_a_bad_token_is_read_without_belief(token, user_id):
    """For counting: an id as it might be one, else nobody."""
    assert claimed_user(token) == user_id


def test_made_up_names_do_not_fill_the_memory():
    """Where there are too many of them an address is counted as one; what is old is forgotten."""
    clock = MovableClock()
    failed = FailedTokens(2, clock)
    waits = [failed.wait_s("203.0.113.7", name) for name in range(MAX_NAMES + 50)]
    assert len(failed) <= MAX_NAMES + 1
    assert waits[:MAX_NAMES] == [0.0] * MAX_NAMES
    assert waits[-1] > 0
    assert failed.wait_s("203.0.113.8", 5) == 0
    clock.jump(61)
    assert failed.wait_s("203.0.113.7", "new") == 0
    assert len(failed) <= 2


def test_the_addresses_of_one_ipv6_network_are_one():
    """A household has 2^64 of them."""
    failed = FailedTokens(1, MovableClock())
    assert failed.wait_s("2001:db8::1", None) == 0
    assert failed.wait_s("2001:db8::2", None) > 0
    assert failed.wait_s("2001:db8:0:1::1", None) == 0
