"""A plugin that blocks the loop is named, while it blocks and afterwards; the others go on."""

import asyncio
import re
import subprocess
import threading
import time

import pytest

from chat.hooks.manager import PluginManager
from chat.plugin_api import (
    ClientEvent,
    MessageDraft,
    Plugin,
    before_message_send,
    hookimpl,
    register_events,
)
from chat.watchdog import Watchdog
from tests.support.gateway.servers import generous
from tests.support.waiting import eventually, eventually_there, turns


class Sleeper(Plugin):
    """Sleeps where it should have awaited, in a hook and in an event of its own."""

    name = "sleeper"

    @hookimpl(before_message_send)
    async def ponder(self, draft: MessageDraft) -> None:
        await turns(1)
        _think(0.4)

    @hookimpl(register_events)
    async def events(self, _start):
        return [ClientEvent(name="dawdle", handler=self.dawdle)]

    async def dawdle(self, _identity, _payload):
        _think(0.4)
        return {"success": True}


def _think(seconds):
    subprocess.run(["sleep", str(seconds)], check=True)


def _blocked(log, **fields):
    """The lines of that kind; where nothing else may be in the way, those with these fields."""
    lines = [line for line in log.entries if line["event"] == "loop_blocked"]
    return [line for line in lines if fields.items() <= line.items()]


async def test_a_hook_that_blocks_is_named_with_its_plugin(serve, log):
    """`loop_blocked`: plugin, hook, where, and for how long; the message goes through."""
    async with serve(**generous(Sleeper())) as chat:
        chat_id = await chat.create_chat([1])
        ada = await chat.connect(1)
        answer = await ada.call("sendMessage", {"chatId": chat_id, "content": "hi"})
        assert answer["success"]
        (line,) = await eventually(lambda: _blocked(log, plugin="sleeper"))
    assert line["hook"] == "before_message_send"
    assert line["log_level"] == "warning"
    assert 100 <= line["ms"] < 10_000
    assert re.fullmatch(r"[\w.<>]+ \(\w+\.py:\d+\)", line["where"])


async def test_an_event_of_a_plugin_that_blocks_is_named_too(serve, log):
    """It has no hook, but a plugin that it belongs to."""
    async with serve(**generous(Sleeper())) as chat:
        ada = await chat.connect(1)
        assert (await ada.call("dawdle"))["success"]
        (line,) = await eventually(lambda: _blocked(log, plugin="sleeper"))
    assert line["hook"] is None


async def test_it_can_be_switched_off(serve, log):
    """LOOP_BLOCKED_MS=0: nobody looks, no thread."""
    async with serve(loop_blocked_ms=0, **generous(Sleeper())) as chat:
        assert "watchdog" not in {thread.name for thread in threading.enumerate()}
        ada = await chat.connect(1)
        assert (await ada.call("dawdle"))["success"]
    assert _blocked(log) == []


async def test_a_server_that_awaits_is_not_blocked(serve, log):
    """Whatever waits for something else lets the others go on, and is nobody to be named."""
    async with serve(loop_blocked_ms=5_000, **generous()) as chat:
        chat_id = await chat.create_chat([1])
        ada = await chat.connect(1)
        for number in range(20):
            await ada.call("sendMessage", {"chatId": chat_id, "content": str(number)})
    assert _blocked(log) == []


@pytest.fixture
def watched():
    """A loop in a thread of its own, watched; what runs in it may block."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    dog = Watchdog(0.1, PluginManager())

    async def start():
        dog.start()

    asyncio.run_coroutine_threadsafe(start(), loop).result(5)
    yield loop
    loop.call_soon_threadsafe(dog.stop)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


def test_what_does_not_end_is_told_while_it_lasts(watched, log):
    """A loop that is held up for ever has its line after a second."""
    go_on = threading.Event()
    watched.call_soon_threadsafe(go_on.wait, 20)
    (line,) = eventually_there(lambda: _blocked(log))
    assert (line["goes_on"], line["plugin"]) == (True, None)
    assert line["where"].startswith("Condition.wait")
    go_on.set()
    eventually_there(lambda: len(_blocked(log)) >= 2)
    assert "goes_on" not in _blocked(log)[1]
    assert _blocked(log)[1]["ms"] > line["ms"]


def test_a_call_that_keeps_all_threads_from_running_is_seen(watched, log):
    """A regular expression or the like lets no other thread in until it is done."""
    done = threading.Event()

    def backtrack():
        re.match(r"(a+)+$", "a" * 25 + "b")
        time.sleep(0.02)  # the other thread has to see that this one still runs
        done.set()

    watched.call_soon_threadsafe(backtrack)
    assert done.wait(30)
    line = eventually_there(lambda: _blocked(log))[0]
    assert re.match(r"match |test_a_call_that", line["where"])


def test_it_stops_at_any_moment():
    """The loop waits for the thread, so the thread must not wait for the loop."""

    async def start_and_stop(moment_s):
        dog = Watchdog(0.1, PluginManager())
        dog.start()
        # Not idle when the thread looks, which is the moment in which it asks.
        until = time.monotonic() + moment_s
        while time.monotonic() < until:  # busy on purpose
            await turns(1)
        dog.stop()

    for step in range(30):
        asyncio.run(start_and_stop(0.0995 + step / 10_000))
