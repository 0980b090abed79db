"""Who has gone leaves nothing for the collector, which comes seldom: a wave of reconnecting clients
would double the memory until it does.
"""

import asyncio
import gc
import socket
import struct
from collections import Counter
from contextlib import contextmanager

import pytest

from tests.support.gateway.servers import generous
from tests.support.gateway.tcp import BareSocket
from tests.support.waiting import eventually

OF_A_CLIENT = {
    "SocketHandler", "WebSocket", "ClientSession",
    "Connection", "ReceivedEvent", "HTTP1ServerConnection", "HTTP1Connection",
    "HTTPServerRequest", "IOStream", "MessagesHandler", "NotFoundHandler", "ChatError",
}  # fmt: skip
"""Classes of which the server makes one or more for each client, or for each of its mistakes."""


@contextmanager
def _without_collector():
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _alive():
    kinds = (type(each) for each in gc.get_objects())
    # The driver's pool has a Connection, too, and opens one more when the machine is slow.
    return Counter(
        kind.__name__
        for kind in kinds
        if kind.__name__ in OF_A_CLIENT and not kind.__module__.startswith("pymongo")
    )


async def _ask(chat, method, path, user_id, body=""):
    """One REST call on a connection of its own, whose client is made of nothing but streams."""
    reader, writer = await asyncio.open_connection("127.0.0.1", chat.app.port)
    head = f"{method} {path} HTTP/1.1\r\nHost: gateway\r\nConnection: close\r\n"
    head += f"Authorization: Bearer {chat.token(user_id)}\r\nContent-Type: application/json\r\n"
    writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())
    answer = await reader.read()
    writer.close()
    return answer


async def _websocket(chat):
    bare = await BareSocket.enter(chat, 1)
    bare.close()


async def _websocket_that_is_reset(chat):
    bare = await BareSocket.enter(chat, 1)
    bare.reset()


async def _events_that_are_refused(chat):
    bare = await BareSocket.enter(chat, 1)
    for number, body in enumerate(
        [
            '["nonsense"]',
            '["sendMessage",{"chatId":"x"}]',
            '["sendMessage",{"chatId":1,"content":"hi","replyToId":999,"clientMessageId":"x"}]',
            '["editMessage",{"messageId":1,"content":"of somebody else"}]',
        ]
    ):
        await bare.send(f"42/chat,{number}{body}")
        await bare.read_until(f"43/chat,{number}[".encode())
    bare.close()


async def _rest_calls(chat):
    for body, status in (("{}", b"400"), ('{"chatId":1,"content":"hi"}', b"201")):
        answer = await _ask(chat, "POST", "/chat-messages", 2, body)
        assert answer.startswith(b"HTTP/1.1 " + status), answer
    assert (await _ask(chat, "GET", "/nowhere", 2)).startswith(b"HTTP/1.1 404")


async def _a_request_that_is_reset(chat):
    before = _alive()["HTTP1ServerConnection"]
    connection = socket.create_connection(("127.0.0.1", chat.app.port))
    connection.send(
        b"POST /chat-messages HTTP/1.1\r\nHost: gateway\r\nContent-Length: 100\r\n\r\nhalf of it"
    )
    await eventually(lambda: _alive()["HTTP1ServerConnection"] > before)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
    await eventually(lambda: _alive()["HTTP1ServerConnection"] <= before)


@pytest.mark.parametrize(
    "visit",
    [
        _websocket,
        _websocket_that_is_reset,
        _events_that_are_refused,
        _rest_calls,
        _a_request_that_is_reset,
    ],
)
async def test_who_has_gone_leaves_nothing_for_the_collector(serve, visit):
    """Sockets and requests, done and refused, go with their last reference."""
    # A heartbeat keeps a session until the next ping is due.
    async with serve(ping_interval_s=0.3, **generous()) as chat:
        assert await chat.create_chat([1, 2]) == 1
        await _ask(chat, "POST", "/chat-messages", 2, '{"chatId":1,"content":"the first"}')
        await visit(chat)
        await eventually(lambda: not chat.app.gateway.server.eio.sockets)
        with _without_collector():
            before = _alive()
            for _ in range(3):
                await visit(chat)
            await eventually(lambda: not _alive() - before)
