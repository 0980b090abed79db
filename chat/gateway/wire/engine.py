"""The Engine.IO server of the lean transport: WireSessions, one wheel of heartbeats, no service
task.

Leans on python-engineio 4.15: Server._handle_connect (written anew here from the protocol page),
_ok, _upgrades, _trigger_event and the names of `_async`.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from engineio import exceptions, packet

from chat.gateway.engine import ChatEngine
from chat.gateway.wire.connection import Outbox
from chat.gateway.wire.heartbeat import Heartbeat
from chat.gateway.wire.session import WireSession


class WireEngine(ChatEngine):
    """`take_message` is set by the Socket.IO server above."""

    take_message: Callable[[str, str | bytes], None]

    def __init__(self, **options: Any) -> None:
        super().__init__(monitor_clients=False, **options)
        self.heartbeat = Heartbeat(self.ping_interval, self.ping_timeout)
        self.outbox = Outbox()

    def own(self, work: Coroutine[Any, Any, None]) -> None:
        """Run something to its end, in a task that is cancelled with the server."""
        self.start_background_task(lambda: work)

    def forget(self, session: WireSession) -> None:
        """The session is closed. One that polls stays for its last answer, and goes with that."""
        if session.upgraded:
            self.sockets.pop(session.sid, None)
        else:
            asyncio.get_running_loop().call_later(self.ping_timeout, self._drop, session.sid)

    async def stop(self) -> None:
        self.heartbeat.stop()
        await self.outbox.stop()
        await super().stop()

    def _drop(self, session_id: str) -> None:
        self.sockets.pop(session_id, None)

    async def _handle_connect(
        self, environ: dict[str, Any], transport: str, jsonp_index: int | None = None
    ) -> Any:
        session_id = self.generate_id()
        session = self.sockets[session_id] = WireSession(self, session_id)
        handshake = {
            "sid": session_id,
            "upgrades": self._upgrades(session_id, transport),
            "pingTimeout": int(self.ping_timeout * 1000),
            "pingInterval": int(self.ping_interval * 1000),
            "maxPayload": self.max_http_buffer_size,
        }
        session.write(packet.Packet(packet.OPEN, handshake))
        await self._trigger_event("connect", session_id, environ, run_async=False)
        session.schedule_ping()
        if transport == "websocket":
            return await session.handle_get_request(environ)
        session.connected = True
        try:
            return self._ok(await session.poll())
        except exceptions.QueueEmpty:
            return self._bad_request()
