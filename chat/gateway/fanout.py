"""Writes Socket.IO packets to sockets: each is encoded once, whatever the number of its receivers.

Packets go straight into the session's own queue, as python-engineio 4.15's `Socket.send` does after
two awaits, so that everything leaves in the order of the calls: a push before the ack that follows
it, for every socket alike.
"""

from typing import Any

import orjson
import socketio
from engineio import packet as engineio_packet

from chat.rooms import NAMESPACE


class Fanout:
    def __init__(self, server: socketio.AsyncServer) -> None:
        self._manager = server.manager
        self._engine = server.eio

    def to_room(self, room: str, event: str, payload: dict[str, Any], skip: frozenset[str]) -> None:
        """To every socket in the room but those in `skip` (socket ids)."""
        packet: engineio_packet.Packet | None = None
        for socket_id, session_id in self._manager.get_participants(NAMESPACE, room):
            if socket_id not in skip:
                packet = packet or _event(event, payload)
                self._write(session_id, packet)

    def to_session(self, session_id: str, event: str, payload: dict[str, Any]) -> None:
        self._write(session_id, _event(event, payload))

    def to_sessions(self, session_ids: list[str], event: str, payload: dict[str, Any]) -> None:
        packet = _event(event, payload)
        for session_id in session_ids:
            self._write(session_id, packet)

    def ack(self, session_id: str, ack_id: int, reply: dict[str, Any]) -> None:
        text = f"3{NAMESPACE},{ack_id}[{orjson.dumps(reply).decode()}]"
        self._write(session_id, engineio_packet.Packet(engineio_packet.MESSAGE, text))

    def _write(self, session_id: str, packet: engineio_packet.Packet) -> None:
        session = self._engine.sockets.get(session_id)
        if session is not None and not session.closed:
            session.queue.put_nowait(packet)


def _event(name: str, payload: dict[str, Any]) -> engineio_packet.Packet:
    text = f"2{NAMESPACE},{orjson.dumps([name, payload]).decode()}"
    return engineio_packet.Packet(engineio_packet.MESSAGE, text)
