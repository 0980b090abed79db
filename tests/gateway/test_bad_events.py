"""Events that do not fit: a typed error as the ack, nothing stored, and the connection lives."""

import json

import pytest

from tests.support.gateway.servers import generous
from tests.support.gateway.wire import RawPolling, RawSocket

BAD_IDS = [
    '"1"', '"chat_1"', '""', "1.0", "1.5", "true", "null", "[1]", "{}", '{"$gt": ""}', "-1", "0",
    "9007199254740993", "9223372036854775808", "1e400", '"\\u0661"',
]  # fmt: skip
BAD_CONTENTS = [
    '""', '"   "', '"\\n\\t "', '"\\u3000"', "1", "true", "null", "[]", '["hi"]', "{}",
    '{"$gt": ""}', '"a\\u0000b"', '"' + "x" * 10_001 + '"', '"' + "\U0001f600" * 10_001 + '"',
]  # fmt: skip
BAD_METADATA = [
    "1", '"text"', "[]", "true", '{"a":1e400}', '{"a":"\\u0000"}', '{"a\\u0000":1}',
    '{"a":' * 40 + "1" + "}" * 40, '{"a":' + "[" * 200 + "]" * 200 + "}",
    '{"a":9007199254740993}', '{"a":"' + "x" * 20_000 + '"}',
]  # fmt: skip
BAD_KEYS = [
    '""',
    '"' + "x" * 65 + '"',
    "1",
    "true",
    "[]",
    '"a b"',
    '"\\u0000"',
    '"\\n"',
    '{"$ne":1}',
]


async def _stored(chat, chat_id):
    page = await chat.request("GET", f"/chat-messages?chatId={chat_id}&limit=200")
    return [message["message"] for message in page.data]


def _check(answer, code="VALIDATION_ERROR"):
    assert answer["success"] is False
    error = answer["error"]
    assert error["code"] == code, answer
    assert answer["message"] == error["message"]
    assert type(error["retryable"]) is bool
    assert error["requestId"]


@pytest.mark.parametrize("transport", [RawSocket, RawPolling])
async def test_every_bad_field_of_a_message_is_a_validation_error(serve, transport):
    """Wrong types, sizes and characters, one at a time: refused with the path of what is wrong."""
    async with serve(**generous()) as chat:
        chat_id = await chat.create_chat([1, 2])
        grace = await chat.connect(2, join=chat_id)
        raw = await transport.enter(chat)
        fields = {
            "chatId": BAD_IDS,
            "content": BAD_CONTENTS,
            "metadata": BAD_METADATA,
            "clientMessageId": BAD_KEYS,
            "replyToId": [each for each in BAD_IDS if each != "null"],
        }
        good = {"chatId": str(chat_id), "content": '"hi"'}
        for field, values in fields.items():
            for value in values:
                body = ",".join(f'"{name}":{text}' for name, text in {**good, field: value}.items())
                answer = await raw.event(f'["sendMessage",{{{body}}}]')
                _check(answer)
                paths = [each["path"].split(".")[0] for each in answer["error"].get("details", [])]
                assert paths in ([field], []), (field, value[:80], answer)
                assert "xxxxx" not in json.dumps(answer)
        assert await _stored(chat, chat_id) == []
        assert (await raw.event('["authenticate"]'))["success"] is True
        await grace.settle()
        assert grace.of("newMessage") == []


@pytest.mark.parametrize(
    ("event", "fields"),
    [
        ("joinChat", ["chatId"]),
        ("leaveChat", ["chatId"]),
        ("editMessage", ["messageId"]),
        ("deleteMessage", ["messageId"]),
        ("typing", ["chatId"]),
        ("markAsRead", ["chatId", "messageId"]),
    ],
)
async def test_ids_are_positive_json_integers_everywhere(serve, event, fields):
    """Never "1", 1.0, true, a list or an operator; never beyond what JavaScript counts to."""
    async with serve(**generous()) as chat:
        chat_id = await chat.create_chat([1])
        raw = await RawSocket.enter(chat)
        sent = await raw.call("sendMessage", {"chatId": chat_id, "content": "hi"})
        good = {
            "chatId": chat_id, "messageId": sent["data"]["id"], "content": "x", "isTyping": True,
        }  # fmt: skip
        for field in fields:
            for value in BAD_IDS:
                rest = {name: each for name, each in good.items() if name != field}
                body = json.dumps(rest)[:-1] + f',"{field}":{value}}}'
                _check(await raw.event(f'["{event}",{body}]'))
        page = await chat.request("GET", f"/chat-messages?chatId={chat_id}")
        assert page.data == [sent["data"]]


@pytest.mark.parametrize(
    ("event", "payload"),
    [
        ("typing", {"chatId": 1, "isTyping": "true"}),
        ("typing", {"chatId": 1, "isTyping": 1}),
        ("typing", {"chatId": 1}),
        ("editMessage", {"messageId": 1}),
        ("editMessage", {"messageId": 1, "content": " "}),
        ("editMessage", {"messageId": 1, "content": "x", "expectedRevision": -1}),
        ("editMessage", {"messageId": 1, "content": "x" * 10_001}),
        ("getPresence", {}),
        ("getPresence", {"userIds": 1}),
        ("getPresence", {"userIds": [True]}),
        ("getPresence", {"userIds": [1.5]}),
        ("getPresence", {"userIds": [{"$ne": 1}]}),
        ("getPresence", {"userIds": ["a b"]}),
        ("getPresence", {"userIds": list(range(201))}),
        ("authenticate", {"token": {"$ne": ""}}),
        ("joinChat", {}),
        ("joinChat", None),
        ("joinChat", [1]),
        ("joinChat", 1),
        ("joinChat", "1"),
        ("sendMessage", True),
        ("markAsRead", {"chat_id": 1, "message_id": 1}),
    ],
)
async def test_payloads_of_the_wrong_shape_are_validation_errors(serve, event, payload):
    """Whatever is sent instead of the object of the contract."""
    async with serve() as chat:
        raw = await RawSocket.enter(chat)
        _check(await raw.call(event, payload))
        assert await raw.is_alive()


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ('["noSuchEvent"]', "UNKNOWN_EVENT"),
        ('["connect"]', "UNKNOWN_EVENT"),
        ('["disconnect"]', "UNKNOWN_EVENT"),
        ('["connect_error",{}]', "UNKNOWN_EVENT"),
        ('["newMessage",{}]', "UNKNOWN_EVENT"),
        ('["error"]', "UNKNOWN_EVENT"),
        ('["trigger_event"]', "UNKNOWN_EVENT"),
        ('["__class__"]', "UNKNOWN_EVENT"),
        ('["on_connect"]', "UNKNOWN_EVENT"),
        ('["sendmessage",{}]', "UNKNOWN_EVENT"),
        ('[""]', "UNKNOWN_EVENT"),
        ('["' + "x" * 100_000 + '"]', "UNKNOWN_EVENT"),
        ('["a\\nb\\u001b[31m"]', "UNKNOWN_EVENT"),
        ("[1]", "UNKNOWN_EVENT"),
        ("[null]", "UNKNOWN_EVENT"),
        ("[true]", "UNKNOWN_EVENT"),
        ('[["sendMessage"]]', "UNKNOWN_EVENT"),
        ('[{"a":1}]', "UNKNOWN_EVENT"),
        ('["joinChat",{"chatId":1},{"chatId":1}]', "VALIDATION_ERROR"),
        ('["joinChat",{"chatId":1},null,1]', "VALIDATION_ERROR"),
        ('["authenticate",{},1,2,3]', "VALIDATION_ERROR"),
        ('["joinChat",{"chatId":NaN}]', "VALIDATION_ERROR"),
        ('["joinChat",{"chatId":Infinity}]', "VALIDATION_ERROR"),
        ('["sendMessage",{"chatId":1,"content":"\\ud800"}]', "VALIDATION_ERROR"),
        ('["sendMessage",{"chatId":1,"content":"a\\udc00b"}]', "VALIDATION_ERROR"),
        ('["sendMessage",{"chatId":1,"content":"a","metadata":{"\\ud800":1}}]', "VALIDATION_ERROR"),
        ('["sendMessage"', "VALIDATION_ERROR"),
        ('["joinChat",{"chatId":1}]x', "VALIDATION_ERROR"),
        ("['joinChat']", "VALIDATION_ERROR"),
        ("[" * 2_000 + "]" * 2_000, "VALIDATION_ERROR"),
        ('["joinChat",' + '{"a":' * 2_000 + "1" + "}" * 2_000 + "]", "VALIDATION_ERROR"),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else None,
)
async def test_an_event_that_makes_no_sense_is_answered_and_the_connection_lives(serve, body, code):
    """Unknown and reserved names, wrong arity and text that is not JSON are refused by name."""
    async with serve() as chat:
        raw = await RawSocket.enter(chat)
        _check(await raw.event(body), code)
        assert await raw.is_alive()
        await raw.send(f"42/chat,{body}")
        pushed = json.loads((await raw.until('42/chat,["error"'))[8:])[1]
        assert pushed["code"] == code
        assert await raw.is_alive()
        assert chat.app.gateway.get_active_users_count() == 1


async def test_unknown_fields_are_ignored(serve):
    """A client of tomorrow may say more than this server knows."""
    async with serve() as chat:
        chat_id = await chat.create_chat([1])
        raw = await RawSocket.enter(chat)
        answer = await raw.call(
            "joinChat", {"chatId": chat_id, "future": {"x": [1]}, "__proto__": 1}
        )
        assert answer["success"] is True


@pytest.mark.parametrize("binary", [b"\x00\x01", b""])
async def test_binary_payloads_are_refused_and_stepped_over(serve, binary):
    """A message with an attachment is a VALIDATION_ERROR; what follows it is read as usual."""
    async with serve() as chat:
        chat_id = await chat.create_chat([1])
        raw = await RawSocket.enter(chat)
        placeholder = '{"_placeholder":true,"num":0}'
        await raw.send(f'451-/chat,7["sendMessage",{{"chatId":{chat_id},"content":{placeholder}}}]')
        await raw.send(binary)
        _check(await raw.ack(7))
        assert await raw.is_alive()
        acks = [each for each in raw.frames if isinstance(each, str) and "/chat,7[" in each]
        assert len(acks) == 1
        assert await _stored(chat, chat_id) == []


async def test_a_readonly_member_may_listen_and_not_send(serve):
    """FORBIDDEN, nothing stored; the reading goes on."""
    async with serve() as chat:
        chat_id = await chat.create_chat([1, 2])
        path = f"/chats/{chat_id}/participants/1"
        await chat.request("PATCH", path, "host", "service", json={"role": "readonly"})
        ada = await chat.connect(1, join=chat_id)
        answer = await ada.call("sendMessage", {"chatId": chat_id, "content": "hi"})
        _check(answer, "FORBIDDEN")
        grace = await chat.connect(2)
        await grace.call("sendMessage", {"chatId": chat_id, "content": "hello"})
        assert (await ada.next("newMessage"))["message"]["message"] == "hello"
        assert await _stored(chat, chat_id) == ["hello"]
