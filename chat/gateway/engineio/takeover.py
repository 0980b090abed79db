"""From Tornado's hands into ours: the socket of a websocket whose handshake is done.

Leans on Tornado 6.6: WebSocketProtocol13._receive_frame_loop as the place after the 101, and
IOStream's `socket`, `_read_buffer`, `_state`, `_closed`, `_write_buffer`.
"""

import socket
from typing import Any, Protocol

import tornado.websocket
from tornado.iostream import IOStream
from tornado.websocket import WebSocketProtocol13


class Taker(Protocol):
    """The handler that wants the socket."""

    async def taken(self, connection: socket.socket, received: bytes) -> None: ...


class TakeoverProtocol(WebSocketProtocol13):
    """Does the handshake as always, and gives the socket away instead of reading frames."""

    async def _receive_frame_loop(self) -> None:
        stream, handler = self.stream, self.handler
        # The 101 has to be on its way before anybody else writes.
        if stream.writing():
            await stream.write(b"")
        connection, received = _take(stream)
        # Nothing of the request stays alive but what the session keeps: without the circle of the
        # handler and its `ui` it goes at once, 58 objects that would wait for the collector.
        self.stream = self.handler = None  # type: ignore[assignment]
        handler.ui = None  # type: ignore[attr-defined]
        await handler.taken(connection, received)  # type: ignore[attr-defined]

    def on_connection_close(self) -> None:
        """The stream says so when it is emptied; the connection itself is alive."""


def takeover_protocol(handler: Any, max_bytes: int) -> TakeoverProtocol | None:
    """The protocol for a handler's request; None when the client speaks another version."""
    if handler.request.headers.get("Sec-WebSocket-Version") != "13":
        return None
    params = tornado.websocket._WebSocketParams(max_message_size=max_bytes)
    return TakeoverProtocol(handler, False, params)


def _take(stream: IOStream) -> tuple[socket.socket, bytes]:
    """Empty a stream of its socket, so that closing it closes nothing."""
    connection, received = stream.socket, bytes(stream._read_buffer)
    if stream._state is not None:
        stream.io_loop.remove_handler(connection)
        stream._state = None
    stream._closed = True
    stream._close_callback = None
    stream.socket = None  # type: ignore[assignment]
    return connection, received
