"""The Engine.IO server of the lean transport: one wheel of heartbeats, no service task."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from chat.gateway.engine import ChatEngine, ChatSession
from chat.gateway.wire.connection import Outbox
from chat.gateway.wire.heartbeat import Heartbeat
from chat.gateway.wire.session import WireSession


class WireEngine(ChatEngine):
    """`take_event` (of /chat, without the packet's head) and `take_message` (anything else) are set
    by the Socket.IO server above.
    """

    take_event: Callable[[ChatSession, bytes], None]
    take_message: Callable[[str, str | bytes], None]

    def __init__(self, **options: Any) -> None:
        super().__init__(monitor_clients=False, **options)
        self.heartbeat = Heartbeat(self.ping_interval, self.ping_timeout)
        self.outbox = Outbox()

    def make_session(self, session_id: str) -> WireSession:
        return WireSession(self, session_id)

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
