"""SIGTERM while a plugin hangs, in every way that a plugin can: the server ends in its time."""

import asyncio
import contextlib
import json
import time

import pytest

from tests.faults.test_server_killed import new_chat
from tests.support.server_process import server_process
from tests.support.waiting import eventually

GRACE_S = 0.5
AFTER_GRACE_S = 3.0
"""What `cli.py` gives clients and plugins; a second more for what they leave running."""

SPARE_S = 4.0
"""For a process to end on a busy machine."""

PLUGIN = """
import asyncio, os, time
from pathlib import Path
from chat.plugin_api import *

async def swallow():
    while True:
        try:
            await asyncio.sleep(1000)
        except asyncio.CancelledError:
            pass

async def hang_in_finally():
    try:
        await asyncio.sleep(1000)
    finally:
        await asyncio.sleep(1000)

def block():
    Path(os.environ["MARK"]).touch()
    while True:
        time.sleep(1)

class Bad(Plugin):
    name = "bad"

    class Settings(PluginSettings):
        how: str = ""

    async def hang(self, *_):
        Path(os.environ["MARK"]).touch()
        await {"swallow": swallow, "finally": hang_in_finally}.get(
            self.settings.how.partition(" ")[2], lambda: asyncio.sleep(1000))()

    def at(self, place):
        return self.settings.how.partition(" ")[0] == place

    @hookimpl(startup)
    async def begin(self, started):
        if self.at("task"):
            self.task = asyncio.create_task(self.hang())
        if self.at("thread"):
            self.task = asyncio.create_task(asyncio.to_thread(block))

    @hookimpl(after_message_created, timeout_s=600)
    async def hear(self, event):
        if self.at("notice"):
            await self.hang()

    @hookimpl(before_message_send, timeout_s=600)
    async def ask(self, event):
        if self.at("filter"):
            await self.hang()
        if self.at("block"):
            Path(os.environ["MARK"]).touch()
            try:
                await asyncio.sleep(1000)
            finally:
                block()

    @hookimpl(shutdown, timeout_s=600)
    async def end(self, event):
        if self.at("shutdown"):
            await self.hang()
        if self.at("blocking_shutdown"):
            block()

    @hookimpl(register_routes)
    async def routes(self, start):
        return [Route(method="GET", path="/hang", handler=self.hang, public=True)]
"""


@pytest.mark.parametrize(
    ("how", "exit_code"),
    [
        ("notice swallow", 0),
        ("filter finally", 0),
        ("shutdown swallow", 0),
        ("route swallow", 0),
        ("thread", 0),
        ("block", 0),
        ("blocking_shutdown", 1),
    ],
)
async def test_the_server_ends_in_its_time_whatever_a_plugin_does(
    tmp_path, mongodb_uri, how, exit_code
):
    """SHUTDOWN_GRACE_S and about two seconds. With 0 where all of the server's own is done before;
    with 1 where the loop was blocked. The log says what was left behind.
    """
    (tmp_path / "bad_plugin.py").write_text(PLUGIN)
    mark = tmp_path / "hanging"
    with (tmp_path / "log").open("wb") as stderr:
        async with server_process(
            tmp_path / "data",
            stderr=stderr,
            MONGODB_URI=mongodb_uri,
            PYTHONPATH=str(tmp_path),
            PLUGINS="default,bad_plugin",
            CHAT_BAD_HOW=how,
            MARK=str(mark),
            SHUTDOWN_GRACE_S=str(GRACE_S),
            LOG_FORMAT="json",
        ) as server:
            chat_id = await new_chat(server)
            send = {"chatId": chat_id, "content": "x"}
            waiting = asyncio.ensure_future(server.request("POST", "/chat-messages", 1, send))
            if how == "notice swallow":
                status, _ = await waiting
                assert status == 201
            elif how.startswith("route"):
                hanging = asyncio.ensure_future(server.request("GET", "/hang"))
                await eventually(mark.exists)
                hanging.cancel()
            if "shutdown" not in how:
                await eventually(mark.exists)
            began = time.monotonic()
            assert await server.terminate() == exit_code
            assert time.monotonic() - began < GRACE_S + AFTER_GRACE_S + 1 + SPARE_S
            with contextlib.suppress(Exception):
                await waiting
    lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    told = {line["event"]: line for line in lines}
    if how.startswith("notice"):
        assert (told["notices_dropped"]["plugin"], told["notices_dropped"]["dropped"]) == ("bad", 1)
    if "swallow" in how:
        assert told["ended_by_force"]["exit_code"] == 0
        (task,) = told["ended_by_force"]["tasks"]
        assert task in ("notices-bad", "PluginRouteHandler._run > Bad.hang > swallow > sleep")
    if "block" in how:
        assert told["ended_by_force"]["plugin"] == "bad"
        assert told["ended_by_force"]["where"].startswith("block (")
