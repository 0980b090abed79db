"""What one socket may hold of the server: time without a token, and events that wait."""

import asyncio
import contextlib
import json

from tornado.websocket import WebSocketClosedError

from chat.plugin_api import ClientEvent, Plugin, hookimpl, register_events
from tests.support.gateway_wire import RawSocket


class Holder(Plugin):
    """Brings an event that holds up those behind it."""

    name = "holder"

    @hookimpl(register_events)
    async def events(self, _start):
        self.go_on = asyncio.Event()
        return [ClientEvent(name="hold", handler=self.hold)]

    async def hold(self, _identity, _payload):
        await self.go_on.wait()
        return {"success": True}


async def test_a_session_that_shows_no_token_in_time_is_ended(serve):
    """CONNECT_WITHIN_S: who has not come in by then is sent away; who has, stays."""
    async with serve(connect_within_s=0.3) as chat:
        guest = await RawSocket.enter(chat)
        stranger = await RawSocket.open(chat)
        await stranger.until_end()
        assert await guest.is_alive()


async def test_events_that_wait_are_bounded_in_bytes(serve):
    """One socket cannot fill the memory by sending faster than it is served."""
    holder = Holder()
    async with serve(plugins=[holder], max_waiting_bytes=50_000) as chat:
        raw = await RawSocket.enter(chat)
        await raw.send('42/chat,1["hold"]')
        body = json.dumps(["ping", "x" * 9_000])
        with contextlib.suppress(WebSocketClosedError):
            for number in range(2, 12):
                await raw.send(f"42/chat,{number}{body}")
        # What came before the end is still done, and then the socket goes.
        holder.go_on.set()
        await raw.until_end()
        assert not any(frame.startswith("43/chat,11[") for frame in raw.frames)
