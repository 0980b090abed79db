"""A TCP proxy between a client and a server, or a server and its store, that fails as networks
do."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

from tests.support.waiting import turns

CHUNK_BYTES = 65_536


class Proxy:
    """`port` leads to the target, a port or a Unix socket. `mute` = nothing comes back; `deaf` =
    nothing goes there.
    """

    def __init__(self, target: int | str) -> None:
        self.port = 0
        self.mute = False
        self.deaf = False
        self._target = target
        self._writers: set[asyncio.StreamWriter] = set()
        self._connecting: set[asyncio.Task[None]] = set()
        self._pumps: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.setblocking(False)
        self.port = self._listener.getsockname()[1]
        asyncio.get_running_loop().add_reader(self._listener, self._accept)

    async def stop(self) -> None:
        asyncio.get_running_loop().remove_reader(self._listener)
        self._listener.close()
        if self._connecting:
            await asyncio.wait(self._connecting)
        self.cut()
        if self._pumps:
            await asyncio.wait(self._pumps)
        # An aborted transport closes its socket in the next turn of the loop.
        await turns(1)

    def cut(self) -> None:
        """Reset every connection, as a network that is gone; new ones are let through."""
        for writer in list(self._writers):
            writer.transport.abort()

    def in_front_of(self, chat: Any) -> Any:
        """What raw sockets need of a running chat, by way of this proxy."""
        return SimpleNamespace(
            app=SimpleNamespace(port=self.port), token=chat.token, clients=chat.clients
        )

    def _accept(self) -> None:
        # By hand: what asyncio's own server accepts while it is closed belongs to nobody.
        with contextlib.suppress(BlockingIOError):
            accepted, _ = self._listener.accept()
            task = asyncio.create_task(self._connect(accepted))
            self._connecting.add(task)
            task.add_done_callback(self._connecting.discard)

    async def _connect(self, accepted: socket.socket) -> None:
        reader, writer = await asyncio.open_connection(sock=accepted)
        try:
            there = await self._connect_there()
        except OSError:
            writer.transport.abort()
            return
        for work in (self._pump(reader, there[1], "deaf"), self._pump(there[0], writer, "mute")):
            task = asyncio.create_task(work)
            self._pumps.add(task)
            task.add_done_callback(self._pumps.discard)

    async def _connect_there(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if isinstance(self._target, str):
            return await asyncio.open_unix_connection(self._target)
        return await asyncio.open_connection("127.0.0.1", self._target)

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
async def proxy_to(target: int | str) -> AsyncIterator[Proxy]:
    """A proxy for as long as the block runs."""
    proxy = Proxy(target)
    await proxy.start()
    try:
        yield proxy
    finally:
        await proxy.stop()
