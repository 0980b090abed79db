"""Which connections are read in a turn of the loop: none for long, and none that is paused."""

import asyncio
import contextlib
import socket

import pytest

from chat.gateway.engineio import poller as pollers
from chat.gateway.engineio.poller import EpollPoller, LoopPoller
from chat.gateway.engineio.websocket import Outbox, WebSocket
from tests.support.waiting import eventually, turns
from tools.fuzz import frames


class Reader:
    """A polled connection that notes when it is called."""

    hasty = False

    def __init__(self, poller, heard, block_s=0.0):
        self.peer, self.own = socket.socketpair()
        self.own.setblocking(False)
        self._heard = heard
        self._block_s = block_s
        poller.add(self.own.fileno(), self)

    def on_readable(self):
        with contextlib.suppress(BlockingIOError):
            self.own.recv(1_000)
        self._heard.append(self)

    def on_writable(self):
        pass

    def abort(self):
        self._heard.append("aborted")


async def test_a_turn_that_has_read_long_enough_leaves_the_rest_for_the_next(monkeypatch):
    """All are read, in their order, and others of the loop have their turn in between."""
    moment = [0.0]
    monkeypatch.setattr(pollers, "monotonic", lambda: moment[0])
    poller, heard = EpollPoller(), []

    class Slow(Reader):
        def on_readable(self):
            super().on_readable()
            moment[0] += 0.004

    readers = [Slow(poller, heard) for _ in range(5)]
    for each in readers:
        each.peer.send(b"x")
    read_by_then = []
    while len(heard) < 5:
        read_by_then.append(len(heard))
        await turns(1)
    await turns(1)
    assert sorted(heard, key=id) == sorted(readers, key=id)
    assert {2, 4} <= set(read_by_then), "it was read in one turn"
    poller.close()
    for each in readers:
        each.peer.close()
        each.own.close()


class Session:
    """Keeps what a connection tells it."""

    def __init__(self):
        self.texts = []
        self.lost = False

    def on_text(self, _connection, payload):
        self.texts.append(payload)

    def on_lost(self, _connection):
        self.lost = True


@contextlib.contextmanager
def connected(poller):
    outbox = Outbox()
    outbox.poller.close()
    outbox.poller = poller()
    peer, own = socket.socketpair()
    own.setblocking(False)
    websocket = WebSocket(own, outbox, max_message_bytes=10_000, max_backlog_bytes=10**6)
    session = Session()
    websocket.start(session, b"")
    yield peer, websocket, session
    peer.close()
    websocket.abort()
    outbox.poller.close()


def in_s(seconds):
    return asyncio.get_running_loop().time() + seconds


@pytest.mark.parametrize("poller", [EpollPoller, LoopPoller])
async def test_what_is_sent_in_a_pause_is_read_after_it(poller):
    """In its order; a pause that is made longer counts from the later end."""
    with connected(poller) as (peer, websocket, session):
        began = in_s(0)
        websocket.pause(in_s(0.1))
        websocket.pause(in_s(0.3))
        websocket.pause(in_s(0.05))
        peer.send(frames.frame(b"1") + frames.frame(b"2"))
        await eventually(lambda: session.texts)
        assert in_s(0) - began >= 0.29
        assert session.texts == [b"1", b"2"]


@pytest.mark.parametrize("poller", [EpollPoller, LoopPoller])
async def test_a_paused_connection_is_written_to(poller):
    """And goes on being paused when what it could not take at once is written."""
    with connected(poller) as (peer, websocket, session):
        websocket.pause(in_s(1))
        websocket.write(b"x" * 500_000)
        received = b""
        peer.setblocking(False)
        peer.send(frames.frame(b"1"))
        while len(received) < 500_000:
            await turns(1)
            with contextlib.suppress(BlockingIOError):
                received += peer.recv(100_000)
        assert session.texts == []
        await eventually(lambda: session.texts == [b"1"])


async def test_a_paused_connection_that_is_lost_ends_at_once():
    """The kernel tells of it also where nothing is to be read."""
    with connected(EpollPoller) as (peer, websocket, session):
        websocket.pause(in_s(60))
        peer.close()
        await eventually(lambda: session.lost)


async def test_a_connection_that_is_closed_in_a_pause_sees_its_peer_end():
    """It does not linger for the rest of the pause."""
    with connected(EpollPoller) as (peer, websocket, _session):
        websocket.pause(in_s(60))
        websocket.close()
        peer.close()
        await eventually(lambda: websocket._socket is None)
