"""Engine.IO: messages of text and bytes over each way. Cases 8 to 15 of the official suite, whose
bare messages are events of Socket.IO here.
"""

import asyncio

import pytest

from tests.support.gateway.wire import RawSocket
from tests.support.protocol.sessions import on_polling, on_websocket
from tests.support.waiting import eventually

PLACEHOLDER = '{"_placeholder":true,"num":0}'


def _message(*args):
    return f'42["message",{",".join(args)}]'


def _back(*args):
    return f'42["message-back",{",".join(args)}]'


async def test_a_post_of_one_packet_is_taken_and_answered_by_the_next_poll(serve_echo):
    """The POST says ok; what came of it waits for a poll."""
    async with serve_echo() as chat:
        raw = await on_polling(chat)
        response = await raw.post(_message('"hello"'))
        assert (response.code, response.body) == (200, b"ok")
        assert await raw.take() == [_back('"hello"')]


async def test_a_post_of_several_packets_keeps_their_order(serve_echo):
    """One payload holds many packets, and so does the poll that answers."""
    async with serve_echo() as chat:
        raw = await on_polling(chat)
        texts = ['"test1"', '"test2"', '"test3"']
        response = await raw.post(*map(_message, texts))
        assert (response.code, response.body) == (200, b"ok")
        polled = []
        while len(polled) < len(texts):
            polled += await raw.take()
        assert polled == [_back(each) for each in texts]


async def test_text_and_bytes_share_a_payload(serve_echo):
    """Bytes are base64 behind a `b`, in both directions."""
    async with serve_echo() as chat:
        raw = await on_polling(chat)
        response = await raw.post(
            _message('"hello"'), f'451-["message",{PLACEHOLDER}]', "bAQIDBA=="
        )
        assert (response.code, response.body) == (200, b"ok")
        polled = []
        while len(polled) < 3:
            polled += await raw.take()
        assert polled == [
            _back('"hello"'),
            f'451-["message-back",{PLACEHOLDER}]',
            "bAQIDBA==",
        ]


@pytest.mark.parametrize("packet", ["abc", "", "7", "0{}", "2", "5", "6", "b!", "bAQIDB"])
async def test_a_post_of_no_packet_ends_the_session(serve_echo, packet):
    """It is refused with 400, and so is the poll after it."""
    async with serve_echo() as chat:
        raw = await on_polling(chat)
        assert (await raw.post(packet)).code == 400
        assert (await raw.poll()).code == 400


async def test_nothing_of_a_payload_with_a_bad_packet_is_handled(serve_echo, echo):
    """A payload is taken as a whole or not at all."""
    async with serve_echo() as chat:
        raw = await on_polling(chat)
        assert (await raw.post('42["hold"]', "abc")).code == 400
        await eventually(lambda: echo.main.left)
        assert echo.main.held == 0


async def test_two_polls_at_once_end_the_session(serve_echo):
    """Which one would the client read? The first is told that it is over, the second is refused."""
    async with serve_echo() as chat:
        raw = await on_polling(chat)
        session = chat.app.gateway.server.eio.sockets[raw.session_id]
        first = asyncio.ensure_future(raw.poll())
        await eventually(lambda: session._poll)
        assert (await raw.poll()).code == 400
        assert ((await first).code, (await first).body) == (200, b"1")
        assert (await raw.poll()).code == 400


async def test_a_text_over_websocket_comes_back(serve_echo):
    """A message is a frame of text."""
    async with serve_echo() as chat:
        raw = await on_websocket(chat)
        await raw.send(_message('"hello"'))
        assert await raw.next() == _back('"hello"')


async def test_bytes_over_websocket_come_back(serve_echo):
    """An attachment is a frame of bytes, with nothing in front."""
    async with serve_echo() as chat:
        raw = await on_websocket(chat)
        await raw.send(f'451-["message",{PLACEHOLDER}]')
        await raw.send(bytes([1, 2, 3, 4]))
        assert await raw.next() == f'451-["message-back",{PLACEHOLDER}]'
        assert await raw.next() == bytes([1, 2, 3, 4])


@pytest.mark.parametrize("frame", ["abc", "", "7", "0{}", "2", "5", "6"])
async def test_a_frame_of_no_packet_ends_the_session(serve_echo, echo, frame):
    """The websocket is closed, before a handshake of Socket.IO as after it."""
    async with serve_echo() as chat:
        stranger, guest = await RawSocket.open(chat), await on_websocket(chat)
        for raw in (stranger, guest):
            await raw.send(frame)
            await raw.until_end()
        await eventually(lambda: len(echo.main.left) == 1)
