"""Writes Socket.IO packets to sockets: each is encoded once, whatever the number of its receivers.

Everything leaves in the order of the calls: a push before the ack that follows it, for every socket
alike. For a session on a websocket that is a frame handed to its connection; for one that polls, a
packet put into its queue.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from engineio import packet as engineio_packet

from chat.gateway.chat_server import ChatServer
from chat.gateway.engineio.frames import text_frame
from chat.gateway.engineio.session import ChatSession
from chat.gateway.engineio.websocket import Outbox
from chat.gateway.room_names import NAMESPACE

# With Engine.IO's type of a message in front.
_EVENT = f"42{NAMESPACE},".encode()
_ACK = f"43{NAMESPACE},".encode()


class Fanout:
    def __init__(self, server: ChatServer) -> None:
        self._rooms = server.rooms_of_server
        self._outbox: Outbox = server.eio.outbox

    def to_room(
        self, room: str, event: str, payload: Mapping[str, Any], skip: Sequence[ChatSession] = ()
    ) -> None:
        """To every session in the room but those in `skip`."""
        receivers = self._rooms.receivers(NAMESPACE, room)
        if skip:
            receivers = [session for session in receivers if session not in skip]
        if receivers:
            self._write(receivers, _EVENT + orjson.dumps([event, payload]))

    def to_session(self, session: ChatSession, event: str, payload: Mapping[str, Any]) -> None:
        self.to_sessions([session], event, payload)

    def to_sessions(
        self, sessions: Sequence[ChatSession], event: str, payload: Mapping[str, Any]
    ) -> None:
        self._write(sessions, _EVENT + orjson.dumps([event, payload]))

    def ack(self, session: ChatSession, ack_id: int, reply: dict[str, Any]) -> None:
        packet = b"%b%d[%b]" % (_ACK, ack_id, orjson.dumps(reply))
        if session.wire is not None:
            session.wire.write(text_frame(packet))
        else:
            self._write([session], packet)

    def _write(self, sessions: Sequence[ChatSession], message: bytes) -> None:
        others = self._outbox.write(sessions, text_frame(message))
        if others:  # those that poll
            packet = engineio_packet.Packet(engineio_packet.MESSAGE, message[1:].decode())
            for session in others:
                if not session.closed:
                    session.queue.put_nowait(packet)
