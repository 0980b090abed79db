"""The real server in a process of its own, for tests that kill it."""

import asyncio
import contextlib
import os
import resource
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import IO, Any

import orjson
from tornado.httpclient import AsyncHTTPClient, HTTPRequest

from chat.auth import mint
from chat.clock import SystemClock

ROOT = Path(__file__).resolve().parents[2]
SECRET = "a-secret-of-the-tests-that-is-long-enough"
WITHIN_S = 20


class ServerProcess:
    """`python server.py serve`; `url` is where it listens."""

    def __init__(self, process: asyncio.subprocess.Process, url: str) -> None:
        self.process = process
        self.url = url

    async def request(self, method: str, path: str, user_id: Any = 1, json: Any = None) -> Any:
        """One REST call; `(status, decoded body)`. Service token for the user "host"."""
        kind = "service" if user_id == "host" else "employee"
        token, _ = mint(SECRET, user_id, user_type=kind, clock=SystemClock(), valid_s=600)
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        body = None if json is None else orjson.dumps(json)
        request = HTTPRequest(
            self.url + path,
            method,
            headers,
            body,
            allow_nonstandard_methods=True,
            request_timeout=WITHIN_S,
        )
        response = await AsyncHTTPClient().fetch(request, raise_error=False)
        return response.code, orjson.loads(response.body) if response.body else None

    async def history(self, chat_id: int, user_id: Any = 1) -> list[dict[str, Any]]:
        """All messages of a chat, by pages."""
        found: list[dict[str, Any]] = []
        before = ""
        while True:
            path = f"/chat-messages?chatId={chat_id}&limit=200{before}"
            _, body = await self.request("GET", path, user_id)
            found = body["data"] + found
            if not body["page"]["hasBefore"]:
                return found
            before = f"&before={body['page']['oldestId']}"

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)

    async def terminate(self) -> int:
        """SIGTERM, and the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return await asyncio.wait_for(self.process.wait(), WITHIN_S)


@asynccontextmanager
async def server_process(
    data_dir: Path,
    port: int = 0,
    *,
    stderr: IO[bytes] | None = None,
    open_files: int | None = None,
    wrapped_in: Sequence[str] = (),
    **environment: str | None,
) -> AsyncIterator[ServerProcess]:
    """Start a server and wait until it listens; whatever becomes of it, it is gone afterwards.
    A variable that is None is not set. Its log goes to `stderr`, its `ulimit -n` is `open_files`;
    `wrapped_in` is a command that runs it, such as `unshare`.
    """
    inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    given = {
        **inherited,
        "PORT": str(port),
        "DATA_DIR": str(data_dir),
        "JWT_SECRET": SECRET,
        "LOG_LEVEL": "WARNING",
        "CHAT_RATE_LIMIT_SEND_PER_S": "100000",
        "CHAT_RATE_LIMIT_SEND_BURST": "100000",
        **environment,
    }
    settings = {name: value for name, value in given.items() if value is not None}
    command = [*wrapped_in, sys.executable, str(ROOT / "server.py"), "serve"]
    async with running_process(command, settings, stderr=stderr, open_files=open_files) as server:
        yield server


@asynccontextmanager
async def running_process(
    command: list[str],
    settings: dict[str, str],
    *,
    stderr: IO[bytes] | None = None,
    open_files: int | None = None,
) -> AsyncIterator[ServerProcess]:
    """The same of any command that serves, with this environment and no other."""
    process = await asyncio.create_subprocess_exec(
        *command,
        env=settings,
        stdout=asyncio.subprocess.PIPE,
        stderr=stderr,
        preexec_fn=None if open_files is None else partial(_limit_files, open_files),
    )
    assert process.stdout is not None
    try:
        greeting = await asyncio.wait_for(process.stdout.readline(), WITHIN_S)
        yield ServerProcess(process, greeting.decode().split()[-1].rstrip("/"))
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def _limit_files(most: int) -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def processes_with(text: str) -> list[int]:
    """The ids of all processes that have the text in their command line."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and int(folder.name) != os.getpid():
            with contextlib.suppress(OSError):
                if text in (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(
                    errors="replace"
                ):
                    found.append(int(folder.name))
    return found
