"""Who may reach the endpoint at all: origins and protocols are checked before the 101."""

import asyncio
import os
import socket

import pytest
from tornado.httpclient import AsyncHTTPClient, HTTPRequest

from tests.support.gateway.wire import (
    END_WITHIN_S,
    RawPolling,
    RawSocket,
    address,
    refused_upgrade,
)

ALLOWED = "https://crm.example.com"


async def _poll(chat, headers, method="GET"):
    request = HTTPRequest(address(chat, "polling"), method=method, headers=headers)
    return await AsyncHTTPClient().fetch(request, raise_error=False)


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example.com",
        "https://crm.example.com.evil.com",
        "http://crm.example.com",
        "https://crm.example.com:8443",
        "null",
        "*",
        "file://",
        "http://127.0.0.1",
        "",
    ],
)
async def test_an_unknown_origin_is_refused_by_both_transports(serve, origin):
    """403 before the 101, and no CORS header that would let a page read it."""
    async with serve(cors_origins=ALLOWED) as chat:
        answer, _ = await refused_upgrade(chat, {"Origin": origin})
        assert answer.startswith(b"HTTP/1.1 403 ")
        assert b"access-control-allow-origin" not in answer.lower()
        response = await _poll(chat, {"Origin": origin})
        assert response.code == 403
        assert "Access-Control-Allow-Origin" not in response.headers


async def test_listed_origins_and_the_own_one_may_connect(serve):
    """CORS_ORIGINS is an exact list; the server's own page and clients without an Origin always
    work."""
    async with serve(cors_origins=ALLOWED) as chat:
        own = f"http://127.0.0.1:{chat.app.port}"
        for headers in ({"Origin": ALLOWED}, {"Origin": own}, {"Origin": ALLOWED.upper()}, {}):
            raw = await RawSocket.open(chat, headers=headers)
            await raw.connect({"token": chat.token(1)})
            assert await raw.is_alive()
            response = await _poll(chat, headers)
            assert response.code == 200
            assert response.headers.get("Access-Control-Allow-Origin") == headers.get("Origin")
            credentials = "true" if "Origin" in headers else None
            assert response.headers.get("Access-Control-Allow-Credentials") == credentials


async def test_a_preflight_of_the_polling_transport_is_answered(serve):
    """A page of another origin that sends an Authorization header asks first."""
    async with serve(cors_origins=ALLOWED) as chat:
        response = await _poll(chat, {"Origin": ALLOWED}, "OPTIONS")
        assert response.code == 204
        assert response.headers["Access-Control-Allow-Origin"] == ALLOWED
        assert "Authorization" in response.headers["Access-Control-Allow-Headers"]
        refused = await _poll(chat, {"Origin": "https://evil.example.com"}, "OPTIONS")
        assert refused.code == 403


@pytest.mark.parametrize(
    "query",
    [
        {"EIO": "3"},
        {"EIO": ""},
        {"sid": "nobody"},
        {"transport": "flashsocket"},
        {"transport": "polling"},
        {"j": "1"},
    ],
)
async def test_a_websocket_of_another_protocol_or_session_never_gets_the_101(serve, query):
    """A plain 400 that repeats nothing of the request."""
    async with serve() as chat:
        answer, _ = await refused_upgrade(chat, **query)
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert b"nobody" not in answer


async def test_a_refused_websocket_does_not_keep_its_connection(serve):
    """The TCP connection is closed with the refusal: a refused client would hold it for minutes."""
    async with serve() as chat:
        _, closed = await refused_upgrade(chat, {"Origin": "https://evil.example.com"})
        assert closed


@pytest.mark.parametrize(
    "query",
    [
        {"EIO": "3"},
        {"sid": "nobody"},
        {"transport": "jsonp"},
        {"j": "0"},
        {"transport": "websocket"},
    ],
)
async def test_polling_of_another_protocol_or_session_is_refused(serve, query):
    """The same answer for polling: 400, nothing repeated, no JSONP."""
    async with serve() as chat:
        response = await AsyncHTTPClient().fetch(
            address(chat, "polling", **query), raise_error=False
        )
        assert response.code == 400
        assert b"nobody" not in response.body


async def test_two_websockets_cannot_share_a_session(serve):
    """The second websocket of a session is closed at once, the first connection lives on."""
    async with serve() as chat:
        raw = await RawSocket.enter(chat)
        session_id = next(iter(chat.app.gateway.server.eio.sockets))
        await (await RawSocket.upgrade(chat, session_id)).until_end()
        assert await raw.is_alive()


def _server_side_sockets(port):
    """The accepted TCP sockets of this process on a local port."""
    for entry in os.listdir("/proc/self/fd"):
        try:
            twin = socket.socket(fileno=os.dup(int(entry)))
        except OSError:
            continue
        with twin:
            if twin.family == socket.AF_INET and twin.type == socket.SOCK_STREAM:
                listening = twin.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
                if not listening and twin.getsockname()[1] == port:
                    yield twin


async def test_a_websocket_does_not_wait_for_more_to_send(serve):
    """TCP_NODELAY is on: with Nagle's algorithm an acked event takes 44 ms instead of one."""
    async with serve() as chat:
        raw = await RawSocket.enter(chat)
        assert await raw.is_alive()
        options = [
            each.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            for each in _server_side_sockets(chat.app.port)
        ]
        assert options
        assert all(options)


async def test_a_polling_session_speaks_like_a_websocket(serve):
    """Connect, an acked event and a push, all over long polling."""
    async with serve() as chat:
        chat_id = await chat.create_chat([1, 2])
        raw = await RawPolling.enter(chat)
        joined = await raw.event(f'["joinChat",{{"chatId":{chat_id}}}]')
        assert joined["message"] == f"Joined chat {chat_id}"
        grace = await chat.connect(2)
        await grace.call("sendMessage", {"chatId": chat_id, "content": "over there"})
        assert "over there" in await raw.until('42/chat,["newMessage"')


async def test_a_polling_session_that_ends_lets_its_waiting_poll_go(serve):
    """The GET that waits for packets is answered when the client says goodbye, not at its time-
    out."""
    async with serve() as chat:
        raw = await RawPolling.enter(chat)
        waiting = asyncio.create_task(raw.poll())
        await raw.post("41/chat,", "1")
        response = await asyncio.wait_for(waiting, END_WITHIN_S)
        # 400 where the goodbye has overtaken the poll: answered at once as well.
        assert response.code in (200, 400)
