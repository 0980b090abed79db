"""What the log says of requests: who was refused what, and never a token, a query or a text."""

import logging

import pytest

from chat.plugin_api import ActionDone, Plugin, after_action, hookimpl
from tests.support.rest import raw as rest_raw
from tests.support.rest.errors import assert_refused, assert_succeeded

SECRET = "s3cretvalue"  # it guards nothing: it is what must not be found


QUIET = ("pymongo", "engineio", "socketio", "tornado.access", "asyncio")
"""Libraries of which the server writes nothing below ERROR (chat/logs/setup.py); the tests
listen to all levels.
"""


def everything_logged(log, caplog):
    """All lines of the server and of the libraries that would be written, as one text."""
    records = [
        f"{each.getMessage()} {each.exc_text or ''}"
        for each in caplog.records
        if each.levelno >= logging.ERROR or not each.name.startswith(QUIET)
    ]
    return repr(log.entries) + "\n".join(records)


TARGETS = [
    "/chats?token={secret}", "/chats/1?token={secret}", "/nowhere?token={secret}",
    "/chat-messages?chatId={secret}", "/chats?limit=%ff&token={secret}", "/?token={secret}",
    "/static/nothing.js?token={secret}", "/static/../server.py?token={secret}",
    "/static/%00?token={secret}", "/static/ui?token={secret}", "/health/live?token={secret}",
    "/socket.io/?EIO=4&transport=polling&token={secret}", "/socket.io/?token={secret}",
    "/socket.io/?EIO=4&transport=%ff&token={secret}", "/socket.io/?EIO=4&sid=%ff&token={secret}",
    "/%0a%0dforged?token={secret}",
]  # fmt: skip


@pytest.mark.expects_errors
@pytest.mark.parametrize("target", TARGETS)
def test_no_query_string_is_logged(shared, log, caplog, target):
    """Query strings may hold `?token=`: whatever becomes of the request, no line of any logger has
    one.
    """
    caplog.set_level(logging.DEBUG)
    target = target.format(secret=SECRET)
    for method in ("GET", "POST", "OPTIONS"):
        rest_raw.get(shared.chat.app.port, target, "Content-Length: 0", method=method)
    shared.request("GET", "/chats")
    assert SECRET not in everything_logged(log, caplog)


def test_neither_tokens_nor_texts_are_logged(shared, log, caplog):
    """Good tokens, bad tokens, contents and metadata stay out of the log."""
    caplog.set_level(logging.DEBUG)
    chat_id = shared.create_chat([1, 2], title=f"title {SECRET}")
    message_id = shared.send(chat_id, 1, f"text {SECRET}", metadata={"m": SECRET})
    body = {"content": f"edited {SECRET}"}
    assert_succeeded(shared.request("PATCH", f"/chat-messages/{message_id}", json=body))
    assert_refused(
        shared.request("PATCH", f"/chat-messages/{message_id}", 2, json=body), "FORBIDDEN"
    )
    wrong = {"chatId": SECRET, "content": SECRET}
    assert_refused(shared.request("POST", "/chat-messages", json=wrong), "VALIDATION_ERROR")
    headers = {"Authorization": f"Bearer {SECRET}"}
    assert_refused(shared.request("GET", "/chats", None, headers=headers), "TOKEN_INVALID")
    shared.request("POST", "/chat-messages", body=SECRET.encode(), headers=headers)
    logged = everything_logged(log, caplog)
    assert "message_sent" in logged
    assert SECRET not in logged
    assert shared.chat.token(1).split(".")[0] not in logged


async def test_a_refusal_is_logged_with_its_request_id(serve, log):
    """So that what a user reports can be found: action, code, user and the id that the answer
    carries.
    """
    async with serve() as chat:
        chat_id = await chat.create_chat([1, 2])
        answer = await chat.request("GET", f"/chats/{chat_id}", 3)
        assert_refused(answer, "NOT_PARTICIPANT")
        await chat.app.hooks.drain()
    [line] = [each for each in log.entries if each["event"] == "refused"]
    assert line["request_id"] == answer.body["error"]["requestId"]
    assert (line["action"], line["code"]) == ("GET /chats/:id", "NOT_PARTICIPANT")
    assert (line["user_id"], line["remote_ip"], line["door"]) == (3, "127.0.0.1", "rest")


async def test_a_failed_token_is_logged_by_its_code(serve, log):
    """Door, address and code, and no word of the token."""
    async with serve() as chat:
        headers = {"Authorization": "Bearer x.y.z"}
        assert_refused(await chat.request("GET", "/chats", None, headers=headers), "TOKEN_INVALID")
        await chat.app.hooks.drain()
    [line] = [each for each in log.entries if each["event"] == "auth_failed"]
    assert (line["code"], line["door"]) == ("TOKEN_INVALID", "rest")
    assert line["remote_ip"] == "127.0.0.1"


class Recorder(Plugin):
    name = "recorder"

    def __init__(self) -> None:
        super().__init__()
        self.ips: list[str] = []

    @hookimpl(after_action)
    async def record(self, done: ActionDone) -> None:
        self.ips.append(done.remote_ip)


@pytest.mark.parametrize(("trust_proxy", "expected"), [(False, "127.0.0.1"), (True, "203.0.113.7")])
async def test_a_forwarded_address_is_believed_only_behind_a_proxy(serve, trust_proxy, expected):
    """X-Forwarded-For counts with TRUST_PROXY and not without."""
    recorder = Recorder()
    async with serve(plugins=[recorder], trust_proxy=trust_proxy) as chat:
        headers = {"X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": "https"}
        assert_succeeded(await chat.request("GET", "/chats", headers=headers))
        await chat.app.hooks.drain()
    assert recorder.ips == [expected]
