"""Connections that dawdle: they would hold a file and a buffer for nothing."""

import asyncio

from tests.support.gateway.servers import generous
from tests.support.gateway.wire import RawSocket
from tests.support.waiting import eventually

DEADLINE_S = 5


async def _read_to_end(reader):
    async with asyncio.timeout(DEADLINE_S):
        try:
            return await reader.read()
        except ConnectionResetError:
            return b""


async def test_a_body_that_does_not_come_ends_the_connection(serve):
    """BODY_WITHIN_S, for a REST call and for a polling POST; who is in does not feel it."""
    async with serve(body_within_s=0.3, **generous()) as chat:
        member = await RawSocket.enter(chat)
        for path in ("/chat-messages", "/socket.io/?EIO=4&transport=polling"):
            reader, writer = await asyncio.open_connection("127.0.0.1", chat.app.port)
            head = f"POST {path} HTTP/1.1\r\nHost: gateway\r\nContent-Length: 100\r\n\r\n"
            writer.write(head.encode() + b"half of it")
            assert not (await _read_to_end(reader)).startswith(b"HTTP/1.1 2")
            writer.close()
        assert await member.is_alive()


async def test_a_body_that_is_far_too_large_is_refused_before_it_comes(serve):
    """By its announced length: nobody waits for ninety megabytes, or keeps them."""
    async with serve(**generous()) as chat:
        for path in ("/chat-messages", "/socket.io/?EIO=4&transport=polling"):
            reader, writer = await asyncio.open_connection("127.0.0.1", chat.app.port)
            head = f"POST {path} HTTP/1.1\r\nHost: gateway\r\nContent-Length: 90000000\r\n\r\n"
            writer.write(head.encode() + b"x" * 1_000)
            assert not (await _read_to_end(reader)).startswith(b"HTTP/1.1 2")
            writer.close()


async def test_a_connection_without_a_request_is_ended(serve):
    """IDLE_CONNECTION_S, before the first request and between two; a websocket is none of those."""
    async with serve(idle_connection_s=1, **generous()) as chat:
        member = await RawSocket.enter(chat)
        for sent in (b"", b"GET /health/live HTTP/1.1\r\nHost: gateway\r\n\r\n"):
            reader, writer = await asyncio.open_connection("127.0.0.1", chat.app.port)
            writer.write(sent)
            answer = await _read_to_end(reader)
            assert answer.startswith(b"HTTP/1.1 200 ") == bool(sent)
            writer.close()
        assert await member.is_alive()
        await eventually(lambda: len(chat.app.gateway.server.eio.sockets) == 1)
