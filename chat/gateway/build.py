"""Puts the parts of the socket door together."""

from collections.abc import Sequence

from chat.gateway.chat_server import ChatServer
from chat.gateway.dispatch import Funnel
from chat.gateway.fanout import Fanout
from chat.gateway.handlers import Handlers
from chat.gateway.hub import Connections
from chat.gateway.membership import RoomKeeper
from chat.gateway.namespace import ChatGateway
from chat.gateway.token_expiry import TokenLife
from chat.hooks.manager import Brought, PluginManager
from chat.ports import Clock
from chat.services.admission import Admission
from chat.services.audit import Audit
from chat.services.domain import Domain
from chat.settings import Settings
from chat.timings import Timings


def build_gateway(
    *,
    server: ChatServer,
    fanout: Fanout,
    connections: Connections,
    token_life: TokenLife,
    domain: Domain,
    admission: Admission,
    audit: Audit,
    hooks: PluginManager,
    clock: Clock,
    settings: Settings,
    plugin_events: Sequence[Brought],
    timings: Timings,
) -> ChatGateway:
    """The gateway, registered with the server."""
    rooms = RoomKeeper(server, fanout, connections, domain, hooks, settings.max_rooms_per_socket)
    handlers = Handlers(
        domain=domain,
        rooms=rooms,
        admission=admission,
        audit=audit,
        token_life=token_life,
        clock=clock,
        limits={
            "maxContentChars": settings.max_content_chars,
            "maxPayloadBytes": settings.max_payload_bytes,
            "maxRoomsPerSocket": settings.max_rooms_per_socket,
            "maxParticipants": settings.max_participants,
        },
        auto_join=settings.auto_join,
    )
    funnel = Funnel(
        handlers=handlers.table,
        plugin_events=plugin_events,
        fanout=fanout,
        patience=server.patience,
        hooks=hooks,
        access=domain.access,
        audit=audit,
        clock=clock,
        max_waiting=settings.max_waiting_events,
        max_waiting_bytes=settings.max_waiting_bytes,
        timings=timings,
    )
    gateway = ChatGateway(
        server=server,
        connections=connections,
        funnel=funnel,
        rooms=rooms,
        domain=domain,
        admission=admission,
        token_life=token_life,
        hooks=hooks,
        query_token=settings.query_token,
        max_sockets_per_user=settings.max_sockets_per_user,
        refused_close_after_s=timings.refused_close_after_s,
    )
    server.register_namespace(gateway)
    server.sink = funnel
    return gateway
