"""What one user, or five, can cost all others: `make bench-floods`.

Each flood comes from twenty sockets a user, as fast as the server takes it, while a member sends 20
messages a second and /health/live is asked 20 times a second. `--checkout DIR` measures the server
of another folder under the same settings.
"""

import argparse
import asyncio
import itertools
import json
import os
import signal
import statistics
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

from tornado.httpclient import AsyncHTTPClient

from benchmarks.flood_clients import FIRST_PERSON, FLOODS, SOCKETS, Attack, Wire, answer_of
from chat.auth import mint
from chat.clock import SystemClock

ROOT = Path(__file__).resolve().parents[1]
CLIENTS = ROOT / "benchmarks" / "flood_clients.py"
SECRET = "a-secret-of-the-benchmarks-that-is-long-enough"  # noqa: S105  # it guards nothing
CORES: Final = os.sched_getaffinity(0)
PER_S: Final = 20
HISTORY: Final = 250
SETTLE_S: Final = 5.0
ENVIRONMENT: Final = {
    "PORT": "0", "JWT_SECRET": SECRET, "LOG_FORMAT": "json", "MAX_SOCKETS_PER_ADDRESS": "10000",
    "MAX_SOCKETS_PER_USER": "25",
    # The member's own 20 a second.
    "CHAT_RATE_LIMIT_SEND_PER_S": "25", "CHAT_RATE_LIMIT_SEND_BURST": "50",
}  # fmt: skip


@dataclass(slots=True)
class Seen:
    """What the member, the watcher of health and the process table saw."""

    acks_ms: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    health_ms: list[float] = field(default_factory=list)
    cpu_s: float = 0.0
    peak_mb: dict[str, float] = field(default_factory=lambda: {"server": 0.0, "store": 0.0})


# ---- the others


async def _speak(wire: Wire, chat_id: int, until: float, seen: Seen) -> None:
    """Send PER_S messages a second, whatever comes back, and note when each was acked."""
    began: dict[int, float] = {}

    async def listen() -> None:
        rest = b""
        while True:
            rest += await wire.read()
            *whole, rest = rest.split(b"43/chat,")
            for each in (*whole[1:], rest):
                number = each.partition(b"[")[0]
                if number.isdigit() and int(number) in began:
                    seen.acks_ms.append(1000 * (time.perf_counter() - began.pop(int(number))))
                    if b'"success":true' not in each[:200]:
                        seen.failures.append(each[:200].decode(errors="replace"))
            # What is left belongs to an ack that has been counted, or to none.
            rest = rest[-8:]

    listening = asyncio.ensure_future(listen())
    start = time.monotonic()
    for number in itertools.count():
        at = start + number / PER_S
        if at > until:
            break
        await asyncio.sleep(max(0.0, at - time.monotonic()))
        began[number] = time.perf_counter()
        body = json.dumps({"chatId": chat_id, "content": f"message {number}"})
        wire.send(f'42/chat,{number}["sendMessage",{body}]')
    await asyncio.sleep(1)
    listening.cancel()
    lost = await asyncio.gather(listening, return_exceptions=True)
    if not isinstance(lost[0], asyncio.CancelledError):
        seen.failures.append(f"connection: {lost[0]!r}")
    seen.failures += [f"no ack of {number} within a second" for number in began]


async def _watch_health(port: int, until: float, seen: Seen) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while time.monotonic() < until:
        began = time.perf_counter()
        writer.write(b"GET /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        status = await answer_of(reader)
        seen.health_ms.append(1000 * (time.perf_counter() - began))
        if status != 200:
            seen.failures.append(f"/health/live answered {status}")
        await asyncio.sleep(max(0.0, 1 / PER_S - (time.perf_counter() - began)))
    writer.close()


async def _watch_memory(pids: dict[str, int], until: float, seen: Seen) -> None:
    while time.monotonic() < until:
        for name, pid in pids.items():
            seen.peak_mb[name] = max(seen.peak_mb[name], resident_mb(pid))
        await asyncio.sleep(0.1)


def resident_mb(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def used_cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def child_of(pid: int) -> int:
    """The process that the server has started: its store."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid:
            return int(stat.parent.name)
    raise SystemExit("the server has no store of its own")


# ---- one measurement


def token(user_id: Any, user_type: str = "employee") -> str:
    return mint(SECRET, user_id, user_type=user_type, clock=SystemClock(), valid_s=3600)[0]


async def request(url: str, path: str, body: Any) -> Any:
    headers = {
        "Authorization": f"Bearer {token('host', 'service')}", "Content-Type": "application/json"
    }  # fmt: skip
    answer = await AsyncHTTPClient().fetch(
        url + path, method="POST", headers=headers, body=json.dumps(body)
    )
    return json.loads(answer.body)["data"]


async def measure(flood: str, url: str, pids: dict[str, int], first: int, users: int, s: float):
    """Flood from so many users, numbered from `first` on; a row of the table."""
    port = int(url.rpartition(":")[2])
    member, attackers = first, [first + 1 + each for each in range(users)]
    chat_id = (await request(url, "/chats", {"participantIds": [member, *attackers]}))["id"]
    for number in range(HISTORY):
        text = f"number {number} of a conversation that has been going on for a while " * 4
        await request(url, "/chat-messages", {"chatId": chat_id, "content": text})
    wire = await Wire.open(port, token(member))
    # Those of POST /chats who are there to hear of it.
    crowd = [await Wire.open(port, token(FIRST_PERSON + each)) for each in range(20)]
    before = {name: resident_mb(pid) for name, pid in pids.items()}
    attack = Attack(flood, port, [token(each) for each in attackers], chat_id, s)
    attacker = await asyncio.create_subprocess_exec(
        *("nice", "-n", "5", sys.executable, CLIENTS, json.dumps(asdict(attack))),
        stdout=asyncio.subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    seen = Seen()
    until = time.monotonic() + s
    cpu_s = used_cpu_s(pids["server"])
    await asyncio.gather(
        _speak(wire, chat_id, until, seen),
        _watch_health(port, until, seen),
        _watch_memory(pids, until, seen),
    )
    seen.cpu_s = used_cpu_s(pids["server"]) - cpu_s
    output, _ = await attacker.communicate()
    for each in (wire, *crowd):
        each.writer.close()
    await asyncio.sleep(SETTLE_S)
    after = {name: resident_mb(pid) for name, pid in pids.items()}
    return seen, json.loads(output), before, after


async def run(checkout: Path, floods: list[str], users: list[int], seconds: float) -> None:
    say(f"server of {checkout}, {seconds:g} s a flood, {SOCKETS} sockets a user\n")
    say(
        "| flood | users | ack p50/p95/max ms | failed of | health p50/p99 ms | "
        "server MB before/peak/after | store MB | server CPU | sent/s | cut |"
    )
    say("|---|---|---|---|---|---|---|---|---|---|")
    first = 100_000
    for flood in floods:
        with tempfile.TemporaryDirectory(prefix="floods-") as folder:
            server, url = await start(checkout, Path(folder))
            try:
                pids = {"server": server.pid, "store": child_of(server.pid)}
                _let_run_anywhere(pids["store"])
                for number in users:
                    row = await measure(flood, url, pids, first, number, seconds)
                    say(_row(flood, number, seconds, *row))
                    first += 100
            finally:
                server.send_signal(signal.SIGTERM)
                await server.wait()


def _let_run_anywhere(pid: int) -> None:
    """On all cores, whichever its parent was held to."""
    for thread in Path(f"/proc/{pid}/task").iterdir():
        os.sched_setaffinity(int(thread.name), CORES)


async def start(checkout: Path, folder: Path) -> tuple[asyncio.subprocess.Process, str]:
    """The server of a folder, and where it listens."""
    environment = {**os.environ, **ENVIRONMENT, "DATA_DIR": str(folder / "data")}
    environment.pop("PYTHONPATH", None)
    with (folder / "log").open("wb") as stderr:
        server = await asyncio.create_subprocess_exec(
            *(sys.executable, str(checkout / "server.py"), "serve"),
            cwd=checkout, env=environment, stdout=asyncio.subprocess.PIPE, stderr=stderr,
            preexec_fn=partial(os.sched_setaffinity, 0, {min(CORES)}),
        )  # fmt: skip
    assert server.stdout is not None  # noqa: S101  # it was asked for as a pipe
    greeting = (await server.stdout.readline()).decode().split()
    if not greeting:
        raise SystemExit((folder / "log").read_text())
    return server, greeting[-1].rstrip("/")


def _row(
    flood: str, users: int, seconds: float, seen: Seen, count: dict[str, int],
    before: dict[str, float], after: dict[str, float],
) -> str:  # fmt: skip
    acks, health = sorted(seen.acks_ms) or [0.0], sorted(seen.health_ms) or [0.0]
    memory = [
        f"{before[name]:.0f}/{seen.peak_mb[name]:.0f}/{after[name]:.0f}"
        for name in ("server", "store")
    ]
    cells = (
        flood, users,
        f"{statistics.median(acks):.1f}/{_share(acks, 0.95):.1f}/{acks[-1]:.1f}",
        f"{len(seen.failures)} of {len(acks)}",
        f"{statistics.median(health):.1f}/{_share(health, 0.99):.1f}",
        *memory, f"{seen.cpu_s / (seconds + 1):.0%}",
        f"{count['sent'] / seconds:,.0f}", count["cut"],
    )  # fmt: skip
    why = f"\n    {seen.failures[0]}" if seen.failures else ""
    return f"| {' | '.join(map(str, cells))} |{why}"


def _share(times: list[float], share: float) -> float:
    return times[min(len(times) - 1, int(len(times) * share))]


def say(text: str) -> None:
    print(text, flush=True)  # noqa: T201  # the result


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=10, help="of each flood (10)")
    parser.add_argument("--users", default="1,5", help="who flood at once (1,5)")
    parser.add_argument("--floods", help=f"some of: {'; '.join(FLOODS)}, separated by ;")
    parser.add_argument("--checkout", type=Path, default=ROOT, help="whose server.py to start")
    options = parser.parse_args()
    # The server has the first core to itself, but for its store.
    os.sched_setaffinity(0, {max(CORES)})
    wanted = [each.strip() for each in options.floods.split(";")] if options.floods else [*FLOODS]
    users = [int(each) for each in options.users.split(",")]
    asyncio.run(run(options.checkout.resolve(), wanted, users, options.seconds))


if __name__ == "__main__":
    main()
