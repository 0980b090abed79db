"""docs/errors.md: of every refusal of the socket door the log has the `requestId` that the client
got.
"""

import json

import pytest
from tornado.httpclient import AsyncHTTPClient

from chat.plugin_api import ErrorCode, Plugin, Reject, before_connect, hookimpl
from tests.support.gateway.servers import generous
from tests.support.gateway.wire import RawSocket, address, refused_upgrade
from tests.support.protocol.namespaces import EchoPlugin


def lines_of(log, request_id):
    return [line for line in log.entries if line.get("request_id") == request_id]


HANDSHAKES = [
    ({"Origin": "https://evil.example"}, {}, "FORBIDDEN"),
    ({"Origin": "null"}, {}, "FORBIDDEN"),
    ({}, {"EIO": "3"}, "VALIDATION_ERROR"),
    ({}, {"sid": "nobody"}, "VALIDATION_ERROR"),
]


@pytest.mark.parametrize("transport", ["polling", "websocket"])
@pytest.mark.parametrize(("headers", "query", "code"), HANDSHAKES)
async def test_a_refused_handshake_is_logged_with_its_origin(
    serve, log, headers, query, code, transport
):
    """Why, from where, for which host, and under the id of the answer."""
    async with serve() as chat:
        if transport == "polling":
            answer = await AsyncHTTPClient().fetch(
                address(chat, "polling", **query), headers=headers, raise_error=False
            )
            error = json.loads(answer.body)["error"]
            assert answer.headers["X-Request-Id"] == error["requestId"]
        else:
            answer, _ = await refused_upgrade(chat, headers, **query)
            error = json.loads(answer.partition(b"\r\n\r\n")[2])["error"]
        assert error["code"] == code
        [line] = lines_of(log, error["requestId"])
        assert line["event"] == "handshake_refused"
        assert line["why"] == error["message"]
        assert line["code"] == code
        assert line["origin"] == headers.get("Origin")
        assert line["host"] == f"127.0.0.1:{chat.app.port}"
        assert line["remote_ip"] == "127.0.0.1"


async def test_a_handshake_over_the_share_of_its_address_is_logged(serve, log):
    """RATE_LIMITED is a refusal like the others."""
    async with serve(max_sockets_per_address=1) as chat:
        await RawSocket.enter(chat)
        answer, _ = await refused_upgrade(chat, {})
        error = json.loads(answer.partition(b"\r\n\r\n")[2])["error"]
        [line] = lines_of(log, error["requestId"])
        assert (line["event"], line["code"]) == ("handshake_refused", "RATE_LIMITED")


EVENTS = [
    '["nothing",{}]', '["joinChat",{"chatId":"x"}]', '["joinChat",{"chatId":987654}]',
    '["joinChat",{"chatId":1},2]', '["joinChat",' + "[" * 40 + "]" * 40 + "]",
    '["sendMessage",{"chatId":987654,"content":"x"}]', '["markAsRead"]', "[7]",
    '["authenticate",{"token":"nonsense"}]',
]  # fmt: skip


@pytest.mark.parametrize("event", EVENTS)
async def test_a_refused_event_is_logged(serve, log, event):
    """Whether it could be read or not; of a bad token the reason is logged, too."""
    async with serve(**generous()) as chat:
        raw = await RawSocket.enter(chat)
        answer = await raw.event(event)
        await chat.app.hooks.drain()
        said = [each["event"] for each in lines_of(log, answer["error"]["requestId"])]
        # A chat that is not the caller's may be an attempt to get into it.
        said = [each for each in said if each != "audit_refused"]
        assert said == (["auth_failed"] if "nonsense" in event else []) + ["refused"]


async def test_a_chat_that_sync_refuses_is_logged(serve, log):
    """The rest of the answer is a success."""
    async with serve(**generous()) as chat:
        ada = await chat.connect(1)
        answer = await ada.call("sync", {"epoch": "e", "chats": [{"chatId": 987_654, "since": 0}]})
        [refused] = answer["data"]["chats"]
        [line] = lines_of(log, refused["error"]["requestId"])
        assert (line["event"], line["code"]) == ("refused", "NOT_PARTICIPANT")
        assert (line["user_id"], line["chat_id"]) == (1, 987_654)


class Doorkeeper(Plugin):
    name = "doorkeeper"

    @hookimpl(before_connect)
    async def nobody(self, attempt):
        raise Reject(ErrorCode.REJECTED, "we are closed")


async def test_a_connect_that_a_plugin_refuses_is_logged(serve, log):
    """The client gets a `connect_error` with the id."""
    async with serve(plugins=[Doorkeeper()]) as chat:
        raw = await RawSocket.open(chat)
        answer = await raw.connect({"token": chat.token(1)})
        refused = json.loads(answer.partition(",")[2])["data"]
        [line] = lines_of(log, refused["requestId"])
        assert (line["event"], line["code"]) == ("connect_refused", "REJECTED")
        assert (line["user_id"], line["remote_ip"]) == (1, "127.0.0.1")


async def test_a_refused_event_of_a_plugins_namespace_is_logged(serve, log):
    """A namespace of a plugin has no user, but it has the error model."""
    async with serve(plugins=[EchoPlugin()]) as chat:
        raw = await RawSocket.open(chat)
        await raw.send("40/custom,")
        await raw.until("40/custom")
        await raw.send('42/custom,1["refuse"]')
        answer = json.loads((await raw.until("43/custom,1")).partition("[")[2].rstrip("]"))
        [line] = lines_of(log, answer["error"]["requestId"])
        assert (line["event"], line["namespace"]) == ("refused", "/custom")
