"""An Engine.IO session and its websocket: the way onto one, and what comes in by it. What both
transports have in common.
"""

import asyncio
from typing import Any, Final, Protocol

import structlog
from engineio import packet

from chat.gateway.mailbox import NOWHERE
from chat.gateway.polling import NOOP, PollingSession

CONNECTION_KEY: Final = "chat.connection"
"""Under which the endpoint puts a websocket, and what came with its handshake, into the environ."""

UPGRADE_WITHIN_S: Final = 10.0
PROTOCOL_ERROR: Final = 1002

_log = structlog.get_logger("chat.transport")


class WebSocket(Protocol):
    """A connection after its handshake. It tells its session by on_text, on_binary and on_lost."""

    def start(self, session: Any, received: bytes) -> None: ...

    def close(self, code: int = ...) -> None: ...

    def linger(self) -> None:
        """Leave the rest to the peer, for a moment."""

    def abort(self) -> None: ...


class ChatSession(PollingSession):
    """`receiver` is who takes its events, once it has been let in; `wire` its connection on the
    lean transport.
    """

    # On the class, where they cost an idle session nothing.
    receiver: Any = None
    wire: Any = None
    _candidate: Any = None
    _upgrade_timer: asyncio.TimerHandle | None = None

    # ---- for the transports

    def _continue_on(self, connection: Any, waiting: list[packet.Packet]) -> None:
        """From here on write to this websocket, `waiting` first."""
        raise NotImplementedError

    def _answer_probe(self, connection: Any) -> None:
        raise NotImplementedError

    def _lost(self, connection: Any) -> bool:
        """Forget this websocket; whether it was the one the session lives on."""
        raise NotImplementedError

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

    def _move_to(self, connection: WebSocket) -> None:
        queue, self.queue = self.queue, NOWHERE
        self.upgraded = True
        self._forget_candidate()
        # A NOOP only ends a poll; on the websocket it would be a frame that nobody expects.
        waiting = [each for each in queue.drain() if each is not NOOP]
        if self._poll is not None:
            queue.put_nowait(NOOP)
        self._continue_on(connection, waiting)

    def _end_websocket(self) -> None:
        if self._candidate is not None:
            # In the middle of an upgrade the official client has paused its polling, and would hang
            # there if the websocket went now: it is let through first.
            self._candidate.linger()

    def _forget_candidate(self) -> None:
        self._candidate = None
        self.upgrading = False
        if self._upgrade_timer is not None:
            # It would keep the session for ten seconds, however short its life.
            self._upgrade_timer.cancel()
            del self._upgrade_timer

    def _on_probe(self, connection: WebSocket, payload: bytes) -> None:
        if payload == b"2probe":
            self._probed = True
            self._answer_probe(connection)
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

    def on_text(self, connection: Any, payload: bytes) -> None:
        """A frame of a websocket of this session."""
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

    def on_binary(self, connection: WebSocket, payload: bytes) -> None:
        if connection is self._candidate:
            self._break(connection)
            return
        work = self._receive(payload)
        if work is not None:
            self.server.own(work)

    def on_lost(self, connection: WebSocket) -> None:
        if connection is self._candidate:
            self._probed = False
            self._forget_candidate()
        elif self._lost(connection):
            self.end(self.server.reason.TRANSPORT_CLOSE)

    def _break(self, connection: WebSocket) -> None:
        """The client broke the protocol."""
        _log.info("malformed_packet", why="engine.io")
        connection.close(PROTOCOL_ERROR)
        self.on_lost(connection)
