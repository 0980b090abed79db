"""The namespace /chat: sockets coming in with a token, and going. Their events go through the
funnel.
"""

import asyncio
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qs

import socketio
import structlog

from chat.errors import FULL_RETRY_S, ChatError, ErrorCode
from chat.gateway.dispatch import Funnel
from chat.gateway.hub import Connection, Connections
from chat.gateway.membership import RoomKeeper
from chat.gateway.room_names import NAMESPACE
from chat.gateway.token_expiry import TokenLife
from chat.hooks.events import ConnectAttempt, Connected, Disconnected
from chat.hooks.manager import PluginManager
from chat.hooks.specs import after_connect, after_disconnect, before_connect
from chat.http.credentials import first_given, in_header
from chat.identity import Identity, UserId
from chat.services.admission import Admission
from chat.services.domain import Domain

_log = structlog.get_logger("chat.gateway")


class ChatGateway(socketio.AsyncNamespace):
    """The gateway as the rest of the server, and host code, sees it."""

    def __init__(
        self,
        *,
        server: socketio.AsyncServer,
        connections: Connections,
        funnel: Funnel,
        rooms: RoomKeeper,
        domain: Domain,
        admission: Admission,
        token_life: TokenLife,
        hooks: PluginManager,
        query_token: bool,
        max_sockets_per_user: int,
        refused_close_after_s: float,
    ) -> None:
        super().__init__(NAMESPACE)
        self._sio = server
        self._connections = connections
        self._funnel = funnel
        self._rooms = rooms
        self._domain = domain
        self._admission = admission
        self._token_life = token_life
        self._hooks = hooks
        self._query_token = query_token
        self._max_sockets_per_user = max_sockets_per_user
        self._refused_close_after_s = refused_close_after_s
        self._draining = False

    def get_active_users_count(self) -> int:
        """How many users have at least one socket."""
        return self._connections.active_users_count()

    def get_user_sockets(self, user_id: UserId) -> list[str]:
        """The ids of the user's sockets, the oldest first."""
        return [each.socket_id for each in self._connections.of_user(user_id)]

    def is_user_online(self, user_id: UserId) -> bool:
        """Whether the user has a socket, or had one within the grace."""
        return self._domain.presence.is_online(user_id)

    def refuse_newcomers(self) -> None:
        """The server is about to stop: whoever connects now is sent away to come back."""
        self._draining = True

    async def wait_idle(self) -> None:
        """Return when no received event is waiting or running."""
        for connection in self._connections.all():
            await connection.inbox.wait_idle()

    def stop(self) -> None:
        """End the tasks that handle events."""
        self._funnel.stop()

    async def trigger_event(self, event: str, *args: Any) -> None:
        """Called by python-socketio for connect and disconnect alone: client events never come this
        way.
        """
        if event == "connect":
            await self._connect(*args)
        elif event == "disconnect":
            await self._disconnect(*args)

    async def _connect(self, socket_id: str, environ: dict[str, Any], auth: Any = None) -> None:
        token = self._token(environ, auth)
        session_id = self._sio.manager.eio_sid_from_sid(socket_id, NAMESPACE)
        remote_ip = environ["REMOTE_ADDR"]
        environ_token = self._token(environ, None)
        slim = _slim_environ(remote_ip)
        if environ_token is not None:
            # It holds for a second CONNECT, too.
            slim = {**slim, "HTTP_AUTHORIZATION": f"Bearer {environ_token}"}
        self._sio.environ[session_id] = slim
        session = self._sio.eio.sockets.get(session_id)
        if session is None or session.refused:
            # Not one token after the other, in the moment until a refused session is closed.
            await self._sio.eio.disconnect(session_id)
            raise socketio.exceptions.ConnectionRefusedError("refused before")
        identity: Identity | None = None
        try:
            if self._draining:
                raise ChatError(
                    ErrorCode.SHUTTING_DOWN, "the server is restarting", retry_after_s=1
                )
            identity = await self._admission.identify(token, remote_ip, "socket")
            attempt = ConnectAttempt(identity=identity, remote_ip=remote_ip)
            await self._hooks.filter(before_connect, attempt)
            # Asked again: the host may have decided while the plugins thought it over.
            self._domain.access.check_still(identity)
            self._check_room(identity, remote_ip)
        except ChatError as error:
            session.refused = True
            # A token that was refused is logged as `auth_failed`, by a plugin.
            if identity is not None:
                _log.info(
                    "connect_refused",
                    code=error.code.value,
                    why=error.message,
                    user_id=identity.user_id,
                    remote_ip=remote_ip,
                    request_id=error.request_id,
                )
            await self._send_away(session_id, error)
            return
        if session.closing:
            # Gone while it was being let in; its other namespaces may still be at their ends.
            return
        connection = Connection(
            socket_id=socket_id,
            session=session,
            identity=identity,
            remote_ip=remote_ip,
            connected_at=asyncio.get_running_loop().time(),
        )
        session.receiver = connection
        self._connections.add(connection)
        self._token_life.watch(connection)
        self._domain.people.remember(identity)
        self._domain.presence.connected(identity.user_id)
        self._hooks.notify_soon(
            after_connect,
            Connected(identity=identity, remote_ip=remote_ip, socket_id=socket_id),
        )

    def _check_room(self, identity: Identity, remote_ip: str) -> None:
        """RATE_LIMITED where the user has all sockets already. The newcomer waits: to end an older
        one instead would make two tabs chase each other out for ever.
        """
        if self._connections.count_of(identity.user_id) >= self._max_sockets_per_user:
            _log.info("too_many_sockets", user_id=identity.user_id, remote_ip=remote_ip)
            raise ChatError(
                ErrorCode.RATE_LIMITED, "too many sockets of this user", retry_after_s=FULL_RETRY_S
            )

    def _token(self, environ: dict[str, Any], auth: Any) -> object:
        """The first of `auth.token`, the Authorization header, `?token=` that is there."""
        query: dict[str, list[str]] = {}
        if self._query_token:
            query = parse_qs(environ.get("QUERY_STRING", ""))
        return first_given(
            auth.get("token") if isinstance(auth, dict) else None,
            in_header(environ.get("HTTP_AUTHORIZATION", "")),
            query.get("token", [None])[0],
        )

    async def _send_away(self, session_id: str, error: ChatError) -> None:
        """Refuse a CONNECT. After a CONNECT_ERROR the official client stays away for good, so a
        refusal that is worth another try just ends the transport: then the client comes back by
        itself.
        """
        if error.kind.retryable:
            await self._sio.eio.disconnect(session_id)
        else:
            loop = asyncio.get_running_loop()
            loop.call_later(self._refused_close_after_s, self._sio.end_stranger, session_id)
        wire = error.to_wire()
        raise socketio.exceptions.ConnectionRefusedError(error.message, wire)

    async def _disconnect(self, socket_id: str, reason: str) -> None:
        connection = self._connections.get(socket_id)
        if connection is None:
            return
        connection.closed = True
        connection.session.receiver = None
        # What came before the end is handled first: a client may send and leave at once.
        await connection.inbox.wait_idle()
        self._connections.remove(connection)
        self._token_life.forget(connection)
        self._rooms.drop(connection, lost=reason != self._sio.reason.CLIENT_DISCONNECT)
        identity = connection.identity
        self._domain.presence.disconnected(identity.user_id)
        if not self._connections.of_user(identity.user_id):
            self._domain.typing.gone(identity.user_id)
        connected_s = asyncio.get_running_loop().time() - connection.connected_at
        self._hooks.notify_soon(
            after_disconnect,
            Disconnected(
                identity=identity,
                socket_id=socket_id,
                reason=reason,
                connected_s=connected_s,
            ),
        )


@lru_cache(maxsize=1_000)
def _slim_environ(remote_ip: str) -> dict[str, Any]:
    """In place of the environ, which python-socketio keeps for as long as the socket lives, and
    with it all of Tornado's request: 12 kB a connection, and the token in its headers. One for all
    sockets of an address.
    """
    return {"REMOTE_ADDR": remote_ip}
