"""Packets that come while a session, or its place in a namespace, begins or ends."""

import asyncio
import json

import pytest

from chat.timings import Timings
from tests.support.gateway.wire import RawPolling, RawSocket
from tests.support.protocol.sessions import join, on_websocket
from tests.support.waiting import eventually

HELLO, HELLO_BACK = '42["message","hello"]', '42["message-back","hello"]'
ENDS = ["1", "42{}", "9"]


@pytest.mark.parametrize("end", ENDS)
async def test_a_connect_behind_the_end_of_a_session_is_nothing(serve_echo, echo, end):
    """Sent in one go with what ends the session, it lets nobody in, and is no crash."""
    async with serve_echo() as chat:
        raw = await RawSocket.open(chat)
        await raw.burst(end, "40", "40/custom,", "40/chat,{}", HELLO)
        await raw.until_end()
        polling = await RawPolling.open(chat)
        await polling.post(end, "40", "40/custom,", "40/chat,{}", HELLO)
        await polling.until_end()
        assert chat.app.gateway.server.environ == {}
        assert not any(chat.app.gateway.server.manager.rooms.values())


@pytest.mark.parametrize("namespace", ["/", "/chat"])
async def test_events_behind_a_malformed_packet_are_nothing(serve_echo, echo, log, namespace):
    """Of a client that broke the protocol nothing more is taken, and one line says so."""
    event = '421["hold"]' if namespace == "/" else '42/chat,1["authenticate"]'
    async with serve_echo() as chat:
        raw = await on_websocket(chat)
        await raw.connect({"token": chat.token(1)})
        await raw.burst("44{}", event, "44{}", "42/chat,[]", event)
        await raw.until_end()
        assert echo.main.held == 0
        assert not [each for each in raw.frames if str(each).startswith("43")]
        assert [line["event"] for line in log.entries].count("malformed_packet") == 1


async def test_a_client_that_leaves_while_it_is_let_in_is_out(serve_echo, echo):
    """The handler had not answered when the client went; it hears of both."""
    async with serve_echo() as chat:
        raw = await RawSocket.open(chat)
        await raw.send('40{"wait":true}')
        await eventually(lambda: echo.main.held)
        await raw.close()
        await eventually(lambda: not chat.app.gateway.server.eio.sockets)
        echo.main.go_on.set()
        await eventually(lambda: echo.main.left == ["transport close"])
        assert not any(chat.app.gateway.server.manager.rooms.values())


async def test_who_leaves_and_comes_again_at_once_is_let_in(serve_echo, echo):
    """`socket.disconnect().connect()` on a transport that another namespace keeps open: both
    packets come together.
    """
    async with serve_echo() as chat:
        raw = await on_websocket(chat)
        await join(raw, "/custom")
        for _ in range(3):
            await raw.burst("41/custom,", "40/custom,")
            assert str(await raw.next()).startswith('40/custom,{"sid":')
            assert await raw.next() == '42/custom,["auth",{}]'
        assert echo.custom.left == ["client disconnect"] * 3
        await raw.send(HELLO)
        assert await raw.next() == HELLO_BACK


async def test_the_chat_may_be_left_and_entered_at_once_as_somebody_else(serve_echo):
    """The same of /chat, whose events before are answered first."""
    async with serve_echo() as chat:
        raw = await on_websocket(chat)
        await raw.connect({"token": chat.token(1)})
        again = "40/chat," + json.dumps({"token": chat.token(2)})
        await raw.burst('42/chat,1["authenticate"]', "41/chat,", again)
        await raw.until("40/chat,")
        assert any(str(each).startswith("43/chat,1[") for each in raw.frames)
        assert (await raw.event('["authenticate"]'))["userId"] == 2
        assert chat.app.gateway.get_active_users_count() == 1


async def test_events_while_a_connect_is_decided_go_nowhere(serve_echo, echo):
    """Nobody is there yet whose events they could be; a client waits for its CONNECT."""
    async with serve_echo() as chat:
        raw = await RawSocket.open(chat)
        await raw.burst('40{"wait":true}', '421["message-with-ack"]')
        await eventually(lambda: echo.main.held)
        await raw.burst('422["message-with-ack"]', "40/random")
        await raw.until("44/random")
        echo.main.go_on.set()
        assert str(await raw.next()).startswith("40{")
        assert str(await raw.next()).startswith('42["auth"')
        await raw.send('423["message-with-ack"]')
        assert await raw.next() == "433[]"


@pytest.mark.expects_errors
@pytest.mark.parametrize("auth", [{"crash": True}, {"wait": True}])
async def test_a_connect_handler_that_crashes_or_hangs_lets_nobody_in(serve_echo, echo, auth):
    """The session ends; no half-connected ghost stays in the rooms."""
    async with serve_echo(timings=Timings(plugin_connect_s=0.2)) as chat:
        raw = await RawSocket.open(chat)
        await raw.send("40" + json.dumps(auth))
        await raw.until_end()
        assert not any(chat.app.gateway.server.manager.rooms.values())
        other = await on_websocket(chat)
        await other.send(HELLO)
        assert await other.next() == HELLO_BACK


@pytest.mark.expects_errors
@pytest.mark.parametrize("way", ["41", "1", "lost"])
async def test_a_disconnect_handler_that_crashes_keeps_nobody_in(serve_echo, echo, way):
    """However the socket goes, it is out of its rooms."""
    echo.main.crash_at_end = True
    async with serve_echo() as chat:
        raw = await on_websocket(chat)
        if way == "lost":
            await raw.close()
        else:
            await raw.send(way)
        await eventually(lambda: echo.main.left)
        await eventually(lambda: not any(chat.app.gateway.server.manager.rooms.values()))


async def test_a_poll_of_a_session_that_ends_is_answered(serve_echo):
    """With a CLOSE, at once: a client that polls hears of the end as one on a websocket does."""
    async with serve_echo() as chat:
        polling = await RawPolling.open(chat)
        session = chat.app.gateway.server.eio.sockets[polling.session_id]
        poll = asyncio.ensure_future(polling.take())
        await eventually(lambda: session._poll)
        await polling.post("44{}")
        assert await poll == ["1"]
        assert (await polling.poll()).code == 400
