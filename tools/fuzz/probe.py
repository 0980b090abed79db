"""A plugin for the server under attack: how late its loop is, how much memory it has, and what it
still holds of anybody.

Loaded by PLUGINS=default,tools.fuzz.probe. It looks into the server's insides, which a plugin must
not; it is no example.
"""

import asyncio
import ctypes
import gc
import os
import threading
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from time import monotonic
from typing import Any

from chat.plugin_api import (
    ActionDone,
    AuthFailure,
    HttpRequest,
    HttpResponse,
    Plugin,
    Registration,
    Route,
    Shutdown,
    Startup,
    after_action,
    after_auth_failure,
    hookimpl,
    register_routes,
    shutdown,
    startup,
)

TICK_S = 0.005
HELD_CLASSES = (
    "chat.gateway.socketio.session.ClientSession",
    "chat.gateway.engineio.websocket.WebSocket", "chat.gateway.hub.Connection",
    "chat.gateway.inbox.Inbox", "chat.gateway.inbox.ReceivedEvent",
    "tornado.http1connection.HTTP1ServerConnection", "tornado.http1connection.HTTP1Connection",
    "tornado.iostream.IOStream", "tornado.httputil.HTTPServerRequest",
)  # fmt: skip
"""Of which one is left for each client that is still there, and none for those that are gone."""


class LagProbe:
    """How much later than asked for the loop gets to a timer.

    The time in which the loop's thread was ready and the kernel let others run is taken off: the
    attackers share the machine's cores with the server. (Linux: the second number of schedstat.)
    """

    def __init__(self) -> None:
        self._stat = Path(f"/proc/self/task/{threading.get_native_id()}/schedstat").open("rb")  # noqa: SIM115
        self.reset()

    def reset(self) -> None:
        self.by_ms: Counter[int] = Counter()
        self.max_s = self.max_with_others_s = 0.0

    async def run(self) -> None:
        before, stolen = monotonic(), self._stolen_s()
        while True:
            await asyncio.sleep(TICK_S)
            now, stolen_now = monotonic(), self._stolen_s()
            late_s = now - before - TICK_S
            lag_s = max(0.0, late_s - (stolen_now - stolen))
            self.by_ms[int(lag_s * 1000)] += 1
            self.max_s = max(self.max_s, lag_s)
            self.max_with_others_s = max(self.max_with_others_s, late_s)
            before, stolen = now, stolen_now

    def close(self) -> None:
        self._stat.close()

    def p99_ms(self) -> int:
        left = sum(self.by_ms.values()) // 100
        for ms in sorted(self.by_ms, reverse=True):
            left -= self.by_ms[ms]
            if left < 0:
                return ms
        return 0

    def _stolen_s(self) -> float:
        return int(os.pread(self._stat.fileno(), 64, 0).split()[1]) / 1e9


class Probe(Plugin):
    name = "probe"

    def __init__(self, settings: Any = None) -> None:
        super().__init__(settings)
        self.answered = self.refused = 0

    @hookimpl(startup)
    async def begin(self, started: Startup) -> None:
        self._server: Any = started.server
        self._lag = LagProbe()
        self._lag_task = asyncio.get_running_loop().create_task(self._lag.run())

    @hookimpl(shutdown)
    async def end(self, _event: Shutdown) -> None:
        self._lag_task.cancel()
        self._lag.close()

    @hookimpl(after_action)
    async def count_answer(self, done: ActionDone) -> None:
        self.answered += 1
        self.refused += done.code is not None

    @hookimpl(after_auth_failure)
    async def count_stranger(self, _failure: AuthFailure) -> None:
        self.refused += 1

    @hookimpl(register_routes)
    async def routes(self, _start: Registration) -> Sequence[Route]:
        return [
            Route(method="GET", path="/probe/held", handler=self.held, public=True),
            Route(method="GET", path="/probe/figures", handler=self.figures, public=True),
            Route(method="POST", path="/probe/rest", handler=self.rest, public=True),
        ]

    async def held(self, _request: HttpRequest) -> HttpResponse:
        """What is there of clients, by kind; objects by class."""
        gateway = self._server._gateway
        sio, manager, hub = gateway.server, gateway.server.manager, gateway._hub
        rooms = {**manager.rooms.get("/chat", {}), **hub._rooms}
        domain = gateway._domain
        counts = {
            "engine sessions": len(sio.eio.sockets),
            "environs": len(sio.environ),
            "rooms": len(rooms),
            "room members": sum(len(each.members) for each in hub._rooms.values()),
            "rooms by socket": len(manager._rooms_of),
            "half connected": sum(map(len, manager.pending_disconnect.values())),
            "callbacks": len(manager.callbacks),
            "half let in": len(sio._connecting),
            "events running": len(sio._plugin_events._running),
            "half packets": len(sio._unfinished),
            "connections": len(hub),
            "users": gateway.get_active_users_count(),
            "inboxes in use": sum(each.inbox.busy for each in hub.all()),
            "open events": len(gateway._dispatcher._deadlines._open),
            "tokens watched": len(gateway._token_expiry._wheel),
            "leaving": len(domain.presence._leaving) + len(domain.attendance._leaving),
            "typing": len(domain.typing._ends),
            "tasks": len(asyncio.all_tasks()),
            "descriptors": len(os.listdir("/proc/self/fd")),
            "heartbeats": len(sio.eio.heartbeat.pings),
            "sockets polled": len(sio.eio.outbox.poller._connections),
            "sockets closing": len(sio.eio.outbox.lingering),
        }
        gc.collect()
        classes = Counter(map(type, gc.get_objects()))
        names = {f"{each.__module__}.{each.__qualname__}": n for each, n in classes.items()}
        counts |= {name: names.get(name, 0) for name in HELD_CLASSES}
        return HttpResponse(body=counts)

    async def figures(self, _request: HttpRequest) -> HttpResponse:
        """Lag since the last rest in ms, resident memory, answers and refusals so far."""
        body = {
            "lagMaxMs": self._lag.max_s * 1000,
            "lagP99Ms": self._lag.p99_ms(),
            "lagMaxWithOthersMs": self._lag.max_with_others_s * 1000,
            "residentBytes": _resident_bytes(),
            "answered": self.answered,
            "refused": self.refused,
        }
        return HttpResponse(body=body)

    async def rest(self, _request: HttpRequest) -> HttpResponse:
        """Free what is free, and forget the lag so far, since freeing causes some."""
        gc.collect()
        ctypes.CDLL(None).malloc_trim(0)
        asyncio.get_running_loop().call_later(0.05, self._lag.reset)
        return HttpResponse(body={})


def _resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
