"""The namespace `/chat`: accepts sockets with a token, and removes those that end."""

import asyncio
from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qs

import socketio
import structlog

from chat.contracts.client_events import NAMESPACE
from chat.contracts.pushes import ServerEvent
from chat.errors import FULL_RETRY_S, ChatError, ErrorCode
from chat.gateway.dispatch import Dispatcher
from chat.gateway.engineio.polling import REASON, Environ
from chat.gateway.fanout import Fanout
from chat.gateway.hub import Connection, Hub
from chat.gateway.socketio.server import SocketServer
from chat.gateway.socketio.session import ClientSession
from chat.gateway.token_expiry import TokenExpiry
from chat.hooks.events import ConnectAttempt, Connected, Disconnected
from chat.hooks.manager import PluginManager
from chat.hooks.specs import after_connect, after_disconnect, before_connect
from chat.http.credentials import first_given, in_header
from chat.identity import Identity, UserId, named, user_key
from chat.services.admission import Admission
from chat.services.domain import Domain

_log = structlog.get_logger("chat.gateway")


class ChatGateway(socketio.AsyncNamespace):
    """The gateway as the rest of the server, and host code, sees it."""

    def __init__(
        self,
        *,
        server: SocketServer,
        hub: Hub,
        fanout: Fanout,
        dispatcher: Dispatcher,
        domain: Domain,
        admission: Admission,
        token_expiry: TokenExpiry,
        hooks: PluginManager,
        query_token: bool,
        max_sockets_per_user: int,
        refused_close_after_s: float,
    ) -> None:
        super().__init__(NAMESPACE)
        self.server = server
        self._hub = hub
        self._fanout = fanout
        self._dispatcher = dispatcher
        self._domain = domain
        self._admission = admission
        self._token_expiry = token_expiry
        self._hooks = hooks
        self._query_token = query_token
        self._max_sockets_per_user = max_sockets_per_user
        self._refused_close_after_s = refused_close_after_s
        self._draining = False

    def get_active_users_count(self) -> int:
        """Count the users with at least one socket."""
        return len(self._hub.users())

    def get_user_sockets(self, user_id: UserId, *, tenant: str = "") -> list[str]:
        """Return the ids of the user's sockets, the oldest first."""
        return [each.socket_id for each in self._hub.of_user(user_key(tenant, user_id))]

    def is_user_online(self, user_id: UserId, *, tenant: str = "") -> bool:
        """Whether the user has a socket, or lost the last one within the grace period."""
        return self._domain.presence.is_online(user_key(tenant, user_id))

    def refuse_newcomers(self) -> None:
        """Refuse new connections, whose clients then try again: the server is about to stop."""
        self._draining = True

    async def wait_idle(self) -> None:
        """Return when no received event is waiting or running."""
        for connection in self._hub.all():
            await connection.inbox.wait_idle()

    def stop(self, last: ServerEvent) -> None:
        """Push a last event to every socket, and end the tasks that handle events."""
        self._fanout.to_sessions([each.session for each in self._hub.all()], last)
        self._token_expiry.stop()
        self._dispatcher.stop()

    async def trigger_event(self, event: str, *args: Any) -> None:
        """Take connects and disconnects from python-socketio; client events never come this way."""
        if event == "connect":
            await self._connect(*args)
        elif event == "disconnect":
            await self._disconnect(*args)

    async def _connect(self, socket_id: str, environ: Environ, auth: object = None) -> None:
        token = self._token(environ, auth)
        session_id = self.server.manager.eio_sid_from_sid(socket_id, NAMESPACE)
        remote_ip = environ["REMOTE_ADDR"]
        environ_token = self._token(environ, None)
        slim = _slim_environ(remote_ip)
        if environ_token is not None:
            # This token holds for a second CONNECT, too.
            slim = {**slim, "HTTP_AUTHORIZATION": f"Bearer {environ_token}"}
        self.server.environ[session_id] = slim
        session = self.server.eio.sockets.get(session_id)
        if session is None or session.refused:
            # A refused session gets no second attempt while its transport is still closing.
            if session is not None:
                await session.close()
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
            # Checked again: the host may have blocked the user while the plugins were asked.
            self._domain.access.check_still(identity)
            self._check_quota(identity, remote_ip)
        except ChatError as error:
            session.refused = True
            # A plugin logs a refused token, as `auth_failed`.
            if identity is not None:
                _log.info(
                    "connect_refused",
                    code=error.code.value,
                    why=error.message,
                    **named(identity.key),
                    remote_ip=remote_ip,
                    request_id=error.request_id,
                )
            await self._send_away(session, error)
            return
        if session.closing:
            # The session ended meanwhile; other namespaces may still be handling the disconnect.
            return
        connection = Connection(
            socket_id=socket_id,
            session=session,
            identity=identity,
            remote_ip=remote_ip,
            connected_at=asyncio.get_running_loop().time(),
            hub=self._hub,
        )
        session.accepted = True
        is_first = self._hub.add(connection)
        self._token_expiry.watch(connection)
        self._domain.people.remember(identity)
        if is_first:
            self._domain.presence.connected(identity.key)
        self._hooks.notify_soon(
            after_connect,
            Connected(identity=identity, remote_ip=remote_ip, socket_id=socket_id),
        )

    def _check_quota(self, identity: Identity, remote_ip: str) -> None:
        """Refuse the new socket with RATE_LIMITED if the user has as many as the quota allows.

        If the server ended an older socket instead, two tabs would end each other's for ever.
        """
        if self._hub.count_of(identity.key) >= self._max_sockets_per_user:
            _log.info("too_many_sockets", **named(identity.key), remote_ip=remote_ip)
            raise ChatError(
                ErrorCode.RATE_LIMITED, "too many sockets of this user", retry_after_s=FULL_RETRY_S
            )

    def _token(self, environ: Environ, auth: object) -> object:
        """Return the first token found in `auth.token`, the Authorization header and `?token=`."""
        query: dict[str, list[str]] = {}
        if self._query_token:
            query = parse_qs(environ.get("QUERY_STRING", ""))
        return first_given(
            auth.get("token") if isinstance(auth, Mapping) else None,
            in_header(environ.get("HTTP_AUTHORIZATION", "")),
            query.get("token", [None])[0],
        )

    async def _send_away(self, session: ClientSession, error: ChatError) -> None:
        """Refuse a CONNECT.

        After a CONNECT_ERROR the official client does not connect again. So a retryable
        refusal only ends the transport, after which the client reconnects by itself.
        """
        if error.kind.retryable:
            await session.close()
        else:
            loop = asyncio.get_running_loop()
            loop.call_later(self._refused_close_after_s, self.server.end_unless_connected, session)
        raise socketio.exceptions.ConnectionRefusedError(error.message, error.to_wire())

    async def _disconnect(self, socket_id: str, reason: str) -> None:
        session_id = self.server.manager.eio_sid_from_sid(socket_id, NAMESPACE)
        connection = self._hub.get(session_id)
        if connection is None or connection.socket_id != socket_id:
            return
        connection.closed = True
        connection.session.accepted = False
        # Received events are handled first: a client may send an event and leave at once.
        await connection.inbox.wait_idle()
        self._token_expiry.forget(connection)
        self._domain.rooms.leave_all(connection, lost=reason != REASON.CLIENT_DISCONNECT)
        is_last = self._hub.remove(connection)
        identity = connection.identity
        if is_last:
            self._domain.presence.disconnected(identity.key)
            self._domain.typing.gone(identity.key)
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
def _slim_environ(remote_ip: str) -> Environ:
    """Make the environ that is kept; all sockets of an address share it.

    python-socketio keeps it for as long as the socket lives. The full environ would keep Tornado's
    whole request: 12 kB a connection, and the token in its headers.
    """
    return {"REMOTE_ADDR": remote_ip}
