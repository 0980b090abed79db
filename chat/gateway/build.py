"""Puts the parts of the gateway together."""

from collections.abc import Sequence

from chat.contracts.acks import limits_to_wire
from chat.contracts.client_events import NAMESPACE
from chat.contracts.features import features
from chat.contracts.json_text import JsonLimits
from chat.gateway.dispatch import Dispatcher
from chat.gateway.engineio.address_quota import AddressQuota
from chat.gateway.engineio.websocket import Outbox
from chat.gateway.fanout import Fanout
from chat.gateway.handlers import Handlers
from chat.gateway.hub import Hub
from chat.gateway.namespace import ChatGateway
from chat.gateway.socketio.patience import Patience
from chat.gateway.socketio.server import SocketServer
from chat.gateway.token_expiry import TokenExpiry
from chat.hooks.manager import Brought, PluginManager
from chat.ports import Clock
from chat.services.admission import Admission
from chat.services.audit import Audit
from chat.services.domain import Domain
from chat.services.refusals import Refusals
from chat.settings import Settings
from chat.timings import Timings


def build_gateway(
    *,
    hub: Hub,
    outbox: Outbox,
    fanout: Fanout,
    domain: Domain,
    admission: Admission,
    audit: Audit,
    refusals: Refusals,
    hooks: PluginManager,
    clock: Clock,
    settings: Settings,
    plugin_events: Sequence[Brought],
    plugin_namespaces: Sequence[Brought],
    timings: Timings,
) -> ChatGateway:
    """Build the gateway and its server; SetupError if a plugin's event or namespace is wrong."""
    token_expiry = TokenExpiry(fanout, clock, timings.token_tick_s, domain.rooms.end_seats)
    handlers = Handlers(
        domain=domain,
        fanout=fanout,
        admission=admission,
        audit=audit,
        token_expiry=token_expiry,
        clock=clock,
        limits=limits_to_wire(
            max_content_chars=settings.max_content_chars,
            max_payload_bytes=settings.max_payload_bytes,
            max_rooms_per_socket=settings.max_rooms_per_socket,
            max_participants=settings.max_participants,
        ),
        features=features(timeline=settings.has_timeline),
        auto_join=settings.auto_join,
    )
    patience = Patience(refusals, outbox.poller.hurry)
    dispatcher = Dispatcher(
        handlers=handlers.table,
        plugin_events=plugin_events,
        hub=hub,
        fanout=fanout,
        patience=patience,
        hooks=hooks,
        access=domain.access,
        audit=audit,
        clock=clock,
        max_waiting=settings.max_waiting_events,
        max_waiting_bytes=settings.max_waiting_bytes,
        timings=timings,
    )
    server = SocketServer(
        direct=NAMESPACE,
        sink=dispatcher,
        patience=patience,
        outbox=outbox,
        quota=AddressQuota(settings.max_sockets_per_address),
        ping_interval_s=settings.ping_interval_s,
        ping_timeout_s=settings.ping_timeout_s,
        connect_within_s=settings.connect_within_s,
        plugin_connect_s=timings.plugin_connect_s,
        max_bytes=settings.max_payload_bytes,
        max_backlog_bytes=settings.max_backlog_bytes,
        json_limits=JsonLimits.of(settings),
    )
    gateway = ChatGateway(
        server=server,
        hub=hub,
        fanout=fanout,
        dispatcher=dispatcher,
        domain=domain,
        admission=admission,
        token_expiry=token_expiry,
        hooks=hooks,
        query_token=settings.query_token,
        max_sockets_per_user=settings.max_sockets_per_user,
        refused_close_after_s=timings.refused_close_after_s,
    )
    server.register_namespace(gateway)
    server.add_namespaces(plugin_namespaces)
    return gateway
