"""The Socket.IO server: /chat on its own fast way, everything else through the strict server.

Client events of /chat are handed to the gateway in the order in which they came instead of starting
a task each; everything else of the protocol is python-socketio's (5.18, python-engineio 4.15).
"""

import asyncio
import re
from collections.abc import Coroutine
from typing import Any, Final, Protocol

import engineio
import orjson
import structlog

from chat.contracts.json_text import JsonLimits, memory_of, read_json
from chat.errors import ChatError, ErrorCode
from chat.gateway.engineio.address_quota import Crowd
from chat.gateway.engineio.server import ChatEngine
from chat.gateway.engineio.session import ChatSession
from chat.gateway.room_names import NAMESPACE
from chat.gateway.socketio.packets import MAX_ACK_DIGITS, ClientPacket
from chat.gateway.socketio.rooms import RoomManager
from chat.gateway.socketio.server import StrictServer
from chat.services.refusals import Refusals
from chat.timings import TIMINGS

EVENT_HEAD: Final = re.compile(rf"2{NAMESPACE}(?:\?[^,]*)?(?:,|\Z)")
"""Of an event of /chat, in all its spellings: the query string is an old client's."""

ACK_PREFIX: Final = f"3{NAMESPACE},"
PRICE_OF_NOTHING: Final = 0.1
"""What a packet costs that means nothing, beside a refused event."""

_ACK_ID: Final = re.compile(rb"[0-9]{1,%d}(?![0-9])" % MAX_ACK_DIGITS)
_log = structlog.get_logger("chat.transport")


class EventSink(Protocol):
    """Who takes the events of /chat."""

    def receive(
        self, receiver: Any, name: Any, args: list[Any], ack_id: int | None, size: int
    ) -> bool: ...

    def refuse(self, receiver: Any, ack_id: int | None, error: ChatError, size: int) -> None: ...

    def drop(self, receiver: Any) -> None: ...


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


class ChatServer(StrictServer):
    """The Socket.IO server. `sink` must be set before the first connection."""

    sink: EventSink

    def __init__(
        self,
        *,
        ping_interval_s: float,
        ping_timeout_s: float,
        connect_within_s: float,
        max_bytes: int,
        json_limits: JsonLimits,
        max_backlog_bytes: int,
        crowd: Crowd,
        refusals: Refusals,
        plugin_connect_s: float = TIMINGS.plugin_connect_s,
    ) -> None:
        # One level is the list's that every event is.
        self._json_limits = json_limits._replace(depth=json_limits.depth + 1)
        self.rooms_of_server = RoomManager()
        super().__init__(
            connect_within_s=connect_within_s,
            max_bytes=max_bytes,
            refusals=refusals,
            plugin_connect_s=plugin_connect_s,
            async_mode="tornado",
            # Without this the library lets anybody into "/", token or not.
            namespaces=[NAMESPACE],
            client_manager=self.rooms_of_server,
            json=JsonCodec,
            ping_interval=ping_interval_s,
            ping_timeout=ping_timeout_s,
            # Origins are checked by the handler, before the 101, alike for both transports.
            cors_allowed_origins=[],
            # nginx compresses where that is wanted; permessage-deflate costs 150 kB a connection.
            http_compression=False,
            logger=False,
            engineio_logger=False,
        )
        self.eio.begin_message = self.begin
        self.eio.take_event = self.take_event
        self.eio.crowd = crowd
        self.eio.max_backlog_bytes = max_backlog_bytes
        self._closing: set[asyncio.Task[None]] = set()

    def close_session(self, session_id: str) -> None:
        """End a transport soon; the client sees it closed and, unless it was refused, comes back by
        itself.
        """
        if session_id in self.eio.sockets:
            task = asyncio.get_running_loop().create_task(self._close_session(session_id))
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

    async def close_all_sessions(self) -> None:
        """End every transport; not by a Socket.IO DISCONNECT, after which the official client stays
        away.
        """
        self.cancel_events()
        await asyncio.gather(*(self._close_session(each) for each in list(self.eio.sockets)))
        while self._closing:
            await asyncio.wait(self._closing)
        await self.eio.stop()

    async def _close_session(self, session_id: str) -> None:
        session = self.eio.sockets.get(session_id)
        if session is not None:
            await session.close(reason=self.reason.SERVER_DISCONNECT)

    def begin(self, session_id: str, data: str | bytes) -> Coroutine[Any, Any, None] | None:
        if isinstance(data, str):
            head = EVENT_HEAD.match(data)
            if head is not None:
                session = self.eio.sockets.get(session_id)
                if session is not None:
                    self.take_event(session, data[head.end() :].encode())
                return None
            if data.startswith(ACK_PREFIX):
                self._take_no_ack(session_id)
                return None
        return super().begin(session_id, data)

    def _take_no_ack(self, session_id: str) -> None:
        """/chat asks for none, so whoever sends them floods."""
        session = self.eio.sockets.get(session_id)
        if session is not None:
            self.patience.refused(session, NAMESPACE, None, PRICE_OF_NOTHING)

    def take_event(self, session: ChatSession, text: bytes) -> None:
        """An event of /chat: `[ack id]["name", argument...]`."""
        receiver = session.receiver
        if receiver is None:
            # While a CONNECT is being decided, and after a refusal, events go nowhere.
            if not (session.deaf or self.is_deciding(session.sid, NAMESPACE)):
                self.end_malformed(session.sid, "an event before the CONNECT")
            return
        ack_id, body = _split_ack_id(text)
        try:
            data = read_json(body, self._json_limits, "the event")
        except ChatError as error:
            if _is_text(body):
                self.sink.refuse(receiver, ack_id, error, len(body))
            else:
                self.end_malformed(session.sid, "not UTF-8")
            return
        if not isinstance(data, list) or not data:
            self.end_malformed(session.sid, "an event without a name")
        elif not self.sink.receive(receiver, data[0], data[1:], ack_id, memory_of(body)):
            self.end_malformed(session.sid, "too many events waiting")

    def _accept(self, session_id: str, packet: ClientPacket) -> None:
        """No event of the chat carries binary data: say so, and step over its attachments."""
        session = self.eio.sockets.get(session_id)
        if packet.namespace == NAMESPACE and session is not None and session.receiver is not None:
            error = ChatError(ErrorCode.VALIDATION_ERROR, "binary data is not supported")
            self.sink.refuse(session.receiver, packet.ack_id, error, 0)
        super()._accept(session_id, packet)

    def cut(self, session: ChatSession, namespace: str, error: ChatError) -> None:
        receiver = session.receiver
        super().cut(session, namespace, error)
        if receiver is not None:
            self.sink.drop(receiver)

    def _disconnect(self, session_id: str, namespace: str) -> Coroutine[Any, Any, None]:
        session = self.eio.sockets.get(session_id)
        if namespace == NAMESPACE and session is not None:
            # At once: an event behind this packet is nobody's, also where both came in one read.
            session.receiver = None
        return super()._disconnect(session_id, namespace)

    def _dispatch(self, session_id: str, packet: ClientPacket) -> None:
        if packet.namespace != NAMESPACE:
            super()._dispatch(session_id, packet)

    def _patience_s(self, namespace: str) -> float | None:
        # /chat waits for its own: what was received is handled first.
        return None if namespace == NAMESPACE else super()._patience_s(namespace)

    def _engineio_server_class(self) -> type[engineio.AsyncServer]:
        return ChatEngine


def _split_ack_id(text: bytes) -> tuple[int | None, bytes]:
    # Nearly every event is a list: then this takes 0.4 us less than the pattern.
    head, bracket, _ = text.partition(b"[")
    if bracket and not head:
        return None, text
    if bracket and head.isdigit() and len(head) <= MAX_ACK_DIGITS:
        return int(head), text[len(head) :]
    digits = _ACK_ID.match(text)
    if digits is None:
        return None, text
    return int(digits[0]), text[digits.end() :]


def _is_text(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
