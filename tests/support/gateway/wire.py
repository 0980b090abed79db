"""Engine.IO and Socket.IO spoken by hand, for what no decent client would send.

Packets are written as in the protocol pages of Socket.IO v5: `4` = Engine.IO message, `0` CONNECT,
`2` EVENT, `3` ACK, `4` CONNECT_ERROR of Socket.IO.
"""

import asyncio
import contextlib
import itertools
import json
import re
from typing import Any, Self
from urllib.parse import urlencode

from tornado.httpclient import AsyncHTTPClient, HTTPRequest, HTTPResponse
from tornado.httputil import HTTPHeaders
from tornado.websocket import WebSocketClientConnection, websocket_connect

from chat.testing import RunningChat
from tests.support.gateway.tcp import masked, upgrade_request

DEADLINE_S = 20.0
END_WITHIN_S = 10.0
SEPARATOR = "\x1e"


def address(chat: RunningChat, transport: str, /, **query: str | None) -> str:
    """The URL of the Engine.IO endpoint; None leaves a parameter out."""
    scheme = "ws" if transport == "websocket" else "http"
    values = {"EIO": "4", "transport": transport, **query}
    given = {name: value for name, value in values.items() if value is not None}
    return f"{scheme}://127.0.0.1:{chat.app.port}/socket.io/?{urlencode(given)}"


def _ack_of(frame: str, ack_id: int) -> Any:
    head = f"43/chat,{ack_id}["
    return json.loads(frame[len(head) - 1 :])[0] if frame.startswith(head) else None


class RawSocket:
    """A websocket to the server that sends any text, and remembers every frame that came."""

    def __init__(self, connection: WebSocketClientConnection) -> None:
        self._connection = connection
        # Or a second small frame would wait for the kernel's acknowledgement of the first: 40 ms.
        connection.protocol.set_nodelay(True)
        self._ack_ids = itertools.count(100)
        self.frames: list[str | bytes] = []
        self.ended = False

    @classmethod
    async def open(
        cls, chat: RunningChat, *, headers: dict[str, str] | None = None, **query: str
    ) -> Self:
        """An Engine.IO session over websocket, not yet connected to a namespace."""
        request = HTTPRequest(address(chat, "websocket", **query), headers=headers)
        raw = cls(await websocket_connect(request))
        # The harness closes it with its own clients, before the server stops.
        chat.clients.append(raw)
        await raw.until("0{")
        return raw

    @classmethod
    async def upgrade(cls, chat: RunningChat, session_id: str) -> Self:
        """A websocket for a session that polls; nothing is sent on it yet."""
        request = HTTPRequest(address(chat, "websocket", sid=session_id))
        raw = cls(await websocket_connect(request))
        chat.clients.append(raw)
        return raw

    @classmethod
    async def enter(cls, chat: RunningChat, user_id: int | str = 1) -> Self:
        """A session that is connected to /chat as the user."""
        raw = await cls.open(chat)
        await raw.connect({"token": chat.token(user_id)})
        return raw

    async def connect(self, auth: Any) -> str:
        """Send a CONNECT to /chat; the frame that answers it."""
        await self.send("40/chat," + ("" if auth is None else json.dumps(auth)))
        return await self.until("40/chat,", "44/chat,")

    async def send(self, frame: str | bytes) -> None:
        await self._connection.write_message(frame, binary=isinstance(frame, bytes))

    async def burst(self, *frames: str) -> None:
        """Send all of them at once, so that the server may read them all before it answers one."""
        await self._connection.protocol.stream.write(b"".join(map(masked, frames)))

    async def next(self) -> str | bytes:
        """The next frame, whatever it is; AssertionError when the connection ends first."""
        async with asyncio.timeout(DEADLINE_S):
            frame = await self._read()
        assert frame is not None, f"the connection ended: {self.frames[-20:]}"
        return frame

    async def until(self, *heads: str) -> str:
        """The next frame that begins with one of `heads`; AssertionError when the connection ends
        first."""
        async with asyncio.timeout(DEADLINE_S):
            while True:
                frame = await self._read()
                assert frame is not None, (
                    f"the connection ended before {heads}: {self.frames[-20:]}"
                )
                if isinstance(frame, str) and frame.startswith(heads):
                    return frame

    async def event(self, body: str) -> Any:
        """Send an EVENT with this text as its JSON; its ack."""
        ack_id = next(self._ack_ids)
        await self.send(f"42/chat,{ack_id}{body}")
        return await self.ack(ack_id)

    async def ack(self, ack_id: int) -> Any:
        """The ack of that id, which has not been read yet."""
        return _ack_of(await self.until(f"43/chat,{ack_id}["), ack_id)

    async def call(self, name: str, payload: Any) -> Any:
        """What a decent client would do."""
        return await self.event(json.dumps([name, payload]))

    async def until_end(self) -> None:
        """Return when the server has closed the connection; AssertionError when it does not in
        time."""
        try:
            async with asyncio.timeout(END_WITHIN_S):
                while not self.ended:
                    await self._read()
        except TimeoutError:
            raise AssertionError(
                f"the connection is still open; it said {self.frames[-20:]}"
            ) from None

    @property
    def close_code(self) -> int | None:
        """What the server's close frame said."""
        return self._connection.close_code

    @property
    def headers(self) -> HTTPHeaders:
        """Those of the 101."""
        assert self._connection.headers is not None
        return self._connection.headers

    async def is_alive(self) -> bool:
        """Whether events are still answered."""
        return bool((await self.event('["authenticate"]'))["success"])

    async def close(self) -> None:
        """Begin the closing handshake, for which nobody has to wait."""
        self._connection.close()

    def __del__(self) -> None:
        # Tornado's client warns of every connection that was not closed by its own hand.
        with contextlib.suppress(Exception):
            self._connection.close()

    async def _read(self) -> str | bytes | None:
        frame = await self._connection.read_message()
        if frame is None:
            self.ended = True
        else:
            self.frames.append(frame)
        return frame


class RawPolling:
    """An Engine.IO session over long polling."""

    def __init__(self, chat: RunningChat, session_id: str) -> None:
        self.session_id = session_id
        self._url = address(chat, "polling", sid=session_id)
        self._http = AsyncHTTPClient()
        self._ack_ids = itertools.count(100)
        self.frames: list[str] = []

    @classmethod
    async def open(
        cls, chat: RunningChat, *, headers: dict[str, str] | None = None, **query: str
    ) -> Self:
        """An Engine.IO session over polling, not yet connected to a namespace."""
        request = HTTPRequest(address(chat, "polling", **query), headers=headers)
        response = await AsyncHTTPClient().fetch(request)
        return cls(chat, json.loads(response.body[1:])["sid"])

    @classmethod
    async def enter(cls, chat: RunningChat, user_id: int | str = 1) -> Self:
        """A session that is connected to /chat as the user."""
        raw = await cls.open(chat)
        await raw.connect({"token": chat.token(user_id)})
        return raw

    async def connect(self, auth: Any) -> str:
        """Send a CONNECT to /chat; the packet that answers it."""
        await self.post("40/chat," + ("" if auth is None else json.dumps(auth)))
        return await self.until("40/chat,", "44/chat,")

    async def post(self, *packets: str) -> HTTPResponse:
        """Send packets in one request; any status is returned."""
        request = HTTPRequest(self._url, method="POST", body=SEPARATOR.join(packets).encode())
        return await self._http.fetch(request, raise_error=False)

    async def poll(self) -> HTTPResponse:
        """One GET; what came is kept in `frames`."""
        response = await self._http.fetch(
            HTTPRequest(self._url, request_timeout=DEADLINE_S), raise_error=False
        )
        if response.code == 200:
            self.frames += response.body.decode().split(SEPARATOR)
        return response

    async def take(self) -> list[str]:
        """The packets of one poll, which has to succeed."""
        response = await self.poll()
        assert response.code == 200, response.code
        return response.body.decode().split(SEPARATOR)

    async def until(self, *heads: str) -> str:
        """The first packet so far, or of the polls to come, that begins with one of `heads`."""
        async with asyncio.timeout(DEADLINE_S):
            while True:
                for frame in self.frames:
                    if frame.startswith(heads):
                        return frame
                response = await self.poll()
                assert response.code == 200, (
                    f"the session ended before {heads}: {self.frames[-20:]}"
                )

    async def event(self, body: str) -> Any:
        """Send an EVENT with this text as its JSON; its ack."""
        ack_id = next(self._ack_ids)
        await self.post(f"42/chat,{ack_id}{body}")
        return _ack_of(await self.until(f"43/chat,{ack_id}["), ack_id)

    async def until_end(self) -> None:
        """Return when the session is closed: polls are refused, or answered with CLOSE."""
        async with asyncio.timeout(END_WITHIN_S):
            while (await self.poll()).code == 200 and "1" not in self.frames:
                pass


async def refused_upgrade(
    chat: RunningChat, headers: dict[str, str] | None = None, **query: str | None
) -> tuple[bytes, bool]:
    """Ask for a websocket; the whole HTTP answer, and whether the server then closed the
    connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", chat.app.port)
    target = address(chat, "websocket", **query).partition(str(chat.app.port))[2]
    writer.write(upgrade_request(chat.app.port, target, **(headers or {})))
    try:
        async with asyncio.timeout(DEADLINE_S):
            head = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"(?i)content-length: *(\d+)", head)
            body = await reader.readexactly(int(length[1])) if length else b""
        try:
            async with asyncio.timeout(END_WITHIN_S):
                closed = await reader.read() == b""
        except TimeoutError:
            closed = False
    finally:
        writer.close()
    return head + body, closed
