"""Engine.IO: how a session is opened, and what is refused. Cases 1 to 7 of both official suites."""

import json

import pytest
from tornado.httpclient import AsyncHTTPClient, HTTPRequest

from tests.support.gateway.wire import RawSocket, address, refused_upgrade

BEATS = {"ping_interval_s": 0.3, "ping_timeout_s": 0.2}
FIELDS = {"sid", "upgrades", "pingInterval", "pingTimeout", "maxPayload"}
NOT_OURS = {
    "no EIO": {"EIO": None},
    "EIO of another kind": {"EIO": "abc"},
    "an older EIO": {"EIO": "3"},
    "no transport": {"transport": None},
    "an unknown transport": {"transport": "abc"},
}


async def _ask(chat, method="GET", **query):
    request = HTTPRequest(
        address(chat, "polling", **query), method=method, allow_nonstandard_methods=True
    )
    return await AsyncHTTPClient().fetch(request, raise_error=False)


def _is_handshake(text, upgrades):
    assert text[:1] == "0"
    handshake = json.loads(text[1:])
    assert set(handshake) == FIELDS
    assert isinstance(handshake["sid"], str)
    assert handshake["upgrades"] == upgrades
    assert (handshake["pingInterval"], handshake["pingTimeout"]) == (300, 200)
    return handshake


async def test_a_session_over_polling_begins_with_the_handshake(serve_echo):
    """The first GET answers the session's id, its bounds and the way up to a websocket."""
    async with serve_echo(max_payload_bytes=1_000_000, **BEATS) as chat:
        response = await _ask(chat)
        assert response.code == 200
        handshake = _is_handshake(response.body.decode(), ["websocket"])
        assert handshake["maxPayload"] == 1_000_000


async def test_a_session_over_websocket_begins_with_the_handshake(serve_echo):
    """Its first frame says the same, and that there is nothing to upgrade to."""
    async with serve_echo(max_payload_bytes=1_000_000, **BEATS) as chat:
        raw = await RawSocket.open(chat)
        handshake = _is_handshake(raw.frames[0], [])
        assert handshake["maxPayload"] == 1_000_000


@pytest.mark.parametrize("query", NOT_OURS.values(), ids=NOT_OURS.keys())
async def test_a_poll_in_another_protocol_is_refused(serve_echo, query):
    """400, and no session comes of it."""
    async with serve_echo() as chat:
        assert (await _ask(chat, **query)).code == 400


@pytest.mark.parametrize("query", NOT_OURS.values(), ids=NOT_OURS.keys())
async def test_a_websocket_in_another_protocol_is_refused(serve_echo, query):
    """The connection is closed without becoming a websocket."""
    async with serve_echo() as chat:
        answer, closed = await refused_upgrade(chat, **query)
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert closed


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_a_session_is_opened_by_a_get_alone(serve_echo, method):
    """Any other method without a session is refused with 400."""
    async with serve_echo() as chat:
        assert (await _ask(chat, method)).code == 400
