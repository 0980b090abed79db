"""Writes Socket.IO packets to sockets: each is encoded once, whatever the number of its receivers.

Everything leaves in the order of the calls: a push before the ack that follows it, for every socket
alike. On the lean transport that is a frame handed to the connection; on the stock one a packet put
into the session's queue, as python-engineio 4.15's `Socket.send` does after two awaits.
"""

from typing import Any

import orjson
from engineio import packet as engineio_packet

from chat.gateway.transport import ChatServer
from chat.gateway.wire.frames import text_frame
from chat.rooms import NAMESPACE

_EVENT = f"2{NAMESPACE},".encode()
_ACK = f"3{NAMESPACE},".encode()


class _Packet:
    """One Socket.IO packet, in the form that each transport wants, made when the first asks."""

    __slots__ = ("_body", "_frame", "_packet")

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._frame: bytes | None = None
        self._packet: engineio_packet.Packet | None = None

    def write_to(self, session: Any) -> None:
        wire = getattr(session, "wire", None)
        if wire is not None:
            if self._frame is None:
                self._frame = text_frame(b"4" + self._body)
            wire.write(self._frame)
        elif not session.closed:
            if self._packet is None:
                text = self._body.decode()
                self._packet = engineio_packet.Packet(engineio_packet.MESSAGE, text)
            session.queue.put_nowait(self._packet)


class Fanout:
    def __init__(self, server: ChatServer) -> None:
        self._rooms = server.rooms_of_server
        self._sessions: dict[str, Any] = server.eio.sockets

    def to_room(self, room: str, event: str, payload: dict[str, Any], skip: frozenset[str]) -> None:
        """To every socket in the room but those in `skip` (socket ids)."""
        receivers = self._rooms.receivers(NAMESPACE, room)
        if not receivers:
            return
        write_to = _event(event, payload).write_to
        sessions = self._sessions
        for socket_id, session_id in receivers:
            if socket_id not in skip and (session := sessions.get(session_id)) is not None:
                write_to(session)

    def to_session(self, session_id: str, event: str, payload: dict[str, Any]) -> None:
        self.to_sessions([session_id], event, payload)

    def to_sessions(self, session_ids: list[str], event: str, payload: dict[str, Any]) -> None:
        packet = _event(event, payload)
        for session_id in session_ids:
            self._write(session_id, packet)

    def ack(self, session_id: str, ack_id: int, reply: dict[str, Any]) -> None:
        self._write(session_id, _Packet(b"%b%d[%b]" % (_ACK, ack_id, orjson.dumps(reply))))

    def _write(self, session_id: str, packet: _Packet) -> None:
        session = self._sessions.get(session_id)
        if session is not None:
            packet.write_to(session)


def _event(name: str, payload: dict[str, Any]) -> _Packet:
    return _Packet(_EVENT + orjson.dumps([name, payload]))
