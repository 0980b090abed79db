"""The official JavaScript clients in the hands of a Python test: one Node process, many sockets."""

import asyncio
import itertools
import json
from collections import defaultdict
from pathlib import Path
from typing import Any, Final

JS_FOLDER: Final = Path(__file__).resolve().parents[1] / "js"
CLIENTS: Final = {"4.8.4": "socket.io-client", "4.5.4": "socket.io-client-4.5.4"}
TRANSPORTS: Final = {
    "websocket": {"transports": ["websocket"]},
    "polling": {"transports": ["polling"]},
    "upgrade": {},
}
WAIT_S: Final = 10.0


class JsSocket:
    """One socket of the Node process."""

    def __init__(self, driver: "JsDriver", name: str) -> None:
        self._driver = driver
        self.name = name
        self.happened: list[tuple[str, list[Any]]] = []
        self._unread: dict[str, list[list[Any]]] = defaultdict(list)

    async def emit(self, *args: Any) -> None:
        """As most of the guide's snippets do it: without asking for an ack."""
        await self._driver.command("emit", self.name, args=args)

    async def call(self, *args: Any) -> Any:
        """Emit, and the first argument of the ack."""
        return await self._driver.call(self.name, *args)

    async def disconnect(self) -> None:
        await self._driver.command("disconnect", self.name)

    async def next(self, event: str) -> Any:
        """The first argument of the next event of that name, which may have come already."""
        arrived = self._driver.arrived
        async with asyncio.timeout(WAIT_S), arrived:
            await arrived.wait_for(lambda: self._unread[event])
            args = self._unread[event].pop(0)
        return args[0] if args else None

    def count(self, event: str) -> int:
        """How many events of that name there have been so far."""
        return sum(name == event for name, _ in self.happened)

    def receive(self, event: str, args: list[Any]) -> None:
        self.happened.append((event, args))
        self._unread[event].append(args)


class JsDriver:
    """A Node process for many tests (tests/js/driver.mjs). `start` and `stop` are on one loop."""

    def __init__(self) -> None:
        self._node: asyncio.subprocess.Process | None = None
        self.arrived = asyncio.Condition()
        self._sockets: dict[str, JsSocket] = {}
        self._acks: dict[int, asyncio.Future[Any]] = {}
        self._ids = itertools.count(1)

    async def connect(
        self, url: str, *, client: str = "4.8.4", transport: str = "websocket", **options: Any
    ) -> JsSocket:
        """`io(url, options)`. Does not wait for anything: see `next("connect")`."""
        socket = JsSocket(self, f"socket-{next(self._ids)}")
        self._sockets[socket.name] = socket
        merged = {**TRANSPORTS[transport], **options}
        await self.command("connect", socket.name, client=CLIENTS[client], url=url, options=merged)
        return socket

    async def call(self, name: str, *args: Any) -> Any:
        ack = next(self._ids)
        answer = self._acks[ack] = asyncio.get_running_loop().create_future()
        await self.command("emit", name, args=args, ack=ack)
        return await asyncio.wait_for(answer, WAIT_S)

    async def let_go(self) -> None:
        """Disconnect what a test has connected, and forget it."""
        names, self._sockets = list(self._sockets), {}
        for name in names:
            await self.command("disconnect", name)

    async def command(self, do: str, name: str, **fields: Any) -> None:
        assert self._node is not None
        assert self._node.stdin is not None
        self._node.stdin.write(json.dumps({"do": do, "as": name, **fields}).encode() + b"\n")
        await self._node.stdin.drain()

    async def _read(self, lines: asyncio.StreamReader) -> None:
        async for line in lines:
            said = json.loads(line)
            if "event" not in said:
                answer = self._acks.pop(said["ack"])
                if not answer.done():
                    answer.set_result(said["args"][0])
            elif said["as"] in self._sockets:
                async with self.arrived:
                    self._sockets[said["as"]].receive(said["event"], said["args"])
                    self.arrived.notify_all()

    async def start(self) -> None:
        """Unless it runs."""
        if self._node is not None and self._node.returncode is None:
            return
        pipe = asyncio.subprocess.PIPE
        self._node = await asyncio.create_subprocess_exec(
            "node", "driver.mjs", cwd=JS_FOLDER, stdin=pipe, stdout=pipe
        )
        assert self._node.stdout is not None
        self._reader = asyncio.create_task(self._read(self._node.stdout))

    async def stop(self) -> None:
        """End the process, if it runs."""
        if self._node is None:
            return
        assert self._node.stdin is not None
        self._node.stdin.close()
        await asyncio.wait_for(self._node.wait(), WAIT_S)
        await self._reader
        self._node = None
