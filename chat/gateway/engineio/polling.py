"""An Engine.IO session that polls: what waits for it, its heartbeats, and its end.

Strict where python-engineio 4.15 is not: what the protocol has no meaning for ends the session, two
polls at once and a poll that its client gave up do so too (what was in its answer would be lost
without a sign), and what waits for a client is bounded.
"""

import asyncio
import base64
from collections.abc import Coroutine
from typing import Any, Final

import structlog
from engineio import async_socket, exceptions, packet

from chat.errors import ChatError, ErrorCode
from chat.gateway.engineio.outbound_queue import NOWHERE, Mailbox
from chat.services.refusals import too_many_refused

MAX_POLLING_PACKETS: Final = 1_000
"""Packets in one polling POST: a client flushes its buffer after a reconnect."""

REFUSAL_KEY: Final = "chat.refusal"
"""Under which a refused request's environ holds the error that its answer is made of."""

SEPARATOR: Final = "\x1e"
RELEASE_POLL_AFTER_S: Final = 0.1
"""How long a poll that comes in the middle of an upgrade waits for the end of it."""

NOOP: Final = packet.Packet(packet.NOOP)
_CLOSE: Final = packet.Packet(packet.CLOSE)
_log = structlog.get_logger("chat.transport")


class PollingSession(async_socket.AsyncSocket):
    """`ended`: nothing is written or answered any more. `deaf`: nothing is taken any more."""

    # On the class, where they cost an idle session nothing.
    ended = False
    deaf = False
    _poll: Any = None
    _probed = False
    _pings = 0
    # What the crowd counts it by, while it is counted.
    home: str | None = None
    # Its CONNECT was answered with an error: it gets no second one.
    refused = False
    # Until when nothing is read from its client, and since when it has gone from one such pause to
    # the next; see patience.
    paused_until = 0.0
    impatient_since = 0.0
    _post_waits = False

    queue: Mailbox
    connected: bool
    closing: bool
    # The library takes this for the time of a PING that is out; the wheel needs only whether one
    # is.
    last_ping: int | None

    def __init__(self, server: Any, sid: str) -> None:
        super().__init__(server, sid)
        self.queue = Mailbox(server.max_backlog_bytes, self._overflow)
        self.last_ping = None

    # ---- towards the client

    def write(self, pkt: packet.Packet) -> None:
        """Send a packet behind all earlier ones."""
        if not self.closed:
            self.queue.put_nowait(pkt)

    async def send(self, pkt: packet.Packet) -> None:
        self.write(pkt)

    def _overflow(self) -> None:
        _log.info("session_ended", why="too much waits for it", remote_ip=self.home)
        self.end(self.server.reason.TRANSPORT_ERROR)

    # ---- its end

    async def close(
        self, wait: bool = True, abort: bool = False, reason: str | None = None
    ) -> None:
        """As the library's, but never waiting for the queue: a peer that does not poll would hold
        it for ever. With `abort` nothing more is answered.
        """
        if abort:
            self._give_up_polling(reason)
        if not self.closing:
            self.closing = True
            await self._finish(reason or self.server.reason.SERVER_DISCONNECT)

    def end(self, reason: str) -> None:
        """Close with `abort`, at once; what has to be awaited goes on behind."""
        self._give_up_polling(reason)
        if not self.closing:
            self.closing = True
            self.server.own(self._finish(reason))

    def ignore_client(self) -> None:
        """Take nothing more: it broke the protocol, or said goodbye."""
        self.deaf = True

    def _give_up_polling(self, reason: str | None) -> None:
        self.ended = True
        self.ignore_client()
        queue, self.queue = self.queue, NOWHERE
        # Who has said goodbye need not be told.
        goodbye = reason == self.server.reason.CLIENT_DISCONNECT
        if self._poll is not None:
            queue.put_nowait(NOOP if goodbye else _CLOSE)
        elif goodbye and not self.upgraded:
            self.server.await_last_poll(self.sid)

    async def _finish(self, reason: str) -> None:
        try:
            await self.server._trigger_event("disconnect", self.sid, reason, run_async=False)
        finally:
            if not self.ended:
                self.write(_CLOSE)
            self.closed = self.ended = True
            self._end_websocket()
            self.queue = NOWHERE
            self.server.forget(self)

    def _end_websocket(self) -> None:
        """Close the websocket, if it lives on one, behind what has been written."""

    # ---- heartbeats

    def schedule_ping(self) -> None:
        """Called at the start and for each PONG."""
        self.last_ping = None
        self.server.heartbeat.later(self)

    def awaits(self, ping: int) -> bool:
        return bool(self.last_ping == ping)

    def expire(self) -> None:
        self.end(self.server.reason.PING_TIMEOUT)

    # ---- polling

    async def handle_get_request(self, environ: dict[str, Any]) -> Any:
        """Wait for packets; answers them, or a whole response."""
        if self._poll is not None:
            # Which of the two would the client read?
            self.end(self.server.reason.TRANSPORT_ERROR)
            raise exceptions.EngineIOError
        probed = self._probed
        patience_s = self.server.ping_interval + self.server.ping_timeout
        self._poll = environ["tornado.handler"]
        try:
            packets = await _next_of(self.queue, RELEASE_POLL_AFTER_S if probed else patience_s)
        finally:
            self._poll = None
        if self.upgraded:
            return self.server._bad_request()
        if not packets and not probed:
            self.end(self.server.reason.TRANSPORT_ERROR)
            raise exceptions.QueueEmpty
        return [each for each in packets if each is not NOOP] or [NOOP]

    def poll_lost(self, handler: Any) -> None:
        """The connection of a request is gone; if it was the poll that waits, the session is too:
        the next message would be written into the void.
        """
        if self._poll is not None and self._poll is handler:
            self.end(self.server.reason.TRANSPORT_CLOSE)

    def pause(self, seconds: float) -> None:
        """Read nothing from the client for so long."""
        now = asyncio.get_running_loop().time()
        self.paused_until = max(self.paused_until, now + seconds)

    async def handle_post_request(self, environ: dict[str, Any]) -> None:
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
            self.end(self.server.reason.TRANSPORT_ERROR)
            raise exceptions.EngineIOError from error
        for each in packets:
            work = self._receive(each)
            if work is not None:
                await work

    async def _wait_out_pause(self, environ: dict[str, Any]) -> None:
        """Hold a POST for as long as the session is paused; a second one meanwhile ends it."""
        while (left_s := self.paused_until - asyncio.get_running_loop().time()) > 0:
            if self._post_waits:
                environ[REFUSAL_KEY] = too_many_refused(left_s)
                self.end(self.server.reason.TRANSPORT_ERROR)
                raise exceptions.EngineIOError
            self._post_waits = True
            try:
                await asyncio.sleep(left_s)
            finally:
                self._post_waits = False

    def _receive(self, data: str | bytes) -> Coroutine[Any, Any, None] | None:
        """One packet; what it leads to beyond this turn of the loop. ValueError when a client has
        no business sending it.
        """
        if self.deaf:
            return None
        if isinstance(data, bytes):
            return self._begin(data)
        kind = data[:1]
        if kind == "4":
            return self._begin(data[1:])
        if kind == "3":
            # One PONG answers one PING; more of them must not set up more heartbeats.
            if self.last_ping is not None:
                self.schedule_ping()
        elif kind == "1":
            self.end(self.server.reason.CLIENT_DISCONNECT)
        else:
            raise ValueError("no packet of a client")
        return None

    def _begin(self, message: str | bytes) -> Coroutine[Any, Any, None] | None:
        work: Coroutine[Any, Any, None] | None = self.server.begin_message(self.sid, message)
        return work


def read_payload(body: bytes, max_bytes: int) -> list[str | bytes]:
    """The packets of a POST, binary ones as bytes. PAYLOAD_TOO_LARGE, VALIDATION_ERROR."""
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


async def _next_of(queue: Mailbox, within_s: float) -> list[Any]:
    """What waits, or what comes first; nothing = nothing came in time."""
    try:
        async with asyncio.timeout(within_s):
            first = await queue.get()
    except TimeoutError:
        return []
    return [first, *queue.drain()]
