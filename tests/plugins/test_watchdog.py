"""A plugin that blocks the loop holds up everybody, so the log names it."""

import asyncio
from time import monotonic

from chat.plugin_api import Plugin, before_message_send, hookimpl
from tests.support.gateway_servers import eventually

BLOCKED_S = 0.5


class Blocker(Plugin):
    """Computes for half a second where it should wait."""

    name = "blocker"

    @hookimpl(before_message_send, timeout_s=5)
    async def compute(self, draft):
        until = monotonic() + BLOCKED_S
        while draft.content == "block" and monotonic() < until:
            pass


class Waiter(Plugin):
    """Takes as long, and lets the others go on meanwhile."""

    name = "waiter"

    @hookimpl(before_message_send, timeout_s=5)
    async def wait(self, _draft):
        await asyncio.sleep(BLOCKED_S)


def _blocked(log):
    return [line for line in log.entries if line["event"] == "loop_blocked"]


async def test_who_blocks_the_loop_is_named(serve, log):
    """LOOP_BLOCKED_MS: one line a blockage, with plugin and hook, and the sender still gets an
    answer.
    """
    async with serve(plugins=[Blocker()]) as chat:
        chat_id = await chat.create_chat([1])
        ada = await chat.connect(1)
        answer = await ada.call("sendMessage", {"chatId": chat_id, "content": "block"})
        assert answer["success"]
        (line,) = [each for each in _blocked(log) if each["plugin"] is not None]
        assert (line["plugin"], line["hook"]) == ("blocker", "before_message_send")
        assert line["for_ms"] >= 100
        assert "test_watchdog.py" in line["where"]


async def test_who_waits_blocks_nobody(serve, log):
    """A hook may take its time, as long as it awaits."""
    async with serve(plugins=[Waiter()]) as chat:
        chat_id = await chat.create_chat([1])
        ada = await chat.connect(1)
        answer = await ada.call("sendMessage", {"chatId": chat_id, "content": "x"})
        assert answer["success"]
        assert [each for each in _blocked(log) if each["plugin"] is not None] == []


async def test_nobody_watches_with_a_patience_of_zero(serve, log):
    """LOOP_BLOCKED_MS=0 turns it off."""
    async with serve(plugins=[Blocker()], loop_blocked_ms=0) as chat:
        chat_id = await chat.create_chat([1])
        ada = await chat.connect(1)
        await ada.call("sendMessage", {"chatId": chat_id, "content": "block"})
        await eventually(lambda: chat.app.gateway.get_user_sockets(1))
        assert _blocked(log) == []
