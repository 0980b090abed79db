"""Whose word on where a client comes from is believed; the caps and the log go by it."""

import pytest

from tests.support.gateway_wire import RawSocket, refused_upgrade

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
