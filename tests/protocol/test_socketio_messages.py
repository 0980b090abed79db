"""Socket.IO: events, acks and attachments. Cases 26 to 32 of the official suite, over both ways."""

import json

import pytest

from tests.support.protocol.sessions import join, on_polling, on_websocket

PAIR = '{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}'
BYTES = (bytes([1, 2, 3]), bytes([4, 5, 6]))
BASE64 = ("bAQID", "bBAUG")
ROUNDS = [
    ('42["message",1,"2",{"3":[true]}]', '42["message-back",1,"2",{"3":[true]}]'),
    ('42456["message-with-ack",1,"2",{"3":[false]}]', '43456[1,"2",{"3":[false]}]'),
]
BINARY_ROUNDS = [
    (f'452-["message",{PAIR}]', f'452-["message-back",{PAIR}]'),
    (f'452-789["message-with-ack",{PAIR}]', f"462-789[{PAIR}]"),
]


@pytest.mark.parametrize(("sent", "answer"), ROUNDS)
async def test_an_event_of_any_json_comes_back(serve_echo, sent, answer):
    """Pushed or as an ack, with all of its arguments."""
    async with serve_echo() as chat:
        raw = await on_websocket(chat)
        await raw.send(sent)
        assert await raw.next() == answer
        polling = await on_polling(chat)
        await polling.post(sent)
        assert await polling.take() == [answer]


@pytest.mark.parametrize(("sent", "answer"), BINARY_ROUNDS)
async def test_an_event_with_attachments_comes_back(serve_echo, sent, answer):
    """Each attachment takes the place that was kept for it, in both directions."""
    async with serve_echo() as chat:
        raw = await on_websocket(chat)
        for each in (sent, *BYTES):
            await raw.send(each)
        assert [await raw.next() for _ in range(3)] == [answer, *BYTES]
        polling = await on_polling(chat)
        await polling.post(sent, *BASE64)
        polled = []
        while len(polled) < 3:
            polled += await polling.take()
        assert polled == [answer, *BASE64]


@pytest.mark.parametrize(
    "frame",
    ["4abc", "42{}", '42abc["message-with-ack",1,"2",{"3":[false]}]', "42", "42[]", "42[1]"],
)
async def test_an_event_of_another_form_ends_the_connection(serve_echo, frame):
    """An unknown type, a payload that is no event, an ack id that is no number."""
    async with serve_echo() as chat:
        raw = await on_websocket(chat)
        await raw.send(frame)
        await raw.until_end()


async def test_attachments_may_be_named_in_any_order_and_place(serve_echo):
    """A placeholder stands wherever a value may."""
    body = '["message",{"b":[{"_placeholder":true,"num":1}],"a":{"_placeholder":true,"num":0}}]'
    async with serve_echo() as chat:
        raw = await on_websocket(chat)
        for each in (f"452-{body}", *BYTES):
            await raw.send(each)
        back = await raw.next()
        assert json.loads(back[4:]) == [
            "message-back",
            {"b": [{"_placeholder": True, "num": 0}], "a": {"_placeholder": True, "num": 1}},
        ]
        assert [await raw.next(), await raw.next()] == [BYTES[1], BYTES[0]]


async def test_attachments_of_no_bytes_are_some(serve_echo):
    """An empty file is a file."""
    async with serve_echo() as chat:
        raw = await on_websocket(chat)
        for each in (f'452-["message",{PAIR}]', b"", b"\x01"):
            await raw.send(each)
        got = [await raw.next() for _ in range(3)]
        assert got == [f'452-["message-back",{PAIR}]', b"", b"\x01"]


async def test_an_event_without_attachments_may_be_a_binary_one(serve_echo):
    """None of them, and it is whole at once."""
    async with serve_echo() as chat:
        raw = await on_websocket(chat)
        await raw.send('450-["message",1]')
        assert await raw.next() == '42["message-back",1]'


async def test_heartbeats_come_between_an_event_and_its_attachments(serve_echo):
    """They are of the transport, and break no packet of Socket.IO."""
    async with serve_echo(ping_interval_s=0.3) as chat:
        raw = await on_websocket(chat)
        await raw.send(f'452-["message",{PAIR}]')
        assert await raw.next() == "2"
        await raw.send("3")
        for each in BYTES:
            await raw.send(each)
        assert await raw.next() == f'452-["message-back",{PAIR}]'


async def test_namespaces_do_not_hear_each_other(serve_echo):
    """An event is answered where it was sent."""
    async with serve_echo() as chat:
        raw = await on_websocket(chat)
        await join(raw, "/custom")
        await raw.send('42/custom,7["message-with-ack",1]')
        assert await raw.next() == "43/custom,7[1]"
        await raw.send('427["message-with-ack",2]')
        assert await raw.next() == "437[2]"


async def test_an_ack_that_nobody_waits_for_is_ignored(serve_echo):
    """Whatever its id; also the one under which the library keeps its counter."""
    async with serve_echo() as chat:
        raw = await on_websocket(chat)
        for ack_id in (0, 1, 999):
            await raw.send(f"43{ack_id}[]")
        await raw.send('421["message-with-ack"]')
        assert await raw.next() == "431[]"
