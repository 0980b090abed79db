"""HTTP over a bare socket: sends any bytes, and reads an answer where there is one."""

import asyncio
import re
import socket
import struct
from typing import Self

ANSWER_WITHIN_S = 6.0
_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")
_RESET = struct.pack("ii", 1, 0)


class Gone(Exception):
    """The server has closed the connection, or never answered."""


class RawConnection:
    """A TCP connection to the server."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def open(cls, port: int) -> Self:
        return cls(*await asyncio.open_connection("127.0.0.1", port, limit=2**20))

    async def send(self, data: bytes) -> None:
        try:
            self.writer.write(data)
            await self.writer.drain()
        except OSError as error:
            raise Gone from error

    async def answer(self) -> tuple[int, bytes]:
        """`(status, body)` of the next answer. Gone when there is none in time."""
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                head = await self.reader.readuntil(b"\r\n\r\n")
                length = _LENGTH.search(head)
                body = await self.reader.readexactly(int(length[1])) if length else b""
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
            raise Gone from error
        return int(head.split(None, 2)[1]), body

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        await self.send(request)
        return await self.answer()

    def close(self) -> None:
        self.writer.close()

    def reset(self) -> None:
        """End it as a crashed peer does, by RST."""
        taken: socket.socket = self.writer.get_extra_info("socket")
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self.writer.transport.abort()
