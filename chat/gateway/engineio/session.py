"""An Engine.IO session and its websocket: the way onto one, and what comes in and goes out by it.

While a session polls or upgrades, packets gather in a queue. At the upgrade the queue drains into
the connection in one synchronous step, and from there on there is one order of writing and no
queue.
"""

import asyncio
from typing import Any, Final

import structlog
from engineio import packet

from chat.gateway.engineio.frames import BINARY, PROTOCOL_ERROR, frame, text_frame
from chat.gateway.engineio.outbound_queue import NOWHERE
from chat.gateway.engineio.polling import NOOP, PollingSession
from chat.gateway.engineio.websocket import WireConnection
from chat.gateway.room_names import NAMESPACE

CONNECTION_KEY: Final = "chat.connection"
"""Under which the endpoint puts a websocket, and what came with its handshake, into the environ."""

UPGRADE_WITHIN_S: Final = 10.0
PING_FRAME: Final = text_frame(b"2")
EVENT_HEAD: Final = f"42{NAMESPACE},".encode()
PROBE_ANSWER: Final = text_frame(b"3probe")
_PING: Final = packet.Packet(packet.PING)
_log = structlog.get_logger("chat.transport")


class ChatSession(PollingSession):
    """`receiver` takes its events, once it has been let in; `wire` is its connection once it is on
    a websocket, None while it polls.
    """

    # On the class, where they cost an idle session nothing.
    receiver: Any = None
    wire: WireConnection | None = None
    _candidate: WireConnection | None = None
    _upgrade_timer: asyncio.TimerHandle | None = None

    # ---- towards the client

    def write(self, pkt: packet.Packet, data: bytes | None = None) -> None:
        """Send a packet behind all earlier ones; `data` is its frame where the caller has it
        already.
        """
        if self.wire is not None:
            self.wire.write(data or packet_frame(pkt))
        else:
            super().write(pkt)

    def ping(self) -> int:
        self._pings += 1
        self.last_ping = self._pings
        self.write(_PING, PING_FRAME)
        return self._pings

    def pause(self, seconds: float) -> None:
        super().pause(seconds)
        if self.wire is not None:
            self.wire.pause(self.paused_until)

    # ---- onto a websocket

    def may_upgrade(self) -> bool:
        """Whether there is no upgrade yet, neither begun nor done."""
        return not self.upgraded and self._candidate is None

    async def handle_get_request(self, environ: dict[str, Any]) -> Any:
        # Not by the header: of two `Upgrade` lines the library and Tornado see different ones.
        if CONNECTION_KEY in environ:
            return await self._upgrade_websocket(environ)
        return await super().handle_get_request(environ)

    async def _upgrade_websocket(self, environ: dict[str, Any]) -> str:
        """Take the connection that the endpoint has made; returns at once, no task stays behind."""
        connection, received = environ.pop(CONNECTION_KEY)
        if self.ended or not self.may_upgrade():
            connection.abort()
        elif self.connected:
            self._candidate = connection
            self.upgrading = True
            self._upgrade_timer = asyncio.get_running_loop().call_later(
                UPGRADE_WITHIN_S, connection.abort
            )
            connection.start(self, received)
        else:
            self.connected = True
            self._move_to(connection)
            connection.start(self, received)
        return ""

    def _move_to(self, connection: WireConnection) -> None:
        queue, self.queue = self.queue, NOWHERE
        self.upgraded = True
        self._forget_candidate()
        # A NOOP only ends a poll; on the websocket it would be a frame that nobody expects.
        waiting = [each for each in queue.drain() if each is not NOOP]
        if self._poll is not None:
            queue.put_nowait(NOOP)
        for each in waiting:
            connection.write(packet_frame(each))
        self.wire = connection
        if self.paused_until:
            connection.pause(self.paused_until)

    def _end_websocket(self) -> None:
        if self._candidate is not None:
            # In the middle of an upgrade the official client has paused its polling, and would hang
            # there if the websocket went now: it is let through first.
            self._candidate.linger()
        if self.wire is not None:
            self.wire.close()
            self.wire = None

    def _forget_candidate(self) -> None:
        self._candidate = None
        self.upgrading = False
        if self._upgrade_timer is not None:
            # It would keep the session for ten seconds, however short its life.
            self._upgrade_timer.cancel()
            del self._upgrade_timer

    def _on_probe(self, connection: WireConnection, payload: bytes) -> None:
        if payload == b"2probe":
            self._probed = True
            connection.write(PROBE_ANSWER)
            if self._poll is not None:
                self.queue.put_nowait(NOOP)
        elif payload != b"5" or not self._probed:
            self._break(connection)
        elif self.closed:
            self._forget_candidate()
            connection.close()
        else:
            self._move_to(connection)

    # ---- from the client

    def ignore_client(self) -> None:
        super().ignore_client()
        self.receiver = None

    def on_text(self, connection: WireConnection, payload: bytes) -> None:
        """A frame of a websocket of this session."""
        if connection is self.wire and payload.startswith(EVENT_HEAD):
            self.server.take_event(self, payload[len(EVENT_HEAD) :])
            return
        if connection is self._candidate:
            self._on_probe(connection, payload)
            return
        try:
            work = self._receive(payload.decode())
        except ValueError:
            self._break(connection)
            return
        if work is not None:
            self.server.own(work)

    def on_binary(self, connection: WireConnection, payload: bytes) -> None:
        if connection is self._candidate:
            self._break(connection)
            return
        work = self._receive(payload)
        if work is not None:
            self.server.own(work)

    def on_lost(self, connection: WireConnection) -> None:
        if connection is self._candidate:
            self._probed = False
            self._forget_candidate()
        elif connection is self.wire:
            self.wire = None
            self.end(self.server.reason.TRANSPORT_CLOSE)

    def _break(self, connection: WireConnection) -> None:
        """The client broke the protocol."""
        _log.info("malformed_packet", why="engine.io", remote_ip=self.home)
        connection.close(PROTOCOL_ERROR)
        self.on_lost(connection)


def packet_frame(pkt: packet.Packet) -> bytes:
    """The websocket frame of a packet."""
    if pkt.binary:
        # Never `encode`, which keeps what it made: base64, if the packet went to a poll before.
        return frame(BINARY, bytes(pkt.data))
    encoded: str = pkt.encode()
    return text_frame(encoded.encode())
