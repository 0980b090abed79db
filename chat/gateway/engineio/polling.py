"""An Engine.IO session that polls: the packets that wait for it, its heartbeats, and its end.

The session is stricter than python-engineio 4.15. It ends on a packet without a meaning in the
protocol, on two polls at once, and on a poll that the client gave up (the packets in the answer
would be lost unnoticed). The packets that wait for a client are bounded.
"""

import asyncio
import base64
from collections.abc import Coroutine
from typing import Any, Final, Protocol

import engineio
import structlog
from engineio import async_socket, exceptions, packet

from chat.errors import ChatError, ErrorCode
from chat.gateway.engineio.heartbeat import Heartbeat
from chat.gateway.engineio.outbound_queue import NOWHERE, OutboundQueue
from chat.services.refusals import too_many_refused

MAX_POLLING_PACKETS: Final = 1_000
"""Most packets in one POST; after a reconnect a client sends its whole buffer in one."""

REFUSAL_KEY: Final = "chat.refusal"
"""Key in the environ of a refused request; its value is the error to answer with."""

HANDLER_KEY: Final = "tornado.handler"
"""Key of a request's handler in the environ, as in python-engineio's adapter for Tornado."""

SEPARATOR: Final = "\x1e"
RELEASE_POLL_AFTER_S: Final = 0.1
"""How long a poll that arrives in the middle of an upgrade waits for the upgrade's end."""

REASON: Final = engineio.AsyncServer.reason
NOOP: Final = packet.Packet(packet.NOOP)
_CLOSE: Final = packet.Packet(packet.CLOSE)
_log = structlog.get_logger("chat.transport")

Work = Coroutine[object, None, None]
"""The rest of the work for a packet, left for later turns of the loop."""

Environ = dict[str, Any]
"""A request, in the way in which python-engineio passes it on."""

Answer = dict[str, Any]
"""A response, in the way in which python-engineio passes it on."""


class Server(Protocol):
    """The Engine.IO server, as its sessions see it."""

    ping_interval: float
    ping_timeout: float
    max_http_buffer_size: int
    max_backlog_bytes: int
    heartbeat: Heartbeat

    def own(self, work: Work) -> object:
        """Run the work in a task that is cancelled when the server ends."""

    async def report_end(self, session_id: str, reason: str) -> None:
        """Tell the layer above that the session ends."""

    def forget(self, session: "PollingSession") -> None:
        """Remove a session that is closed."""

    def close_soon(self, session: "PollingSession") -> None:
        """Close a session in a task that the server's end waits for."""

    def await_last_poll(self, session_id: str) -> None:
        """Answer one more poll of a session that its client has closed, if the poll comes soon."""

    def refuse_request(self) -> Answer:
        """Answer a request that does not fit the state of its session."""


class PollingSession(async_socket.AsyncSocket):
    """An Engine.IO session that polls.

    `ended`: the server writes and answers nothing more. `deaf`: the server ignores what the client
    sends.
    """

    # Defaults on the class cost an idle session nothing.
    ended = False
    deaf = False
    _poll: object = None
    _probed = False
    _pings = 0
    # The key to give back the session's place in its address's quota, while it has a place.
    home: str | None = None
    # The server reads nothing from the client until this time of the loop's clock.
    paused_until = 0.0
    _post_waits = False

    server: Server
    sid: str
    queue: OutboundQueue
    connected: bool
    closing: bool
    closed: bool
    upgrading: bool
    upgraded: bool
    # The number of the unanswered PING, if there is one. (The library keeps its time here.)
    last_ping: int | None

    def __init__(self, server: Server, sid: str) -> None:
        super().__init__(server, sid)
        self.queue = OutboundQueue(server.max_backlog_bytes, self._overflow)
        self.last_ping = None

    def take_message(self, message: str | bytes) -> Work | None:
        """Take a message of the client; the layer above overrides this."""
        raise NotImplementedError

    # ---- towards the client

    def write(self, pkt: packet.Packet) -> None:
        """Send a packet behind all earlier ones."""
        if not self.closed:
            self.queue.put_nowait(pkt)

    async def send(self, pkt: packet.Packet) -> None:
        self.write(pkt)

    def _overflow(self) -> None:
        _log.info("session_ended", why="too much waits for it", remote_ip=self.home)
        self.end(REASON.TRANSPORT_ERROR)

    # ---- its end

    async def close(
        self, wait: bool = True, abort: bool = False, reason: str | None = None
    ) -> None:
        """Close as the library does, but never wait for the queue.

        A client that does not poll never empties the queue. With `abort` nothing more is answered.
        """
        if abort:
            self._give_up_polling(reason)
        if not self.closing:
            self.closing = True
            await self._finish(reason or REASON.SERVER_DISCONNECT)

    def close_soon(self) -> None:
        """End the transport soon.

        The client sees the transport close and, unless refused, reconnects by itself.
        """
        self.server.close_soon(self)

    def end(self, reason: str) -> None:
        """Close with `abort` at once; a task does what has to be awaited."""
        self._give_up_polling(reason)
        if not self.closing:
            self.closing = True
            self.server.own(self._finish(reason))

    def ignore_client(self) -> None:
        """Take nothing more: the client violated the protocol, or said goodbye."""
        self.deaf = True

    def _give_up_polling(self, reason: str | None) -> None:
        self.ended = True
        self.ignore_client()
        queue, self.queue = self.queue, NOWHERE
        # A client that has said goodbye needs no CLOSE.
        goodbye = reason == REASON.CLIENT_DISCONNECT
        if self._poll is not None:
            queue.put_nowait(NOOP if goodbye else _CLOSE)
        elif goodbye and not self.upgraded:
            self.server.await_last_poll(self.sid)

    async def _finish(self, reason: str) -> None:
        try:
            await self.server.report_end(self.sid, reason)
        finally:
            if not self.ended:
                self.write(_CLOSE)
            self.closed = self.ended = True
            self._end_websocket()
            self.queue = NOWHERE
            self.server.forget(self)

    def _end_websocket(self) -> None:
        """Close the websocket, if there is one, behind what has been written."""

    # ---- heartbeats

    def schedule_ping(self) -> None:
        """Schedule the next PING, at the start and after each PONG."""
        self.last_ping = None
        self.server.heartbeat.later(self)

    def ping(self) -> int:
        raise NotImplementedError

    def awaits(self, ping: int) -> bool:
        return self.last_ping == ping

    def expire(self) -> None:
        self.end(REASON.PING_TIMEOUT)

    # ---- polling

    async def handle_get_request(self, environ: Environ) -> list[packet.Packet] | Answer | str:
        """Wait for packets; returns them, or a whole HTTP answer."""
        if self._poll is not None:
            # Two polls at once: the server cannot know which answer the client would read.
            self.end(REASON.TRANSPORT_ERROR)
            raise exceptions.EngineIOError
        probed = self._probed
        patience_s = self.server.ping_interval + self.server.ping_timeout
        self._poll = environ[HANDLER_KEY]
        try:
            packets = await _next_of(self.queue, RELEASE_POLL_AFTER_S if probed else patience_s)
        finally:
            self._poll = None
        if self.upgraded:
            return self.server.refuse_request()
        if not packets and not probed:
            self.end(REASON.TRANSPORT_ERROR)
            raise exceptions.QueueEmpty
        return [each for each in packets if each is not NOOP] or [NOOP]

    def poll_lost(self, handler: object) -> None:
        """End the session if the lost request is its waiting poll.

        Otherwise the next message would be lost silently.
        """
        if self._poll is not None and self._poll is handler:
            self.end(REASON.TRANSPORT_CLOSE)

    def pause(self, seconds: float) -> None:
        """Read nothing from the client for so long."""
        now = asyncio.get_running_loop().time()
        self.paused_until = max(self.paused_until, now + seconds)

    async def handle_post_request(self, environ: Environ) -> None:
        await self._wait_out_pause(environ)
        limit = self.server.max_http_buffer_size
        try:
            packets = read_payload(await environ["wsgi.input"].read(limit + 1), limit)
        except ChatError as error:
            _log.info(
                "malformed_post",
                code=error.code.value,
                why=error.message,
                remote_ip=self.home,
                request_id=error.request_id,
            )
            environ[REFUSAL_KEY] = error
            self.end(REASON.TRANSPORT_ERROR)
            raise exceptions.EngineIOError from error
        for each in packets:
            work = self.receive_packet(each)
            if work is not None:
                await work

    async def _wait_out_pause(self, environ: Environ) -> None:
        """Hold a POST while the session is paused; a second POST meanwhile ends the session."""
        while (left_s := self.paused_until - asyncio.get_running_loop().time()) > 0:
            if self._post_waits:
                environ[REFUSAL_KEY] = too_many_refused(left_s)
                self.end(REASON.TRANSPORT_ERROR)
                raise exceptions.EngineIOError
            self._post_waits = True
            try:
                await asyncio.sleep(left_s)
            finally:
                self._post_waits = False

    def receive_packet(self, data: str | bytes) -> Work | None:
        """Take one packet; ValueError if a client may not send it."""
        if self.deaf:
            return None
        if isinstance(data, bytes):
            return self.take_message(data)
        kind = data[:1]
        if kind == "4":
            return self.take_message(data[1:])
        if kind == "3":
            # One PONG answers one PING; more PONGs must not set up more heartbeats.
            if self.last_ping is not None:
                self.schedule_ping()
        elif kind == "1":
            self.end(REASON.CLIENT_DISCONNECT)
        else:
            raise ValueError("no packet of a client")
        return None


def read_payload(body: bytes, max_bytes: int) -> list[str | bytes]:
    """Split a POST into packets, binary ones as bytes.

    Raises PAYLOAD_TOO_LARGE or VALIDATION_ERROR.
    """
    if len(body) > max_bytes:
        message = f"the body is too large: a POST may hold {max_bytes} bytes"
        raise ChatError(ErrorCode.PAYLOAD_TOO_LARGE, message)
    if body.count(SEPARATOR.encode()) >= MAX_POLLING_PACKETS:
        message = f"too many packets: a POST may hold {MAX_POLLING_PACKETS}"
        raise ChatError(ErrorCode.PAYLOAD_TOO_LARGE, message)
    try:
        return [_packet_of(each) for each in body.decode().split(SEPARATOR)]
    except ValueError:
        message = "the body is no payload of Engine.IO packets"
        raise ChatError(ErrorCode.VALIDATION_ERROR, message) from None


def _packet_of(text: str) -> str | bytes:
    if text[:1] == "b":
        return base64.b64decode(text[1:], validate=True)
    if text[:1] in ("1", "3", "4"):
        return text
    raise ValueError("no packet of a client")


async def _next_of(queue: OutboundQueue, within_s: float) -> list[packet.Packet]:
    """Return the waiting packets, or the first that arrives; an empty list if none does in time."""
    try:
        async with asyncio.timeout(within_s):
            first = await queue.get()
    except TimeoutError:
        return []
    return [first, *queue.drain()]
