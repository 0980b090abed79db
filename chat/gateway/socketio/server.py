"""python-socketio's server, hardened: it validates packets and ends sessions that send bad ones.

A crash or a hang in a plugin's handler affects only its own event or session. The events of one
namespace, the direct one, are not handled by python-socketio: an EventSink takes them, in the order
in which they arrive, without a task for each event.

Relies on python-socketio 5.18: _handle_connect, _handle_disconnect, _trigger_event, _send_packet,
_handle_eio_connect and _handle_eio_disconnect.
"""

import asyncio
import re
from collections.abc import Sequence
from typing import Any, Final

import socketio
import structlog
from socketio.packet import CONNECT, CONNECT_ERROR, DISCONNECT, EVENT

from chat.contracts.json_text import HalfPairError, JsonLimits, memory_of, read_json
from chat.errors import ChatError, ErrorCode, SetupError
from chat.gateway.engineio.address_quota import AddressQuota
from chat.gateway.engineio.polling import REASON, Environ, Work
from chat.gateway.engineio.server import Engine
from chat.gateway.engineio.websocket import Outbox
from chat.gateway.socketio.events import EventSink, event_pattern, is_text, split_ack_id
from chat.gateway.socketio.packets import (
    ClientPacket,
    JsonCodec,
    MalformedPacket,
    RefusedPacket,
    read_packet,
)
from chat.gateway.socketio.patience import Patience
from chat.gateway.socketio.plugin_events import PluginEvents
from chat.gateway.socketio.rooms import RoomManager
from chat.gateway.socketio.session import ClientSession
from chat.gateway.timers import Deadlines
from chat.http.turnstile import CONNECTS_A_TURN, Turnstile

PRICE_OF_NOTHING: Final = 0.1
"""Price of a packet without a meaning, as a fraction of a refused event."""

_NAMESPACE: Final = re.compile(r"/[^,?\s]{0,254}")
_log = structlog.get_logger("chat.transport")


class SocketServer(socketio.AsyncServer):
    """The Socket.IO server over an Engine.IO server of its own, `eio`.

    The events of the namespace `direct` go to `sink`, once the namespace's handler has set the
    session's `accepted`.
    """

    eio: Engine[ClientSession]
    manager: RoomManager
    environ: dict[str, Environ]
    namespace_handlers: dict[str, socketio.AsyncNamespace]

    def __init__(
        self,
        *,
        direct: str,
        sink: EventSink,
        patience: Patience,
        outbox: Outbox,
        quota: AddressQuota,
        ping_interval_s: float,
        ping_timeout_s: float,
        connect_within_s: float,
        plugin_connect_s: float,
        max_bytes: int,
        max_backlog_bytes: int,
        json_limits: JsonLimits,
    ) -> None:
        super().__init__(
            async_mode="tornado",
            # Without this the library accepts anybody in "/", token or not.
            namespaces=[direct],
            client_manager=RoomManager(),
            json=JsonCodec,
            # The handler checks origins before the 101, alike for both transports.
            cors_allowed_origins=[],
            # nginx compresses where that is wanted; permessage-deflate costs 150 kB a connection.
            http_compression=False,
            logger=False,
            engineio_logger=False,
            # The library hands the options below to the Engine.IO server.
            ping_interval=ping_interval_s,
            ping_timeout=ping_timeout_s,
            max_http_buffer_size=max_bytes,
            max_backlog_bytes=max_backlog_bytes,
            outbox=outbox,
            quota=quota,
            make_session=self._make_session,
        )
        self.event_head = f"42{direct},".encode()
        self._direct = direct
        self._event_pattern = event_pattern(direct)
        self._ack_head = f"3{direct},"
        self._sink = sink
        self._patience = patience
        # Allows one level more, since every event is itself a list.
        self._json_limits = json_limits._replace(depth=json_limits.depth + 1)
        self._max_bytes = max_bytes
        self._plugin_connect_s = plugin_connect_s
        self._unconnected = Deadlines(connect_within_s, self._end_unconnected)
        # `(session id, namespace)` of each CONNECT that was read and is not yet decided.
        self._connecting: set[tuple[str, str]] = set()
        self._turnstile: Turnstile[str | None] = Turnstile(CONNECTS_A_TURN)
        # By `(session id, namespace)`, a future that is done when the session has left it.
        self._leaving: dict[tuple[str, str], asyncio.Future[None]] = {}
        # By session id, the packet whose attachments have not all arrived.
        self._unfinished: dict[str, ClientPacket] = {}
        self._plugin_events = PluginEvents(self, self._charge)

    def _engineio_server_class(self) -> type[Engine[ClientSession]]:
        return Engine

    def _make_session(self, engine: Engine[ClientSession], session_id: str) -> ClientSession:
        return ClientSession(engine, session_id, self)

    def add_namespaces(self, namespaces: Sequence[tuple[str, object]]) -> None:
        """Add the namespaces of plugins, each with the plugin's name.

        If one does not fit, the SetupError says why in one sentence.
        """
        for plugin, each in namespaces:
            if not isinstance(each, socketio.AsyncNamespace):
                raise SetupError(
                    f"plugin {plugin!r} registers a {type(each).__name__} as a namespace; "
                    "it has to be a socketio.AsyncNamespace."
                )
            if not _NAMESPACE.fullmatch(each.namespace):
                raise SetupError(
                    f"plugin {plugin!r} registers {each.namespace!r}, "
                    "which is no name of a namespace; write it like /board."
                )
            if each.namespace in self.namespace_handlers:
                raise SetupError(
                    f"plugin {plugin!r} registers the namespace {each.namespace!r}, "
                    "which there is already."
                )
            self.register_namespace(each)

    async def close_all(self) -> None:
        """End every transport, and cancel the running events of plugins' namespaces.

        Sends no Socket.IO DISCONNECT, after which the official client would not reconnect.
        """
        self._unconnected.stop()
        self._plugin_events.stop()
        await self.eio.close_all()

    # ---- messages

    def take_event(self, session: ClientSession, text: bytes) -> None:
        """Take an event of the direct namespace: `[ack id]["name", argument...]`."""
        if not session.accepted:
            # Events are ignored while a CONNECT is being decided, and after a refusal.
            if not (session.deaf or self._is_deciding(session.sid, self._direct)):
                self.end_malformed(session, "an event before the CONNECT")
            return
        ack_id, body = split_ack_id(text)
        try:
            data = read_json(body, self._json_limits, "the event")
        except ChatError as error:
            if is_text(body):
                self._sink.refuse(session, ack_id, error, len(body))
            else:
                self.end_malformed(session, "not UTF-8")
            return
        if not isinstance(data, list) or not data:
            self.end_malformed(session, "an event without a name")
        elif not self._sink.receive(session, data, ack_id, memory_of(body)):
            self.end_malformed(session, "too many events waiting")

    def take_message(self, session: ClientSession, message: str | bytes) -> Work | None:
        """Take one message; returns the work left for later turns of the loop. Never raises."""
        if session.sid not in self.environ:
            return None  # the session has ended, perhaps in the middle of a payload
        try:
            if isinstance(message, bytes):
                self._take_attachment(session, message)
                return None
            head = self._event_pattern.match(message)
            if head is not None:
                self.take_event(session, message[head.end() :].encode())
                return None
            if message.startswith(self._ack_head):
                # The direct namespace asks for no acks, so a client that sends acks is flooding.
                self._charge(session, self._direct, PRICE_OF_NOTHING)
                return None
            return self._take_packet(session, message)
        except RefusedPacket as refused:
            return self._refuse_unread(session, refused.packet, refused.error)
        except MalformedPacket as error:
            self._unfinished.pop(session.sid, None)
            self.end_malformed(session, str(error))
        return None

    def end_malformed(self, session: ClientSession, why: str) -> None:
        _log.info("malformed_packet", why=why, remote_ip=session.home)
        session.ignore_client()
        session.close_soon()

    def _take_attachment(self, session: ClientSession, part: bytes) -> None:
        unfinished = self._unfinished.get(session.sid)
        if unfinished is None:
            raise MalformedPacket("a binary frame of nothing")
        if unfinished.attach(part, self._max_bytes):
            del self._unfinished[session.sid]
            self._dispatch(session, unfinished)

    def _take_packet(self, session: ClientSession, text: str) -> Work | None:
        if session.sid in self._unfinished:
            raise MalformedPacket("a text where an attachment was due")
        packet = read_packet(text, self._json_limits)
        if packet.kind == CONNECT:
            return self._connect(session, packet)
        if packet.kind == DISCONNECT:
            return self._disconnect(session, packet.namespace)
        if not self._is_deciding(session.sid, packet.namespace):
            raise MalformedPacket("a packet before the CONNECT")
        if packet.namespace == self._direct and session.accepted:
            # Events of the direct namespace have no binary data; attachments are skipped.
            error = ChatError(ErrorCode.VALIDATION_ERROR, "binary data is not supported")
            self._sink.refuse(session, packet.ack_id, error, 0)
        if packet.attachments:
            self._unfinished[session.sid] = packet
        else:
            self._dispatch(session, packet)
        return None

    def _is_deciding(self, session_id: str, namespace: str) -> bool:
        """Whether the session has sent a CONNECT that is not refused.

        Until the CONNECT is decided, events are ignored.
        """
        place = (session_id, namespace)
        if place in self._connecting or place in self._leaving:
            return place in self._connecting
        return self.manager.sid_from_eio_sid(session_id, namespace) is not None

    def _dispatch(self, session: ClientSession, packet: ClientPacket) -> None:
        """Run a complete packet of a plugin's namespace, and ignore one of the direct namespace."""
        if packet.namespace == self._direct:
            return
        socket_id = self.manager.sid_from_eio_sid(session.sid, packet.namespace)
        if self.manager.is_connected(socket_id, packet.namespace):
            self._plugin_events.take(session, socket_id, packet)

    def _refuse_unread(
        self, session: ClientSession, packet: ClientPacket, error: ChatError
    ) -> Work | None:
        """Answer a packet whose JSON is refused; the session goes on."""
        if self._is_deciding(session.sid, packet.namespace) != (packet.kind == EVENT):
            self.end_malformed(session, "an event before the CONNECT, or a second CONNECT")
            return None
        if isinstance(error, HalfPairError):
            _log.info("malformed_packet", why="half a surrogate pair", remote_ip=session.home)
        if packet.kind == EVENT:
            return self._plugin_events.refuse(session, packet, error)
        refusal = {"message": error.message, "data": error.to_wire()}
        answer = self.packet_class(CONNECT_ERROR, data=refusal, namespace=packet.namespace)
        work: Work = self._send_packet(session.sid, answer)
        return work

    def _charge(self, session: ClientSession, namespace: str, cost: float) -> None:
        if self._patience.refused(session, namespace, None, cost):
            self._sink.drop(session)

    # ---- connecting and leaving

    def _connect(self, session: ClientSession, packet: ClientPacket) -> Work:
        place = (session.sid, packet.namespace)
        if place in self._connecting:
            raise MalformedPacket("a second CONNECT")
        # A client may leave and connect again in one go, as another user.
        leaving = self._leaving.get(place)
        if leaving is None and self._is_deciding(*place):
            raise MalformedPacket("a second CONNECT")
        self._connecting.add(place)
        return self._accept(session, packet.namespace, packet.data, leaving)

    async def _accept(
        self,
        session: ClientSession,
        namespace: str,
        data: object,
        leaving: asyncio.Future[None] | None,
    ) -> None:
        session_id = session.sid
        try:
            if leaving is not None:
                await leaving
            await self._turnstile.enter(session.home)
            if session_id not in self.environ:
                return  # the session ended while its CONNECT waited its turn
            if namespace in self.namespace_handlers:
                await self._handle_connect(session_id, namespace, data)
            else:
                refusal = {"message": "Invalid namespace"}
                await self._send_packet(
                    session_id,
                    self.packet_class(CONNECT_ERROR, data=refusal, namespace=namespace),
                )
        except Exception:  # noqa: BLE001  # a crash in between must not leave a half-connected ghost
            _log.exception("connect_crashed", namespace=namespace)
            socket_id = self.manager.sid_from_eio_sid(session_id, namespace)
            await self.manager.disconnect(socket_id, namespace, ignore_queue=True)
            if session_id in self.eio.sockets:
                self.eio.sockets[session_id].close_soon()
        finally:
            self._connecting.discard((session_id, namespace))
        if session.closing or session_id not in self.eio.sockets:
            # The client went away while it was being accepted.
            await self._handle_disconnect(session_id, namespace, REASON.TRANSPORT_CLOSE)

    def _disconnect(self, session: ClientSession, namespace: str) -> Work:
        if namespace == self._direct:
            # Immediately: an event that follows this packet must be ignored, even if one read
            # returned both.
            session.accepted = False
        place = (session.sid, namespace)
        if place not in self._leaving:
            self._leaving[place] = asyncio.get_running_loop().create_future()
        return self._leave(session.sid, namespace)

    async def _leave(self, session_id: str, namespace: str) -> None:
        # Asked since an unauthenticated client could otherwise extend its deadline by leaving a
        # namespace that it never joined.
        was_in = self.manager.sid_from_eio_sid(session_id, namespace) is not None
        try:
            await self._handle_disconnect(session_id, namespace, REASON.CLIENT_DISCONNECT)
            if was_in:
                self._expect_connect(session_id)
        finally:
            leaving = self._leaving.pop((session_id, namespace), None)
            if leaving is not None:
                leaving.set_result(None)

    async def _trigger_event(self, event: str, namespace: str, *args: Any) -> object:
        """Run a handler for `connect` or `disconnect`, within a time limit for plugins.

        python-socketio treats a cancelled connect handler as a success, so a hanging handler would
        admit the client. Raise TimeoutError instead.
        """
        if event == "connect":
            # A copy: sockets of one address may share an environ, and a plugin may write into it.
            socket_id, environ, *auth = args
            args = (socket_id, dict(environ), *auth)
        # No limit for the direct namespace: it first handles the events that it has received.
        limit_s = None if namespace == self._direct else self._plugin_connect_s
        async with asyncio.timeout(limit_s) as limit:
            answer: object = await super()._trigger_event(event, namespace, *args)
        if limit.expired():
            raise TimeoutError
        return answer

    async def _handle_disconnect(
        self, eio_sid: str, namespace: str | None, reason: str | None = None
    ) -> None:
        """Disconnect as the library does, to the end, even if a plugin's handler crashes."""
        namespace = namespace or "/"
        socket_id = self.manager.sid_from_eio_sid(eio_sid, namespace)
        try:
            await super()._handle_disconnect(eio_sid, namespace, reason)
        except Exception:  # noqa: BLE001  # or the socket would stay in its rooms for ever
            _log.exception("disconnect_crashed", namespace=namespace)
            await self.manager.disconnect(socket_id, namespace, ignore_queue=True)

    async def _handle_eio_connect(self, eio_sid: str, environ: Environ) -> None:
        await super()._handle_eio_connect(eio_sid, environ)
        self._expect_connect(eio_sid)

    async def _handle_eio_disconnect(self, eio_sid: str, reason: str) -> None:
        self._unfinished.pop(eio_sid, None)
        self._unconnected.forget(eio_sid)
        await super()._handle_eio_disconnect(eio_sid, reason)

    def _expect_connect(self, session_id: str) -> None:
        self._unconnected.forget(session_id)
        self._unconnected.watch(session_id, asyncio.get_running_loop().time())

    def _end_unconnected(self, session_id: str) -> None:
        session = self.eio.sockets.get(session_id)
        if session is not None:
            self.end_unless_connected(session)

    def end_unless_connected(self, session: ClientSession) -> None:
        """End a session that is in no namespace: it takes up a place in the quota for nothing."""
        for namespace in self.namespace_handlers:
            socket_id = self.manager.sid_from_eio_sid(session.sid, namespace)
            if socket_id is not None and self.manager.is_connected(socket_id, namespace):
                return
        session.close_soon()
