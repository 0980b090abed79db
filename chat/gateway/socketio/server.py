"""python-socketio's server, hardened for any namespace: what may come in, what a malformed packet
leads to, and what a crash or a hang in somebody else's handler does not lead to.

Leans on python-socketio 5.18: _handle_connect, _handle_disconnect, _trigger_event, _send_packet and
the two events of the Engine.IO server.
"""

import asyncio
import inspect
import re
from collections import Counter
from collections.abc import Coroutine, Sequence
from typing import Any, Final

import socketio
import structlog
from engineio import packet as engineio_packet
from socketio.packet import ACK, BINARY_ACK, CONNECT, CONNECT_ERROR, DISCONNECT, EVENT

from chat.contracts.pushes import error_event
from chat.errors import ChatError, ErrorCode, SetupError
from chat.gateway.engineio.session import ChatSession
from chat.gateway.patience import Patience
from chat.gateway.socketio.packets import ClientPacket, MalformedPacket, RefusedPacket, read_packet
from chat.gateway.timers import Deadlines
from chat.hooks.calls import crashes_only
from chat.services.refusals import Refusals, counts

MAX_RUNNING_EVENTS: Final = 100
"""Events of one session that may run at once in the namespaces of plugins."""

MAX_NULLS_TAKEN: Final = 8
"""Trailing nulls that a handler may want, where it does not take all that came."""

_NAMESPACE: Final = re.compile(r"/[^,?\s]{0,254}")
_log = structlog.get_logger("chat.transport")


class StrictServer(socketio.AsyncServer):
    """`begin` takes every message of a session, `close_session` ends one."""

    def __init__(
        self,
        *,
        connect_within_s: float,
        max_bytes: int,
        refusals: Refusals,
        plugin_connect_s: float,
        **options: Any,
    ) -> None:
        super().__init__(max_http_buffer_size=max_bytes, **options)
        self.patience = Patience(refusals, self.eio.outbox.poller.hurry, self.cut)
        self._strangers = Deadlines(connect_within_s, self.end_stranger)
        self._max_bytes = max_bytes
        self._plugin_connect_s = plugin_connect_s
        # Whose CONNECT has been read, and not begun yet.
        self._connecting: set[tuple[str, str]] = set()
        # Who is on the way out of a namespace; done when it is out.
        self._leaving: dict[tuple[str, str], asyncio.Future[None]] = {}
        # Whose attachments are still to come.
        self._unfinished: dict[str, ClientPacket] = {}
        self._running: Counter[str] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()

    def bring(self, namespaces: Sequence[tuple[str, Any]]) -> None:
        """Add the namespaces of plugins, each with the plugin's name; SetupError in one sentence
        where one does not fit.
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

    def close_session(self, session_id: str) -> None:
        raise NotImplementedError

    def cut(self, session: ChatSession, namespace: str, error: ChatError) -> None:
        """End a session with the event `error` as its last one; its client comes back by itself."""
        event = error_event(error, None)
        last = self.packet_class(EVENT, data=[event.name, event.payload], namespace=namespace)
        session.ignore_client()
        session.write(engineio_packet.Packet(engineio_packet.MESSAGE, last.encode()))
        self.close_session(session.sid)

    def cancel_events(self) -> None:
        """The server ends: events of plugins' namespaces go no further."""
        self._strangers.stop()
        for task in self._tasks:
            task.cancel()

    def end_malformed(self, session_id: str, why: str) -> None:
        session = self.eio.sockets.get(session_id)
        _log.info("malformed_packet", why=why, remote_ip=getattr(session, "home", None))
        if session is not None:
            session.ignore_client()
        self.close_session(session_id)

    def begin(self, session_id: str, data: str | bytes) -> Coroutine[Any, Any, None] | None:
        """Take one message; what it leads to beyond this turn of the loop. Never raises."""
        if session_id not in self.environ:
            return None  # it has ended, in the middle of a payload perhaps
        unfinished = self._unfinished.get(session_id)
        try:
            if isinstance(data, bytes):
                if unfinished is None:
                    raise MalformedPacket("a binary frame of nothing")
                if unfinished.attach(data, self._max_bytes):
                    del self._unfinished[session_id]
                    self._dispatch(session_id, unfinished)
                return None
            if unfinished is not None:
                raise MalformedPacket("a text where an attachment was due")
            packet = read_packet(data)
            if packet.kind == CONNECT:
                return self._connect(session_id, packet)
            if packet.kind == DISCONNECT:
                return self._disconnect(session_id, packet.namespace)
            self._accept(session_id, packet)
        except RefusedPacket as refused:
            return self._refuse_unread(session_id, refused.packet, refused.error)
        except MalformedPacket as error:
            self._unfinished.pop(session_id, None)
            self.end_malformed(session_id, str(error))
        return None

    def is_deciding(self, session_id: str, namespace: str) -> bool:
        """Whether the session has sent a CONNECT that is not refused. Until it is decided, events
        go nowhere.
        """
        place = (session_id, namespace)
        if place in self._connecting or place in self._leaving:
            return place in self._connecting
        return self.manager.sid_from_eio_sid(session_id, namespace) is not None

    def _accept(self, session_id: str, packet: ClientPacket) -> None:
        if not self.is_deciding(session_id, packet.namespace):
            raise MalformedPacket("a packet before the CONNECT")
        if packet.attachments:
            self._unfinished[session_id] = packet
        else:
            self._dispatch(session_id, packet)

    def _dispatch(self, session_id: str, packet: ClientPacket) -> None:
        """Run a packet that is whole."""
        socket_id = self.manager.sid_from_eio_sid(session_id, packet.namespace)
        if not self.manager.is_connected(socket_id, packet.namespace):
            return
        if packet.kind in (ACK, BINARY_ACK):
            work = self._take_ack(socket_id, packet)
        elif self._running[session_id] < MAX_RUNNING_EVENTS:
            self._running[session_id] += 1
            work = self._run_event(session_id, socket_id, packet)
        else:
            raise MalformedPacket("too many events running")
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # ---- coming and going

    def _connect(self, session_id: str, packet: ClientPacket) -> Coroutine[Any, Any, None]:
        place = (session_id, packet.namespace)
        if place in self._connecting:
            raise MalformedPacket("a second CONNECT")
        # A client may leave and come again in one go, as somebody else.
        leaving = self._leaving.get(place)
        if leaving is None and self.is_deciding(*place):
            raise MalformedPacket("a second CONNECT")
        self._connecting.add(place)
        return self._let_in(session_id, packet.namespace, packet.data, leaving)

    async def _let_in(
        self, session_id: str, namespace: str, data: Any, leaving: "asyncio.Future[None] | None"
    ) -> None:
        try:
            if leaving is not None:
                await leaving
            if session_id not in self.environ:
                return  # the session has ended before its CONNECT came to its turn
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
            self.close_session(session_id)
        finally:
            self._connecting.discard((session_id, namespace))
        session = self.eio.sockets.get(session_id)
        if session is None or session.closing:
            # The client went away while it was being let in.
            await self._handle_disconnect(session_id, namespace, self.reason.TRANSPORT_CLOSE)

    def _disconnect(self, session_id: str, namespace: str) -> Coroutine[Any, Any, None]:
        place = (session_id, namespace)
        if place not in self._leaving:
            self._leaving[place] = asyncio.get_running_loop().create_future()
        return self._leave(session_id, namespace)

    async def _leave(self, session_id: str, namespace: str) -> None:
        # Or a stranger would put off its deadline by leaving where it never was.
        was_in = self.manager.sid_from_eio_sid(session_id, namespace) is not None
        try:
            await self._handle_disconnect(session_id, namespace, self.reason.CLIENT_DISCONNECT)
            if was_in:
                self._expect_connect(session_id)
        finally:
            leaving = self._leaving.pop((session_id, namespace), None)
            if leaving is not None:
                leaving.set_result(None)

    async def _trigger_event(self, event: str, namespace: str, *args: Any) -> Any:
        """The library's, for `connect` and `disconnect` alone; it must not take for ever. The
        library takes a handler that was cancelled for one that answered: who hangs would let in.
        """
        if event == "connect":
            # Sockets of one address may share an environ, and a plugin may write into its own.
            socket_id, environ, *auth = args
            args = (socket_id, dict(environ), *auth)
        async with asyncio.timeout(self._patience_s(namespace)) as patience:
            answer = await super()._trigger_event(event, namespace, *args)
        if patience.expired():
            raise TimeoutError
        return answer

    async def _handle_disconnect(
        self, eio_sid: str, namespace: str | None, reason: str | None = None
    ) -> None:
        """The library's, which a plugin's handler cannot keep from its end."""
        namespace = namespace or "/"
        socket_id = self.manager.sid_from_eio_sid(eio_sid, namespace)
        try:
            await super()._handle_disconnect(eio_sid, namespace, reason)
        except Exception:  # noqa: BLE001  # or the socket would stay in its rooms for ever
            _log.exception("disconnect_crashed", namespace=namespace)
            await self.manager.disconnect(socket_id, namespace, ignore_queue=True)

    def _patience_s(self, _namespace: str) -> float | None:
        return self._plugin_connect_s

    async def _handle_eio_connect(self, eio_sid: str, environ: dict[str, Any]) -> None:
        await super()._handle_eio_connect(eio_sid, environ)
        self._expect_connect(eio_sid)

    async def _handle_eio_disconnect(self, eio_sid: str, reason: str) -> None:
        self._unfinished.pop(eio_sid, None)
        self._strangers.forget(eio_sid)
        await super()._handle_eio_disconnect(eio_sid, reason)

    def _expect_connect(self, session_id: str) -> None:
        self._strangers.forget(session_id)
        self._strangers.watch(session_id, asyncio.get_running_loop().time())

    def end_stranger(self, session_id: str) -> None:
        """A session that is in no namespace by now holds a place for nothing."""
        manager = self.manager
        for namespace in self.namespace_handlers:
            socket_id = manager.sid_from_eio_sid(session_id, namespace)
            if socket_id is not None and manager.is_connected(socket_id, namespace):
                return
        self.close_session(session_id)

    # ---- events and acks of the namespaces of plugins

    async def _run_event(self, session_id: str, socket_id: str, packet: ClientPacket) -> None:
        handler = self.namespace_handlers[packet.namespace]
        name, *args = packet.data
        try:
            fitting = _fitting(getattr(handler, f"on_{name}", None), socket_id, args)
            if fitting is None:
                raise ChatError(ErrorCode.VALIDATION_ERROR, "the event takes other arguments")
            with crashes_only():
                answer = await handler.trigger_event(name, socket_id, *fitting)
            if packet.ack_id is not None and answer is not self.not_handled:
                await self._answer(session_id, packet, answer)
        except ChatError as error:
            await self._refuse(session_id, packet, error)
        except Exception:  # noqa: BLE001  # a plugin's crash ends nothing but its event
            crash = ChatError(ErrorCode.INTERNAL_ERROR, "something went wrong on the server")
            _log.exception("event_crashed", namespace=packet.namespace, request_id=crash.request_id)
            await self._refuse(session_id, packet, crash)
        finally:
            self._running[session_id] -= 1
            if not self._running[session_id]:
                del self._running[session_id]

    async def _refuse(self, session_id: str, packet: ClientPacket, error: ChatError) -> None:
        _log.warning(
            "refused",
            namespace=packet.namespace,
            code=error.code.value,
            door="socket",
            request_id=error.request_id,
        )
        if packet.ack_id is not None:
            await self._answer(session_id, packet, error.to_answer())
        session = self.eio.sockets.get(session_id)
        if session is not None and counts(error):
            self.patience.refused(session, packet.namespace, None, 1)

    def _refuse_unread(
        self, session_id: str, packet: ClientPacket, error: ChatError
    ) -> Coroutine[Any, Any, None] | None:
        """Answer a packet whose JSON holds half a surrogate pair; the session goes on."""
        if self.is_deciding(session_id, packet.namespace) != (packet.kind == EVENT):
            self.end_malformed(session_id, "an event before the CONNECT, or a second CONNECT")
            return None
        session = self.eio.sockets.get(session_id)
        home = getattr(session, "home", None)
        _log.info("malformed_packet", why="half a surrogate pair", remote_ip=home)
        if packet.kind == EVENT:
            return self._refuse(session_id, packet, error)
        refusal = {"message": error.message, "data": error.to_wire()}
        namespace = packet.namespace
        return self._send_packet(  # type: ignore[no-any-return]  # the library has no types
            session_id, self.packet_class(CONNECT_ERROR, data=refusal, namespace=namespace)
        )

    async def _answer(self, session_id: str, packet: ClientPacket, answer: Any) -> None:
        values = [] if answer is None else list(answer) if isinstance(answer, tuple) else [answer]
        await self._send_packet(
            session_id,
            self.packet_class(ACK, namespace=packet.namespace, id=packet.ack_id, data=values),
        )

    async def _take_ack(self, socket_id: str, packet: ClientPacket) -> None:
        # The library keeps its counter under 0.
        callback = packet.ack_id and self.manager.callbacks.get(socket_id, {}).get(packet.ack_id)
        if not callback or not _fits(callback, *packet.data):
            return
        try:
            await self.manager.trigger_callback(socket_id, packet.ack_id, packet.data)
        except Exception:  # noqa: BLE001  # as above
            _log.exception("ack_crashed", namespace=packet.namespace)


def _fitting(handler: Any, socket_id: str, args: list[Any]) -> list[Any] | None:
    """The arguments without the trailing nulls that the handler does not take; None where they do
    not fit. A client's `undefined` is a null on the wire.
    """
    most = least = len(args)
    while least and args[least - 1] is None:
        least -= 1
    for count in (most, *range(min(most - 1, least + MAX_NULLS_TAKEN), least - 1, -1)):
        if _fits(handler, socket_id, *args[:count]):
            return args[:count]
    return None


def _fits(handler: Any, *args: Any) -> bool:
    """Whether a handler can be called with what a client sent; a client's mistake is no crash."""
    if handler is None:
        return True
    try:
        inspect.signature(handler).bind(*args)
    except TypeError:
        return False
    return True
