"""Socket.IO: into a namespace and out of it. Cases 17 to 25 of the official suite, and what this
server adds.
"""

import json

import pytest

from chat.timings import Timings
from tests.support.gateway.wire import RawPolling, RawSocket
from tests.support.protocol.sessions import join, on_polling, on_websocket
from tests.support.waiting import eventually

HELLO, HELLO_BACK = '42["message","hello"]', '42["message-back","hello"]'
WAYS_IN = [
    ("/", None, "40", '42["auth",{}]'),
    ("/", {"token": "123"}, "40", '42["auth",{"token":"123"}]'),
    ("/custom", None, "40/custom,", '42/custom,["auth",{}]'),
    ("/custom", {"token": "abc"}, "40/custom,", '42/custom,["auth",{"token":"abc"}]'),
]


@pytest.mark.parametrize(("namespace", "auth", "head", "greeting"), WAYS_IN)
async def test_a_namespace_lets_in_and_hears_what_was_sent_along(
    serve_echo, namespace, auth, head, greeting
):
    """The main one and any other, with a payload or without: a CONNECT with an id comes back, and
    what the handler says comes after it.
    """
    async with serve_echo() as chat:
        raw = await RawSocket.open(chat)
        connected, said = await join(raw, namespace, auth)
        assert connected.startswith(head)
        handshake = json.loads(connected[len(head) :])
        assert list(handshake) == ["sid"]
        assert isinstance(handshake["sid"], str)
        assert said == greeting


@pytest.mark.parametrize("frame", ["40/custom", "40/custom,", "40/custom?a=b,"])
async def test_the_comma_and_an_old_query_behind_a_namespace_do_not_matter(serve_echo, frame):
    """Clients of old say their query there; a namespace at the end needs no comma."""
    async with serve_echo() as chat:
        raw = await RawSocket.open(chat)
        await raw.send(frame)
        assert str(await raw.next()).startswith('40/custom,{"sid":')


@pytest.mark.parametrize("namespace", ["/random", "/Custom", "/custom/", "/chat2"])
async def test_an_unknown_namespace_is_refused(serve_echo, namespace):
    """With the words of the reference server."""
    async with serve_echo() as chat:
        raw = await RawSocket.open(chat)
        await raw.send(f"40{namespace}")
        assert await raw.next() == f'44{namespace},{{"message":"Invalid namespace"}}'
        await raw.send("40")
        assert str(await raw.next()).startswith("40{")


async def test_a_namespace_may_refuse(serve_echo):
    """By the library's ConnectionRefusedError; the client can come again."""
    async with serve_echo() as chat:
        raw = await RawSocket.open(chat)
        await raw.send('40{"stranger":true}')
        assert await raw.next() == '44{"message":"no strangers"}'
        connected, _ = await join(raw)
        assert connected.startswith("40{")


@pytest.mark.parametrize("frame", ["4abc", "4", "40[1]", '40"token"', "40{not json", "405{}"])
async def test_a_connect_that_is_none_ends_the_connection(serve_echo, frame):
    """There is nobody to tell yet."""
    async with serve_echo() as chat:
        raw = await RawSocket.open(chat)
        await raw.send(frame)
        await raw.until_end()


async def test_a_session_without_connect_is_ended(serve_echo):
    """CONNECT_WITHIN_S, on either way; who is in any namespace by then stays."""
    # Long enough for three to come in on a busy machine.
    async with serve_echo(connect_within_s=1.5) as chat:
        main, custom = await on_websocket(chat), await RawSocket.open(chat)
        await join(custom, "/custom")
        polling = await on_polling(chat)
        silent, refused = await RawSocket.open(chat), await RawSocket.open(chat)
        waiting = await RawPolling.open(chat)
        await refused.send("40/random")
        await silent.until_end()
        await refused.until_end()
        await waiting.until_end()
        await main.send(HELLO)
        assert await main.next() == HELLO_BACK
        await custom.send('42/custom,["message"]')
        assert await custom.next() == '42/custom,["message-back"]'
        await polling.post(HELLO)
        assert await polling.take() == [HELLO_BACK]


async def test_a_disconnect_leaves_the_transport_alone(serve_echo, echo):
    """After it come heartbeats and nothing else, until the client comes in again."""
    async with serve_echo(ping_interval_s=0.3) as chat:
        raw = await on_websocket(chat)
        await raw.send("41")
        assert await raw.next() == "2"
        assert echo.main.left == ["client disconnect"]
        await raw.send("3")
        connected, _ = await join(raw)
        assert connected.startswith("40{")


async def test_a_disconnect_of_one_namespace_leaves_the_others_alone(serve_echo, echo):
    """They share the transport and nothing more."""
    async with serve_echo() as chat:
        raw = await on_websocket(chat)
        await join(raw, "/custom")
        await raw.send("41/custom")
        await raw.send('42["message","message to main namespace"]')
        assert await raw.next() == '42["message-back","message to main namespace"]'
        assert echo.custom.left == ["client disconnect"]
        assert echo.main.left == []


async def test_who_left_every_namespace_is_ended_in_time(serve_echo):
    """The place is for somebody who comes in again."""
    async with serve_echo(connect_within_s=1) as chat:
        raw = await on_websocket(chat)
        await raw.send("41")
        await raw.until_end()


async def test_the_end_of_a_session_is_heard_by_each_of_its_namespaces(serve_echo, echo):
    """Once, with the reason."""
    async with serve_echo() as chat:
        raw = await on_websocket(chat)
        await join(raw, "/custom")
        await raw.close()
        await eventually(lambda: echo.main.left and echo.custom.left)
        assert echo.main.left == echo.custom.left == ["transport close"]


async def test_the_chat_works_beside_other_namespaces_on_one_session(serve_echo):
    """With its own token; neither hears anything of the other."""
    async with serve_echo() as chat:
        raw = await on_websocket(chat)
        assert (await raw.connect({"token": chat.token(1)})).startswith('40/chat,{"sid":')
        assert await raw.is_alive()
        await raw.send(HELLO)
        assert await raw.next() == HELLO_BACK
        await raw.send("41")
        assert await raw.is_alive()
        await raw.send("41/chat,")
        connected, _ = await join(raw)
        assert connected.startswith("40{")
        await eventually(lambda: chat.app.gateway.get_active_users_count() == 0)


async def test_a_refusal_by_the_chat_does_not_end_the_other_namespaces(serve_echo):
    """A session is ended after a refusal only when it is in no namespace."""
    async with serve_echo(timings=Timings(refused_close_after_s=0.05)) as chat:
        stranger, guest = await RawSocket.open(chat), await on_websocket(chat)
        for raw in (guest, stranger):
            assert (await raw.connect({"token": "x"})).startswith("44/chat,")
        await stranger.until_end()
        await guest.send(HELLO)
        assert await guest.next() == HELLO_BACK
