"""The Engine.IO server of the lean transport."""

from typing import Any

from chat.gateway.engine import ChatEngine
from chat.gateway.wire.connection import Outbox
from chat.gateway.wire.session import WireSession


class WireEngine(ChatEngine):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.outbox = Outbox()

    def make_session(self, session_id: str) -> WireSession:
        return WireSession(self, session_id)

    async def stop(self) -> None:
        self.heartbeat.stop()
        await self.outbox.stop()
        await super().stop()
