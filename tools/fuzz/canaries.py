"""Well-behaved clients beside the attackers: they chat all the time, and nothing of it may be lost,
doubled or late.
"""

import asyncio
import contextlib
from time import monotonic
from typing import Any

import socketio

from chat.testing import ChatClient
from tests.support.server_process import ServerProcess
from tools.fuzz.world import CANARIES, WITNESS, World, token

PAUSE_S = 0.04
WITHIN_S = 10.0
NUMBERED = ("newMessage", "messageUpdated", "messageDeleted")


class Canaries:
    """Two on websockets who write in turn, one who polls and reads; and a witness in the attackers'
    chats, who holds every push of theirs against its model.
    """

    def __init__(self, server: ServerProcess, world: World) -> None:
        self._server = server
        self._world = world
        self.faults: list[str] = []
        self.sent: list[str] = []
        self.ack_ms: list[float] = []
        self._clients: list[ChatClient] = []
        self._goes_on = True
        self._chatting: asyncio.Task[None] | None = None

    async def start(self) -> None:
        ways = (["websocket"], ["websocket"], ["polling"])
        for user_id, transports in zip(CANARIES, ways, strict=True):
            client = await self._connect(user_id, transports)
            await client.call("joinChat", {"chatId": self._world.foreign_chat_id})
        witness = await self._connect(WITNESS, ["websocket"])
        for chat_id in self._world.chat_ids:
            await witness.call("joinChat", {"chatId": chat_id})
        self._chatting = asyncio.get_running_loop().create_task(self._chat())

    async def stop(self) -> None:
        """End the chat, and look at who heard what."""
        self._goes_on = False
        assert self._chatting is not None
        try:
            await self._chatting
        except (socketio.exceptions.SocketIOError, OSError) as error:
            self.faults.append(f"the canaries' chat broke off: {error!r}")
        await self._compare()
        for client in self._clients:
            with contextlib.suppress(Exception):
                await client.close()

    async def _connect(self, user_id: int, transports: list[str]) -> ChatClient:
        client = ChatClient(self.faults.append, frozenset())
        await client.socket.connect(
            self._server.url,
            namespaces=["/chat"],
            transports=transports,
            auth={"token": token(user_id)},
            wait_timeout=WITHIN_S,
        )
        self._clients.append(client)
        return client

    async def _chat(self) -> None:
        while self._goes_on:
            for writer in self._clients[:2]:
                await asyncio.sleep(PAUSE_S)
                await self._write(writer)

    async def _write(self, writer: ChatClient) -> None:
        text = f"canary {len(self.sent)}"
        payload = {"chatId": self._world.foreign_chat_id, "content": text}
        self.sent.append(text)
        begun = monotonic()
        answer = await writer.call("sendMessage", payload)
        self.ack_ms.append((monotonic() - begun) * 1000)
        if not answer["success"]:
            self.faults.append(f"a canary was refused: {answer['error']['code']}")

    async def _compare(self) -> None:
        history = await self._server.history(self._world.foreign_chat_id, CANARIES[0])
        # The first was there before them.
        stored = [each["message"] for each in history[1:]]
        if stored != self.sent:
            self.faults.append("the canaries' history is not what they wrote")
        for number, client in enumerate(self._clients[:3]):
            if not client.socket.connected:
                self.faults.append(f"canary {number} was cut off")
                continue
            await client.settle()
            heard = [each["message"]["message"] for each in client.of("newMessage")]
            if heard != stored:
                self.faults.append(
                    f"canary {number} heard {len(heard)} of {len(stored)} messages, or in disorder"
                )
        await self._check_witness(self._clients[3])

    async def _check_witness(self, witness: ChatClient) -> None:
        """The attackers' chats, as somebody sees them who is in their rooms: no gap, no repeat."""
        if not witness.socket.connected:
            self.faults.append("the witness was cut off")
            return
        await witness.settle()
        pushed: list[Any] = [payload for name, payload in witness.pushed if name in NUMBERED]
        for chat_id in self._world.chat_ids:
            seqs = [each["seq"] for each in pushed if each["chatId"] == chat_id]
            if seqs and seqs != list(range(seqs[0], seqs[0] + len(seqs))):
                self.faults.append(f"a gap or a repeat in the pushes of chat {chat_id}")
