"""Takes the socket of a websocket from Tornado, once its handshake is done.

Relies on Tornado 6.6: WebSocketProtocol13._receive_frame_loop runs after the 101, and IOStream has
`socket`, `_read_buffer`, `_state`, `_closed`, `_write_buffer`.
"""

import socket
from collections.abc import Awaitable, Callable

import tornado.websocket
from tornado.iostream import IOStream
from tornado.websocket import WebSocketHandler, WebSocketProtocol13

Taken = Callable[[socket.socket, bytes], Awaitable[None]]
"""Receives the socket, and the bytes that were read with the handshake."""


class TakeoverProtocol(WebSocketProtocol13):
    """Do the handshake as Tornado does, then give the socket away instead of reading frames."""

    def __init__(self, handler: WebSocketHandler, max_bytes: int, taken: Taken) -> None:
        params = tornado.websocket._WebSocketParams(max_message_size=max_bytes)
        super().__init__(handler, False, params)
        self._taken = taken

    async def _receive_frame_loop(self) -> None:
        stream, handler, taken = self.stream, self.handler, self._taken
        # The 101 has to be sent before anything else is written.
        if stream.writing():
            await stream.write(b"")
        connection, received = _take(stream)
        # Break the cycles of the handler, its `ui` and `taken`. Then the parts of the request that
        # the session does not keep, 58 objects, need not wait for the garbage collector.
        self.stream = self.handler = None  # type: ignore[assignment]
        del self._taken
        handler.ui = None  # type: ignore[attr-defined]
        await taken(connection, received)

    def on_connection_close(self) -> None:
        """Ignore the close of the emptied stream; the connection itself is alive."""


def takeover_protocol(
    handler: WebSocketHandler, max_bytes: int, taken: Taken
) -> TakeoverProtocol | None:
    """Make the protocol for a handler's request; None if the client speaks another version."""
    if handler.request.headers.get("Sec-WebSocket-Version") != "13":
        return None
    return TakeoverProtocol(handler, max_bytes, taken)


def _take(stream: IOStream) -> tuple[socket.socket, bytes]:
    """Take the socket out of a stream, so that closing the stream does not close the socket."""
    connection, received = stream.socket, bytes(stream._read_buffer)
    if stream._state is not None:
        stream.io_loop.remove_handler(connection)
        stream._state = None
    stream._closed = True
    stream._close_callback = None
    stream.socket = None  # type: ignore[assignment]
    return connection, received
