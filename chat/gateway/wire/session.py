"""An Engine.IO session that, once it is on a websocket, writes straight to its connection.

While it polls or upgrades, packets gather in a queue. At the upgrade the queue drains into the
connection in one synchronous step, and from there on there is one order of writing and no queue.
"""

from typing import Final

from engineio import packet

from chat.gateway.session import ChatSession
from chat.gateway.wire.connection import WireConnection
from chat.gateway.wire.frames import BINARY, frame, text_frame
from chat.rooms import NAMESPACE

PING_FRAME: Final = text_frame(b"2")
EVENT_HEAD: Final = f"42{NAMESPACE},".encode()
PROBE_ANSWER: Final = text_frame(b"3probe")
_PING: Final = packet.Packet(packet.PING)


class WireSession(ChatSession):
    """`wire` is the connection once the session is on a websocket, None while it polls."""

    wire: WireConnection | None = None

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

    def on_text(self, connection: WireConnection, payload: bytes) -> None:
        if connection is self.wire and payload.startswith(EVENT_HEAD):
            self.server.take_event(self, payload[len(EVENT_HEAD) :])
        else:
            super().on_text(connection, payload)

    def _continue_on(self, connection: WireConnection, waiting: list[packet.Packet]) -> None:
        for each in waiting:
            connection.write(packet_frame(each))
        self.wire = connection

    def _answer_probe(self, connection: WireConnection) -> None:
        connection.write(PROBE_ANSWER)

    def _lost(self, connection: WireConnection) -> bool:
        if connection is not self.wire:
            return False
        self.wire = None
        return True

    def _end_websocket(self) -> None:
        super()._end_websocket()
        if self.wire is not None:
            self.wire.close()
            self.wire = None


def packet_frame(pkt: packet.Packet) -> bytes:
    """The websocket frame of a packet."""
    if pkt.binary:
        # Never `encode`, which keeps what it made: base64, if the packet went to a poll before.
        return frame(BINARY, bytes(pkt.data))
    encoded: str = pkt.encode()
    return text_frame(encoded.encode())
