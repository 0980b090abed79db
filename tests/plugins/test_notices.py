"""A queue of notices for each plugin: order, bounds, what the log and the host hear, its end."""

import asyncio
from dataclasses import replace

import pytest

from chat.hooks import notices
from chat.hooks.manager import PluginManager
from chat.logs.setup import late_s
from chat.plugin_api import Plugin, after_message_created, hookimpl, shutdown
from tests.delivery.test_admin import host
from tests.plugins.test_plugin_manager import CREATED, hang
from tests.support.gateway.servers import generous
from tests.support.waiting import eventually, turns


def hearing(plugin_name, body, at_shutdown=None):
    """A plugin that awaits `body(event)` at each message."""

    class Hearing(Plugin):
        name = plugin_name

        @hookimpl(after_message_created, timeout_s=60)
        async def run(self, event):
            await body(event)

        @hookimpl(shutdown, timeout_s=60)
        async def end(self, event):
            if at_shutdown is not None:
                await at_shutdown(event)

    return Hearing()


def message(number):
    return replace(CREATED, message=replace(CREATED.message, id=number))


def noting(heard):
    async def note(event):
        heard.append(event.message.id)

    return note


def lines(log, name):
    return [line for line in log.entries if line["event"] == name]


async def test_a_slow_plugin_delays_no_other():
    """Each has its own queue; the slow one keeps its own order."""
    gate, slow, fast = asyncio.Event(), [], []

    async def wait(event):
        await gate.wait()
        slow.append(event.message.id)

    manager = PluginManager([hearing("slow", wait), hearing("fast", noting(fast))])
    for number in range(50):
        manager.notify_soon(after_message_created, message(number))
        await turns(1)
    await turns()
    assert (fast, slow) == (list(range(50)), [])
    gate.set()
    await manager.drain()
    assert slow == list(range(50))


async def test_an_idle_queue_has_no_task():
    """It is made when a notice comes, and gone with the last one."""
    manager = PluginManager([hearing("a", noting([]))])
    assert manager.queues["a"].task is None
    manager.notify_soon(after_message_created, CREATED)
    assert manager.queues["a"].task is not None
    await turns()
    assert manager.queues["a"].task is None
    assert (manager.queues["a"].waiting, manager.queues["a"].oldest_age_s) == (0, 0.0)


async def test_a_long_queue_lets_the_loop_have_its_turn():
    """Ten thousand notices that do not wait for anything hold up nobody."""
    heard, seen = [], []
    manager = PluginManager([hearing("a", noting(heard))])
    for number in range(2_000):
        manager.notify_soon(after_message_created, message(number))
    while len(heard) < 2_000:
        await turns(1)
        seen.append(len(heard))
    assert len(seen) >= 2_000 / notices.NOTICES_A_TURN


async def test_the_oldest_of_too_many_are_dropped_and_told_once_a_second(monkeypatch, log):
    """The number is in the log and in the record of the queue; the newest are delivered."""
    monkeypatch.setattr(notices, "MAX_WAITING", 10)
    moment = [100.0]
    monkeypatch.setattr(notices, "monotonic", lambda: moment[0])
    gate, heard = asyncio.Event(), []

    async def wait(event):
        await gate.wait()
        heard.append(event.message.id)

    manager = PluginManager([hearing("slow", wait)])
    manager.notify_soon(after_message_created, message(0))
    await turns()
    for number in range(1, 31):
        manager.notify_soon(after_message_created, message(number))
    assert [line["dropped"] for line in lines(log, "notices_dropped")] == [1]
    moment[0] += 1
    manager.notify_soon(after_message_created, message(31))
    assert [line["dropped"] for line in lines(log, "notices_dropped")] == [1, 20]
    queue = manager.queues["slow"]
    assert (queue.dropped, queue.waiting, queue.oldest_age_s) == (21, 11, 1.0)
    gate.set()
    await manager.drain()
    assert heard == [0, *range(22, 32)]


async def test_a_queue_that_is_late_is_told_every_ten_seconds(monkeypatch, log):
    """`notices_late` with the plugin, and how old the oldest notice is."""
    moment = [100.0]
    monkeypatch.setattr(notices, "monotonic", lambda: moment[0])
    manager = PluginManager([hearing("slow", hang)])
    for _ in range(40):
        manager.notify_soon(after_message_created, CREATED)
        await turns()
        moment[0] += 0.5
    told = lines(log, "notices_late")
    assert [line["plugin"] for line in told] == ["slow", "slow"]
    assert [line["log_level"] for line in told] == ["warning", "warning"]
    assert told[0]["oldest_age_s"] > notices.TELL_LATE_S
    await manager.close(0)


async def test_what_is_logged_in_a_late_notice_says_how_late(monkeypatch):
    """And not what is logged in the next one, which is in time, nor another plugin's."""
    moment = [100.0]
    monkeypatch.setattr(notices, "monotonic", lambda: moment[0])
    found = []

    async def note(event):
        found.append((event.message.id, late_s.get()))

    async def bot(event):
        # The first that waits for the other plugin is put in by a late notice.
        manager.notify_soon(after_message_created, replace(message(9), origin="bot"))

    manager = PluginManager([hearing("bot", bot), hearing("log", note)])
    manager.notify_soon(after_message_created, message(1))
    moment[0] += 27.5
    await manager.drain()
    assert found == [(1, 27.5), (9, None)]


@pytest.mark.expects_errors
@pytest.mark.parametrize("error", [asyncio.CancelledError, SystemExit, RuntimeError])
async def test_a_hook_that_raises_anything_is_a_failure_of_its_plugin(error, log):
    """Its own task that was cancelled, and `sys.exit()`: neither ends the queue or the server."""
    heard = []

    async def fail(event):
        heard.append(event.message.id)
        raise error

    manager = PluginManager([hearing("a", fail)])
    for number in range(3):
        manager.notify_soon(after_message_created, message(number))
    await manager.drain()
    assert heard == [0, 1, 2]
    assert [line["error"] for line in lines(log, "hook_failed")] == [error.__name__] * 3


async def test_shutdown_is_the_last_notice(log):
    """What waits is delivered before it, where there is time for that."""
    heard = []

    async def note(event):
        heard.append(event.message.id)

    async def end(_event):
        heard.append("shutdown")

    manager = PluginManager([hearing("a", note, end), hearing("b", note, end)])
    for number in range(3):
        manager.notify_soon(after_message_created, message(number))
    await manager.stop(5)
    await manager.close(5)
    assert heard == [0, 1, 2, "shutdown", 0, 1, 2, "shutdown"]
    assert lines(log, "notices_dropped") == []


async def test_the_stop_drops_what_a_slow_plugin_has_not_taken_and_says_so(log):
    """The hook that runs is cancelled, `shutdown` is told all the same, the others lose nothing."""
    heard = []

    async def end(_event):
        heard.append("shutdown")

    manager = PluginManager([hearing("slow", hang, end), hearing("fast", noting(heard))])
    for number in range(5):
        manager.notify_soon(after_message_created, message(number))
    await manager.stop(0.05)
    assert heard == [0, 1, 2, 3, 4, "shutdown"]
    (line,) = lines(log, "notices_dropped")
    assert (line["plugin"], line["dropped"]) == ("slow", 5)
    assert manager.queues["slow"].dropped == 5


async def swallow(_event):
    while True:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            if swallow.let_go:
                raise


async def finally_hang(_event):
    try:
        await asyncio.Event().wait()
    finally:
        await asyncio.Event().wait()


@pytest.mark.parametrize("body", [hang, swallow, finally_hang])
async def test_a_plugin_that_does_not_end_holds_up_no_stop(body, log):
    """In a notice or in `shutdown`, whatever it does with its cancellation."""
    swallow.let_go = False
    manager = PluginManager([hearing("notice", body), hearing("end", noting([]), body)])
    manager.notify_soon(after_message_created, CREATED)
    loop = asyncio.get_running_loop()
    began = loop.time()
    await manager.stop(0.1)
    await manager.close(0.1)
    assert loop.time() - began < 5
    told = {line["plugin"]: line["dropped"] for line in lines(log, "notices_dropped")}
    assert told.keys() == {"notice", "end"}
    swallow.let_go = True
    for task in asyncio.all_tasks():
        if task.get_name().startswith("notices-"):
            task.cancel()
            await turns()
            task.cancel()
    await turns()


async def test_the_queue_of_a_plugin_is_shown_to_the_host(serve):
    """`GET /admin/plugins`: how many wait, since when, how many were dropped."""
    gate = asyncio.Event()

    async def wait(_event):
        await gate.wait()

    async with serve(**generous(hearing("slow", wait))) as chat:
        chat_id = await chat.create_chat([1])
        ada = await chat.connect(1)

        async def queue():
            plugins = await host(chat, "GET", "/admin/plugins")
            return {each["name"]: each["notices"] for each in plugins}

        for _ in range(3):
            await ada.call("sendMessage", {"chatId": chat_id, "content": "hi"})
        shown = await queue()
        assert shown["slow"]["waiting"] == 3
        assert shown["slow"]["oldestAgeS"] > 0
        assert shown["slow"]["dropped"] == 0
        gate.set()
        await eventually(lambda: chat.app.hooks.queues["slow"].waiting == 0)
        assert (await queue())["slow"] == {"waiting": 0, "oldestAgeS": 0.0, "dropped": 0}
