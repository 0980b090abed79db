"""A websocket by hand on a bare TCP socket: one that stops reading, and one that goes without a
word.
"""

import asyncio
import json
import os
import socket
import struct
from typing import Any, Self

from chat.testing import RunningChat

DEADLINE_S = 20.0


def upgrade_request(
    port: int, target: str = "/socket.io/?EIO=4&transport=websocket", **headers: str
) -> bytes:
    """The request for a websocket, of a new session unless `target` says else."""
    lines = {
        "Host": f"127.0.0.1:{port}",
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        **headers,
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"GET {target} HTTP/1.1\r\n{head}\r\n".encode()


def masked(text: str) -> bytes:
    """One whole text frame as a client sends it."""
    payload = text.encode()
    size = len(payload)
    length = bytes([0x80 | size]) if size < 126 else struct.pack(">BH", 0x80 | 126, size)
    mask = os.urandom(4)
    repeated = mask * (size // 4 + 1)
    return b"\x81" + length + mask + bytes(a ^ b for a, b in zip(payload, repeated, strict=False))


class BareSocket:
    """`received` is everything that was read after the 101, frames and their heads."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self.received = b""

    @classmethod
    async def open(
        cls, chat: RunningChat, *, receive_bytes: int | None = None, **headers: str
    ) -> Self:
        """A session over websocket; `receive_bytes` is the size of the kernel's buffer for it."""
        connection = socket.socket()
        if receive_bytes is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        connection.setblocking(False)
        bare = cls(connection)
        try:
            await bare._shake_hands(chat.app.port, headers)
        except BaseException:
            bare.close()
            raise
        return bare

    async def _shake_hands(self, port: int, headers: dict[str, str]) -> None:
        loop = asyncio.get_running_loop()
        await loop.sock_connect(self._connection, ("127.0.0.1", port))
        await loop.sock_sendall(self._connection, upgrade_request(port, **headers))
        answer = await self.read_until(b"\r\n\r\n")
        head, _, self.received = answer.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101"), head

    @classmethod
    async def enter(cls, chat: RunningChat, user_id: Any, **options: Any) -> Self:
        """The same, let into /chat as the user."""
        bare = await cls.open(chat, **options)
        await bare.send("40/chat," + json.dumps({"token": chat.token(user_id)}))
        await bare.read_until(b"40/chat,")
        return bare

    async def send(self, text: str) -> None:
        await asyncio.get_running_loop().sock_sendall(self._connection, masked(text))

    async def read_until(self, part: bytes) -> bytes:
        """Read until it has come; everything received so far."""
        async with asyncio.timeout(DEADLINE_S):
            while part not in self.received:
                data = await asyncio.get_running_loop().sock_recv(self._connection, 65_536)
                assert data, f"the connection ended before {part!r}: {self.received[-200:]!r}"
                self.received += data
        return self.received

    async def read_to_end(self) -> bytes:
        """Read until the server has ended the connection; everything received."""
        async with asyncio.timeout(DEADLINE_S):
            while True:
                try:
                    data = await asyncio.get_running_loop().sock_recv(self._connection, 65_536)
                except ConnectionResetError:
                    return self.received
                if not data:
                    return self.received
                self.received += data

    def reset(self) -> None:
        """Go without a word: the server sees a RST."""
        linger = struct.pack("ii", 1, 0)
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self._connection.close()

    def close(self) -> None:
        self._connection.close()
