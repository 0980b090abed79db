"""What one user, or nobody in particular, makes the server and its store hold: `make
bench-memory-attacks`.

Each attack runs against a server process of its own with the embedded store, from another process.
Meanwhile a second user sends a message every 50 ms. It prints the memory of both processes before,
at the peak and ten seconds after, and what became of those sends.
"""

import argparse
import asyncio
import contextlib
import json
import multiprocessing
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from tornado.httpclient import AsyncHTTPClient, HTTPRequest

from chat.auth import mint
from chat.clock import SystemClock
from chat.contracts.client_events import NAMESPACE
from chat.testing import ChatClient

ROOT: Final = Path(__file__).resolve().parents[1]
SECRET: Final = "a-secret-of-the-benchmarks-that-is-long-enough"  # noqa: S105  # it guards nothing
ATTACKER: Final = 1
VICTIM: Final = 2
LONG: Final = "\U0001f600" * 10_000
"""40 kB in UTF-8."""

LIFTED: Final = {
    f"CHAT_RATE_LIMIT_{name}": "1000000"
    for name in ("SEND_PER_S", "SEND_BURST", "ACTION_PER_S", "ACTION_BURST")
}
SAMPLE_S: Final = 0.02
SEND_EVERY_S: Final = 0.05
AFTER_S: Final = 10.0
WAIT_S: Final = 60.0

Step = Callable[[str, int], Awaitable[None]]


def bearer(user_id: Any, kind: str = "employee") -> str:
    return mint(SECRET, user_id, user_type=kind, clock=SystemClock(), valid_s=3600)[0]


async def request(url: str, method: str, path: str, user_id: Any, body: Any = None) -> Any:
    kind = "service" if user_id == "host" else "employee"
    asked = HTTPRequest(
        url + path,
        method,
        {"Authorization": f"Bearer {bearer(user_id, kind)}", "Content-Type": "application/json"},
        None if body is None else json.dumps(body),
        request_timeout=WAIT_S,
        connect_timeout=WAIT_S,
    )
    answer = await AsyncHTTPClient(max_clients=100).fetch(asked, raise_error=False)
    return json.loads(answer.body) if answer.body else {}


async def connect(url: str, user_id: int) -> ChatClient:
    client = ChatClient(lambda _: None, frozenset())
    await client.socket.connect(
        url, namespaces=[NAMESPACE], transports=["websocket"], auth={"token": bearer(user_id)}
    )
    return client


async def call(client: ChatClient, event: str, payload: Any) -> Any:
    return await client.socket.call(event, payload, namespace=NAMESPACE, timeout=WAIT_S)


# ---- the attacks: what is prepared with limits lifted, and what is done within them


async def edited(url: str, chat_id: int) -> None:
    """60 messages of 40 kB, each edited 50 times."""
    client = await connect(url, ATTACKER)

    async def one() -> None:
        sent = await call(client, "sendMessage", {"chatId": chat_id, "content": LONG})
        for number in range(50):
            edit = {"messageId": sent["data"]["id"], "content": f"{number}{LONG[2:]}"}
            answer = await call(client, "editMessage", edit)
            if not answer["success"]:
                raise RuntimeError(answer)

    for start in range(0, 60, 5):
        await asyncio.gather(*(one() for _ in range(start, start + 5)))
    await client.close()


async def long(url: str, chat_id: int) -> None:
    """200 messages of 40 kB with 15 kB of metadata."""
    client = await connect(url, ATTACKER)
    message = {"chatId": chat_id, "content": LONG, "metadata": {"a": "x" * 15_000}}
    for _ in range(20):
        await asyncio.gather(*(call(client, "sendMessage", message) for _ in range(10)))
    await client.close()


async def nothing(_url: str, _chat_id: int) -> None:
    """Prepare nothing."""


async def ten_pages(url: str, chat_id: int) -> None:
    """10 pages of history at once."""
    path = f"/chat-messages?chatId={chat_id}&limit=200"
    await asyncio.gather(*(request(url, "GET", path, ATTACKER) for _ in range(10)))


async def sixty_pages(url: str, chat_id: int) -> None:
    """60 pages of history at once."""
    path = f"/chat-messages?chatId={chat_id}&limit=200"
    await asyncio.gather(*(request(url, "GET", path, ATTACKER) for _ in range(60)))


async def joins(url: str, chat_id: int) -> None:
    """joinChat twice on each of 19 sockets."""
    clients = []
    for _ in range(19):
        clients.append(await connect(url, ATTACKER))
        await asyncio.sleep(0.25)
    asked = {"chatId": chat_id, "limit": 200}
    work = [call(each, "joinChat", asked) for each in clients for _ in range(2)]
    await asyncio.gather(*work, return_exceptions=True)
    for each in clients:
        with contextlib.suppress(Exception):
            await each.close()


async def bodies(url: str, _chat_id: int) -> None:
    """100 connections without a token, each with a body of 4 MB that does not end."""
    place = urlsplit(url)
    host, port = place.hostname or "", place.port or 80
    head = f"POST /chat-messages HTTP/1.1\r\nHost: {host}\r\nContent-Length: 4000000\r\n\r\n"
    await asyncio.to_thread(_hold, host, port, head.encode() + b"x" * 3_990_000)


def _hold(host: str, port: int, sent: bytes) -> None:
    connections = []
    for _ in range(100):
        connection = socket.create_connection((host, port), timeout=2)
        with contextlib.suppress(OSError):
            connection.sendall(sent)
        connections.append(connection)
    time.sleep(2)
    for each in connections:
        each.close()


async def chats(url: str, _chat_id: int) -> None:
    """Chats of 1,000 people for 30 s, as many as the limits let through."""
    end = time.monotonic() + 30
    made = 0
    while time.monotonic() < end:
        people = [*range(1_000_000 + made * 1_000, 1_000_999 + made * 1_000)]
        answer = await request(url, "POST", "/chats", ATTACKER, {"participantIds": people})
        made += bool(answer.get("success"))
        if not answer.get("success"):
            await asyncio.sleep(0.05)


ATTACKS: Final[dict[str, tuple[Step, Step]]] = {
    "edited messages, 10 pages at once": (edited, ten_pages),
    "edited messages, 19 sockets x 2 joinChat": (edited, joins),
    "long messages, 60 pages at once": (long, sixty_pages),
    "long messages, 19 sockets x 2 joinChat": (long, joins),
    "100 bodies of 4 MB without a token": (nothing, bodies),
    "chats of 1,000 people for 30 s": (nothing, chats),
}


def attack(name: str, url: str, chat_id: int) -> None:
    """Run in a process of its own."""
    asyncio.run(_attack(ATTACKS[name][1], url, chat_id))


async def _attack(step: Step, url: str, chat_id: int) -> None:
    await step(url, chat_id)


# ---- what is measured


@dataclass(slots=True)
class Memory:
    """Resident megabytes of a server and of its store."""

    pid: int
    server: list[float] = field(default_factory=list)
    store: list[float] = field(default_factory=list)

    def sample(self) -> None:
        self.server.append(_rss_mb(self.pid))
        self.store.append(sum(map(_rss_mb, _children(self.pid))))

    async def watch(self) -> None:
        while True:
            self.sample()
            await asyncio.sleep(SAMPLE_S)


def _rss_mb(pid: int) -> float:
    with contextlib.suppress(OSError, StopIteration):
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        return int(next(each for each in lines if each.startswith("VmRSS")).split()[1]) / 1000
    return 0.0


def _children(pid: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(OSError):
            found += [int(each) for each in (task / "children").read_text().split()]
    return found


@dataclass(slots=True)
class Sends:
    """The sends of the second user."""

    times_ms: list[float] = field(default_factory=list)
    failed: int = 0

    async def keep_sending(self, client: ChatClient, chat_id: int) -> None:
        running: set[asyncio.Task[None]] = set()
        while True:
            task = asyncio.ensure_future(self._one(client, chat_id))
            running.add(task)
            task.add_done_callback(running.discard)
            await asyncio.sleep(SEND_EVERY_S)

    async def _one(self, client: ChatClient, chat_id: int) -> None:
        began = time.perf_counter()
        try:
            answer = await call(client, "sendMessage", {"chatId": chat_id, "content": "hello"})
        except Exception:  # noqa: BLE001  # whatever it is, the send has failed
            answer = {"success": False}
        self.times_ms.append(1000 * (time.perf_counter() - began))
        self.failed += not answer["success"]


@asynccontextmanager
async def server_of(
    checkout: Path, folder: Path, **settings: str
) -> AsyncIterator[tuple[str, int]]:
    """Start the server of a checkout; its address and process id."""
    environment = {
        **os.environ, "PYTHONPATH": str(checkout), "PORT": "0", "DATA_DIR": str(folder / "data"),
        "JWT_SECRET": SECRET, "LOG_LEVEL": "WARNING", **settings,
    }  # fmt: skip
    with (folder / "log").open("ab") as log:
        server = await asyncio.create_subprocess_exec(
            *(sys.executable, str(checkout / "server.py"), "serve"),
            cwd=checkout, env=environment, stdout=subprocess.PIPE, stderr=log,
        )  # fmt: skip
    assert server.stdout is not None  # noqa: S101  # it was asked for as a pipe
    try:
        greeting = (await server.stdout.readline()).decode().split()
        if not greeting:
            raise RuntimeError((folder / "log").read_text()[-2000:])
        yield greeting[-1].rstrip("/"), server.pid
    finally:
        with contextlib.suppress(ProcessLookupError):
            server.send_signal(signal.SIGTERM)
        await server.wait()


async def measure(name: str, checkout: Path, folder: Path) -> str:
    """One row of the table."""
    # The second user's sends are not what is limited here.
    lifted = {key: value for key, value in LIFTED.items() if "SEND" in key}
    prepare, _ = ATTACKS[name]
    async with server_of(checkout, folder, **LIFTED) as (url, _):
        made = []
        for people in ([ATTACKER, 3], [VICTIM, 3]):
            new = {"type": "group", "participantIds": people}
            made.append((await request(url, "POST", "/chats", "host", new))["data"]["id"])
        target, other = made
        await prepare(url, target)
    async with server_of(checkout, folder, **lifted) as (url, pid):
        victim = await connect(url, VICTIM)
        memory, sends = Memory(pid), Sends()
        sending = asyncio.ensure_future(sends.keep_sending(victim, other))
        await asyncio.sleep(2)
        memory.sample()
        before = (memory.server[-1], memory.store[-1])
        sends.times_ms.clear()
        watching = asyncio.ensure_future(memory.watch())
        process = multiprocessing.get_context("spawn").Process(
            target=attack, args=(name, url, target)
        )
        process.start()
        await asyncio.to_thread(process.join)
        sending.cancel()
        peak = (max(memory.server), max(memory.store))
        await asyncio.sleep(AFTER_S)
        watching.cancel()
        memory.sample()
        after = (memory.server[-1], memory.store[-1])
        with contextlib.suppress(Exception):
            await victim.close()
    figures = [f"{b:.0f} / {p:.0f} / {a:.0f}" for b, p, a in zip(before, peak, after, strict=True)]
    p50, most = statistics.median(sends.times_ms), max(sends.times_ms)
    return (
        f"| {name} | {figures[0]} | {figures[1]} "
        f"| {sends.failed} of {len(sends.times_ms)} | {p50:.0f} | {most:.0f} |"
    )


async def run(names: list[str], checkout: Path) -> None:
    head = (
        "| attack | server MB: before / peak / after | store MB | failed sends | p50 ms | max ms |"
    )
    print(head, "|---|---|---|---|---|---|", sep="\n", flush=True)  # noqa: T201  # the result
    for name in names:
        with tempfile.TemporaryDirectory(prefix="memory-attack-") as folder:
            row = await measure(name, checkout, Path(folder))
        print(row, flush=True)  # noqa: T201


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--checkout", type=Path, default=ROOT, help="whose server.py to attack")
    parser.add_argument("--only", default="", help="attacks whose name holds this")
    options = parser.parse_args()
    names = [each for each in ATTACKS if options.only in each]
    asyncio.run(run(names, options.checkout.resolve()))


if __name__ == "__main__":
    main()
