"""A TCP proxy between a client and a server, or a server and its store, that fails as networks
do."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

CHUNK_BYTES = 65_536


class Proxy:
    """`port` leads to the target. `mute` = nothing comes back; `deaf` = nothing goes there."""

    def __init__(self, target_port: int) -> None:
        self.port = 0
        self.mute = False
        self.deaf = False
        self._target_port = target_port
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._pumps: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()
        if self._pumps:
            await asyncio.wait(self._pumps)

    def cut(self) -> None:
        """Reset every connection, as a network that is gone; new ones are let through."""
        for writer in list(self._writers):
            writer.transport.abort()

    def in_front_of(self, chat: Any) -> Any:
        """What raw sockets need of a running chat, by way of this proxy."""
        return SimpleNamespace(
            app=SimpleNamespace(port=self.port), token=chat.token, _clients=chat._clients
        )

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there = await asyncio.open_connection("127.0.0.1", self._target_port)
        except OSError:
            writer.transport.abort()
            return
        for work in (self._pump(reader, there[1], "deaf"), self._pump(there[0], writer, "mute")):
            task = asyncio.create_task(work)
            self._pumps.add(task)
            task.add_done_callback(self._pumps.discard)

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, dropped_when: str
    ) -> None:
        self._writers.add(writer)
        try:
            while data := await reader.read(CHUNK_BYTES):
                if not getattr(self, dropped_when):
                    writer.write(data)
                    await writer.drain()
        except OSError:
            pass  # cut, or the other end went away
        finally:
            self._writers.discard(writer)
            writer.transport.abort()


@asynccontextmanager
async def proxy_to(port: int) -> AsyncIterator[Proxy]:
    """A proxy for as long as the block runs."""
    proxy = Proxy(port)
    await proxy.start()
    try:
        yield proxy
    finally:
        await proxy.stop()
