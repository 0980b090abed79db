"""The client guide's examples, literally: the names and fields that clients written for it rely on.

Where the server says more than the guide, that is allowed; where it says less or something else,
it is not.
"""

import re

import pytest

from chat import __version__
from chat.contracts.operations import CLIENT_EVENTS
from chat.contracts.pushes import SERVER_EVENTS
from tests.support.gateway.wire import RawPolling, RawSocket

ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
GUIDE_EVENTS = {"authenticate", "joinChat", "leaveChat", "sendMessage", "typing", "markAsRead"}
GUIDE_PUSHES = {
    "newMessage": {"message", "chatId", "timestamp"},
    "messageUpdated": {"message", "chatId", "timestamp"},
    "messageDeleted": {"messageId", "chatId", "timestamp"},
    "userTyping": {"chatId", "userId", "isTyping", "timestamp"},
    "messageRead": {"chatId", "messageId", "userId", "timestamp"},
    "userJoined": {"chatId", "userId", "timestamp"},
    "userLeft": {"chatId", "userId", "timestamp"},
}
GUIDE_MESSAGE = {"id", "chatId", "senderId", "message", "createdAt"}
TRANSPORTS = pytest.mark.parametrize("transport", [RawSocket, RawPolling])


def test_the_guides_events_are_known():
    """Every event that the guide shows has a model, in both directions."""
    assert set(CLIENT_EVENTS) >= GUIDE_EVENTS
    assert set(SERVER_EVENTS) >= {*GUIDE_PUSHES, "error"}


@pytest.mark.parametrize(("event", "fields"), GUIDE_PUSHES.items())
def test_a_pushs_model_has_the_guides_fields(event, fields):
    """Under the guide's names, and none of them optional."""
    assert SERVER_EVENTS[event].__required_keys__ >= fields


@TRANSPORTS
async def test_authenticate_answers_as_the_guide_shows(serve, transport):
    """`{success, message: 'Authenticated successfully', userId, socketId}`, with or without a
    payload."""
    async with serve() as chat:
        raw = await transport.enter(chat, 123)
        for body in ('["authenticate"]', '["authenticate",{}]', '["authenticate",null]'):
            answer = await raw.event(body)
            assert answer["success"] is True
            assert answer["message"] == "Authenticated successfully"
            assert answer["userId"] == 123
            assert answer["socketId"] in chat.app.gateway.get_user_sockets(123)
            data = answer["data"]
            assert set(data) >= {"user", "expiresAt", "serverTime", "limits"}
            assert ISO.fullmatch(data["expiresAt"])
            assert ISO.fullmatch(data["serverTime"])
            assert data["limits"]["maxContentChars"] == 10_000


async def test_authenticate_says_what_the_server_can_do(serve):
    """The protocol's number, the features by name and sorted, and the version for reports."""
    async with serve() as chat:
        data = (await (await chat.connect(1)).call("authenticate"))["data"]
        assert data["protocol"] == 1
        assert "present" in data["features"]
        assert data["features"] == sorted(set(data["features"]))
        assert data["server"] == __version__


@TRANSPORTS
async def test_join_leave_and_typing_answer_as_the_guide_shows(serve, transport):
    """`Joined chat 1` and `Left chat 1`, word for word."""
    async with serve() as chat:
        chat_id = await chat.create_chat([123])
        raw = await transport.enter(chat, 123)
        joined = await raw.event(f'["joinChat",{{"chatId":{chat_id}}}]')
        assert (joined["success"], joined["message"]) == (True, f"Joined chat {chat_id}")
        typing = await raw.event(f'["typing",{{"chatId":{chat_id},"isTyping":true}}]')
        assert typing == {"success": True}
        left = await raw.event(f'["leaveChat",{{"chatId":{chat_id}}}]')
        assert left == {"success": True, "message": f"Left chat {chat_id}"}


@TRANSPORTS
async def test_send_message_answers_with_the_message(serve, transport):
    """`{success, data: {id, chatId, senderId, message, createdAt, ...}}`."""
    async with serve() as chat:
        chat_id = await chat.create_chat([123])
        raw = await transport.enter(chat, 123)
        answer = await raw.event(
            f'["sendMessage",{{"chatId":{chat_id},"content":"Hello, world!"}}]'
        )
        assert answer["success"] is True
        message = answer["data"]
        assert (message["chatId"], message["senderId"]) == (chat_id, 123)
        assert message["message"] == "Hello, world!"
        assert type(message["id"]) is int
        assert ISO.fullmatch(message["createdAt"])


async def test_ping_answers_milliseconds(serve):
    """`{pong: <ms since the epoch>}` and nothing else, as the guide's health check shows."""
    async with serve() as chat:
        ada = await chat.connect(1)
        answer = await ada.call("ping")
        assert list(answer) == ["pong"]
        assert type(answer["pong"]) is int
        assert answer["pong"] > 1_700_000_000_000
        assert (await ada.call("ping", {"anything": 1}))["pong"] >= answer["pong"]


async def test_every_push_of_the_guide_carries_its_fields(serve):
    """One chat, two people, and everything that the guide says the second one hears."""
    async with serve() as chat:
        chat_id = await chat.create_chat([1, 2])
        grace = await chat.connect(2, join=chat_id)
        ada = await chat.connect(1, join=chat_id)
        first = await grace.call("sendMessage", {"chatId": chat_id, "content": "hi"})
        await ada.call("markAsRead", {"chatId": chat_id, "messageId": first["data"]["id"]})
        await ada.call("typing", {"chatId": chat_id, "isTyping": True})
        sent = await ada.call("sendMessage", {"chatId": chat_id, "content": "hello"})
        await ada.call("editMessage", {"messageId": sent["data"]["id"], "content": "hello!"})
        await ada.call("deleteMessage", {"messageId": sent["data"]["id"]})
        await ada.call("leaveChat", {"chatId": chat_id})
        for event, fields in GUIDE_PUSHES.items():
            pushed = await grace.next(event)
            assert set(pushed) >= fields, event
            assert pushed["chatId"] == chat_id
            assert ISO.fullmatch(pushed["timestamp"])
            if "message" in fields:
                assert set(pushed["message"]) >= GUIDE_MESSAGE


async def test_an_event_that_asks_for_an_ack_gets_exactly_one(serve):
    """Success or not: one ack under its id, and no `error` beside it."""
    async with serve() as chat:
        chat_id = await chat.create_chat([1])
        raw = await RawSocket.enter(chat)
        bodies = [
            '["authenticate"]', '["ping"]', '["noSuchEvent"]', '["joinChat",{}]',
            f'["joinChat",{{"chatId":{chat_id}}}]', '["getPresence",{"userIds":[1]}]',
            f'["typing",{{"chatId":{chat_id},"isTyping":false}}]',
            f'["sendMessage",{{"chatId":{chat_id},"content":"x"}}]',
            f'["leaveChat",{{"chatId":{chat_id}}}]',
        ]  # fmt: skip
        for body in bodies:
            await raw.event(body)
        assert await raw.is_alive()
        acks = [str(frame).partition("[")[0] for frame in raw.frames if str(frame)[:2] == "43"]
        assert len(acks) == len(set(acks)) == len(bodies) + 1
        assert not [frame for frame in raw.frames if str(frame).startswith('42/chat,["error"')]
