"""Writes Socket.IO packets of `/chat` to sessions, encoded once for any number of receivers.

Every socket gets its packets in the order of the calls: a push comes before the ack that is written
after it. A session on a websocket gets a frame; a session that polls gets a packet in its queue.
"""

from collections.abc import Mapping, Sequence

import orjson
from engineio import packet as engineio_packet

from chat.contracts.client_events import NAMESPACE
from chat.contracts.pushes import ServerEvent
from chat.gateway.engineio.frames import text_frame
from chat.gateway.engineio.session import Session
from chat.gateway.engineio.websocket import Outbox
from chat.gateway.hub import Hub

# The 4 in front is Engine.IO's type of a message.
_EVENT = f"42{NAMESPACE},".encode()
_ACK = f"43{NAMESPACE},".encode()


class Fanout:
    def __init__(self, outbox: Outbox, hub: Hub) -> None:
        self._outbox = outbox
        self._hub = hub

    def to_room(self, chat_id: int, event: ServerEvent, skip: Sequence[Session] = ()) -> None:
        """Write to every session in the chat's room, except those in `skip`."""
        receivers: Sequence[Session] = self._hub.sessions_in(chat_id)
        if skip:
            receivers = [session for session in receivers if session not in skip]
        if receivers:
            self._write(receivers, _encoded(event))

    def to_session(self, session: Session, event: ServerEvent) -> None:
        self._write([session], _encoded(event))

    def to_sessions(self, sessions: Sequence[Session], event: ServerEvent) -> None:
        """Write to every one of the sessions."""
        self._write(sessions, _encoded(event))

    def ack(self, session: Session, ack_id: int, reply: Mapping[str, object]) -> None:
        message = b"%b%d[%b]" % (_ACK, ack_id, orjson.dumps(reply))
        if session.websocket is not None:
            session.websocket.write(text_frame(message))
        else:
            session.write(_packet(message))

    def _write(self, sessions: Sequence[Session], message: bytes) -> None:
        others = self._outbox.write(sessions, text_frame(message))
        if others:  # those that poll
            packet = _packet(message)
            for session in others:
                session.write(packet)


def _encoded(event: ServerEvent) -> bytes:
    return _EVENT + orjson.dumps([event.name, event.payload])


def _packet(message: bytes) -> engineio_packet.Packet:
    return engineio_packet.Packet(engineio_packet.MESSAGE, message[1:].decode())
