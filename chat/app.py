"""The composition root: makes every part, hands them to each other, starts and stops them. Knows
all, decides nothing.
"""

import asyncio
from collections.abc import Coroutine, Sequence
from functools import partial
from typing import Any, Final

import structlog

from chat.auth import Authenticator
from chat.clock import SystemClock
from chat.contracts.pushes import server_shutdown
from chat.errors import ChatError, SetupError
from chat.gateway.broadcaster import SocketBroadcaster
from chat.gateway.build import build_gateway
from chat.gateway.engineio.posts import socket_rules
from chat.gateway.engineio.websocket import Outbox
from chat.gateway.fanout import Fanout
from chat.gateway.hub import Hub
from chat.gateway.library_names import require_names
from chat.gateway.namespace import ChatGateway
from chat.gateway.socketio.server import SocketServer
from chat.hooks.calls import bounded
from chat.hooks.events import Registration, Startup
from chat.hooks.loader import load_plugins
from chat.hooks.manager import PluginManager
from chat.hooks.plugin import Plugin
from chat.hooks.specs import register_events, register_namespaces, register_routes
from chat.http.listening import bind, everywhere, in_url, url_of
from chat.http.server import ChatHttpServer, make_http_server
from chat.identity import UserId
from chat.keys.download import download_key_set
from chat.keys.token_keys import TokenKeys
from chat.logs.output import lines_lost
from chat.net.origins import OriginPolicy
from chat.ports import Clock, Store
from chat.repositories.embedded import EmbeddedStore, require_store
from chat.repositories.free_space import FreeSpace, log_disk
from chat.repositories.mongo import MongoStore
from chat.rest.gate import Gate
from chat.rest.routes import build_application, build_routes
from chat.server_api import PluginServerApi
from chat.services.admission import Admission
from chat.services.audit import Audit
from chat.services.demo import DemoService, adopt_folder, demo_secret, end_demo
from chat.services.domain import Domain, build_domain
from chat.services.refusals import Refusals
from chat.settings import Settings
from chat.timings import TIMINGS, Timings
from chat.watchdog import Watchdog

RECONNECT_AFTER_S: Final = 1.0
STEP_S: Final = 0.4
"""What each step of the stop gets at least, when SHUTDOWN_GRACE_S is over."""

STORE_CLOSE_S: Final = 2.0
EMBEDDED_STOP_S: Final = 6.0
"""It kills its process after 5 s."""

_log = structlog.get_logger("chat.app")


class ChatApp:
    """One server. `start` listens; `stop` drains: nothing acknowledged is lost, clients come back
    by themselves.
    """

    gateway: ChatGateway
    domain: Domain
    port: int
    url: str
    everywhere: str

    def __init__(
        self,
        settings: Settings,
        *,
        plugins: Sequence[Plugin] | None = None,
        clock: Clock | None = None,
        store: Store | None = None,
        timings: Timings = TIMINGS,
    ) -> None:
        """`plugins` instead of those of the settings; `store` instead of MongoDB."""
        self.settings = settings
        self._timings = timings
        self.hooks = PluginManager(
            load_plugins(settings.plugins) if plugins is None else plugins,
            timings.plugin_startup_s,
        )
        self.clock: Clock = clock or SystemClock()
        self.hub = Hub()
        self._embedded: EmbeddedStore | None = None
        self._store = store
        self._http: ChatHttpServer | None = None
        self._sio: SocketServer | None = None
        self._gate: Gate | None = None
        self._draining = False
        self._stopped = False
        self._keys = TokenKeys()
        self.watchdog = Watchdog(settings.loop_blocked_ms / 1000, self.hooks)
        # Set when another server has taken the database: this one must end.
        self.lost = asyncio.Event()

    async def start(self) -> None:
        """Open the store, wire the parts, listen; SetupError in one sentence where something is
        amiss.
        """
        settings = self.settings
        if self._store is None and settings.mongodb_uri is None:
            # Before the folder of a store that cannot start is made.
            require_store()
        # So that a taken port is said before a store is started.
        sockets = bind(settings)
        try:
            await self._open(sockets)
        except BaseException as error:
            for each in sockets:
                each.close()
            await self.stop()
            if isinstance(error, ChatError):
                raise SetupError(f"a start has to write to the store: {error.message}.") from None
            raise

    async def _open(self, sockets: list[Any]) -> None:
        settings = self.settings
        self.port = sockets[0].getsockname()[1]
        self.url, self.everywhere = url_of(settings, sockets), everywhere(sockets)
        demo_key = demo_secret(settings.data_dir, adopting=True) if settings.demo_mode else None
        if self._store is None:
            self._store = await self._make_store()
        store = self._store
        await store.open(settings.data_dir)
        require_names()
        # Not before: until then the folder may be another server's.
        if demo_key is None:
            end_demo(settings.data_dir)
        else:
            await adopt_folder(settings.data_dir, demo_key, store.chats)
        refusals = Refusals(settings.max_refused_per_min, self.clock)
        outbox = Outbox()
        fanout = Fanout(outbox, self.hub)
        broadcaster = SocketBroadcaster(self.hub, fanout)
        self.domain = build_domain(
            store=store,
            whereabouts=self.hub,
            broadcaster=broadcaster,
            hooks=self.hooks,
            clock=self.clock,
            settings=settings,
            timings=self._timings,
        )
        await self.domain.access.load()
        self.domain.start()
        self._keys = keys = TokenKeys(
            [demo_key] if demo_key else settings.secrets,
            public_key=settings.jwt_public_key,
            fetch=partial(download_key_set, url) if (url := settings.jwt_jwks_url) else None,
            now=self.clock.monotonic,
            timings=self._timings,
        )
        await keys.open()
        admission = Admission(
            authenticator=Authenticator(
                keys,
                self.clock,
                audience=settings.jwt_audience,
                issuer=settings.jwt_issuer,
                clock_skew_s=settings.clock_skew_s,
            ),
            access=self.domain.access,
            hooks=self.hooks,
            clock=self.clock,
            max_failed_per_min=settings.max_failed_tokens_per_min,
        )
        audit = Audit(self._has_seat)
        self.gateway = build_gateway(
            hub=self.hub,
            outbox=outbox,
            fanout=fanout,
            domain=self.domain,
            admission=admission,
            audit=audit,
            refusals=refusals,
            hooks=self.hooks,
            clock=self.clock,
            settings=settings,
            plugin_events=await self.hooks.collect_named(register_events, Registration()),
            timings=self._timings,
            plugin_namespaces=await self.hooks.collect_named(register_namespaces, Registration()),
        )
        self._sio = sio = self.gateway.server
        self._gate = Gate(
            domain=self.domain,
            admission=admission,
            audit=audit,
            hooks=self.hooks,
            origins=OriginPolicy(settings.cors_origins, settings.cors_headers),
            refusals=refusals,
            settings=settings,
            stats=self._stats,
        )
        await self._start_plugins(broadcaster, store)
        demo = await self._open_demo(store, demo_key)
        await self._listen(sio, self._gate, demo, sockets)
        if settings.loop_blocked_ms:
            self.watchdog.start()
        _log.info(
            "listening",
            host=settings.host,
            port=self.port,
            demo=settings.demo_mode,
            plugins=list(self.hooks.plugins),
        )

    async def drain(self) -> None:
        """Let what runs end, for up to SHUTDOWN_GRACE_S, then close all sockets. Returns about two
        seconds after the grace, whatever a plugin does. Safe to repeat.
        """
        if self._draining:
            return
        self._draining = True
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self.settings.shutdown_grace_s

        def left_s() -> float:
            return max(STEP_S, deadline - loop.time())

        if self._http is not None and self._sio is not None and self._gate is not None:
            self._gate.draining = True
            self.gateway.refuse_newcomers()
            self._http.stop()
            await self._wait_for_running(self._gate, deadline)
        self._keys.close()
        if hasattr(self, "domain"):
            await _step("domain", self.domain.stop(left_s()), left_s() + STEP_S)
        await self.hooks.stop(deadline - loop.time())
        if self._http is not None and self._sio is not None:
            self.gateway.stop(server_shutdown(RECONNECT_AFTER_S))
            await _step("sockets", self._sio.close_all(), left_s())
            await _step("http", self._http.close_all_connections(), left_s())
        if hasattr(self, "domain"):
            await _step("last facts", self.domain.close(), left_s())
        await self.hooks.close(STEP_S)

    async def stop(self) -> None:
        """Drain and end. Safe to call twice."""
        await self.drain()
        if self._stopped:
            return
        self._stopped = True
        if self._store is not None:
            await _step("store", self._store.close(), STORE_CLOSE_S)
        if self._embedded is not None:
            await _step("embedded store", self._embedded.stop(), EMBEDDED_STOP_S)
        self.watchdog.stop()
        _log.info("stopped")

    def _has_seat(self, chat_id: int, user_id: UserId) -> bool:
        state = self.domain.states.loaded(chat_id)
        return state is not None and user_id in state.members

    def _stats(self) -> dict[str, Any]:
        return {
            "users": len(self.hub.users()),
            "sockets": len(self.hub),
            "journal": "in doubt" if self.domain.journal.in_doubt else "ok",
            "epoch": self.domain.catch_up.epoch,
            "logLinesLost": lines_lost(),
        }

    async def _make_store(self) -> Store:
        settings = self.settings
        disks = log_disk()
        restart = None
        if settings.mongodb_uri is not None:
            uri = settings.mongodb_uri.get_secret_value()
        else:
            self._embedded = EmbeddedStore(settings.data_dir, timings=self._timings)
            uri = await self._embedded.start()
            restart = self._embedded.restart
            disks.append(self._embedded.files)
        space = FreeSpace(disks, settings.min_free_disk_mb, self._timings.disk_look_every_s)
        return MongoStore(
            uri, lease_lost=self.lost.set, restart=restart, space=space, timings=self._timings
        )

    async def _start_plugins(self, broadcaster: SocketBroadcaster, store: Store) -> None:
        def server_for(plugin: str) -> Startup:
            api = PluginServerApi(
                plugin=plugin,
                domain=self.domain,
                gateway=self.gateway,
                broadcaster=broadcaster,
                store=store,
                clock=self.clock,
                draining=lambda: self._gate is not None and self._gate.draining,
            )
            return Startup(server=api)

        await self.hooks.start(server_for)

    async def _open_demo(self, store: Store, secret: str | None) -> DemoService | None:
        if secret is None:
            return None
        demo = DemoService(self.domain, store.ids, secret, self.clock)
        await demo.open()
        return demo

    async def _listen(
        self, sio: SocketServer, gate: Gate, demo: DemoService | None, sockets: list[Any]
    ) -> None:
        settings = self.settings
        names = {settings.host, *settings.listen_addresses, "localhost", "127.0.0.1", "::1"}
        # Browsers leave the port out where it is 80.
        ports = (f":{self.port}", "") if self.port == 80 else (f":{self.port}",)
        hosts = frozenset(f"{in_url(name)}{port}".lower() for name in names for port in ports)
        routes = build_routes(
            gate, await self.hooks.collect_named(register_routes, Registration()), demo, hosts
        )
        application = build_application(
            [*socket_rules(sio.eio, gate.origins, gate.bodies), *routes],
            settings.max_payload_bytes,
            self._timings.body_linger_s,
        )
        self._http = make_http_server(application, settings)
        self._http.add_sockets(sockets)

    async def _wait_for_running(self, gate: Gate, deadline: float) -> None:
        """Let running events and requests end, for as long as the grace lasts."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout_at(deadline):
                await self.gateway.wait_idle()
                await gate.idle.wait()
        except TimeoutError:
            _log.warning("drain_cut_short", running=gate.running, over_s=loop.time() - deadline)


async def _step(name: str, work: Coroutine[Any, Any, None], within_s: float) -> None:
    """Run a step of the stop. Where it fails or takes too long, log that and return."""
    try:
        await bounded(work, within_s)
    except TimeoutError:
        _log.warning("stop_cut_short", step=name, after_s=round(within_s, 1))
    except Exception:  # noqa: BLE001  # the steps behind it close the store
        _log.exception("stop_step_failed", step=name)
