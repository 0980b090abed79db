"""The sessions of the Socket.IO server: Engine.IO sessions, and the state of their clients."""

from typing import Protocol

from chat.gateway.engineio.polling import Server, Work
from chat.gateway.engineio.session import Session
from chat.gateway.engineio.websocket import WebSocket


class MessageTaker(Protocol):
    """The Socket.IO server, as its sessions see it."""

    event_head: bytes
    """First bytes of a text frame with an event of the direct namespace."""

    def take_event(self, session: "ClientSession", text: bytes) -> None:
        """Take an event of the direct namespace, without its head."""

    def take_message(self, session: "ClientSession", message: str | bytes) -> Work | None:
        """Take any other message."""


class ClientSession(Session):
    """A session of the Socket.IO server.

    `accepted`: the direct namespace handles the session's events. `refused`: the server handles no
    second CONNECT on it.
    """

    # Defaults on the class cost an idle session nothing.
    accepted = False
    refused = False
    # Since when the session has gone from pause to pause, by the loop's clock; see patience.py.
    impatient_since = 0.0

    def __init__(self, server: Server, sid: str, taker: MessageTaker) -> None:
        super().__init__(server, sid)
        self._taker = taker

    def on_text(self, websocket: WebSocket, payload: bytes) -> None:
        head = self._taker.event_head
        if websocket is self.websocket and payload.startswith(head):
            self._taker.take_event(self, payload[len(head) :])
        else:
            super().on_text(websocket, payload)

    def take_message(self, message: str | bytes) -> Work | None:
        return self._taker.take_message(self, message)

    def ignore_client(self) -> None:
        super().ignore_client()
        self.accepted = False
