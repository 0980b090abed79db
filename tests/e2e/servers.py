"""ChatGateway as an operator starts it, and somebody else's web site."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import tornado.httpserver
import tornado.netutil
import tornado.web

ROOT: Final = Path(__file__).resolve().parents[2]
START_S: Final = 30.0


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return int(bound.getsockname()[1])


class ServerProcess:
    """ChatGateway in a process of its own, in demo mode on its own data folder."""

    def __init__(self, data_dir: Path, port: int, **environment: str) -> None:
        self.url = f"http://localhost:{port}"
        # Demo mode, and the embedded store.
        unset = ("JWT_SECRET", "MONGODB_URI")
        self._environment = {
            **{name: value for name, value in os.environ.items() if name not in unset},
            "PORT": str(port),
            "DATA_DIR": str(data_dir),
            **environment,
        }

    async def start(self) -> None:
        # `make run` would first install what a checkout without .venv lacks: no business of a test.
        is_set_up = (ROOT / "Makefile").exists() and (ROOT / ".venv/bin/python").exists()
        command = ("make", "run") if is_set_up else (sys.executable, "server.py", "serve")
        self._process = await self._run(*command)
        assert self._process.stdout is not None
        async with asyncio.timeout(START_S):
            while b"ChatGateway is at" not in (line := await self._process.stdout.readline()):
                assert line, "the server ended before it listened"

    async def stop(self) -> None:
        """SIGTERM to make and the server, as a terminal or a service manager does it."""
        if self._process.returncode is None:
            os.killpg(self._process.pid, signal.SIGTERM)
        async with asyncio.timeout(START_S):
            await self._process.communicate()

    async def token(self, *options: str) -> str:
        """What `python server.py token` prints."""
        process = await self._run(sys.executable, "server.py", "token", *options)
        output, _ = await process.communicate()
        assert process.returncode == 0
        return output.decode().strip()

    async def _run(self, *command: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *command,
            cwd=ROOT,
            env=self._environment,
            stdout=asyncio.subprocess.PIPE,
            start_new_session=True,
        )


@asynccontextmanager
async def server_process(
    data_dir: Path, *, port: int | None = None, **environment: str
) -> AsyncIterator[ServerProcess]:
    server = ServerProcess(data_dir, port or free_port(), **environment)
    try:
        await server.start()
        yield server
    finally:
        await server.stop()


class _BlankPage(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write("<!doctype html><title>A customer's page</title>")


@asynccontextmanager
async def blank_site() -> AsyncIterator[int]:
    """An empty page on a port of its own; by its two host names it is two origins."""
    site = tornado.httpserver.HTTPServer(tornado.web.Application([("/", _BlankPage)]))
    sockets = tornado.netutil.bind_sockets(0, "127.0.0.1")
    site.add_sockets(sockets)
    try:
        yield sockets[0].getsockname()[1]
    finally:
        site.stop()
        await site.close_all_connections()
