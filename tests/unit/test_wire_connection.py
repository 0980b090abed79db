"""The joined writer: what a peer receives is what was written to it, whatever the kernel takes."""

import asyncio
import socket

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chat.gateway.engineio import websocket as connections
from chat.gateway.engineio.frames import PING, PONG, TEXT, close_frame, frame
from chat.gateway.engineio.websocket import Outbox, WebSocket
from tests.support.waiting import eventually, turns
from tools.fuzz import frames

PEERS = 3
SMALLEST_BUFFER = 1
"""The kernel makes some kilobytes of it."""

size = st.sampled_from([1, 3, 100, 3_000, 20_000])
peer = st.integers(0, PEERS - 1)
act = st.one_of(
    st.tuples(st.just("all"), st.sets(peer, min_size=1), size),
    st.tuples(st.just("one"), peer, size),
    st.tuples(st.just("turn"), st.just(0), st.just(0)),
    st.tuples(st.just("read"), peer, size),
    st.tuples(st.just("close"), peer, st.just(0)),
    st.tuples(st.just("lose"), peer, st.just(0)),
)


class Receiver:
    """A session as the outbox sees it; it keeps what it is told."""

    def __init__(self, websocket: WebSocket | None) -> None:
        self.websocket = websocket
        self.texts: list[bytes] = []
        self.lost = False

    def on_text(self, _connection: WebSocket, payload: bytes) -> None:
        self.texts.append(payload)

    def on_binary(self, _connection: WebSocket, payload: bytes) -> None:
        raise AssertionError(payload)

    def on_lost(self, _connection: WebSocket) -> None:
        self.lost = True


class Story:
    """Connections whose kernel takes little, and beside each the plain list of what was written."""

    def __init__(self, max_backlog_bytes: int = 10**9) -> None:
        self.outbox = Outbox()
        self.sessions: list[Receiver] = []
        self.peers: list[socket.socket] = []
        self.written = [b""] * PEERS
        self.received = [b""] * PEERS
        self.closed = [False] * PEERS
        self.gone = [False] * PEERS
        self._count = 0
        for _ in range(PEERS):
            ours, theirs = socket.socketpair()
            ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SMALLEST_BUFFER)
            ours.setblocking(False)
            theirs.setblocking(False)
            websocket = WebSocket(
                ours, self.outbox, max_message_bytes=1_000, max_backlog_bytes=max_backlog_bytes
            )
            session = Receiver(websocket)
            websocket.start(session, b"")
            self.sessions.append(session)
            self.peers.append(theirs)

    def data(self, size: int) -> bytes:
        self._count += 1
        return (b"%06d" % self._count * (size // 6 + 1))[:size]

    async def act(self, what: str, whom: "int | set[int]", size: int) -> None:
        data = self.data(size)
        if isinstance(whom, set):
            receivers = [self.sessions[each] for each in sorted(whom)]
            assert self.outbox.write(receivers, data) == []
            for each in whom:
                self._wrote(each, data)
        elif what == "turn":
            await turns(1)
        elif what == "read":
            self.read(whom, size)
        elif what == "lose":
            self.gone[whom] = True
            self.peers[whom].close()
        else:
            websocket = self.sessions[whom].websocket
            assert websocket is not None
            if what == "one":
                websocket.write(data)
                self._wrote(whom, data)
            else:
                websocket.close()
                self._wrote(whom, close_frame(1000))
                self.closed[whom] = True

    def _wrote(self, whom: int, data: bytes) -> None:
        if not self.closed[whom]:
            self.written[whom] += data

    def read(self, whom: int, size: int) -> bool:
        """Take something as the peer; whether there was something."""
        if self.gone[whom]:
            return False
        try:
            data = self.peers[whom].recv(size)
        except BlockingIOError:
            return False
        self.received[whom] += data
        return bool(data)

    def has_all(self, whom: int) -> bool:
        """Read as the peer; whether nothing is missing."""
        while self.read(whom, 100_000):
            pass
        return self.received[whom] == self.written[whom]

    async def end(self) -> None:
        """Read everything that is still to come, then end all sockets."""
        quiet = 0
        while quiet < 3:
            await turns(1)
            read = [self.read(each, 100_000) for each in range(PEERS)]
            quiet = 0 if any(read) else quiet + 1
        for session, theirs in zip(self.sessions, self.peers, strict=True):
            if session.websocket is not None:
                session.websocket.abort()
            theirs.close()
        self.outbox.poller.close()


@pytest.mark.parametrize(("at_once", "a_turn"), [(1_000, 500), (1, 1), (0, 2)])
def test_a_peer_receives_what_was_written_to_it_and_in_that_order(monkeypatch, at_once, a_turn):
    """Joined or alone, to one or to many, at once or from the backlog, over one turn or several."""
    monkeypatch.setattr(connections, "SENDS_AT_ONCE", at_once)
    monkeypatch.setattr(connections, "SENDS_A_TURN", a_turn)

    @settings(max_examples=150, deadline=None)
    @given(st.lists(act, max_size=25))
    def holds(acts):
        asyncio.run(_play(acts))

    holds()


async def _play(acts):
    story = Story()
    try:
        for what, whom, size in acts:
            await story.act(what, whom, size)
    finally:
        await story.end()
    for each in range(PEERS):
        if not story.gone[each]:
            assert story.received[each] == story.written[each]


async def test_a_peer_that_reads_nothing_is_cut_at_the_bound_and_the_others_are_not():
    """By what waits for it, whether it was written joined or alone."""
    story = Story(max_backlog_bytes=50_000)
    for _ in range(20):
        await story.act("all", {0, 1}, 20_000)
        await eventually(lambda: story.has_all(1))
    assert [each.lost for each in story.sessions] == [True, False, False]
    await story.end()
    assert story.received[1] == story.written[1]


async def test_sessions_without_a_websocket_are_handed_back():
    """The caller writes to those that poll."""
    story = Story()
    polling = Receiver(None)
    assert story.outbox.write([polling, story.sessions[0]], b"x") == [polling]
    await story.end()
    assert story.received[0] == b"x"


@pytest.mark.parametrize("broken", [frames.frame(b"x", mask=None), frames.frame(b"x" * 1_001)])
async def test_messages_in_front_of_a_broken_frame_are_handed_on(broken):
    """Also where both come in one read: where a read ends says nothing."""
    story = Story()
    story.peers[0].send(frames.frame(b"good") + broken)
    await eventually(lambda: story.sessions[0].lost)
    assert story.sessions[0].texts == [b"good"]
    await story.end()


async def test_what_is_written_and_read_in_one_turn_meets_a_whole_peer():
    """A ping is answered behind what was written before it."""
    story = Story()
    websocket = story.sessions[0].websocket
    websocket.write(frame(TEXT, b"first"))
    story.peers[0].send(frames.frame(b"beat", PING))
    story.written[0] = frame(TEXT, b"first") + frame(PONG, b"beat")
    await eventually(lambda: story.has_all(0))
    await story.end()
