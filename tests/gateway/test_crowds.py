"""How many sockets a user and an address may have, and that every one that goes gives its place
back.
"""

import asyncio
import json

from tornado.httpclient import AsyncHTTPClient

from tests.support.gateway.servers import generous
from tests.support.gateway.tcp import BareSocket
from tests.support.gateway.tokens import signed
from tests.support.gateway.wire import RawPolling, RawSocket, address, refused_upgrade
from tests.support.waiting import eventually

FORWARDED = {"X-Forwarded-For": "203.0.113.7"}


def _quota(chat):
    return chat.app.gateway.server.eio.quota


async def _is_refused(chat, **query):
    answer, closed = await refused_upgrade(chat, **query)
    assert answer.startswith(b"HTTP/1.1 429 "), answer
    assert b"Retry-After: 5\r\n" in answer
    error = json.loads(answer.partition(b"\r\n\r\n")[2])["error"]
    assert (error["code"], error["retryable"], error["retryAfter"]) == ("RATE_LIMITED", True, 5)
    assert closed


async def test_an_address_over_its_share_is_refused_before_the_101(serve):
    """MAX_SOCKETS_PER_ADDRESS: 429 with Retry-After and a typed error, over both transports; those
    who are in do not feel it, and a place that is given back can be taken.
    """
    async with serve(max_sockets_per_address=3, **generous()) as chat:
        guests = [await RawSocket.enter(chat, user_id) for user_id in (1, 2)]
        polling = await RawPolling.enter(chat, 3)
        await _is_refused(chat)
        refused = await AsyncHTTPClient().fetch(address(chat, "polling"), raise_error=False)
        assert (refused.code, refused.headers["Retry-After"]) == (429, "5")
        assert json.loads(refused.body)["error"]["code"] == "RATE_LIMITED"
        assert all([await guest.is_alive() for guest in guests])
        assert (await polling.event('["authenticate"]'))["success"]
        await guests[0].close()
        await eventually(lambda: len(_quota(chat)) == 2)
        assert await (await RawSocket.enter(chat, 4)).is_alive()


async def test_an_address_gets_its_share_and_no_more_when_it_asks_for_all_at_once(serve):
    """Thirty handshakes in one moment: as many as there are places go through."""
    async with serve(max_sockets_per_address=5) as chat:

        async def open_one():
            bare = None
            try:
                bare = await BareSocket.open(chat)
                await bare.read_until(b"0{")
            except (AssertionError, ConnectionResetError):
                if bare is not None:
                    bare.close()
                return None
            return bare

        opened = [each for each in await asyncio.gather(*(open_one() for _ in range(30))) if each]
        assert len(opened) == len(_quota(chat)) == 5
        for each in opened:
            each.close()


async def test_addresses_are_counted_apart(serve):
    """One that has all its sockets is in nobody else's way; the /64 of an IPv6 address is one."""
    async with serve(max_sockets_per_address=2, trust_proxy=True) as chat:
        for forwarded in ("203.0.113.7", "203.0.113.8", "2001:db8::1"):
            for _ in range(2):
                await RawSocket.open(chat, headers={"X-Forwarded-For": forwarded})
        for forwarded in ("203.0.113.7", "2001:db8::2:2"):
            answer, _ = await refused_upgrade(chat, {"X-Forwarded-For": forwarded})
            assert answer.startswith(b"HTTP/1.1 429 "), forwarded
        await RawSocket.open(chat, headers={"X-Forwarded-For": "2001:db8:0:1::1"})


async def test_an_upgrade_of_a_session_is_no_second_socket(serve):
    """A client that begins with polling and moves on to websocket takes one place."""
    async with serve(max_sockets_per_address=1) as chat:
        ada = await chat.connect(1, transports=("polling", "websocket"))
        await eventually(lambda: ada.socket.transport() == "websocket")
        assert len(_quota(chat)) == 1
        assert (await ada.call("authenticate"))["success"]


async def test_one_socket_too_many_of_a_user_is_sent_away_to_come_back(serve, log):
    """MAX_SOCKETS_PER_USER: the newcomer's transport is closed without a CONNECT_ERROR, so its
    client tries again; the older ones stay, others come in, and a place that is free is taken.
    """
    async with serve(max_sockets_per_user=2, **generous()) as chat:
        tabs = [await RawSocket.enter(chat, 1) for _ in range(2)]
        third = await RawSocket.open(chat)
        await third.send("40/chat," + json.dumps({"token": chat.token(1)}))
        await third.until_end()
        assert not [frame for frame in third.frames if frame.startswith(("44", "40"))]
        polling = await RawPolling.open(chat)
        await polling.post("40/chat," + json.dumps({"token": chat.token(1)}))
        await polling.until_end()
        assert not [frame for frame in polling.frames if frame.startswith(("44", "40"))]
        assert all([await tab.is_alive() for tab in tabs])
        assert await (await RawSocket.enter(chat, 2)).is_alive()
        assert [each["user_id"] for each in log.entries if each["event"] == "too_many_sockets"] == [
            1,
            1,
        ]
        await tabs[0].close()
        await eventually(lambda: len(chat.app.gateway.get_user_sockets(1)) == 1)
        assert await (await RawSocket.enter(chat, 1)).is_alive()


async def test_a_user_cannot_get_in_more_often_by_connecting_all_at_once(serve):
    """Twenty CONNECTs in one moment: two sockets."""
    async with serve(max_sockets_per_user=2, **generous()) as chat:
        raws = [await RawSocket.open(chat) for _ in range(20)]
        token = json.dumps({"token": chat.token(1)})
        await asyncio.gather(*(raw.send(f"40/chat,{token}") for raw in raws))
        await eventually(lambda: len(chat.app.gateway.server.eio.sockets) == 2)
        assert len(chat.app.gateway.get_user_sockets(1)) == 2


async def _says_goodbye(chat, user_id):
    raw = await RawSocket.enter(chat, user_id)
    await raw.send("41/chat,")
    await raw.close()


async def _closes(chat, user_id):
    await (await RawSocket.enter(chat, user_id)).close()


async def _is_cut(chat, user_id):
    (await BareSocket.enter(chat, user_id)).reset()


async def _is_cut_in_the_middle_of_the_connect(chat, user_id):
    bare = await BareSocket.open(chat)
    await bare.send("40/chat," + json.dumps({"token": chat.token(user_id)}))
    bare.reset()


async def _never_connects(chat, _user_id):
    bare = await BareSocket.open(chat)
    await bare.read_to_end()
    bare.close()


async def _has_a_bad_token(chat, user_id):
    raw = await RawSocket.open(chat)
    await raw.connect({"token": signed("another-secret-that-is-long-enough", id=user_id)})


async def _has_a_bad_origin(chat, _user_id):
    await refused_upgrade(chat, {"Origin": "https://evil.example"})


async def _shakes_no_hands(chat, _user_id):
    await refused_upgrade(chat, {"Sec-WebSocket-Key": ""})


async def _speaks_garbage(chat, user_id):
    await (await RawSocket.enter(chat, user_id)).send("9")


async def _polls(chat, user_id):
    raw = await RawPolling.enter(chat, user_id)
    await raw.post("41/chat,", "1")


async def _polls_and_is_gone(chat, user_id):
    await RawPolling.enter(chat, user_id)


async def _polls_without_a_token(chat, _user_id):
    await RawPolling.open(chat)


async def _upgrades(chat, user_id):
    client = await chat.connect(user_id, transports=("polling", "websocket"))
    await client.close()


WAYS = [
    _says_goodbye, _closes, _is_cut, _is_cut_in_the_middle_of_the_connect, _has_a_bad_token,
    _has_a_bad_origin, _shakes_no_hands, _speaks_garbage, _polls, _polls_and_is_gone,
    _polls_without_a_token, _upgrades,
]  # fmt: skip


async def test_whoever_goes_gives_the_place_back(serve):
    """Two hundred sockets, gone in every way there is: nothing is counted any more."""
    # Long enough for a busy machine: a client that is slow to answer a ping is not one that goes.
    settings = {"ping_interval_s": 0.5, "ping_timeout_s": 4, "connect_within_s": 4}
    async with serve(**settings, **generous()) as chat:
        # Beside the others, since each of them takes all of its four seconds.
        silent = asyncio.gather(*(_never_connects(chat, user_id) for user_id in range(16)))
        for _ in range(4):
            await asyncio.gather(*(way(chat, user_id) for user_id in range(4) for way in WAYS))
        await silent
        del silent
        sio, gateway = chat.app.gateway.server, chat.app.gateway
        await eventually(lambda: len(_quota(chat)) == 0, within_s=30)
        await eventually(lambda: gateway.get_active_users_count() == 0)
        await eventually(lambda: not sio.eio.sockets, within_s=10)
        assert len(chat.app.hub) == 0
        assert [gateway.get_user_sockets(user_id) for user_id in range(4)] == [[]] * 4
        assert sio.environ == {}
        await _closes(chat, 1)
