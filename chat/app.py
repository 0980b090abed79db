"""The life of a server: opens the store, makes the parts, starts, drains and stops them."""

import asyncio
import socket
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from functools import partial
from typing import Any, Final

import structlog

from chat.clock import SystemClock
from chat.contracts.pushes import server_shutdown
from chat.errors import ChatError, SetupError
from chat.gateway.engineio.posts import socket_rules
from chat.gateway.hub import Hub
from chat.gateway.namespace import ChatGateway
from chat.gateway.required_names import require_names
from chat.hooks.calls import bounded
from chat.hooks.events import Startup
from chat.hooks.loader import load_plugins
from chat.hooks.manager import PluginManager
from chat.hooks.plugin import Plugin
from chat.hooks.specs import register_routes
from chat.http.listening import bind, own_hosts
from chat.parts import Parts, make_parts
from chat.ports import Clock, Store
from chat.repositories.embedded import EmbeddedStore, require_store
from chat.repositories.free_space import FreeSpace, log_disk
from chat.repositories.mongo import MongoStore
from chat.rest.routes import build_application, build_routes
from chat.server_api import PluginServerApi
from chat.services.demo import DemoService, adopt_folder, demo_secret, end_demo
from chat.services.domain import Domain
from chat.settings import Settings
from chat.specs.documents import Documents
from chat.timings import TIMINGS, Timings
from chat.watchdog import Watchdog

RECONNECT_AFTER_S: Final = 1.0
STEP_S: Final = 0.4
"""The least time of each step of the stop, also when SHUTDOWN_GRACE_S is over."""

STORE_CLOSE_S: Final = 2.0
EMBEDDED_STOP_S: Final = 6.0
"""The embedded store kills its process after 5 s."""

_log = structlog.get_logger("chat.app")


class ChatApp:
    """One server: `start` makes it listen, `stop` drains it.

    Nothing that was acknowledged is lost by a stop, and clients come back by themselves.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        plugins: Sequence[Plugin] | None = None,
        clock: Clock | None = None,
        store: Store | None = None,
        timings: Timings = TIMINGS,
    ) -> None:
        """Take `plugins` instead of those of the settings, and `store` instead of MongoDB."""
        self.settings = settings
        self.hooks = PluginManager(
            load_plugins(settings.plugins) if plugins is None else plugins,
            timings.plugin_startup_s,
        )
        self.clock: Clock = clock or SystemClock()
        self.watchdog = Watchdog(settings.loop_blocked_ms / 1000, self.hooks)
        # Set when another server has taken the database: this one must end.
        self.lost = asyncio.Event()
        self._given_store = store
        self._timings = timings
        self._parts: Parts | None = None
        self._draining = False
        # `stop` closes these after the drain, the last opened first.
        self._opened = AsyncExitStack()
        self._opened.callback(_log.info, "stopped")
        self._opened.callback(self.watchdog.stop)

    @property
    def parts(self) -> Parts:
        """The parts of the server; there are none before `start`."""
        if self._parts is None:
            raise RuntimeError("the server was not started")
        return self._parts

    @property
    def port(self) -> int:
        """The port that the server listens on, also where PORT is 0."""
        return self.parts.port

    @property
    def domain(self) -> Domain:
        return self.parts.domain

    @property
    def gateway(self) -> ChatGateway:
        return self.parts.gateway

    @property
    def hub(self) -> Hub:
        return self.parts.hub

    async def start(self) -> None:
        """Open the store, make the parts and listen; SetupError where the server cannot start."""
        if self._given_store is None and self.settings.mongodb_uri is None:
            # Checked before a folder is made for a store that cannot start.
            require_store()
        # The sockets are bound first, so that a taken port is reported before a store starts.
        sockets = bind(self.settings)
        try:
            await self._open(sockets)
        except BaseException as error:
            for each in sockets:
                each.close()
            await self.stop()
            if isinstance(error, ChatError):
                raise SetupError(f"a start has to write to the store: {error.message}.") from None
            raise

    async def drain(self) -> None:
        """Let requests end for up to SHUTDOWN_GRACE_S, then close all sockets; safe to repeat.

        Returns about two seconds after the grace, whatever a plugin does.
        """
        if self._draining:
            return
        self._draining = True
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self.settings.shutdown_grace_s

        def left_s() -> float:
            return max(STEP_S, deadline - loop.time())

        parts = self._parts
        if parts is not None:
            parts.gate.draining = True
            parts.gateway.refuse_newcomers()
            parts.http.stop()
            await _wait_for_running(parts, deadline)
            parts.keys.close()
            await _step("domain", left_s() + STEP_S, parts.domain.stop, left_s())
        await self.hooks.stop(deadline - loop.time())
        if parts is not None:
            parts.gateway.stop(server_shutdown(RECONNECT_AFTER_S))
            await _step("sockets", left_s(), parts.gateway.server.close_all)
            await _step("http", left_s(), parts.http.close_all_connections)
            await _step("last facts", left_s(), parts.domain.close)
        await self.hooks.close(STEP_S)

    async def stop(self) -> None:
        """Drain and end; safe to repeat."""
        await self.drain()
        await self._opened.aclose()

    async def _open(self, sockets: Sequence[socket.socket]) -> None:
        settings = self.settings
        demo_key = demo_secret(settings.data_dir, adopting=True) if settings.demo_mode else None
        store = self._given_store
        if store is None:
            store = await self._make_store()
        self._opened.push_async_callback(_step, "store", STORE_CLOSE_S, store.close)
        await store.open(settings.data_dir)
        require_names()
        # Not before the store is open: until then the folder may be another server's.
        if demo_key is None:
            end_demo(settings.data_dir)
        else:
            await adopt_folder(settings.data_dir, demo_key, store.chats)
        self._parts = parts = await make_parts(
            settings=settings,
            hooks=self.hooks,
            clock=self.clock,
            timings=self._timings,
            store=store,
            sockets=sockets,
            demo_key=demo_key,
        )
        await parts.domain.access.load()
        parts.domain.start()
        await parts.keys.open()
        await self.hooks.start(partial(self._startup, parts))
        demo = None
        if demo_key is not None:
            demo = DemoService(parts.domain, store.ids, demo_key, self.clock)
            await demo.open()
        plugin_routes = await self.hooks.collect(register_routes)
        routes = build_routes(
            parts.gate,
            plugin_routes,
            demo,
            own_hosts(settings, parts.port),
            Documents(settings, parts.plugin_events, plugin_routes),
        )
        engine = parts.gateway.server.eio
        entry_points = socket_rules(engine, parts.gate.origins, parts.gate.bodies)
        application = build_application(
            [*entry_points, *routes], settings.max_payload_bytes, self._timings.body_linger_s
        )
        parts.http.serve(application, sockets)
        if settings.loop_blocked_ms:
            self.watchdog.start()
        _log.info(
            "listening",
            host=settings.host,
            port=parts.port,
            demo=settings.demo_mode,
            plugins=list(self.hooks.plugins),
        )

    async def _make_store(self) -> Store:
        settings = self.settings
        disks = log_disk()
        restart = None
        if settings.mongodb_uri is not None:
            uri = settings.mongodb_uri.get_secret_value()
        else:
            embedded = EmbeddedStore(settings.data_dir, timings=self._timings)
            self._opened.push_async_callback(
                _step, "embedded store", EMBEDDED_STOP_S, embedded.stop
            )
            uri = await embedded.start()
            restart = embedded.restart
            disks.append(embedded.files)
        space = FreeSpace(disks, settings.min_free_disk_mb, self._timings.disk_look_every_s)
        return MongoStore(
            uri, lease_lost=self.lost.set, restart=restart, space=space, timings=self._timings
        )

    def _startup(self, parts: Parts, plugin: str) -> Startup:
        api = PluginServerApi(
            plugin=plugin,
            domain=parts.domain,
            gateway=parts.gateway,
            broadcaster=parts.broadcaster,
            store=parts.store,
            clock=self.clock,
            draining=lambda: parts.gate.draining,
        )
        return Startup(server=api)


async def _wait_for_running(parts: Parts, deadline: float) -> None:
    """Let running events and requests end, for as long as the grace lasts."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout_at(deadline):
            await parts.gateway.wait_idle()
            await parts.gate.idle.wait()
    except TimeoutError:
        running, over_s = parts.gate.running, loop.time() - deadline
        _log.warning("drain_cut_short", running=running, over_s=over_s)


async def _step(
    name: str, within_s: float, work: Callable[..., Coroutine[Any, Any, None]], *args: Any
) -> None:
    """Run one step of the stop; log it where it fails or takes too long, and return."""
    try:
        await bounded(work(*args), within_s)
    except TimeoutError:
        _log.warning("stop_cut_short", step=name, after_s=round(within_s, 1))
    except Exception:  # noqa: BLE001  # the steps behind it close the store
        _log.exception("stop_step_failed", step=name)
