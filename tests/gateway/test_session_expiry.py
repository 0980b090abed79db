"""A token that runs out while its socket is connected, and the fresh one that takes its place."""

import pytest

from tests.support.gateway.servers import MovableClock
from tests.support.gateway.tokens import hours, signed
from tests.support.gateway.wire import RawSocket

OTHER_EVENTS = [
    ("joinChat", {"chatId": 1}),
    ("leaveChat", {"chatId": 1}),
    ("sendMessage", {"chatId": 1, "content": "hi"}),
    ("editMessage", {"messageId": 1, "content": "hi"}),
    ("deleteMessage", {"messageId": 1}),
    ("typing", {"chatId": 1, "isTyping": True}),
    ("markAsRead", {"chatId": 1, "messageId": 1}),
    ("getPresence", {"userIds": [1]}),
    ("ping", None),
]


async def test_every_event_is_refused_from_the_moment_of_expiry(serve):
    """From `exp` on every event but authenticate answers TOKEN_EXPIRED, and nothing is done."""
    clock = MovableClock()
    async with serve(clock=clock) as chat:
        chat_id = await chat.create_chat([1, 2])
        ada = await chat.connect(1, join=chat_id)
        clock.move(seconds=3601)
        for event, payload in OTHER_EVENTS:
            answer = await ada.call(event, payload)
            assert answer["error"]["code"] == "TOKEN_EXPIRED", event
        bare = await ada.call("authenticate")
        assert bare["error"]["code"] == "TOKEN_EXPIRED"
        fresh = signed(id=2, exp=hours(5))
        page = await chat.request(
            "GET", f"/chat-messages?chatId={chat_id}", headers={"Authorization": f"Bearer {fresh}"}
        )
        assert page.data == []


async def test_authenticate_with_a_fresh_token_goes_on_in_place(serve):
    """The same socket, still in its rooms, works again with a new token of the same user."""
    clock = MovableClock()
    async with serve(clock=clock) as chat:
        chat_id = await chat.create_chat([1, 2])
        ada = await chat.connect(1, join=chat_id)
        before = await ada.call("authenticate")
        clock.move(seconds=3601)
        answer = await ada.call("authenticate", {"token": signed(id=1, exp=hours(3))})
        assert answer["success"] is True
        assert answer["socketId"] == before["socketId"]
        assert answer["data"]["expiresAt"] > before["data"]["expiresAt"]
        sent = await ada.call("sendMessage", {"chatId": chat_id, "content": "still here"})
        assert sent["success"] is True
        assert (await ada.next("newMessage"))["message"] == sent["data"]


async def test_a_refresh_brings_new_role_and_permissions_at_once(serve):
    """What the new token says holds for the next event."""
    async with serve() as chat:
        chat_id = await chat.create_chat([2])
        ada = await chat.connect(1, "employee")
        refused = await ada.call("joinChat", {"chatId": chat_id})
        assert refused["error"]["code"] == "NOT_PARTICIPANT"
        admin = signed(id=1, type="admin", role="boss", permissions=["all"])
        answer = await ada.call("authenticate", {"token": admin})
        assert answer["data"]["user"]["role"] == "boss"
        assert answer["data"]["user"]["permissions"] == ["all"]
        assert (await ada.call("joinChat", {"chatId": chat_id}))["success"] is True
        lowered = await ada.call("authenticate", {"token": signed(id=1)})
        assert lowered["data"]["user"]["type"] == "employee"
        refused = await ada.call("sendMessage", {"chatId": chat_id, "content": "no longer"})
        assert refused["error"]["code"] == "NOT_PARTICIPANT"


@pytest.mark.parametrize(
    ("token", "code"),
    [
        (signed(id=1, exp=hours(-1)), "TOKEN_EXPIRED"),
        ("nonsense", "TOKEN_INVALID"),
        ("", "UNAUTHENTICATED"),
        (5, "VALIDATION_ERROR"),
        (["x"], "VALIDATION_ERROR"),
    ],
)
async def test_a_bad_fresh_token_changes_nothing(serve, token, code):
    """The refresh is refused with its code and the old identity stays."""
    async with serve() as chat:
        ada = await chat.connect(1, "admin")
        answer = await ada.call("authenticate", {"token": token})
        assert answer["error"]["code"] == code
        still = await ada.call("authenticate")
        assert (still["userId"], still["data"]["user"]["type"]) == (1, "admin")


async def test_a_refresh_cannot_change_the_user(serve):
    """A token of another user is refused with TOKEN_INVALID; the socket never becomes that user."""
    async with serve() as chat:
        ada = await chat.connect(1)
        answer = await ada.call("authenticate", {"token": chat.token(2)})
        assert answer["error"]["code"] == "TOKEN_INVALID"
        assert chat.app.gateway.get_user_sockets(2) == []


async def test_a_refresh_with_the_token_of_another_user_ends_the_connection(serve):
    """A socket that changes hands is cut."""
    async with serve() as chat:
        raw = await RawSocket.enter(chat, 1)
        answer = await raw.call("authenticate", {"token": chat.token(2)})
        assert answer["error"]["code"] == "TOKEN_INVALID"
        await raw.until_end()
        assert chat.app.gateway.get_user_sockets(1) == []
