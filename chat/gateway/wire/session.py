"""An Engine.IO session that, once it is on a websocket, writes straight to its connection.

While it polls or upgrades it is python-engineio's: packets gather in the library's queue. At the
upgrade the queue drains into the connection in one synchronous step, and from there on there is one
order of writing and no queue. Leans on python-engineio 4.15: BaseSocket's fields, Socket.close,
poll and handle_get_request.
"""

import asyncio
from typing import Any, Final

from engineio import exceptions, packet

from chat.gateway.engine import ChatSession
from chat.gateway.wire.connection import WireConnection
from chat.gateway.wire.frames import PROTOCOL_ERROR, text_frame
from chat.rooms import NAMESPACE

PING_FRAME: Final = text_frame(b"2")
EVENT_HEAD: Final = f"42{NAMESPACE},".encode()
PROBE_ANSWER: Final = text_frame(b"3probe")
UPGRADE_WITHIN_S: Final = 10.0

NO_QUEUE: Final[asyncio.Queue[Any]] = asyncio.Queue()
"""In place of the queue of a session that needs none any more: 1 kB a connection. Always empty."""

CONNECTION_KEY: Final = "chat.wire"


class WireSession(ChatSession):
    """`wire` is the connection once the session is on a websocket, None while it polls."""

    def __init__(self, server: Any, sid: str) -> None:
        super().__init__(server, sid)
        self.wire: WireConnection | None = None
        self._candidate: WireConnection | None = None
        self._pings = 0
        self.queue: asyncio.Queue[Any]
        self.connected: bool = False
        # The library takes this for the time of a PING that is out; the wheel needs only whether
        # one is.
        self.last_ping: int | None = None

    # ---- towards the client

    def write(self, engineio_packet: packet.Packet, data: bytes | None = None) -> None:
        """Send a packet behind all earlier ones; `data` is its frame where the caller has it
        already.
        """
        if self.wire is not None:
            self.wire.write(data or packet_frame(engineio_packet))
        elif not self.closed:
            self.queue.put_nowait(engineio_packet)

    async def send(self, pkt: packet.Packet) -> None:
        if self.closed:
            raise exceptions.SocketIsClosedError
        self.write(pkt)

    async def close(
        self, wait: bool = True, abort: bool = False, reason: str | None = None
    ) -> None:
        """As the library's, but never waiting for the queue: a peer that does not poll would hold
        it for ever.
        """
        await super().close(wait=False, abort=abort, reason=reason)
        if self.wire is not None:
            self.wire.close()
            self.wire = None
        if self._candidate is not None:
            # In the middle of an upgrade the official client has paused its polling, and would hang
            # there if the websocket went now: it is let through first.
            self._candidate.linger()
        self.server.forget(self)

    # ---- heartbeats

    def schedule_ping(self) -> None:
        """Called by the library at the start and for each PONG."""
        self.last_ping = None
        self.server.heartbeat.later(self)

    def ping(self) -> int:
        self._pings += 1
        self.last_ping = self._pings
        self.write(packet.Packet(packet.PING), PING_FRAME)
        return self._pings

    def awaits(self, ping: int) -> bool:
        return bool(self.last_ping == ping)

    def expire(self) -> None:
        self.server.own(self.close(abort=False, reason=self.server.reason.PING_TIMEOUT))

    async def check_ping_timeout(self) -> bool:
        """The wheel does that."""
        if self.closed:
            raise exceptions.SocketIsClosedError
        return True

    # ---- onto the websocket

    async def _upgrade_websocket(self, environ: dict[str, Any]) -> str:
        """Take the connection that the endpoint has made; returns at once, no task stays behind."""
        connection, received = environ.pop(CONNECTION_KEY)
        if self.upgraded or self._candidate is not None:
            connection.abort()
        elif self.connected:
            self._candidate = connection
            self.upgrading = True
            asyncio.get_running_loop().call_later(UPGRADE_WITHIN_S, self._give_up, connection)
            connection.start(self, received)
        else:
            self.connected = True
            self._move_to(connection)
            connection.start(self, received)
        return ""

    def _move_to(self, connection: WireConnection) -> None:
        self.upgraded = True
        self.upgrading = False
        self._candidate = None
        while not self.queue.empty():
            waiting = self.queue.get_nowait()
            # A NOOP only ends a poll; on the websocket it would be a frame that nobody expects.
            if waiting is not None and waiting.packet_type != packet.NOOP:
                connection.write(packet_frame(waiting))
        self.wire = connection
        self.queue = NO_QUEUE

    def _give_up(self, connection: WireConnection) -> None:
        if self._candidate is connection:
            connection.abort()

    # ---- from the client

    def on_text(self, connection: WireConnection, payload: bytes) -> None:
        if connection is self.wire and payload.startswith(EVENT_HEAD):
            self.server.take_event(self, payload[len(EVENT_HEAD) :])
            return
        kind = payload[:1]
        if connection is self._candidate:
            self._on_probe(connection, payload)
        elif kind == b"4":
            try:
                text = payload[1:].decode()
            except UnicodeDecodeError:
                self._break(connection)
                return
            self.server.take_message(self.sid, text)
        elif kind == b"3":
            # One PONG answers one PING; more of them must not set up more heartbeats.
            if self.last_ping is not None:
                self.schedule_ping()
        elif kind == b"1":
            self.server.own(self.close(abort=True, reason=self.server.reason.CLIENT_DISCONNECT))
        else:
            self._break(connection)

    def on_binary(self, connection: WireConnection, payload: bytes) -> None:
        if connection is self._candidate:
            self._break(connection)
        else:
            self.server.take_message(self.sid, payload)

    def on_lost(self, connection: WireConnection) -> None:
        if connection is self._candidate:
            self._candidate = None
            self.upgrading = False
        elif connection is self.wire:
            self.wire = None
            if not self.closed:
                self.server.own(self.close(abort=True, reason=self.server.reason.TRANSPORT_CLOSE))

    def _on_probe(self, connection: WireConnection, payload: bytes) -> None:
        if payload == b"2probe":
            connection.write(PROBE_ANSWER)
            self.queue.put_nowait(packet.Packet(packet.NOOP))
        elif payload == b"5" and self.closed:
            self._candidate = None
            connection.close()
        elif payload == b"5":
            self._move_to(connection)
        else:
            self._break(connection)

    def _break(self, connection: WireConnection) -> None:
        """The client broke the protocol."""
        connection.close(PROTOCOL_ERROR)
        self.on_lost(connection)


def wire_environ(connection: WireConnection, received: bytes) -> dict[str, Any]:
    """What the endpoint adds to a request's environ for the session to find."""
    return {CONNECTION_KEY: (connection, received)}


def packet_frame(engineio_packet: packet.Packet) -> bytes:
    """The websocket frame of a packet; no packet of this server is binary."""
    encoded: str = engineio_packet.encode()
    return text_frame(encoded.encode())
