"""Refused events cost their sender: the socket is read more slowly, and in the end cut."""

import asyncio
import json

import pytest

from chat.plugin_api import (
    ClientEvent,
    ErrorCode,
    Plugin,
    Reject,
    hookimpl,
    register_events,
)
from tests.support.gateway.servers import UNLIMITED, limits
from tests.support.gateway.wire import RawPolling, RawSocket
from tests.support.waiting import eventually

# 10 a second, 300 at once.
PER_MIN = 600
BURST = 300


class Refuser(Plugin):
    """Brings an event that it always refuses, and one that waits."""

    name = "refuser"

    def __init__(self, code=ErrorCode.REJECTED):
        super().__init__()
        self.code = code
        self.ran = 0

    @hookimpl(register_events)
    async def events(self, _start):
        return [
            ClientEvent(name="refused", handler=self.refuse),
            ClientEvent(name="counted", handler=self.count),
        ]

    async def refuse(self, _identity, _payload):
        raise Reject(self.code, "no")

    async def count(self, _identity, _payload):
        self.ran += 1
        raise Reject(ErrorCode.REJECTED, "no")


def settings(*plugins, **more):
    """A server whose plugin `rate_limit` is in nobody's way."""
    return {
        "plugin_names": UNLIMITED,
        "plugins": [limits(), *plugins],
        "max_refused_per_min": PER_MIN,
        **more,
    }


async def answered(raw, body, times):
    """Send the event so often, in bursts below MAX_WAITING_EVENTS, and read all acks."""
    for first in range(0, times, 100):
        numbers = range(first, min(times, first + 100))
        await raw.burst(*(f"42/chat,{number}{body}" for number in numbers))
        for number in numbers:
            await raw.ack(number)


@pytest.mark.parametrize(
    "body",
    [
        '["nothing"]',
        '["sendMessage",{"chatId":"x"}]',
        '["sendMessage",{"chatId":1}',
        '["refused"]',
        '["joinChat",{"chatId":9}]',
        "[7]",
    ],
    ids=["unknown", "invalid", "no JSON", "by a plugin", "not a participant", "no name"],
)
async def test_a_socket_whose_events_are_refused_is_read_more_slowly(serve, body):
    """Every kind of refusal counts. What comes next waits with the client, and is done after it."""
    async with serve(**settings(Refuser(), max_lookups_per_s=1e6, max_pages_per_s=1e6)) as chat:
        raw, tab = await RawSocket.enter(chat), await RawSocket.enter(chat)
        loop = asyncio.get_running_loop()
        began = loop.time()
        await answered(raw, body, BURST)
        spare = 10 * (loop.time() - began)
        over = int(spare) + 20
        await answered(raw, body, over)
        paused_at = loop.time()
        assert await tab.is_alive()
        held_up_s = (over - spare) / 10
        assert loop.time() - paused_at < held_up_s / 2, "another tab of the user is held up"
        assert await raw.is_alive()
        assert loop.time() - began > held_up_s / 2


async def test_a_socket_that_goes_on_is_cut_with_a_reason_that_lets_it_come_back(serve, log):
    """The last that it hears is `error`, RATE_LIMITED with `retryAfter`; no DISCONNECT, after which
    the official client would stay away.
    """
    # A minute's debt is 900 of them; a slow machine has paid some of it back before the last.
    async with serve(**settings(max_waiting_events=5_000)) as chat:
        raw = await RawSocket.enter(chat)
        await raw.burst(*['42/chat,["nothing"]'] * 1_500)
        await raw.until_end()
        said = [frame for frame in raw.frames if frame.startswith("4")]
        last = json.loads(said[-1].removeprefix("42/chat,"))
        assert last[0] == "error"
        assert (last[1]["code"], last[1]["retryable"]) == ("RATE_LIMITED", True)
        assert last[1]["retryAfter"] > 0
        assert "event" not in last[1]
        assert not any(frame.startswith("41") for frame in raw.frames)
        assert await (await RawSocket.enter(chat)).is_alive()
        assert [each["user_id"] for each in log.entries if each["event"] == "session_ended"] == [1]


async def test_what_a_cut_socket_has_sent_is_not_done_any_more(serve):
    """It would be refused one by one, long after the cut."""
    refuser = Refuser()
    async with serve(**settings(refuser, max_waiting_events=5_000)) as chat:
        raw = await RawSocket.enter(chat)
        await raw.burst(*['42/chat,["counted"]'] * 2_000)
        await raw.until_end()
        await eventually(lambda: chat.app.gateway.get_user_sockets(1) == [])
        assert refuser.ran < 1_200


async def test_a_client_that_makes_a_few_mistakes_never_meets_it(serve):
    """Two hundred refused joins after a reconnect, say: in chats that it was removed from."""
    async with serve(**settings()) as chat:
        raw = await RawSocket.enter(chat)
        began = asyncio.get_running_loop().time()
        await answered(raw, '["nothing"]', 200)
        assert await raw.is_alive()
        assert chat.app.hub.all()[0].session.paused_until == 0
        assert asyncio.get_running_loop().time() - began < 20


async def test_many_sockets_of_a_user_are_not_as_many_budgets(serve):
    """A user has four times as many as a socket."""
    async with serve(**settings(max_sockets_per_user=20)) as chat:
        tabs = [await RawSocket.enter(chat) for _ in range(8)]
        await asyncio.gather(*(answered(each, '["nothing"]', 200) for each in tabs))
        sessions = [each.session for each in chat.app.hub.all()]
        assert any(each.paused_until for each in sessions)


@pytest.mark.parametrize(
    ("code", "charged"),
    [
        (ErrorCode.STORAGE_UNAVAILABLE, False),
        (ErrorCode.TIMEOUT, False),
        (ErrorCode.SHUTTING_DOWN, False),
        (ErrorCode.VALIDATION_ERROR, True),
    ],
)
async def test_failures_of_the_server_are_not_charged(serve, code, charged):
    """Who is answered STORAGE_UNAVAILABLE or TIMEOUT has done nothing wrong."""
    async with serve(**settings(Refuser(code), max_refused_per_min=30)) as chat:
        raw = await RawSocket.enter(chat)
        await answered(raw, '["refused"]', 17)
        session = chat.app.hub.all()[0].session
        assert bool(session.paused_until) is charged


async def test_being_told_to_wait_costs_a_tenth(serve):
    """A client that tries its joins again and again has done nothing wrong."""
    refuser = Refuser(ErrorCode.RATE_LIMITED)
    async with serve(**settings(refuser, max_refused_per_min=30)) as chat:
        raw = await RawSocket.enter(chat)
        session = chat.app.hub.all()[0].session
        await answered(raw, '["refused"]', 140)
        assert session.paused_until == 0
        await raw.burst(*['42/chat,["refused"]'] * 60)
        await eventually(lambda: session.paused_until)


async def test_a_rush_of_refusals_is_read_no_faster_than_it_is_answered(serve):
    """200 a second of one user, whatever its budget; nothing is lost, and nothing is ended."""
    async with serve(**settings(max_refused_per_min=1_000_000)) as chat:
        raw = await RawSocket.enter(chat)
        loop = asyncio.get_running_loop()
        began = loop.time()
        await answered(raw, '["nothing"]', 500)
        assert loop.time() - began > 0.9


async def test_the_host_is_not_charged(serve):
    """Its back end speaks for many."""
    async with serve(**settings(max_refused_per_min=30)) as chat:
        service = await chat.connect("host", "service")
        for _ in range(60):
            await service.call("nothing")
        assert chat.app.hub.all()[0].session.paused_until == 0


async def test_a_polling_client_waits_in_its_post(serve):
    """The POST is answered when the debt is paid; a second one meanwhile is answered 429, and ends
    the session.
    """
    # 4 a second, 120 at once.
    async with serve(**settings(max_refused_per_min=240)) as chat:
        raw = await RawPolling.enter(chat)
        assert (await raw.post(*['42/chat,["nothing"]'] * 128)).code == 200
        session = chat.app.hub.all()[0].session
        await eventually(lambda: session.paused_until)
        loop = asyncio.get_running_loop()
        began = loop.time()
        assert (await raw.post('42/chat,["authenticate"]')).code == 200
        assert loop.time() - began > 0.5
        await raw.post(*['42/chat,["nothing"]'] * 8)
        await eventually(lambda: session.paused_until > loop.time())
        waiting = asyncio.ensure_future(raw.post("3"))
        await eventually(lambda: session._post_waits)
        refused = await raw.post("3")
        assert refused.code == 429
        assert json.loads(refused.body)["error"]["code"] == "RATE_LIMITED"
        assert int(refused.headers["Retry-After"]) >= 1
        await waiting
        await raw.until_end()


async def test_a_paused_socket_that_is_closed_is_noticed(serve):
    """Reading nothing is not looking away: the end of the connection counts at the next look."""
    async with serve(**settings(max_refused_per_min=240)) as chat:
        raw = await RawSocket.enter(chat)
        await raw.burst(*['42/chat,["nothing"]'] * 124)
        session = chat.app.hub.all()[0].session
        await eventually(lambda: session.paused_until)
        await raw.close()
        await eventually(lambda: chat.app.gateway.get_user_sockets(1) == [])
