"""What is held of a request's body before anybody knows whose it is, and in all."""

import asyncio

import orjson
import pytest

from chat.timings import Timings
from tests.support.gateway.servers import generous
from tests.support.gateway.wire import RawPolling, RawSocket
from tests.support.waiting import eventually

DEADLINE_S = 5
MEGABYTE = b"x" * 1_000_000


class Client:
    """One HTTP connection, a byte at a time if need be."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer

    @classmethod
    async def open(cls, chat):
        return cls(*await asyncio.open_connection("127.0.0.1", chat.app.port))

    async def send(self, method, path, *headers, body=b""):
        lines = [f"{method} {path} HTTP/1.1", "Host: chat", *headers]
        self.writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        await self.writer.drain()

    async def answer(self):
        """The status, headers and body of the next answer."""
        async with asyncio.timeout(DEADLINE_S):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
            body = await self.reader.readexactly(int(headers.get("content-length", 0)))
        return int(head[0].split()[1]), headers, orjson.loads(body) if body else None

    async def refused(self):
        """The code of a typed refusal, with its request id in body and header."""
        _, headers, body = await self.answer()
        assert body["error"]["requestId"] == headers["x-request-id"]
        return body["error"]["code"]

    async def ended(self):
        async with asyncio.timeout(DEADLINE_S):
            try:
                return await self.reader.read() == b""
            except ConnectionResetError:
                return True
            finally:
                self.close()

    def close(self):
        self.writer.close()


def bearer(chat, user_id=1):
    return f"Authorization: Bearer {chat.token(user_id)}"


JSON = "Content-Type: application/json"


@pytest.mark.parametrize("length", ["Content-Length: 900000", "Transfer-Encoding: chunked"])
async def test_a_body_without_a_token_is_refused_before_it_comes(serve, length):
    """401 at the head, typed; then the connection is closed, and no byte of it was held."""
    async with serve(timings=Timings(body_linger_s=0.2), **generous()) as chat:
        client = await Client.open(chat)
        await client.send("POST", "/chat-messages", JSON, length)
        assert await client.refused() == "UNAUTHENTICATED"
        client.writer.write(b"f4240\r\n" + MEGABYTE)
        assert await client.ended()
        assert chat.app.parts.gate.bodies.total == 0
        await eventually(lambda: chat.app.parts.gate.running == 0)


@pytest.mark.parametrize(
    ("path", "code"),
    [("/chat-messages", "PAYLOAD_TOO_LARGE"), ("/chats", "PAYLOAD_TOO_LARGE")],
)
async def test_a_body_that_is_announced_as_too_large_is_refused_at_its_head(serve, path, code):
    """With a good token, typed, and whatever was announced."""
    async with serve(**generous()) as chat:
        for size in (1_000_001, 5_000_000, 10**18):
            client = await Client.open(chat)
            await client.send("POST", path, JSON, bearer(chat), f"Content-Length: {size}")
            assert await client.refused() == code
            client.close()


async def test_a_body_in_chunks_that_becomes_too_large_is_refused_then(serve):
    """At the chunk that does not fit; nothing of it is held afterwards."""
    async with serve(**generous()) as chat:
        client = await Client.open(chat)
        await client.send(
            "POST", "/chat-messages", JSON, bearer(chat), "Transfer-Encoding: chunked"
        )
        client.writer.write(b"f4240\r\n" + MEGABYTE + b"\r\n2\r\nxx\r\n")
        assert await client.refused() == "PAYLOAD_TOO_LARGE"
        assert chat.app.parts.gate.bodies.total == 0
        client.close()


@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_a_request_without_use_for_a_body_may_bring_a_small_one_only(serve, method):
    """A few kB, thrown away."""
    async with serve(**generous()) as chat:
        client = await Client.open(chat)
        await client.send(method, "/chats", bearer(chat), "Content-Length: 20000")
        assert await client.refused() == "PAYLOAD_TOO_LARGE"
        client.close()


async def test_the_bytes_of_unfinished_bodies_are_bounded_by_address(serve):
    """A quarter of MAX_BODY_BYTES; more of it is refused as RATE_LIMITED, and room that becomes
    free is there for others.
    """
    async with serve(max_body_bytes=400_000, **generous()) as chat:
        chat_id = await chat.create_chat([1])
        head = ("POST", "/chat-messages", JSON, bearer(chat), "Content-Length: 90000")
        first = await Client.open(chat)
        await first.send(*head, body=b"x" * 80_000)
        await eventually(lambda: chat.app.parts.gate.bodies.total == 80_000)
        second = await Client.open(chat)
        await second.send(*head, body=b"x" * 30_000)
        status, headers, body = await second.answer()
        assert (status, body["error"]["code"]) == (429, "RATE_LIMITED")
        assert int(headers["retry-after"]) >= 1
        assert chat.app.parts.gate.bodies.total == 80_000
        first.close()
        await eventually(lambda: chat.app.parts.gate.bodies.total == 0)
        await eventually(lambda: chat.app.parts.gate.running == 0)
        sent = await chat.request(
            "POST", "/chat-messages", 1, json={"chatId": chat_id, "content": "y" * 9_000}
        )
        assert sent.status == 201
        assert chat.app.parts.gate.bodies.total == 0
        second.close()


async def test_a_connection_goes_on_after_a_refusal_with_a_short_body(serve):
    """Also where head and body come apart, as many clients send them."""
    async with serve(**generous()) as chat:
        client = await Client.open(chat)
        await client.send("POST", "/chat-messages", JSON, "Content-Length: 2")
        assert await client.refused() == "UNAUTHENTICATED"
        client.writer.write(b"{}")
        await client.send("GET", "/chats", bearer(chat))
        assert (await client.answer())[0] == 200
        await client.send("GET", "/chats")
        assert await client.refused() == "UNAUTHENTICATED"
        await client.send("GET", "/chats", bearer(chat))
        assert (await client.answer())[0] == 200
        client.close()


async def test_who_waits_to_be_asked_for_a_body_is_not_asked_in_vain(serve):
    """`Expect: 100-continue`: the refusal comes in place of the 100, and nothing behind it."""
    async with serve(**generous()) as chat:
        client = await Client.open(chat)
        await client.send("POST", "/chats", JSON, "Content-Length: 50000", "Expect: 100-continue")
        assert await client.refused() == "UNAUTHENTICATED"
        assert await client.ended()


async def test_a_polling_post_is_read_for_a_session_only_and_counted(serve):
    """Refused at its head without one; typed, and the session ends where its body is too large."""
    async with serve(max_body_bytes=400_000, **generous()) as chat:
        polling = "/socket.io/?EIO=4&transport=polling"
        client = await Client.open(chat)
        await client.send("POST", f"{polling}&sid=nobody", "Content-Length: 900000")
        assert await client.refused() == "VALIDATION_ERROR"
        client.close()
        for length, code in ((1_000_001, "PAYLOAD_TOO_LARGE"), (900_000, "RATE_LIMITED")):
            opened = await Client.open(chat)
            await opened.send("GET", polling)
            async with asyncio.timeout(DEADLINE_S):
                await opened.reader.readuntil(b'{"sid":"')
                sid = (await opened.reader.readuntil(b'"'))[:-1].decode()
            session = chat.app.gateway.server.eio.sockets[sid]
            post = await Client.open(chat)
            await post.send(
                "POST", f"{polling}&sid={sid}", f"Content-Length: {length}", body=b"4" * 150_000
            )
            _, headers, body = await post.answer()
            assert body["error"]["code"] == code
            assert headers["x-request-id"] == body["error"]["requestId"]
            await eventually(lambda session=session: session.ended)
            assert chat.app.parts.gate.bodies.total == 0
            opened.close()
            post.close()


async def test_a_refused_body_that_never_comes_leaves_nothing_behind(serve):
    """Whoever is refused and goes, or stays without a word: no task waits for the body for ever."""
    async with serve(timings=Timings(body_linger_s=0.1), **generous()) as chat:
        paths = ("/socket.io/?EIO=4&transport=polling&sid=nobody", "/chat-messages")
        clients = [await Client.open(chat) for _ in range(4)]
        for client, path in zip(clients, 2 * paths, strict=True):
            await client.send("POST", path, JSON, "Content-Length: 100", body=b"{")
            await client.refused()
        for client in clients[:2]:
            client.close()
        await eventually(lambda: not [each for each in asyncio.all_tasks() if is_request(each)])
        for client in clients[2:]:
            assert await client.ended()


async def test_a_body_that_is_broken_off_leaves_nothing_behind(serve):
    """A POST of a session that polls, whose client goes in the middle of the body."""
    async with serve(**generous()) as chat:
        raw = await RawPolling.enter(chat)
        path = f"/socket.io/?EIO=4&transport=polling&sid={raw.session_id}"
        client = await Client.open(chat)
        await client.send("POST", path, "Content-Length: 100", body=b"4")
        await eventually(lambda: [each for each in asyncio.all_tasks() if is_request(each)])
        client.close()
        await eventually(lambda: not [each for each in asyncio.all_tasks() if is_request(each)])


def is_request(task):
    return "RequestHandler._execute" in repr(task)


async def test_http_connections_of_one_address_are_bounded(serve):
    """Twice MAX_SOCKETS_PER_ADDRESS; one more is answered RATE_LIMITED, and websockets are not
    among them.
    """
    async with serve(max_sockets_per_address=3, **generous()) as chat:
        members = [await RawSocket.enter(chat, user_id) for user_id in (1, 2)]
        server = chat.app.parts.http
        await eventually(lambda: not server._of_one)
        clients = [await Client.open(chat) for _ in range(6)]
        await eventually(lambda: server._of_one.total() == 6)
        more = await Client.open(chat)
        await more.send("GET", "/health/live")
        assert await more.refused() == "RATE_LIMITED"
        clients.pop().close()
        await eventually(lambda: server._of_one.total() == 5)
        again = await Client.open(chat)
        await again.send("GET", "/health/live")
        assert (await again.answer())[0] == 200
        for each in (*clients, again, more):
            each.close()
        assert all([await each.is_alive() for each in members])


async def test_answers_that_their_client_does_not_take_are_bounded_by_user(serve):
    """Twice MAX_BACKLOG_BYTES; then RATE_LIMITED until some are taken. Others are not held back."""
    async with serve(max_backlog_bytes=100_000, **generous()) as chat:
        answers = chat.app.parts.gate.answers
        assert answers.take(1, 200_000)
        chat_id = await chat.create_chat([1, 2])
        ada = await chat.connect(1)
        for _ in range(12):
            sent = await ada.call("sendMessage", {"chatId": chat_id, "content": "x" * 10_000})
            assert sent["success"]
        chat.app.parts.gate.answer_bytes = 25_000
        path = f"/chat-messages?chatId={chat_id}&limit=200"
        chat.app.domain.message_pages.answer_bytes = 90_000
        refused = await chat.request("GET", path, 1)
        assert (refused.status, refused.code) == (429, "RATE_LIMITED")
        assert (await chat.request("GET", path, 2)).status == 200
        answers.give(1, 200_000)
        assert (await chat.request("GET", path, 1)).status == 200
        await eventually(lambda: answers.total == 0)
