"""A plugin whose code raises what is no Exception: its caller has an answer, the server goes on."""

import asyncio
import sys

import pytest

from chat.errors import SetupError
from chat.hooks.manager import PluginManager
from chat.plugin_api import (
    ClientEvent,
    Plugin,
    Route,
    before_message_send,
    hookimpl,
    register_events,
    register_routes,
    startup,
)
from tests.support.gateway.servers import generous


async def cancelled():
    """Await a task of one's own that was cancelled."""
    task = asyncio.ensure_future(asyncio.Event().wait())
    task.cancel()
    await task


async def leave():
    sys.exit(3)


def leaving(how):
    class Leaving(Plugin):
        name = "leaving"

        @hookimpl(before_message_send)
        async def ask(self, _draft):
            await how()

        @hookimpl(register_events)
        async def events(self, _start):
            return [ClientEvent(name="go", handler=self.handle)]

        @hookimpl(register_routes)
        async def routes(self, _start):
            return [Route(method="GET", path="/go", handler=self.handle, public=True)]

        async def handle(self, *_):
            await how()

    return Leaving()


@pytest.mark.expects_errors
@pytest.mark.parametrize("how", [cancelled, leave])
async def test_every_caller_has_its_typed_answer_at_once(serve, how):
    """PLUGIN_ERROR of a filter, INTERNAL_ERROR of an event and a route; the next one is served."""
    async with serve(**generous(leaving(how))) as chat:
        chat_id = await chat.create_chat([1])
        ada = await chat.connect(1)
        loop = asyncio.get_running_loop()
        began = loop.time()
        for _ in range(2):
            sent = await ada.call("sendMessage", {"chatId": chat_id, "content": "x"})
            assert sent["error"]["code"] == "PLUGIN_ERROR"
            over_rest = await chat.request(
                "POST", "/chat-messages", 1, json={"chatId": chat_id, "content": "x"}
            )
            assert over_rest.code == "PLUGIN_ERROR"
            assert (await ada.call("go"))["error"]["code"] == "INTERNAL_ERROR"
            assert (await chat.request("GET", "/go", None)).code == "INTERNAL_ERROR"
        assert loop.time() - began < 5, "an event was answered by its deadline only"


@pytest.mark.parametrize("how", [cancelled, leave])
async def test_a_startup_that_leaves_is_one_sentence(how):
    """The start fails as for any other crash."""

    class Leaving(Plugin):
        name = "leaving"

        @hookimpl(startup)
        async def begin(self, _started):
            await how()

    with pytest.raises(SetupError, match="plugin 'leaving' failed at startup: RuntimeError: "):
        await PluginManager([Leaving()]).start(lambda _plugin: None)


async def test_a_startup_that_swallows_its_cancellation_does_not_hold_up_the_start():
    """After `plugin_startup_s` the start fails, whatever the plugin still does."""
    let_go = asyncio.Event()

    class Stubborn(Plugin):
        name = "stubborn"

        @hookimpl(startup)
        async def begin(self, _started):
            while not let_go.is_set():
                try:
                    await let_go.wait()
                except asyncio.CancelledError:
                    continue

    with pytest.raises(SetupError, match="plugin 'stubborn' failed at startup: TimeoutError"):
        await PluginManager([Stubborn()], startup_within_s=0.05).start(lambda _plugin: None)
    let_go.set()
