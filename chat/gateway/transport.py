"""python-socketio on Tornado, made strict: what may come in, and what a malformed packet leads to.

The libraries' public API stays as it is. Client events are handed to the gateway in the order in
which they came instead of starting a task each; everything else of the protocol is
python-socketio's (5.18, python-engineio 4.15).
"""

import asyncio
import re
from collections.abc import Coroutine
from typing import Any, Final, Protocol

import engineio
import orjson
import socketio
import structlog
from engineio import packet as engineio_packet
from engineio import payload as engineio_payload

from chat.contracts.json_text import read_json
from chat.errors import ChatError, ErrorCode
from chat.gateway.crowd import Crowd
from chat.gateway.engine import ChatEngine, ChatSession
from chat.gateway.room_manager import RoomManager
from chat.gateway.wire.engine import WireEngine
from chat.rooms import NAMESPACE

MAX_POLLING_PACKETS: Final = 1_000
"""Packets in one polling POST; the library's 16 cuts off a client that flushes its buffer after a
reconnect.
"""

MAX_ATTACHMENTS: Final = 16
MAX_ACK_DIGITS: Final = 15
"""Within what a JavaScript client can count to."""

EVENT_PREFIX: Final = f"2{NAMESPACE},"
_BINARY: Final = re.compile(rf"[56](\d{{1,2}})-{NAMESPACE},(\d{{0,15}})\[")
_log = structlog.get_logger("chat.transport")


class EventSink(Protocol):
    """Who takes the events of /chat."""

    def receive(
        self, receiver: Any, name: Any, args: list[Any], ack_id: int | None, size: int
    ) -> bool: ...

    def refuse(self, receiver: Any, ack_id: int | None, error: ChatError) -> None: ...


class JsonCodec:
    """orjson for python-socketio: strict both ways (no NaN, no infinity, no lone surrogates), 3 to
    8 times faster.
    """

    @staticmethod
    def dumps(value: Any, **_: Any) -> str:
        return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS).decode()

    @staticmethod
    def loads(text: str | bytes, **_: Any) -> Any:
        return orjson.loads(text)


class ChatServer(socketio.AsyncServer):
    """The Socket.IO server. `sink` must be set before the first connection."""

    sink: EventSink

    def __init__(
        self,
        *,
        ping_interval_s: float,
        ping_timeout_s: float,
        connect_within_s: float,
        max_bytes: int,
        max_json_depth: int,
        crowd: Crowd,
        fast: bool,
    ) -> None:
        self._connect_within_s = connect_within_s
        self._max_json_depth = max_json_depth
        # Asked for by the library's constructor.
        self.fast = fast
        self.rooms_of_server = RoomManager()
        # A module-wide setting of the library; there is no other way to set it.
        engineio_payload.Payload.max_decode_packets = MAX_POLLING_PACKETS
        super().__init__(
            async_mode="tornado",
            # Without this the library lets anybody into "/", token or not.
            namespaces=[NAMESPACE],
            client_manager=self.rooms_of_server,
            json=JsonCodec,
            ping_interval=ping_interval_s,
            ping_timeout=ping_timeout_s,
            max_http_buffer_size=max_bytes,
            # Origins are checked by the handler, before the 101, alike for both transports.
            cors_allowed_origins=[],
            # nginx compresses where that is wanted; permessage-deflate costs 150 kB a connection.
            http_compression=False,
            logger=False,
            engineio_logger=False,
        )
        # Of the lean transport, which hands messages over without a task.
        self.eio.take_message = self.take_message
        self.eio.take_event = self.take_event
        self.eio.crowd = crowd
        self._attachments: dict[str, int] = {}
        self._closing: set[asyncio.Task[None]] = set()

    def close_session(self, session_id: str) -> None:
        """End a transport soon; the client sees it closed and, unless it was refused, comes back by
        itself.
        """
        self._own(self._close_session(session_id))

    async def close_all_sessions(self) -> None:
        """End every transport; not by a Socket.IO DISCONNECT, after which the official client stays
        away.
        """
        await asyncio.gather(*(self._close_session(each) for each in list(self.eio.sockets)))
        if self._closing:
            await asyncio.wait(self._closing)
        await self.eio.stop()

    async def _close_session(self, session_id: str) -> None:
        session = self.eio.sockets.get(session_id)
        if session is not None and not session.closed:
            await session.close(wait=False, abort=False, reason=self.reason.SERVER_DISCONNECT)
            if not self.fast:
                # Ends the library's writer, and the websocket with it: the official client ignores
                # an Engine.IO CLOSE, and would stay for PING_INTERVAL + PING_TIMEOUT.
                session.queue.put_nowait(None)

    def take_message(self, session_id: str, data: str | bytes) -> None:
        """A message off the wire: events at once and in order, anything else in a task."""
        if not self._take(session_id, data):
            self._own(self._take_slowly(session_id, data))

    async def _handle_eio_message(self, eio_sid: str, data: str | bytes) -> None:
        """The library's door to `take_message`; nothing awaits on the way of an event."""
        if not self._take(eio_sid, data):
            await self._take_slowly(eio_sid, data)

    def _take(self, session_id: str, data: str | bytes) -> bool:
        if isinstance(data, bytes):
            self._attachment(session_id)
        elif data.startswith(EVENT_PREFIX):
            session = self.eio.sockets.get(session_id)
            if session is not None:
                self.take_event(session, data[len(EVENT_PREFIX) :].encode())
        elif data[:1] in ("5", "6"):
            self._binary_event(session_id, data)
        elif data[:1] == "2":
            self._end_malformed(session_id, "an event of no namespace of ours")
        else:
            return data[:1] == "3"  # an ACK: this server asks for none
        return True

    async def _take_slowly(self, session_id: str, data: str | bytes) -> None:
        try:
            await super()._handle_eio_message(session_id, data)
        except Exception as error:  # noqa: BLE001  # the parser raises all kinds of things
            self._end_malformed(session_id, type(error).__name__)

    async def _handle_connect(self, eio_sid: str, namespace: str | None, data: Any) -> None:
        known = self.manager.sid_from_eio_sid(eio_sid, namespace or "/")
        if known is not None or not (data is None or isinstance(data, dict)):
            self._end_malformed(eio_sid, "second or malformed CONNECT")
            return
        try:
            await super()._handle_connect(eio_sid, namespace, data)
        except Exception:  # noqa: BLE001  # a crash in between must not leave a half-connected ghost
            _log.exception("connect_crashed")
            self.close_session(eio_sid)
        if eio_sid not in self.eio.sockets or self.eio.sockets[eio_sid].closed:
            # The client went away while it was being let in.
            await self._handle_disconnect(eio_sid, namespace, self.reason.TRANSPORT_CLOSE)

    async def _handle_eio_connect(self, eio_sid: str, environ: dict[str, Any]) -> None:
        await super()._handle_eio_connect(eio_sid, environ)
        loop = asyncio.get_running_loop()
        loop.call_later(self._connect_within_s, self._end_stranger, eio_sid)

    def _end_stranger(self, session_id: str) -> None:
        """A session that has not shown a token by now holds a place for nothing."""
        socket_id = self.manager.sid_from_eio_sid(session_id, NAMESPACE)
        if socket_id is None or not self.manager.is_connected(socket_id, NAMESPACE):
            self.close_session(session_id)

    async def _handle_eio_disconnect(self, eio_sid: str, reason: str) -> None:
        self._attachments.pop(eio_sid, None)
        session = self.eio.sockets.get(eio_sid)
        if session is not None and not session.upgraded:
            # The library leaves a poll that waits at that moment hanging for PING_INTERVAL.
            session.queue.put_nowait(engineio_packet.Packet(engineio_packet.NOOP))
        await super()._handle_eio_disconnect(eio_sid, reason)

    def take_event(self, session: ChatSession, text: bytes) -> None:
        """An event of /chat: `[ack id]["name", argument...]`."""
        receiver = session.receiver
        if receiver is None:
            # While a CONNECT is being decided, and after a refusal, events go nowhere.
            if self.manager.sid_from_eio_sid(session.sid, NAMESPACE) is None:
                self._end_malformed(session.sid, "an event before the CONNECT")
            return
        ack_id, body = _split_ack_id(text)
        try:
            # One level is the list's that every event is.
            data = read_json(body, self._max_json_depth + 1, "the event")
        except ChatError as error:
            if _is_text(body):
                self.sink.refuse(receiver, ack_id, error)
            else:
                self._end_malformed(session.sid, "not UTF-8")
            return
        if not isinstance(data, list) or not data:
            self._end_malformed(session.sid, "an event without a name")
        elif not self.sink.receive(receiver, data[0], data[1:], ack_id, len(text)):
            self._end_malformed(session.sid, "too many events waiting")

    def _binary_event(self, session_id: str, text: str) -> None:
        """No event of the chat carries binary data: say so, and step over its attachments."""
        match = _BINARY.match(text)
        session = self.eio.sockets.get(session_id)
        receiver = session.receiver if session else None
        if match is None or receiver is None or int(match[1]) > MAX_ATTACHMENTS:
            self._end_malformed(session_id, "binary packet")
            return
        self._attachments[session_id] = self._attachments.get(session_id, 0) + int(match[1])
        error = ChatError(ErrorCode.VALIDATION_ERROR, "binary data is not supported")
        self.sink.refuse(receiver, int(match[2]) if match[2] else None, error)

    def _attachment(self, session_id: str) -> None:
        expected = self._attachments.pop(session_id, 0)
        if not expected:
            self._end_malformed(session_id, "binary frame")
        elif expected > 1:
            self._attachments[session_id] = expected - 1

    def _end_malformed(self, session_id: str, why: str) -> None:
        _log.info("malformed_packet", why=why)
        self.close_session(session_id)

    def _own(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    def _engineio_server_class(self) -> type[engineio.AsyncServer]:
        return WireEngine if self.fast else ChatEngine


def _split_ack_id(text: bytes) -> tuple[int | None, bytes]:
    digits, bracket, _ = text.partition(b"[")
    if bracket and not digits:
        return None, text
    if bracket and digits.isdigit() and len(digits) <= MAX_ACK_DIGITS:
        return int(digits), text[len(digits) :]
    return None, text


def _is_text(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
