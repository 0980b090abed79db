"""The client event `ping`: it answers the server's time, as the client guide shows."""

import time
from collections.abc import Sequence
from typing import Any

from typing_extensions import TypedDict

from chat.plugin_api import ClientEvent, Identity, Plugin, Registration, hookimpl, register_events


class Pong(TypedDict):
    """The time of the server, in milliseconds since 1970."""

    pong: int


class Ping(Plugin):
    name = "ping"

    @hookimpl(register_events)
    async def events(self, _start: Registration) -> Sequence[ClientEvent]:
        return [
            ClientEvent(
                name="ping", handler=self.pong, ack=Pong, summary="Ask for the server's time."
            )
        ]

    async def pong(self, _identity: Identity, _payload: None) -> dict[str, Any]:
        """Answer `{pong: <milliseconds since 1970>}`."""
        return {"pong": time.time_ns() // 1_000_000}
