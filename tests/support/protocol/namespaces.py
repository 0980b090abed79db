"""Namespaces of a plugin, as the protocol's official cases expect them of a server, with some more
events for cases of our own.
"""

import asyncio
from typing import Any

import socketio

from chat.plugin_api import (
    ErrorCode,
    Plugin,
    Registration,
    Reject,
    hookimpl,
    register_namespaces,
)


class Echo(socketio.AsyncNamespace):
    """Says `auth` with what came with the CONNECT; sends back what it gets, pushed or acked."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.greet_after_s = 0.0
        self.go_on = asyncio.Event()
        self.held = 0
        self.left: list[str] = []
        self.crash_at_end = False

    async def on_connect(self, sid: str, _environ: dict[str, Any], auth: Any) -> None:
        if (auth or {}).get("stranger"):
            raise socketio.exceptions.ConnectionRefusedError("no strangers")
        if (auth or {}).get("crash"):
            raise RuntimeError("a fault of the plugin")
        if (auth or {}).get("wait"):
            self.held += 1
            await self.go_on.wait()
        # In a task, since what is emitted in here leaves before the CONNECT.
        self.server.start_background_task(self._greet, sid, auth or {})

    async def _greet(self, sid: str, auth: Any) -> None:
        if self.greet_after_s:
            await asyncio.sleep(self.greet_after_s)
        await self.emit("auth", auth, to=sid)

    async def on_disconnect(self, _sid: str, reason: str) -> None:
        self.left.append(reason)
        if self.crash_at_end:
            raise RuntimeError("a fault of the plugin")

    async def on_message(self, sid: str, *args: Any) -> None:
        await self.emit("message-back", args, to=sid)

    async def on_pair(self, _sid: str, first: Any, second: Any) -> tuple[Any, Any]:
        return second, first

    async def on_hold(self, _sid: str) -> str:
        """Answers when `go_on` is set."""
        self.held += 1
        await self.go_on.wait()
        return "held"

    async def on_crash(self, _sid: str) -> None:
        raise RuntimeError("a fault of the plugin")

    async def on_refuse(self, _sid: str) -> None:
        raise Reject(ErrorCode.REJECTED, "not today")


async def _message_with_ack(_self: Echo, _sid: str, *args: Any) -> tuple[Any, ...]:
    return args


# The libraries look a handler up by the event's name, whatever is in it.
setattr(Echo, "on_message-with-ack", _message_with_ack)


class EchoPlugin(Plugin):
    """Brings `/` and `/custom`, or the things given."""

    name = "echo"

    def __init__(self, *namespaces: Any) -> None:
        super().__init__()
        self.main, self.custom = Echo("/"), Echo("/custom")
        self._namespaces = list(namespaces) or [self.main, self.custom]

    @hookimpl(register_namespaces)
    async def namespaces(self, _start: Registration) -> list[Any]:
        return self._namespaces
