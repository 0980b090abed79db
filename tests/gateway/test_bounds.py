"""What one socket may hold of the server: time without a token, and events that wait."""

import asyncio
import contextlib
import json

import pytest
from engineio import packet
from tornado.websocket import WebSocketClosedError

from chat.gateway.engineio.outbound_queue import OutboundQueue
from chat.gateway.engineio.polling import MAX_POLLING_PACKETS
from chat.plugin_api import ClientEvent, Plugin, Startup, hookimpl, register_events, startup
from tests.support.gateway.wire import RawPolling, RawSocket
from tests.support.waiting import eventually, turns


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
    # Long enough for a guest to come in on a busy machine.
    async with serve(connect_within_s=1.5) as chat:
        guest = await RawSocket.enter(chat)
        stranger = await RawSocket.open(chat)
        await stranger.until_end()
        assert await guest.is_alive()


@pytest.mark.parametrize("transport", [RawSocket, RawPolling])
async def test_a_stranger_cannot_put_off_its_deadline_by_leaving_where_it_never_was(
    serve, transport
):
    """A DISCONNECT begins a new time only for who was in."""
    async with serve(connect_within_s=0.6) as chat:
        stranger = await transport.open(chat)
        leave = stranger.send if transport is RawSocket else stranger.post

        async def is_ended():
            with contextlib.suppress(WebSocketClosedError):
                await leave("41/chat,")
            return not chat.app.gateway.server.eio.sockets

        await eventually(is_ended, 5)


async def test_events_that_wait_are_bounded_by_what_their_values_take(serve):
    """Each far below MAX_WAITING_BYTES as a text, a few take tens of megabytes in memory."""
    holder = Holder()
    async with serve(plugins=[holder]) as chat:
        raw = await RawSocket.enter(chat)
        await raw.send('42/chat,1["hold"]')
        body = '["ping",[' + ",".join(['{"a":0}'] * 5_000) + "]]"
        with contextlib.suppress(WebSocketClosedError):
            for number in range(2, 5):
                await raw.send(f"42/chat,{number}{body}")
        holder.go_on.set()
        await raw.until_end()


async def test_a_heartbeat_never_waits_behind_events(serve):
    """The PONG is heard, and the next PING comes, while an event holds up the next one."""
    holder = Holder()
    async with serve(plugins=[holder], ping_interval_s=0.2) as chat:
        raw = await RawSocket.enter(chat)
        await raw.send('42/chat,1["hold"]')
        await raw.send('42/chat,2["hold"]')
        for _ in range(4):
            await raw.until("2")
            await raw.send("3")
        holder.go_on.set()
        assert (await raw.ack(2))["success"]


async def test_packets_of_one_post_are_bounded(serve):
    """A thousand, which a client may have gathered; a thousand and one end the session."""
    async with serve() as chat:
        polling = await RawPolling.enter(chat)
        assert (await polling.post(*["3"] * MAX_POLLING_PACKETS)).code == 200
        assert (await polling.post(*["3"] * (MAX_POLLING_PACKETS + 1))).code == 413
        await polling.until_end()


async def test_what_waits_for_a_poll_is_counted_as_it_is_in_memory():
    """A text with one character beyond ASCII may take four times its length."""
    full = []
    queue = OutboundQueue(100_000, lambda: full.append(True))
    for _ in range(3):
        queue.put_nowait(packet.Packet(packet.MESSAGE, "\U0001f600" * 10_000))
    assert full


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


class Pusher(Plugin):
    """Pushes as much as it is told to."""

    name = "pusher"

    @hookimpl(startup)
    async def begin(self, start: Startup):
        self.server = start.server

    def push(self, user_id):
        self.server.push_to_user(user_id, "bulk", {"text": "x" * 500_000})


@pytest.mark.parametrize("transport", [RawSocket, RawPolling])
async def test_a_client_that_does_not_read_is_cut(serve, transport):
    """What waits for one socket is bounded, however it is connected; the others do not feel it."""
    pusher = Pusher()
    async with serve(plugins=[pusher], custom_events=["bulk"]) as chat:
        gateway = chat.app.gateway
        await transport.enter(chat, 1)
        other = await RawSocket.enter(chat, 2)
        for _ in range(100):  # 4 MB are ours, and some of the kernel's on either side
            pusher.push(1)
            await turns(1)
            if not gateway.get_user_sockets(1):
                break
        await eventually(lambda: gateway.get_user_sockets(1) == [])
        assert await other.is_alive()


async def test_a_client_that_reads_gets_more_than_may_wait(serve):
    """The bound is on what waits, not on what is sent."""
    pusher = Pusher()
    async with serve(plugins=[pusher], custom_events=["bulk"]) as chat:
        raw = await RawSocket.enter(chat, 1)
        for _ in range(20):
            pusher.push(1)
            await raw.until('42/chat,["bulk"')
        assert await raw.is_alive()
