"""What a slow plugin costs the others: `make bench-slow-plugin`.

This module is the plugin: its hook awaits 0.3 s for each message. It is also the load: 100 messages
a second for a minute, and a bad token each second. It prints how late the security log had those,
the queue of the plugin, and how long the stop took.
"""

import argparse
import asyncio
import json
import os
import signal
import statistics
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import Any

from tornado.httpclient import AsyncHTTPClient

from chat.auth import mint
from chat.clock import SystemClock
from chat.contracts.client_events import NAMESPACE
from chat.plugin_api import MessageEvent, Plugin, after_message_created, hookimpl
from chat.testing import ChatClient

ROOT = Path(__file__).resolve().parents[1]
SECRET = "a-secret-of-the-benchmarks-that-is-long-enough"  # noqa: S105  # it guards nothing
AWAIT_S = 0.3
PER_S = 100


class Slow(Plugin):
    """Awaits its webhook, as one does."""

    name = "slow"

    @hookimpl(after_message_created)
    async def hear(self, _event: MessageEvent) -> None:
        await asyncio.sleep(AWAIT_S)


def token(user_id: Any, user_type: str) -> str:
    return mint(SECRET, user_id, user_type=user_type, clock=SystemClock(), valid_s=3600)[0]


async def request(url: str, method: str, path: str, bearer: str, body: Any = None) -> Any:
    headers = {"Authorization": f"Bearer {bearer}", "Content-Type": "application/json"}
    answer = await AsyncHTTPClient().fetch(
        url + path,
        method=method,
        headers=headers,
        body=None if body is None else json.dumps(body),
        raise_error=False,
    )
    return json.loads(answer.body)


async def send(client: ChatClient, chat_id: int, seconds: float) -> tuple[list[float], int]:
    """The times of all acks in ms, and how many were refused; at PER_S, whatever comes back."""
    times: list[float] = []
    refused = 0

    async def one(number: int) -> None:
        nonlocal refused
        began = time.perf_counter()
        body = {"chatId": chat_id, "content": f"message {number}"}
        answer = await client.socket.call("sendMessage", body, namespace=NAMESPACE, timeout=30)
        times.append(1000 * (time.perf_counter() - began))
        refused += not answer["success"]

    began = time.perf_counter()
    running = []
    for number in range(round(seconds * PER_S)):
        await asyncio.sleep(max(0.0, began + number / PER_S - time.perf_counter()))
        running.append(asyncio.ensure_future(one(number)))
    await asyncio.gather(*running)
    return times, refused


async def knock(url: str, seconds: float) -> list[float]:
    """Show a bad token each second; when that was."""
    sent = []
    for _ in range(round(seconds)):
        sent.append(time.time())
        await request(url, "GET", "/chats", "bad")
        await asyncio.sleep(max(0.0, sent[-1] + 1 - time.time()))
    return sent


def logged(log: Path, event: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    return [line for line in lines if line["event"] == event]


async def measure(seconds: float, folder: Path) -> None:
    log = folder / "log"
    environment = {
        **os.environ,
        "PORT": "0", "DATA_DIR": str(folder / "data"), "JWT_SECRET": SECRET, "LOG_FORMAT": "json",
        "PLUGINS": "default,benchmarks.slow_plugin", "MAX_FAILED_TOKENS_PER_MIN": "1000",
        "CHAT_RATE_LIMIT_SEND_PER_S": "100000", "CHAT_RATE_LIMIT_SEND_BURST": "100000",
    }  # fmt: skip
    with log.open("wb") as stderr:
        server = await asyncio.create_subprocess_exec(
            *(sys.executable, str(ROOT / "server.py"), "serve"),
            cwd=ROOT, env=environment, stdout=asyncio.subprocess.PIPE, stderr=stderr,
        )  # fmt: skip
    assert server.stdout is not None  # noqa: S101  # it was asked for as a pipe
    url = (await server.stdout.readline()).decode().split()[-1].rstrip("/")
    host = token("host", "service")
    new = {"type": "group", "participantIds": [1, 2]}
    chat_id = (await request(url, "POST", "/chats", host, new))["data"]["id"]
    client = ChatClient(print, frozenset())
    await client.socket.connect(
        url, namespaces=[NAMESPACE], transports=["websocket"], auth={"token": token(1, "employee")}
    )
    (times, refused), sent = await asyncio.gather(
        send(client, chat_id, seconds), knock(url, seconds)
    )
    plugins = (await request(url, "GET", "/admin/plugins", host))["data"]
    queues = {each["name"]: each["notices"] for each in plugins}
    await client.close()
    began = time.perf_counter()
    server.send_signal(signal.SIGTERM)
    exit_code = await server.wait()
    stop_s = time.perf_counter() - began

    failures = logged(log, "auth_failed")
    ages = [
        datetime.fromisoformat(line["timestamp"]).timestamp() - at
        for line, at in zip(failures, sent, strict=True)
    ]
    times.sort()
    p99 = times[-len(times) // 100]
    lines = [
        f"messages acked      {len(times) - refused} of {len(times)}",
        f"ack, ms             p50 {statistics.median(times):.1f}, p99 {p99:.1f}",
        f"security log, s     median {statistics.median(ages):.3f}, most {max(ages):.3f} late",
        f"queue of access_log {queues['access_log']}",
        f"queue of slow       {queues['slow']}",
        f"stop                {stop_s:.1f} s, exit code {exit_code}",
    ]
    lines += [
        f"dropped             {line['dropped']} notices of {line['plugin']}"
        for line in logged(log, "notices_dropped")
    ]
    print("\n".join(lines))  # noqa: T201  # the result


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=60)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="slow-plugin-") as folder:
        asyncio.run(measure(options.seconds, Path(folder)))


if __name__ == "__main__":
    main()
