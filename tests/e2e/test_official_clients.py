"""The client guide, run by two versions of the official client on each transport."""

import asyncio

import pytest

from chat.plugin_api import Disconnected, Plugin, after_disconnect, hookimpl
from chat.timings import Timings
from tests.e2e.js_driver import CLIENTS, TRANSPORTS
from tests.support.delivery.keys import jwk, key_host, rsa_key
from tests.support.delivery.keys import token as key_token

CHAT = {"chatId", "timestamp"}
GUIDE_MESSAGE = {"id", "chatId", "senderId", "message", "createdAt"}

pytestmark = [
    pytest.mark.parametrize("transport", TRANSPORTS),
    pytest.mark.parametrize("client", CLIENTS),
]


@pytest.fixture
def connect(client, transport):
    """`await connect(js, chat, user_id)`: a connected socket of this client over this transport."""

    async def open_socket(js, chat, user_id, *, join=None, **options):
        options.setdefault("auth", {"token": chat.token(user_id)})
        url = f"{chat.url}/chat"
        socket = await js.connect(url, client=client, transport=transport, **options)
        await socket.next("connect")
        if join is not None:
            assert (await socket.call("joinChat", {"chatId": join}))["success"] is True
        return socket

    return open_socket


class Leavers(Plugin):
    """Tells the test when a socket is gone from the server's books."""

    name = "leavers"

    def __init__(self) -> None:
        super().__init__()
        self.gone: asyncio.Queue[Disconnected] = asyncio.Queue()

    @hookimpl(after_disconnect)
    async def left(self, event: Disconnected) -> None:
        self.gone.put_nowait(event)


@pytest.mark.parametrize("place", ["auth", "extraHeaders", "query"])
async def test_the_token_is_taken_from_each_of_its_three_places(
    serve, javascript, client, transport, place
):
    """auth.token, the Authorization header and ?token= let the user in; `authenticate` says who."""
    async with serve() as chat, javascript() as js:
        token = chat.token(123, name="Ada")
        url, options = f"{chat.url}/chat", {}
        if place == "auth":
            options = {"auth": {"token": token}}
        elif place == "extraHeaders":
            options = {"extraHeaders": {"authorization": f"Bearer {token}"}}
        else:
            url = f"{url}?token={token}"
        socket = await js.connect(url, client=client, transport=transport, **options)
        socket_id = await socket.next("connect")

        answer = await socket.call("authenticate")
        assert answer.pop("data")["user"]["name"] == "Ada"
        assert answer == {
            "success": True,
            "message": "Authenticated successfully",
            "userId": 123,
            "socketId": socket_id,
        }
        expected = ["polling", "websocket"] if transport == "upgrade" else [transport]
        assert [await socket.next("transport") for _ in expected] == expected


async def test_joining_and_leaving_are_answered_and_told_to_the_others(serve, javascript, connect):
    """joinChat and leaveChat answer as in the guide; the others see userJoined and userLeft."""
    async with serve() as chat, javascript() as js:
        chat_id = await chat.create_chat([1, 2])
        ada = await connect(js, chat, 1, join=chat_id)
        grace = await connect(js, chat, 2)

        joined = await grace.call("joinChat", {"chatId": chat_id})
        assert joined.pop("data")["chatId"] == chat_id
        assert joined == {"success": True, "message": f"Joined chat {chat_id}"}
        left = await grace.call("leaveChat", {"chatId": chat_id})
        assert left == {"success": True, "message": f"Left chat {chat_id}"}
        for event in ("userJoined", "userLeft"):
            pushed = await ada.next(event)
            assert set(pushed) == CHAT | {"userId"}
            assert (pushed["chatId"], pushed["userId"]) == (chat_id, 2)


async def test_a_message_is_pushed_when_it_is_made_changed_and_deleted(serve, javascript, connect):
    """The ack is the whole message, and the three pushes have the guide's fields."""
    async with serve() as chat, javascript() as js:
        chat_id = await chat.create_chat([1, 2])
        ada = await connect(js, chat, 1, join=chat_id)
        grace = await connect(js, chat, 2, join=chat_id)

        sent = await ada.call("sendMessage", {"chatId": chat_id, "content": "Hello, world!"})
        message = sent["data"]
        assert sent["success"] is True
        assert set(message) >= GUIDE_MESSAGE
        assert (message["senderId"], message["message"]) == (1, "Hello, world!")
        pushed = await grace.next("newMessage")
        assert set(pushed) == CHAT | {"message", "seq"}
        assert pushed["message"] == message == (await ada.next("newMessage"))["message"]

        path = f"/chat-messages/{message['id']}"
        await chat.request("PATCH", path, 1, json={"content": "Hello!"})
        updated = await grace.next("messageUpdated")
        assert set(updated) == CHAT | {"message", "seq"}
        assert updated["message"]["message"] == "Hello!"

        await chat.request("DELETE", path, 1)
        deleted = await grace.next("messageDeleted")
        assert set(deleted) == CHAT | {"messageId", "seq"}
        assert deleted["messageId"] == message["id"]


async def test_typing_and_reading_are_told_to_the_others_only(serve, javascript, connect):
    """userTyping and messageRead have exactly the guide's fields, and the actor gets neither."""
    async with serve() as chat, javascript() as js:
        chat_id = await chat.create_chat([1, 2])
        ada = await connect(js, chat, 1, join=chat_id)
        grace = await connect(js, chat, 2, join=chat_id)
        sent = await grace.call("sendMessage", {"chatId": chat_id, "content": "read me"})

        await ada.emit("typing", {"chatId": chat_id, "isTyping": True})
        typing = await grace.next("userTyping")
        assert set(typing) == CHAT | {"userId", "isTyping"}
        assert (typing["userId"], typing["isTyping"]) == (1, True)

        message_id = sent["data"]["id"]
        await ada.emit("markAsRead", {"chatId": chat_id, "messageId": message_id})
        read = await grace.next("messageRead")
        assert set(read) == CHAT | {"userId", "messageId"}
        assert (read["userId"], read["messageId"]) == (1, message_id)

        await ada.call("authenticate")
        assert ada.count("userTyping") == ada.count("messageRead") == 0


async def test_a_message_sent_over_rest_is_pushed_to_the_sockets(serve, javascript, connect):
    """POST /chat-messages triggers newMessage, for the sender's own socket too."""
    async with serve() as chat, javascript() as js:
        chat_id = await chat.create_chat([1, 2])
        sockets = [await connect(js, chat, user_id, join=chat_id) for user_id in (1, 2)]
        body = {"chatId": chat_id, "content": "Hello!"}
        response = await chat.request("POST", "/chat-messages", 1, json=body)
        assert response.status == 201
        for socket in sockets:
            assert (await socket.next("newMessage"))["message"] == response.data


async def test_a_refused_event_without_an_ack_comes_as_an_error_event(serve, javascript, connect):
    """The guide's `socket.on('error')` hears of a refused event that had asked for no ack."""
    async with serve() as chat, javascript() as js:
        ada = await connect(js, chat, 1)
        await ada.emit("joinChat", {"chatId": 999})
        error = await ada.next("error")
        assert (error["code"], error["event"]) == ("NOT_PARTICIPANT", "joinChat")
        assert (await ada.call("ping"))["pong"] > 0


async def test_a_bad_token_is_a_typed_connect_error_and_the_client_stays_away(
    serve, javascript, connect, client, transport, log
):
    """err.data is the error object, and the client takes the refusal for final."""
    async with serve() as chat, javascript() as js:
        url, hasty = f"{chat.url}/chat", {"reconnectionDelay": 1, "reconnectionDelayMax": 1}
        refused = await js.connect(
            url, client=client, transport=transport, auth={"token": "nonsense"}, **hasty
        )
        error = await refused.next("connect_error")
        assert error["data"]["code"] == "TOKEN_INVALID"
        assert error["data"]["retryable"] is False
        assert error["message"] == error["data"]["message"]
        assert error["active"] is False
        # Another one coming and going takes longer than the hasty client would need to return.
        await (await connect(js, chat, 1)).call("authenticate")
        assert refused.count("reconnect_attempt") == 0
    assert [line["event"] for line in log.entries].count("auth_failed") == 1


async def test_the_client_comes_back_by_itself_after_a_restart_of_the_server(
    serve, javascript, connect, transport
):
    """A stopping server says so and closes the transport in the way that lets clients return."""
    async with javascript() as js:
        async with serve() as chat:
            chat_id = await chat.create_chat([1, 2])
            ada = await connect(js, chat, 1, join=chat_id, reconnectionDelay=50)
            if transport == "upgrade":
                assert [await ada.next("transport") for _ in range(2)][1] == "websocket"
        # A poll may end with the connection: only a websocket is sure to hear the announcement.
        if transport != "polling":
            assert set(await ada.next("serverShutdown")) == {"retryAfter"}
        assert await ada.next("disconnect") in ("transport close", "transport error")
        async with serve(port=chat.app.port) as chat:
            await ada.next("connect")
            await ada.emit("joinChat", {"chatId": chat_id})
            body = {"chatId": chat_id, "content": "welcome back"}
            await ada.emit("sendMessage", body)
            assert (await ada.next("newMessage"))["message"]["message"] == "welcome back"


async def test_a_refusal_worth_another_try_is_no_connect_error_and_the_client_returns(
    serve, javascript, client, transport, monkeypatch
):
    """Too many connects at once: the transport is closed, and the client gets in later."""
    monkeypatch.setenv("CHAT_RATE_LIMIT_CONNECT_PER_S", "0.5")
    monkeypatch.setenv("CHAT_RATE_LIMIT_CONNECT_BURST", "1")
    async with serve() as chat, javascript() as js:
        # At once: a busy machine must not put the time of a refill between them.
        connecting = [
            js.connect(
                f"{chat.url}/chat",
                client=client,
                transport=transport,
                auth={"token": chat.token(1)},
                reconnectionDelay=300,
            )
            for _ in range(2)
        ]
        sockets = await asyncio.gather(*connecting)
        for socket in sockets:
            await socket.next("connect")
            denials = [args[0] for name, args in socket.happened if name == "connect_error"]
            assert not [denial for denial in denials if not denial["active"]]
        assert sum(socket.count("reconnect_attempt") for socket in sockets) >= 1


async def test_a_client_whose_key_cannot_be_fetched_comes_in_when_it_can(
    serve, javascript, client, transport
):
    """The key server is away for a moment: no CONNECT_ERROR, and the client returns by itself."""
    timings = Timings(key_first_retry_s=0.1, key_last_retry_s=0.1)
    async with key_host(jwk(rsa_key(), "one")) as host, javascript() as js:
        host.status = 503
        async with serve(jwt_secret=None, jwt_jwks_url=host.url, timings=timings) as chat:
            socket = await js.connect(
                f"{chat.url}/chat",
                client=client,
                transport=transport,
                auth={"token": key_token(rsa_key(), "RS256", "one")},
                reconnectionDelay=50,
            )
            await socket.next("reconnect_attempt")
            host.status = 200
            await socket.next("connect")
            assert (await socket.call("authenticate"))["userId"] == 1
            errors = [args[0] for name, args in socket.happened if name == "connect_error"]
            assert all(error["active"] and "data" not in error for error in errors)
            await socket.disconnect()


async def test_the_cleanup_of_the_guide_leaves_nothing_behind(serve, javascript, connect):
    """The others see userLeft at once, and the server keeps no socket of the user."""
    leavers = Leavers()
    async with serve(plugins=[leavers]) as chat, javascript() as js:
        chat_id = await chat.create_chat([1, 2])
        ada = await connect(js, chat, 1, join=chat_id)
        grace = await connect(js, chat, 2, join=chat_id)
        await ada.emit("leaveChat", {"chatId": chat_id})
        await ada.disconnect()
        assert (await grace.next("userLeft"))["userId"] == 1
        gone = await asyncio.wait_for(leavers.gone.get(), 5)
        assert gone.identity.user_id == 1
        assert chat.app.gateway.get_user_sockets(1) == []
        assert await ada.next("disconnect") == "io client disconnect"
