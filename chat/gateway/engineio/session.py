"""An Engine.IO session and its websocket: the upgrade to it, and what is received and sent on it.

While a session polls or upgrades, packets gather in a queue. The upgrade drains the queue into the
websocket in one synchronous step; from then on the session writes in one order, without a queue.
"""

import asyncio
from typing import Final

import structlog
from engineio import packet

from chat.gateway.engineio.frames import BINARY, PROTOCOL_ERROR, frame, text_frame
from chat.gateway.engineio.outbound_queue import NOWHERE
from chat.gateway.engineio.polling import (
    HANDLER_KEY,
    NOOP,
    REASON,
    Answer,
    Environ,
    PollingSession,
)
from chat.gateway.engineio.websocket import WebSocket

UPGRADE_WITHIN_S: Final = 10.0
PING_FRAME: Final = text_frame(b"2")
PROBE_ANSWER: Final = text_frame(b"3probe")
_PING: Final = packet.Packet(packet.PING)
_log = structlog.get_logger("chat.transport")


class Session(PollingSession):
    """An Engine.IO session, on polling or on a websocket.

    `websocket` is its transport after the upgrade, None while it polls.
    """

    # Defaults on the class cost an idle session nothing.
    websocket: WebSocket | None = None
    _candidate: WebSocket | None = None
    _upgrade_timer: asyncio.TimerHandle | None = None

    # ---- towards the client

    def write(self, pkt: packet.Packet, data: bytes | None = None) -> None:
        """Send a packet behind all earlier ones; `data` is its frame if the caller has it."""
        if self.websocket is not None:
            self.websocket.write(data or packet_frame(pkt))
        else:
            super().write(pkt)

    def ping(self) -> int:
        self._pings += 1
        self.last_ping = self._pings
        self.write(_PING, PING_FRAME)
        return self._pings

    def pause(self, seconds: float) -> None:
        super().pause(seconds)
        if self.websocket is not None:
            self.websocket.pause(self.paused_until)

    # ---- onto a websocket

    def may_upgrade(self) -> bool:
        """Whether no upgrade has begun yet."""
        return not self.upgraded and self._candidate is None

    async def handle_get_request(self, environ: Environ) -> list[packet.Packet] | Answer | str:
        # The header does not decide: of two `Upgrade` lines the library and Tornado see different
        # ones.
        handler = environ[HANDLER_KEY]
        if handler.taken_over is None:
            return await super().handle_get_request(environ)
        (websocket, received), handler.taken_over = handler.taken_over, None
        self._upgrade_to(websocket, received)
        return ""

    def _upgrade_to(self, websocket: WebSocket, received: bytes) -> None:
        """Take the websocket that the handler has made."""
        if self.ended or not self.may_upgrade():
            websocket.abort()
        elif self.connected:
            self._candidate = websocket
            self.upgrading = True
            self._upgrade_timer = asyncio.get_running_loop().call_later(
                UPGRADE_WITHIN_S, websocket.abort
            )
            websocket.start(self, received)
        else:
            self.connected = True
            self._move_to(websocket)
            websocket.start(self, received)

    def _move_to(self, websocket: WebSocket) -> None:
        queue, self.queue = self.queue, NOWHERE
        self.upgraded = True
        self._forget_candidate()
        # A NOOP only ends a poll; on a websocket no client expects one.
        waiting = [each for each in queue.drain() if each is not NOOP]
        if self._poll is not None:
            queue.put_nowait(NOOP)
        for each in waiting:
            websocket.write(packet_frame(each))
        self.websocket = websocket
        if self.paused_until:
            websocket.pause(self.paused_until)

    def _end_websocket(self) -> None:
        if self._candidate is not None:
            # In the middle of an upgrade the official client has paused its polling. It would hang
            # if the websocket closed now, so it may finish the upgrade first.
            self._candidate.linger()
        if self.websocket is not None:
            self.websocket.close()
            self.websocket = None

    def _forget_candidate(self) -> None:
        self._candidate = None
        self.upgrading = False
        if self._upgrade_timer is not None:
            # The timer would keep the session in memory for ten seconds, however soon it ends.
            self._upgrade_timer.cancel()
            del self._upgrade_timer

    def _on_probe(self, websocket: WebSocket, payload: bytes) -> None:
        if payload == b"2probe":
            self._probed = True
            websocket.write(PROBE_ANSWER)
            if self._poll is not None:
                self.queue.put_nowait(NOOP)
        elif payload != b"5" or not self._probed:
            self._break(websocket)
        elif self.closed:
            self._forget_candidate()
            websocket.close()
        else:
            self._move_to(websocket)

    # ---- from the client

    def on_text(self, websocket: WebSocket, payload: bytes) -> None:
        """Take a text frame of one of the session's websockets."""
        if websocket is self._candidate:
            self._on_probe(websocket, payload)
            return
        try:
            work = self.receive_packet(payload.decode())
        except ValueError:
            self._break(websocket)
            return
        if work is not None:
            self.server.own(work)

    def on_binary(self, websocket: WebSocket, payload: bytes) -> None:
        if websocket is self._candidate:
            self._break(websocket)
            return
        work = self.receive_packet(payload)
        if work is not None:
            self.server.own(work)

    def on_lost(self, websocket: WebSocket) -> None:
        if websocket is self._candidate:
            self._probed = False
            self._forget_candidate()
        elif websocket is self.websocket:
            self.websocket = None
            self.end(REASON.TRANSPORT_CLOSE)

    def _break(self, websocket: WebSocket) -> None:
        """Close a websocket whose client violated the protocol."""
        _log.info("malformed_packet", why="engine.io", remote_ip=self.home)
        websocket.close(PROTOCOL_ERROR)
        self.on_lost(websocket)


def packet_frame(pkt: packet.Packet) -> bytes:
    """Encode a packet as a websocket frame."""
    if pkt.binary:
        # Not with `encode`, which keeps its result: that is base64 if a poll got the packet before.
        return frame(BINARY, bytes(pkt.data))
    encoded: str = pkt.encode()
    return text_frame(encoded.encode())
