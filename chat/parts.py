"""The composition root: makes every part and hands them to each other."""

import socket
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from chat.access_url import AccessUrl
from chat.auth import Authenticator
from chat.contracts.admin_answers import StatsAnswer, stats
from chat.gateway.broadcaster import SocketBroadcaster
from chat.gateway.build import build_gateway
from chat.gateway.engineio.websocket import Outbox
from chat.gateway.fanout import Fanout
from chat.gateway.hub import Hub
from chat.gateway.namespace import ChatGateway
from chat.hooks.manager import Brought, PluginManager
from chat.hooks.specs import register_events, register_namespaces
from chat.http.listening import everywhere, url_of
from chat.http.server import ChatHttpServer
from chat.identity import Identity, tenant_of
from chat.keys.download import download_key_set
from chat.keys.token_keys import TokenKeys
from chat.logs.output import lines_lost
from chat.net.origins import OriginPolicy
from chat.ports import Clock, Store
from chat.rest.gate import Gate
from chat.services.admission import Admission
from chat.services.audit import Audit
from chat.services.domain import Domain, build_domain
from chat.services.refusals import Refusals
from chat.settings import Settings
from chat.timings import Timings


@dataclass(frozen=True, slots=True)
class Parts:
    """All parts of one server, made before the first of them begins to work."""

    port: int
    url: str
    everywhere: str
    store: Store
    hub: Hub
    broadcaster: SocketBroadcaster
    domain: Domain
    keys: TokenKeys
    gateway: ChatGateway
    plugin_events: Sequence[Brought]
    gate: Gate
    http: ChatHttpServer


async def make_parts(
    *,
    settings: Settings,
    hooks: PluginManager,
    clock: Clock,
    timings: Timings,
    store: Store,
    sockets: Sequence[socket.socket],
    demo_key: str | None,
) -> Parts:
    """Wire the parts to each other, with what the plugins register.

    `store` is open, `sockets` are those that the server will listen on, and `demo_key` is the key
    of demo mode, None outside it.
    """
    refusals = Refusals(settings.max_refused_per_min, clock)
    hub, outbox = Hub(), Outbox()
    fanout = Fanout(outbox, hub)
    broadcaster = SocketBroadcaster(hub, fanout)
    access_url, access_secret = settings.access_url, settings.access_secret
    seat_source = None
    if access_url is not None and access_secret is not None:
        seat_source = AccessUrl(access_url, access_secret.get_secret_value(), clock)
    domain = build_domain(
        store=store,
        seat_source=seat_source,
        whereabouts=hub,
        broadcaster=broadcaster,
        hooks=hooks,
        clock=clock,
        settings=settings,
        timings=timings,
    )
    keys = TokenKeys(
        [demo_key] if demo_key else settings.secrets,
        public_key=settings.jwt_public_key,
        fetch=partial(download_key_set, url) if (url := settings.jwt_jwks_url) else None,
        now=clock.monotonic,
        timings=timings,
    )
    admission = Admission(
        authenticator=Authenticator(
            keys,
            clock,
            audience=settings.jwt_audience,
            issuer=settings.jwt_issuer,
            clock_skew_s=settings.clock_skew_s,
        ),
        access=domain.access,
        hooks=hooks,
        clock=clock,
        max_failed_per_min=settings.max_failed_tokens_per_min,
    )
    audit = Audit(partial(_is_in, domain))
    plugin_events = await hooks.collect(register_events)
    gateway = build_gateway(
        hub=hub,
        outbox=outbox,
        fanout=fanout,
        domain=domain,
        admission=admission,
        audit=audit,
        refusals=refusals,
        hooks=hooks,
        clock=clock,
        settings=settings,
        plugin_events=plugin_events,
        plugin_namespaces=await hooks.collect(register_namespaces),
        timings=timings,
    )
    return Parts(
        port=sockets[0].getsockname()[1],
        url=url_of(settings, sockets),
        everywhere=everywhere(sockets),
        store=store,
        hub=hub,
        broadcaster=broadcaster,
        domain=domain,
        keys=keys,
        gateway=gateway,
        plugin_events=plugin_events,
        gate=Gate(
            domain=domain,
            admission=admission,
            audit=audit,
            hooks=hooks,
            origins=OriginPolicy(settings.cors_origins, settings.cors_headers),
            refusals=refusals,
            settings=settings,
            stats=partial(_stats, hub, domain),
        ),
        http=ChatHttpServer(settings),
    )


def _is_in(domain: Domain, chat_id: int, identity: Identity) -> bool:
    state = domain.states.loaded(chat_id)
    return state is not None and state.mine_of(identity) is not None


def _stats(hub: Hub, domain: Domain, tenant: str) -> StatsAnswer:
    users = [key for key in hub.users() if tenant_of(key) == tenant]
    return stats(
        users=len(users),
        sockets=sum(map(hub.count_of, users)),
        in_doubt=domain.journal.in_doubt,
        epoch=domain.catch_up.epoch,
        log_lines_lost=lines_lost(),
    )
