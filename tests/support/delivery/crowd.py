"""A few clients that send without pause while the server or its store is hurt, and write down what
they live through."""

import asyncio
import contextlib
import itertools
from typing import Any

import socketio

from chat.auth import mint
from chat.clock import SystemClock
from chat.contracts.client_events import NAMESPACE
from chat.testing import ChatClient
from tests.support.delivery.checker import Send, Story
from tests.support.server_process import SECRET
from tests.support.waiting import eventually

ACK_WITHIN_S = 9.0
"""A second more than the server promises."""

PAUSE_S = 0.05
"""What a client waits before it tries again; a test waits for `acked`."""
_NO_CONNECTION = (socketio.exceptions.SocketIOError, TimeoutError, asyncio.TimeoutError, OSError)


class Member:
    """One user with one socket at a time, who sends in all of their chats, one message after the
    other."""

    def __init__(self, crowd: "Crowd", user_id: int) -> None:
        self._crowd = crowd
        self._user_id = user_id
        self._client: ChatClient | None = None
        self._lost = asyncio.Event()
        self._numbers = itertools.count(1)
        self._lives = itertools.count(1)

    async def run(self) -> None:
        """Until the crowd is told to stop; then every other send without an ack is repeated to its
        end."""
        for number in self._numbers:
            if self._crowd.stopping:
                break
            chat_id = self._crowd.chat_ids[number % len(self._crowd.chat_ids)]
            key = f"{self._user_id}-{number}"
            send = Send(chat_id, self._user_id, key, f"{self._user_id} says {number}")
            self._crowd.story.sends.append(send)
            await self._try(send)
            # Every other one is tried again until it is there; the rest is left as it is.
            while number % 2 and not send.acked:
                await asyncio.sleep(PAUSE_S)
                await self._try(send)

    async def close(self) -> None:
        if self._client is not None:
            await self._client.close()

    async def _try(self, send: Send) -> None:
        client = await self._connected()
        if client is None:
            send.code = send.code or "NOT_SENT"
            await asyncio.sleep(PAUSE_S)
            return
        body = {"chatId": send.chat_id, "content": send.text, "clientMessageId": send.key}
        answer = await self._ask(client, body)
        if answer is None:
            send.unknown = True
            self._crowd.unanswered += client.socket.connected
        elif answer["success"]:
            send.acked.append(answer["data"])
        else:
            send.code = answer["error"]["code"]
            self._crowd.codes.add(send.code)
            send.unknown = send.unknown or send.code == "TIMEOUT"
            await asyncio.sleep(PAUSE_S)

    async def _ask(self, client: ChatClient, body: dict[str, Any]) -> dict[str, Any] | None:
        """The ack; None when none came in time, or the connection was lost before."""
        call = asyncio.ensure_future(
            client.socket.call("sendMessage", body, namespace=NAMESPACE, timeout=ACK_WITHIN_S)
        )
        lost = asyncio.ensure_future(self._lost.wait())
        try:
            await asyncio.wait([call, lost], return_when=asyncio.FIRST_COMPLETED)
            return dict(call.result()) if call.done() else None
        except _NO_CONNECTION:
            return None
        finally:
            for each in (call, lost):
                each.cancel()

    async def _connected(self) -> ChatClient | None:
        if self._client is not None and self._client.socket.connected:
            return self._client
        await self.close()
        client = ChatClient(self._crowd.undeclared.append, frozenset())
        label = f"user {self._user_id}, life {next(self._lives)}"
        self._record(client, label)
        token, _ = mint(SECRET, self._user_id, user_type="", clock=SystemClock(), valid_s=600)
        try:
            await client.socket.connect(
                self._crowd.url,
                namespaces=[NAMESPACE],
                transports=["websocket"],
                auth={"token": token},
                wait_timeout=3,
            )
            for chat_id in self._crowd.chat_ids:
                joined = await client.call("joinChat", {"chatId": chat_id})
                if not joined["success"]:
                    await client.close()
                    return None
        except _NO_CONNECTION:
            with contextlib.suppress(*_NO_CONNECTION):
                await client.close()
            return None
        self._client = client
        return client

    def _record(self, client: ChatClient, label: str) -> None:
        pushed = self._crowd.story.pushed

        async def note(payload: Any) -> None:
            pushed[label, payload["chatId"]].append(payload["message"])

        lost = self._lost = asyncio.Event()

        async def end(*_: Any) -> None:
            lost.set()

        client.socket.on("newMessage", note, namespace=NAMESPACE)
        client.socket.on("disconnect", end, namespace=NAMESPACE)


class Crowd:
    """Members of some chats on one server. `start`, hurt the server, `finish`; `story` is what
    happened."""

    def __init__(self, url: str, chat_ids: list[int], users: list[int]) -> None:
        self.url = url
        self.chat_ids = chat_ids
        self.story = Story()
        self.stopping = False
        self.undeclared: list[str] = []
        self.codes: set[str] = set()
        self.unanswered = 0
        self._members = [Member(self, user_id) for user_id in users]
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        self._tasks = [asyncio.create_task(member.run()) for member in self._members]

    async def acked(self, more: int, within_s: float = 30) -> None:
        """Return when that many more sends were acknowledged."""
        wanted = self.story.acked + more
        await eventually(
            lambda: self.story.acked >= wanted or any(t.done() for t in self._tasks), within_s
        )
        for task in self._tasks:
            if task.done():
                task.result()

    async def finish(self) -> None:
        """No new sends; wait for what is being repeated, and for the last pushes."""
        self.stopping = True
        await asyncio.wait_for(asyncio.gather(*self._tasks), 30)
        for member in self._members:
            client = await member._connected()
            assert client is not None
            await client.settle()

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for member in self._members:
            await member.close()
