"""Packets that no client of ours would send: answered with an error, or the connection ends;
nothing in between."""

import json

import pytest
from tornado.httpclient import AsyncHTTPClient
from tornado.httputil import HTTPHeaders
from tornado.websocket import WebSocketClosedError

from tests.support.gateway.wire import RawPolling, RawSocket, address
from tests.support.waiting import eventually

MALFORMED = [
    "",
    "x",
    "9",
    "4",
    "4x",
    "47",
    "49/chat,[]",
    "40/chat,{not json",
    "40/chat,[1]",
    '40/chat,{"token":"again"}',
    "42/chat,[]",
    '42/chat,{"a":1}',
    "42/chat,null",
    '42/chat,"authenticate"',
    '42/elsewhere,["authenticate"]',
    '42["authenticate"]',
    "44/chat,{}",
    '451-/chat,["authenticate",{"_placeholder":true,"num":0}',
    "4599-/chat,[]",
    '45-/chat,["authenticate"]',
    "0{}",
    "2probe",
    "b4AAEC",
    b"\x04",
    b"",
]
"""What Engine.IO and Socket.IO have no meaning for, as a client that is let in would send it."""


def _name(frame):
    return repr(frame)[:40]


async def _is_answered_or_ended(raw, frame):
    await raw.send(frame)
    try:
        await raw.send('42/chat,77["authenticate"]')
        before = len(raw.frames)
        await raw.until("43/chat,77[")
    except (AssertionError, TimeoutError, WebSocketClosedError):
        await raw.until_end()
        return True
    return any(
        str(each).startswith(('42/chat,["error"', "44", "3")) for each in raw.frames[before:-1]
    )


@pytest.mark.parametrize("frame", MALFORMED, ids=_name)
async def test_a_malformed_packet_is_answered_or_ends_the_connection(serve, frame):
    """Never a session that looks alive and hears nothing, and never a traceback for a stranger's
    garbage."""
    async with serve() as chat:
        raw, other = await RawSocket.enter(chat, 1), await RawSocket.enter(chat, 2)
        assert await _is_answered_or_ended(raw, frame), raw.frames
        assert await other.is_alive()
        if raw.ended:
            await eventually(lambda: chat.app.gateway.get_user_sockets(1) == [])


@pytest.mark.parametrize(
    "frame", [each for each in MALFORMED if isinstance(each, str) and each], ids=_name
)
async def test_a_malformed_packet_over_polling_is_answered_or_ends_the_session(
    serve, frame, caplog
):
    """The POST is refused, or an error is polled, or the session is over; the log keeps its
    calm."""
    async with serve() as chat:
        raw = await RawPolling.enter(chat, 1)
        response = await raw.post(frame)
        if response.code == 200:
            await raw.post('42/chat,77["authenticate"]')
            last = await raw.poll()
            ended = last.code != 200 or "1" in raw.frames
            told = [each for each in raw.frames if each.startswith(('42/chat,["error"', "44", "3"))]
            assert ended or told, raw.frames
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


async def test_a_second_connect_ends_the_connection(serve):
    """A session is one user; another token on it is no way to become somebody else."""
    async with serve() as chat:
        raw = await RawSocket.enter(chat, 1)
        await raw.send("40/chat," + json.dumps({"token": chat.token(2)}))
        await eventually(lambda: chat.app.gateway.get_active_users_count() == 0)
        await raw.until_end()


async def test_more_attachments_than_a_message_could_have_end_the_connection(serve):
    """Five thousand placeholders in one request once took 4.5 GB."""
    async with serve() as chat:
        raw = await RawSocket.enter(chat)
        await raw.send('455000-/chat,["sendMessage",[]]')
        await eventually(lambda: chat.app.gateway.get_active_users_count() == 0)
        await raw.until_end()


async def test_a_frame_over_the_limit_ends_the_connection(serve):
    """MAX_PAYLOAD_BYTES bounds a frame; the others do not feel it."""
    async with serve(max_payload_bytes=20_000) as chat:
        chat_id = await chat.create_chat([1])
        raw, other = await RawSocket.enter(chat, 1), await RawSocket.enter(chat, 2)
        answer = await raw.call("joinChat", {"chatId": chat_id, "padding": "x" * 19_000})
        assert answer["success"] is True
        await raw.send("4" + "x" * 20_001)
        await raw.until_end()
        await eventually(lambda: chat.app.gateway.get_user_sockets(1) == [])
        assert await other.is_alive()


async def test_a_polling_post_over_the_limit_is_refused(serve):
    """The same bound for the body of a POST; nothing of it is handled."""
    async with serve(max_payload_bytes=20_000) as chat:
        chat_id = await chat.create_chat([1])
        raw = await RawPolling.enter(chat)
        send = f'42/chat,["sendMessage",{{"chatId":{chat_id},"content":"hi"}}]'
        response = await raw.post(send, "4" + "x" * 20_001)
        assert response.code >= 400
        page = await chat.request("GET", f"/chat-messages?chatId={chat_id}")
        assert page.data == []


async def test_an_ack_to_the_server_is_ignored(serve):
    """The server asks for none; a stray one is harmless."""
    async with serve() as chat:
        raw = await RawSocket.enter(chat)
        await raw.send("43/chat,5[]")
        assert await raw.is_alive()


async def test_an_ack_id_of_any_length_comes_back_or_is_an_error(serve):
    """0 and the largest a JavaScript client counts to are acked under their own id."""
    async with serve() as chat:
        raw = await RawSocket.enter(chat)
        for ack_id in (0, 1, 999_999_999_999_999):
            await raw.send(f'42/chat,{ack_id}["authenticate"]')
            assert (await raw.ack(ack_id))["success"] is True
        await raw.send('42/chat,12345678901234567890["authenticate"]')
        assert await raw.is_alive()


async def test_a_socket_io_disconnect_leaves_the_namespace(serve):
    """After it the socket is gone from /chat, and can come in again over the same transport."""
    async with serve() as chat:
        raw = await RawSocket.enter(chat)
        await raw.send("41/chat,")
        await eventually(lambda: chat.app.gateway.get_active_users_count() == 0)
        await raw.connect({"token": chat.token(2)})
        assert (await raw.event('["authenticate"]'))["userId"] == 2


async def test_a_poll_with_two_upgrade_headers_is_a_poll(serve):
    """Its last line alone would be a websocket's; there is none, and nothing crashes."""
    async with serve() as chat:
        raw = await RawPolling.open(chat)
        await raw.post("40/chat," + json.dumps({"token": chat.token(1)}))
        headers = HTTPHeaders()
        headers.add("Upgrade", "h2c")
        headers.add("Upgrade", "websocket")
        url = address(chat, "polling", sid=raw.session_id)
        answer = await AsyncHTTPClient().fetch(url, headers=headers, raise_error=False)
        assert answer.code == 200
        assert b"40/chat," in answer.body
