"""Whose word on where a client comes from is believed; the caps and the log go by it."""

import json

import pytest
from tornado.httpclient import HTTPRequest
from tornado.websocket import websocket_connect

from tests.support.gateway.wire import RawSocket, address, refused_upgrade

SOMEWHERE_ELSE = "203.0.113.7"


async def _is_counted_with_the_others(chat, forwarded):
    answer, _ = await refused_upgrade(chat, {"X-Forwarded-For": forwarded})
    return answer.startswith(b"HTTP/1.1 429 ")


@pytest.mark.parametrize(
    "settings",
    [
        {"trust_proxy": False},
        {"trust_proxy": True, "trusted_proxies": ("10.0.0.0/8",)},
    ],
    ids=["without a proxy", "who is not the proxy"],
)
@pytest.mark.parametrize("header", ["X-Forwarded-For", "X-Real-Ip"])
async def test_a_stranger_cannot_say_where_it_comes_from(serve, settings, header):
    """Who made up an address for each socket would have no cap at all."""
    async with serve(max_sockets_per_address=1, **settings) as chat:
        await RawSocket.open(chat, headers={header: "203.0.113.8"})
        answer, _ = await refused_upgrade(chat, {header: SOMEWHERE_ELSE})
        assert answer.startswith(b"HTTP/1.1 429 ")


async def test_what_a_client_told_its_proxy_is_not_believed(serve):
    """A proxy appends the address that it sees; what stands before it is the client's own text."""
    settings = {"trust_proxy": True, "trusted_proxies": ("127.0.0.1", "10.0.0.0/8")}
    async with serve(max_sockets_per_address=1, **settings) as chat:
        await RawSocket.open(chat, headers={"X-Forwarded-For": SOMEWHERE_ELSE})
        assert await _is_counted_with_the_others(chat, f"198.51.100.1, {SOMEWHERE_ELSE}")
        assert await _is_counted_with_the_others(chat, f"198.51.100.2, {SOMEWHERE_ELSE}, 10.1.2.3")
        await RawSocket.open(chat, headers={"X-Forwarded-For": f"{SOMEWHERE_ELSE}, 198.51.100.1"})


async def test_an_address_that_is_none_is_the_proxys_own(serve):
    """Whatever a proxy hands on, the socket has an address."""
    async with serve(max_sockets_per_address=1, trust_proxy=True) as chat:
        await RawSocket.open(chat, headers={"X-Forwarded-For": "not-an-address"})
        assert await _is_counted_with_the_others(chat, "unknown")


@pytest.mark.parametrize(
    "entries",
    [
        ["203.0.113.1:50001", "203.0.113.2:50002"],
        ["[2001:db8:1::1]:443", "[2001:db8:2::1]:443"],
        ["[2001:db8:1::1]", "[2001:db8:2::1]"],
        ["::ffff:203.0.113.1", "::ffff:203.0.113.2"],
    ],
)
@pytest.mark.parametrize("header", ["X-Forwarded-For", "X-Real-Ip"])
async def test_each_client_counts_for_itself_in_whatever_spelling(serve, header, entries):
    """Azure and IIS add the port; a second socket of the same address is one too many."""
    async with serve(max_sockets_per_address=1, trust_proxy=True) as chat:
        for entry in entries:
            await RawSocket.open(chat, headers={header: entry})
        answer, _ = await refused_upgrade(chat, {header: entries[0]})
        assert answer.startswith(b"HTTP/1.1 429 ")


@pytest.mark.parametrize("how", ["setting", "header"])
async def test_a_websocket_is_opened_under_a_path(serve, how):
    """Where the proxy does not cut the path off."""
    settings = {"public_path": "/im"} if how == "setting" else {"trust_proxy": True}
    headers = {"X-Forwarded-Prefix": "/im"} if how == "header" else {}
    async with serve(**settings) as chat:
        url = address(chat, "websocket").replace("/socket.io/", "/im/socket.io/")
        connection = await websocket_connect(HTTPRequest(url, headers=headers))
        opened = await connection.read_message()
        assert json.loads(opened[1:])["pingInterval"] > 0
        connection.close()
