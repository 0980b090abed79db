"""Runs a JavaScript module under Node with the official socket.io-client; reads its output."""

import asyncio
import os
import shutil
import subprocess
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from tests.support.markdown import ROOT

WAIT_S = 15
CLIENT_PACKAGE = ROOT / "static" / "vendor" / "chatgateway-client"


def _node_version():
    """The major version of the Node there is, 0 without one."""
    if shutil.which("node") is None:
        return 0
    told = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True)
    return int(told.stdout.lstrip("v").partition(".")[0])


needs_node = pytest.mark.skipif(_node_version() < 20, reason="Node 20 is not present")


def node_modules():
    """The folder with socket.io-client: one of NODE_PATH, else that of tests/js."""
    named = [Path(each) for each in os.environ.get("NODE_PATH", "").split(os.pathsep) if each]
    for folder in (*named, ROOT / "tests" / "js" / "node_modules"):
        if (folder / "socket.io-client").is_dir():
            return folder
    pytest.fail("socket.io-client is not installed: run `npm ci` in tests/js")


class Script:
    """A running script."""

    def __init__(self, process):
        self._process = process
        self.lines = []

    async def line(self):
        """The next line that it prints."""
        line = (await asyncio.wait_for(self._process.stdout.readline(), WAIT_S)).decode().strip()
        assert line, f"the script ended after {self.lines}"
        self.lines.append(line)
        return line

    async def until(self, wanted):
        """Read on to that line; all lines so far."""
        while await self.line() != wanted:
            pass
        return self.lines

    async def end(self):
        """Its exit code, when it has ended by itself."""
        return await asyncio.wait_for(self._process.wait(), WAIT_S)


@asynccontextmanager
async def running_script(folder, source, *arguments, **environment):
    """The module `source` under Node, where it finds both clients; killed at the end."""
    modules = folder / "node_modules"
    if not modules.exists():
        modules.mkdir()
        for each in node_modules().iterdir():
            (modules / each.name).symlink_to(each)
        shutil.copytree(CLIENT_PACKAGE, modules / "@chatgateway" / "client")
    script = folder / "script.mjs"
    script.write_text(source)
    process = await asyncio.create_subprocess_exec(
        "node",
        str(script),
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, **environment},
    )
    try:
        yield Script(process)
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
