"""One websocket after its handshake: the bare socket, read and written on the loop without a task.

Everything written within one turn of the loop leaves in one `send`. If more than a bound waits for
a peer that does not read, the server ends its websocket; other peers do not notice.
"""

import asyncio
import socket
from collections.abc import Iterable
from typing import Final, Protocol, TypeVar

from chat.gateway.engineio.frames import (
    BINARY,
    CLOSE,
    NORMAL,
    PING,
    PONG,
    TEXT,
    FrameError,
    FrameReader,
    close_frame,
    frame,
)
from chat.gateway.engineio.poller import make_poller

READ_BYTES: Final = 65_536
SENDS_A_TURN: Final = 500
"""Sends in one turn of the loop, about 4 ms, if more than SENDS_AT_ONCE sockets have data to send.

The rest follows in the next turns, so that no heartbeat waits for the whole broadcast.
"""

SENDS_AT_ONCE: Final = 1_000
"""Largest broadcast that is not split.

If a room of a thousand were split, its next message would come in between, and the frames would no
longer leave in one send. (With eight messages in flight: 890,000 deliveries a CPU-second unsplit,
780,000 split.)
"""

LINGER_S: Final = 2.0
"""How long a peer may take to read the last frames and close.

Closing the socket at once could lose these frames.
"""

STOP_LINGER_S: Final = 0.3


class Receiver(Protocol):
    """A session, as a websocket sees it; `websocket` is its transport, None while it polls."""

    websocket: "WebSocket | None"

    def on_text(self, websocket: "WebSocket", payload: bytes) -> None: ...

    def on_binary(self, websocket: "WebSocket", payload: bytes) -> None: ...

    def on_lost(self, websocket: "WebSocket") -> None: ...


ReceiverT = TypeVar("ReceiverT", bound=Receiver)


class Outbox:
    """The websockets with something to send, flushed once a turn of the loop.

    `poller` finds the websockets with something to read.
    """

    def __init__(self) -> None:
        self.poller = make_poller()
        self._waiting: list[WebSocket] = []
        self._scheduled = False
        # Websockets that the server has closed, and whose peers have not closed them.
        self.lingering: set[WebSocket] = set()

    async def stop(self) -> None:
        """Give lingering websockets a moment, then end them."""
        deadline = asyncio.get_running_loop().time() + STOP_LINGER_S
        while self.lingering and asyncio.get_running_loop().time() < deadline:  # noqa: ASYNC110  # at the end, once
            await asyncio.sleep(0.01)
        for each in list(self.lingering):
            each.abort()
        self.poller.close()

    def write(self, sessions: Iterable[ReceiverT], data: bytes) -> list[ReceiverT]:
        """Hand one frame to every session that is on a websocket; returns the others.

        This is the innermost loop of a broadcast, so it inlines WebSocket.write.
        """
        waiting = self._waiting
        others: list[ReceiverT] = []
        for session in sessions:
            websocket = session.websocket
            if websocket is None:
                others.append(session)
            elif websocket._pending is not None:
                websocket.write(data)
            elif not websocket._closing:
                websocket._pending = data
                waiting.append(websocket)
        if waiting and not self._scheduled:
            self._schedule()
        return others

    def add(self, websocket: "WebSocket") -> None:
        self._waiting.append(websocket)
        if not self._scheduled:
            self._schedule()

    def _schedule(self) -> None:
        self._scheduled = True
        asyncio.get_running_loop().call_soon(self._flush)

    def _flush(self) -> None:
        waiting = self._waiting
        self._scheduled = False
        if len(waiting) <= SENDS_AT_ONCE:
            self._waiting = []
        else:
            self._waiting = waiting[SENDS_A_TURN:]
            waiting = waiting[:SENDS_A_TURN]
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._flush)
        for each in waiting:
            each.flush()


class WebSocket:
    """A websocket after its handshake.

    `session` is its receiver, None before `start` and after the end.
    """

    __slots__ = (
        "_backlog", "_closing", "_max_backlog", "_outbox", "_paused_until", "_pending",
        "_reader", "_socket", "hasty", "session",
    )  # fmt: skip

    def __init__(
        self,
        taken: socket.socket,
        outbox: Outbox,
        *,
        max_message_bytes: int,
        max_backlog_bytes: int,
    ) -> None:
        self._socket: socket.socket | None = taken
        self._outbox = outbox
        self._reader = FrameReader(max_message_bytes)
        self._max_backlog = max_backlog_bytes
        self._pending: bytes | list[bytes] | None = None
        self._backlog: bytearray | None = None
        self._closing = False
        self._paused_until = 0.0
        self.session: Receiver | None = None
        self.hasty = False

    def start(self, session: Receiver, received: bytes) -> None:
        """Begin to read; `received` came with the handshake."""
        self.session = session
        if self._socket is None:
            return
        self._outbox.poller.add(self._socket.fileno(), self)
        if received:
            self._take(received)

    def write(self, data: bytes) -> None:
        """Send a frame at the end of this turn of the loop, behind everything written before."""
        pending = self._pending
        if pending is None:
            if not self._closing:
                self._pending = data
                self._outbox.add(self)
        elif type(pending) is list:
            pending.append(data)
        else:
            self._pending = [pending, data]  # type: ignore[list-item]  # bytes, being no list

    def close(self, code: int = NORMAL) -> None:
        """Send the written frames and a close frame; the socket ends when the peer has read all."""
        if self._closing or self._socket is None:
            return
        self.write(close_frame(code))
        self.flush()
        self._closing = True
        self.session = None
        if self._socket is not None:
            self.linger()
            if self._backlog is None:
                self._end_writing()

    def pause(self, until: float) -> None:
        """Read nothing until this time of the loop's clock; the data waits in the peer's kernel."""
        if self._socket is None or self._closing:
            return
        if not self._paused_until:
            self._paused_until = until
            self._watch()
            asyncio.get_running_loop().call_at(until, self._look_at_pause)
        self._paused_until = max(self._paused_until, until)

    def _look_at_pause(self) -> None:
        if self._paused_until > asyncio.get_running_loop().time():
            asyncio.get_running_loop().call_at(self._paused_until, self._look_at_pause)
        elif self._paused_until:
            self._paused_until = 0.0
            self._watch()

    def _watch(self) -> None:
        if self._socket is not None:
            reading, writing = not self._paused_until, self._backlog is not None
            self._outbox.poller.watch(self._socket.fileno(), self, reading=reading, writing=writing)

    def linger(self) -> None:
        """Let the peer close the socket, or close it after LINGER_S."""
        self._outbox.lingering.add(self)
        asyncio.get_running_loop().call_later(LINGER_S, self.abort)

    def abort(self) -> None:
        """End the socket now."""
        taken, self._socket = self._socket, None
        if taken is None:
            return
        self._outbox.lingering.discard(self)
        self._outbox.poller.remove(taken.fileno())
        self._closing = True
        self._paused_until = 0.0
        self._pending = self._backlog = None
        taken.close()
        session, self.session = self.session, None
        if session is not None:
            session.on_lost(self)

    def flush(self) -> None:
        """Hand the written frames to the kernel, as much as it takes."""
        pending, self._pending = self._pending, None
        if pending is None or self._socket is None:
            return
        data = b"".join(pending) if type(pending) is list else pending
        if self._backlog is not None:
            self._backlog += data  # type: ignore[arg-type]  # bytes, being no list
            self._check_backlog()
            return
        try:
            sent = self._socket.send(data)  # type: ignore[arg-type]
        except BlockingIOError:
            sent = 0
        except OSError:
            self.abort()
            return
        if sent < len(data):
            self._backlog = bytearray(memoryview(data)[sent:])  # type: ignore[arg-type]
            self._watch()
            self._check_backlog()

    def _check_backlog(self) -> None:
        if self._backlog is not None and len(self._backlog) > self._max_backlog:
            self.abort()

    def on_writable(self) -> None:
        if self._socket is None or self._backlog is None:
            return
        try:
            sent = self._socket.send(memoryview(self._backlog)[:READ_BYTES])
        except BlockingIOError:
            return
        except OSError:
            self.abort()
            return
        del self._backlog[:sent]
        if not self._backlog:
            self._backlog = None
            self._watch()
            if self._closing:
                self._end_writing()

    def _end_writing(self) -> None:
        if self._socket is not None:
            try:
                self._socket.shutdown(socket.SHUT_WR)
            except OSError:
                self.abort()

    def on_readable(self) -> None:
        if self._socket is None:
            return
        self.hasty = False
        try:
            data = self._socket.recv(READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.abort()
        elif not self._closing:  # after its close frame the server only waits for the peer's end
            self._take(data)

    def _take(self, data: bytes) -> None:
        text = self._reader.whole_text(data)
        if text is not None:
            if self.session is not None:
                self.session.on_text(self, text)
            return
        code = 0
        try:
            messages = self._reader.feed(data)
        except FrameError as error:
            # The messages before the bad frame count, as they would in a read of their own.
            messages, code = error.before, error.code
        for opcode, payload in messages:
            session = self.session
            if session is None:
                return
            if opcode == TEXT:
                session.on_text(self, payload)
            elif opcode == BINARY:
                session.on_binary(self, payload)
            elif opcode == PING:
                self.write(frame(PONG, payload))
            elif opcode == CLOSE:
                self._fail(NORMAL)
        if code:
            self._fail(code)

    def _fail(self, code: int) -> None:
        """Close the websocket, and report it to the session as lost."""
        session = self.session
        self.close(code)
        if session is not None:
            session.on_lost(self)
