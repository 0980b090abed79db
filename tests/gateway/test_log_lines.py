"""What the socket door writes into the log: a line for each thing, one record a line, and no secret
in it."""

import json
import logging

import pytest
import structlog
from tornado.httpclient import AsyncHTTPClient

from chat.logs.setup import configure_logging
from tests.support.gateway.servers import generous
from tests.support.gateway.tokens import signed
from tests.support.gateway.wire import RawSocket, address
from tests.support.waiting import eventually

SECRET_TEXT = "the-words-that-nobody-else-may-read"


def _fields(log, event):
    return [line for line in log.entries if line["event"] == event]


async def test_everything_that_happens_has_its_line(serve, log):
    """Connect, join, send, edit, delete, leave, refusal, disconnect: who and where."""
    async with serve(**generous()) as chat:
        chat_id = await chat.create_chat([1])
        ada = await chat.connect(1, join=chat_id)
        socket_id = (await ada.call("authenticate"))["socketId"]
        sent = await ada.call("sendMessage", {"chatId": chat_id, "content": SECRET_TEXT})
        message_id = sent["data"]["id"]
        await ada.call("editMessage", {"messageId": message_id, "content": SECRET_TEXT + "!"})
        await ada.call("deleteMessage", {"messageId": message_id})
        await ada.call("leaveChat", {"chatId": chat_id})
        refused = await ada.call("joinChat", {"chatId": 987_654})
        await ada.close()
        await eventually(lambda: _fields(log, "disconnected"))
    who = {"user_id": 1, "chat_id": chat_id, "log_level": "info"}
    (connected,) = _fields(log, "connected")
    assert (connected["user_id"], connected["socket_id"]) == (1, socket_id)
    assert connected["remote_ip"] == "127.0.0.1"
    for event in ("joined", "left"):
        assert _fields(log, event) == [{**who, "event": event}]
    first = sent["data"]["seq"]
    for place, event in enumerate(("message_sent", "message_edited", "message_deleted")):
        line = {**who, "event": event, "message_id": message_id, "seq": first + place}
        assert _fields(log, event) == [line]
    (refusal,) = _fields(log, "refused")
    assert (refusal["action"], refusal["code"]) == ("joinChat", "NOT_PARTICIPANT")
    assert refusal["request_id"] == refused["error"]["requestId"]
    (gone,) = _fields(log, "disconnected")
    assert gone["socket_id"] == socket_id
    assert gone["reason"] in ("client disconnect", "transport close")
    assert gone["connected_s"] >= 0
    assert SECRET_TEXT not in repr(log.entries)


@pytest.mark.expects_errors
async def test_no_token_and_no_content_is_ever_in_a_log_line(serve, log, caplog):
    """Whichever way it came in, and however it was refused."""
    caplog.set_level(logging.INFO)
    bad = signed("another-secret-that-is-long-enough-to-be-one", id=1)
    async with serve(**generous()) as chat:
        chat_id = await chat.create_chat([1])
        good = chat.token(1)
        for token in (good, bad, good[:-4] + "AAAA"):
            for place in ("query", "header", "auth"):
                header = {"Authorization": f"Bearer {token}"} if place == "header" else None
                query = {"token": token} if place == "query" else {}
                raw = await RawSocket.open(chat, headers=header, **query)
                await raw.connect({"token": token} if place == "auth" else None)
                await raw.close()
        await AsyncHTTPClient().fetch(
            address(chat, "polling", EIO="3", token=good), raise_error=False
        )
        await AsyncHTTPClient().fetch(f"{chat.url}/nowhere?token={good}", raise_error=False)
        raw = await RawSocket.enter(chat)
        content = {"chatId": chat_id, "content": SECRET_TEXT}
        await raw.call("sendMessage", content)
        await raw.call("sendMessage", {**content, "metadata": SECRET_TEXT, "chatId": "1"})
        await raw.call(SECRET_TEXT, content)
        await raw.call("authenticate", {"token": bad})
        await raw.event('["sendMessage",{"content":"' + SECRET_TEXT + '\\ud800"}]')
        await raw.send('42/chat,{"content":"' + SECRET_TEXT + '"}')
        await eventually(lambda: _fields(log, "malformed_packet"))
    assert len(_fields(log, "auth_failed")) >= 6
    assert {line["code"] for line in _fields(log, "auth_failed")} == {"TOKEN_INVALID"}
    library = [record.getMessage() for record in caplog.records if record.name != "asyncio"]
    written = repr(log.entries) + repr(library)
    for secret in (good, good[-20:], bad, bad[-20:], SECRET_TEXT):
        assert secret not in written


@pytest.fixture
def real_log():
    """Undo `configure_logging`, which sets up the whole process."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    names = ("engineio", "socketio", "pymongo", "tornado.access", "asyncio")
    levels = {name: logging.getLogger(name).level for name in names}
    yield configure_logging
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)


@pytest.mark.parametrize("log_format", ["json", "console"])
async def test_client_text_cannot_forge_a_log_line(serve, real_log, capsys, log_format):
    """Newlines, escapes and direction marks of a client stay inside one record."""
    real_log("DEBUG", log_format)
    evil = "x\nFORGED event\r\x1b[31m\u2028\u202eFORGED"
    async with serve(**generous()) as chat:
        for path in ("/%0aFORGED", "/socket.io/?EIO=4&transport=x%0aFORGED", "/chats/%0d%0aFORGED"):
            await AsyncHTTPClient().fetch(chat.url + path, raise_error=False)
        raw = await RawSocket.open(chat, token=evil)
        await raw.connect(None)
        raw = await RawSocket.open(chat)
        await raw.connect({"token": signed(id=1, type=evil, name=evil, role=evil)})
        await raw.event(json.dumps([evil, {"chatId": evil}]))
        await raw.send("4" + evil)
        await eventually(lambda: chat.app.gateway.get_active_users_count() == 0)
    # Whatever a later line of the server, of a plugin or of a library may quote.
    structlog.get_logger("plugin").warning("quoted", text=evil)
    logging.getLogger("tornado.general").warning("quoted %s", evil)
    lines = capsys.readouterr().err.splitlines()
    assert lines
    assert not [line for line in lines if line.startswith(("FORGED", "\x1b[31m"))]
    assert not [line for line in lines if "\u202e" in line or "\u2028" in line]
    if log_format == "json":
        assert all(json.loads(line)["event"] for line in lines)
