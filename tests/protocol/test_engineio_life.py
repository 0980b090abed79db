"""Engine.IO: heartbeats, the end, and the way up to a websocket. Cases 16 to 24 of the Engine.IO
suite, 8 to 16 of the Socket.IO one.
"""

import asyncio
import json

import pytest

from tests.support.gateway.tcp import upgrade_request
from tests.support.gateway.wire import RawPolling, RawSocket
from tests.support.protocol.sessions import join, on_polling, on_websocket
from tests.support.waiting import eventually
from tools.fuzz.frames import frame

BEATS = {"ping_interval_s": 0.2, "ping_timeout_s": 0.15}
"""For those who answer no ping; the others have the default of 20 s to do so."""
HELLO, HELLO_BACK = '42["message","hello"]', '42["message-back","hello"]'


async def test_pings_over_polling_are_answered_and_come_again(serve_echo):
    """A poll brings the PING, a POST the PONG, and only then the next PING comes."""
    async with serve_echo(ping_interval_s=0.2) as chat:
        raw = await RawPolling.open(chat)
        for _ in range(3):
            assert await raw.take() == ["2"]
            assert (await raw.post("3")).code == 200


async def test_pings_over_websocket_are_answered_and_come_again(serve_echo):
    """The same in frames."""
    async with serve_echo(ping_interval_s=0.2) as chat:
        raw = await RawSocket.open(chat)
        for _ in range(3):
            assert await raw.next() == "2"
            await raw.send("3")


async def test_a_polling_session_without_pong_is_over_in_time(serve_echo):
    """Interval and timeout later a poll of it is refused."""
    async with serve_echo(**BEATS) as chat:
        loop = asyncio.get_running_loop()
        began = loop.time()
        raw = await RawPolling.open(chat)
        await eventually(lambda: not chat.app.gateway.server.eio.sockets)
        assert 0.3 < loop.time() - began < 5  # 0.35 by the settings, a bucket early at most
        assert (await raw.poll()).code == 400


async def test_a_websocket_without_pong_is_closed_in_time(serve_echo, echo):
    """The session ends for its namespaces, too, and they hear why."""
    async with serve_echo(**BEATS) as chat:
        raw = await on_websocket(chat)
        await raw.until_end()
        assert "2" in raw.frames
        await eventually(lambda: echo.main.left)
        assert echo.main.left == ["ping timeout"]


async def test_one_pong_answers_one_ping(serve_echo):
    """Pongs that nobody asked for set up no heartbeats of their own."""
    async with serve_echo(ping_interval_s=0.2) as chat:
        raw = await RawSocket.open(chat)
        loop = asyncio.get_running_loop()
        assert await raw.next() == "2"
        for _ in range(5):
            await raw.send("3")
        assert await raw.next() == "2"
        second_at = loop.time()
        await raw.send("3")
        assert await raw.next() == "2"
        assert loop.time() - second_at > 0.1, "a pong too many was answered"


async def test_a_close_over_polling_ends_the_session(serve_echo, echo):
    """The poll that waits is answered with a NOOP, later ones are refused."""
    async with serve_echo() as chat:
        raw = await on_polling(chat)
        session = chat.app.gateway.server.eio.sockets[raw.session_id]
        poll = asyncio.ensure_future(raw.poll())
        await eventually(lambda: session._poll)
        assert (await raw.post("1")).code == 200
        assert ((await poll).code, (await poll).body) == (200, b"6")
        assert (await raw.poll()).code == 400
        assert echo.main.left == ["client disconnect"]


async def test_a_poll_that_the_close_overtakes_is_let_go_too(serve_echo):
    """Requests on two connections may arrive in either order; only one poll is under way."""
    async with serve_echo() as chat:
        raw = await on_polling(chat)
        assert (await raw.post("1")).code == 200
        late = await raw.poll()
        assert (late.code, late.body) == (200, b"6")
        assert late.headers["Content-Type"] == "text/plain; charset=UTF-8"
        assert (await raw.poll()).code == 400


async def test_a_close_over_websocket_ends_the_session(serve_echo, echo):
    """The server closes the websocket."""
    async with serve_echo() as chat:
        raw = await on_websocket(chat)
        await raw.send("1")
        await raw.until_end()
        assert echo.main.left == ["client disconnect"]


async def test_a_polling_session_goes_on_over_a_websocket(serve_echo):
    """Probe and answer; the poll is let go with a NOOP; after the upgrade packet the websocket
    speaks.
    """
    async with serve_echo() as chat:
        polling = await on_polling(chat)
        raw = await RawSocket.upgrade(chat, polling.session_id)
        await raw.send("2probe")
        assert await raw.next() == "3probe"
        assert await polling.take() == ["6"]
        await raw.send("5")
        await raw.send(HELLO)
        assert await raw.next() == HELLO_BACK


async def test_a_poll_that_waits_is_let_go_by_the_probe(serve_echo):
    """As the official client does it: its poll is already out when the probe comes."""
    async with serve_echo() as chat:
        polling = await on_polling(chat)
        session = chat.app.gateway.server.eio.sockets[polling.session_id]
        poll = asyncio.ensure_future(polling.take())
        await eventually(lambda: session._poll)
        raw = await RawSocket.upgrade(chat, polling.session_id)
        await raw.send("2probe")
        assert await poll == ["6"]
        assert await raw.next() == "3probe"
        await raw.send("5")
        await raw.send(HELLO)
        assert await raw.next() == HELLO_BACK


async def test_polls_of_an_upgraded_session_are_refused(serve_echo):
    """400, and the websocket does not feel it."""
    async with serve_echo() as chat:
        polling = await on_polling(chat)
        raw = await RawSocket.upgrade(chat, polling.session_id)
        await raw.send("2probe")
        await raw.send("5")
        assert (await polling.poll()).code == 400
        assert (await polling.post(HELLO)).code == 400
        assert await raw.next() == "3probe"
        await raw.send(HELLO)
        assert await raw.next() == HELLO_BACK


@pytest.mark.parametrize("upgraded", [True, False])
async def test_another_websocket_of_the_session_is_opened_and_closed_at_once(serve_echo, upgraded):
    """There is one upgrade, begun or done; the second websocket changes nothing of it."""
    async with serve_echo() as chat:
        polling = await on_polling(chat)
        raw = await RawSocket.upgrade(chat, polling.session_id)
        await raw.send("2probe")
        assert await raw.next() == "3probe"
        if upgraded:
            await raw.send("5")
            await raw.send(HELLO)
            assert await raw.next() == HELLO_BACK
        second = await RawSocket.upgrade(chat, polling.session_id)
        await second.until_end()
        assert (second.frames, second.close_code) == ([], 1000)
        if not upgraded:
            await raw.send("5")
        await raw.send(HELLO)
        assert await raw.next() == HELLO_BACK


async def test_what_comes_with_the_handshake_of_a_second_websocket_is_not_read(serve_echo):
    """Its frames are nobody's: neither a probe nor an event of the session."""
    async with serve_echo() as chat:
        raw = await on_websocket(chat)
        session_id = next(iter(chat.app.gateway.server.eio.sockets))
        query = f"EIO=4&transport=websocket&sid={session_id}"
        reader, writer = await asyncio.open_connection("127.0.0.1", chat.app.port)
        head = upgrade_request(chat.app.port, f"/socket.io/?{query}")
        writer.write(head + frame(HELLO.encode()) + frame(b"1"))
        answer = await reader.read()
        assert answer.startswith(b"HTTP/1.1 101")
        assert answer.endswith(b"\x88\x02\x03\xe8")
        writer.close()
        await raw.send('42["message","mine"]')
        assert await raw.next() == '42["message-back","mine"]'


@pytest.mark.parametrize("frame", ["2", "5", "3probe", HELLO, b"\x01"])
async def test_a_websocket_that_does_not_probe_leaves_the_session_polling(serve_echo, frame):
    """A probe comes first; without it the websocket is closed, and no more."""
    async with serve_echo() as chat:
        polling = await on_polling(chat)
        raw = await RawSocket.upgrade(chat, polling.session_id)
        await raw.send(frame)
        await raw.until_end()
        assert (await polling.post(HELLO)).code == 200
        assert await polling.take() == [HELLO_BACK]


async def test_what_waits_at_the_upgrade_comes_first(serve_echo):
    """Nothing is lost between the last poll and the first frame, and nothing overtakes."""
    async with serve_echo() as chat:
        polling = await on_polling(chat)
        raw = await RawSocket.upgrade(chat, polling.session_id)
        await raw.send("2probe")
        assert await raw.next() == "3probe"
        texts = [json.dumps(f"hello {number}") for number in range(20)]
        await polling.post(*(f'42["message",{each}]' for each in texts))
        await raw.send("5")
        await raw.send(HELLO)
        got = [await raw.next() for _ in range(21)]
        assert got == [*(f'42["message-back",{each}]' for each in texts), HELLO_BACK]


async def test_a_poll_that_its_client_gave_up_ends_the_session(serve_echo, echo):
    """The next message would be written into the void: better an end that the client can see."""
    async with serve_echo() as chat:
        polling = await on_polling(chat)
        session = chat.app.gateway.server.eio.sockets[polling.session_id]
        target = f"/socket.io/?EIO=4&transport=polling&sid={polling.session_id}"
        _, writer = await asyncio.open_connection("127.0.0.1", chat.app.port)
        writer.write(f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1:{chat.app.port}\r\n\r\n".encode())
        await eventually(lambda: session._poll)
        writer.transport.abort()
        await eventually(lambda: echo.main.left == ["transport close"])
        assert (await polling.poll()).code == 400


async def test_a_session_that_polls_may_join_and_upgrade_in_any_order(serve_echo):
    """A CONNECT over the new websocket is as good as one over the polls before."""
    async with serve_echo() as chat:
        polling = await RawPolling.open(chat)
        raw = await RawSocket.upgrade(chat, polling.session_id)
        await raw.send("2probe")
        assert await raw.next() == "3probe"
        await raw.send("5")
        connected, greeting = await join(raw)
        assert connected.startswith('40{"sid":')
        assert greeting == '42["auth",{}]'
