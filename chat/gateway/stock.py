"""The transport without ours: Tornado's own websockets, and for each a queue and a task that
writes. A fallback, so simple rather than fast. See docs/adr/0007.
"""

import asyncio
import contextlib
from typing import Any, Final

from engineio import packet
from tornado.websocket import WebSocketClosedError

from chat.gateway.engine import ChatEngine
from chat.gateway.mailbox import Mailbox
from chat.gateway.session import ChatSession

NORMAL: Final = 1000
LINGER_S: Final = 2.0
"""How long a peer may take to read the last frames and close."""

STOP_LINGER_S: Final = 0.3


class StockConnection:
    """A websocket in Tornado's hands. The endpoint's handler tells it what comes in."""

    def __init__(self, handler: Any, engine: "StockEngine") -> None:
        self.session: Any = None
        self._handler = handler
        # The handler lets go of it when it begins to close.
        self._protocol = handler.ws_connection
        self._engine = engine
        self._queue: Mailbox | None = None
        engine.connections.add(self)

    def start(self, session: Any, _received: bytes) -> None:
        self.session = session

    def say(self, text: str) -> None:
        """Write past the queue: only as long as there is none."""
        # Closed meanwhile: on_close is about to be called.
        with contextlib.suppress(WebSocketClosedError):
            self._handler.write_message(text).add_done_callback(_look_at)

    def write_from(self, queue: Mailbox) -> None:
        """Write what is put into the queue, until that is None; then close."""
        self._queue = queue
        self._engine.start_background_task(self._write, queue)

    async def _write(self, queue: Mailbox) -> None:
        try:
            while (each := await queue.get()) is not None:
                data = each.data if each.binary else each.encode()
                # One at a time, so that what a slow reader leaves waits in the queue, which is
                # bounded.
                await self._handler.write_message(data, binary=each.binary)
        except WebSocketClosedError:
            return
        self.close()

    def finish(self) -> None:
        """Close behind what the queue holds."""
        if self._queue is not None:
            self._queue.put_nowait(None)
        self.linger()

    def close(self, code: int = NORMAL) -> None:
        self.session = None
        self._handler.close(code)
        self.linger()

    def linger(self) -> None:
        asyncio.get_running_loop().call_later(LINGER_S, self.abort)

    def abort(self) -> None:
        if self._protocol is not None and self._protocol.stream is not None:
            self._protocol.stream.close()

    def on_message(self, message: str | bytes) -> None:
        if self.session is None:
            return
        if isinstance(message, bytes):
            self.session.on_binary(self, message)
        else:
            self.session.on_text(self, message.encode())

    def on_close(self) -> None:
        self._engine.connections.discard(self)
        session, self.session = self.session, None
        if self._queue is not None:
            self._queue.put_nowait(None)
        stream = self._protocol.stream
        if stream is not None and stream.error is not None:
            # It leads back to the stream; see ChatHttpServer.on_close.
            stream.error.__traceback__ = None
        if session is not None:
            session.on_lost(self)


class StockSession(ChatSession):
    _connection: StockConnection | None = None

    def _continue_on(self, connection: StockConnection, waiting: list[packet.Packet]) -> None:
        self._connection = connection
        self.queue = Mailbox(self.server.max_backlog_bytes, self._overflow)
        for each in waiting:
            self.queue.put_nowait(each)
        connection.write_from(self.queue)

    def _answer_probe(self, connection: StockConnection) -> None:
        connection.say("3probe")

    def _lost(self, connection: StockConnection) -> bool:
        if connection is not self._connection:
            return False
        self._connection = None
        return True

    def _end_websocket(self) -> None:
        super()._end_websocket()
        if self._connection is not None:
            self._connection.finish()


class StockEngine(ChatEngine):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.connections: set[StockConnection] = set()

    def make_session(self, session_id: str) -> StockSession:
        return StockSession(self, session_id)

    async def stop(self) -> None:
        deadline = asyncio.get_running_loop().time() + STOP_LINGER_S
        while self.connections and asyncio.get_running_loop().time() < deadline:  # noqa: ASYNC110  # at the end, once
            await asyncio.sleep(0.01)
        for connection in list(self.connections):
            connection.abort()
        await super().stop()


def _look_at(written: "asyncio.Future[None]") -> None:
    """Or asyncio would complain that nobody did."""
    if not written.cancelled():
        written.exception()
