"""Whether the libraries still have the undocumented names that the lean transport leans on. Asked
at start.
"""

from typing import Any, Final

import engineio
import tornado.iostream
import tornado.util
import tornado.websocket
from engineio import async_socket, base_socket, packet

_NAMES: Final[tuple[tuple[Any, tuple[str, ...]], ...]] = (
    (tornado.websocket.WebSocketProtocol13, ("_receive_frame_loop", "on_connection_close")),
    (tornado.websocket, ("_WebSocketParams",)),
    (tornado.util, ("_websocket_mask",)),
    (tornado.iostream.IOStream, ("writing", "write")),
    (
        engineio.AsyncServer,
        ("_handle_connect", "_upgrades", "_ok", "_bad_request", "_trigger_event"),
    ),
    (async_socket.AsyncSocket, ("poll", "close", "handle_get_request", "schedule_ping")),
    (async_socket.AsyncSocket, ("check_ping_timeout", "_upgrade_websocket")),
    (packet, ("OPEN", "PING", "NOOP", "MESSAGE")),
)
_SESSION_FIELDS: Final = ("queue", "last_ping", "connected", "upgrading", "upgraded", "closing")


class _Server:
    def create_queue(self) -> None: ...


def missing_names() -> list[str]:
    """The names that are no longer there; empty = the lean transport can be used."""
    missing = [
        f"{getattr(owner, '__name__', owner)}.{name}"
        for owner, names in _NAMES
        for name in names
        if not hasattr(owner, name)
    ]
    session = base_socket.BaseSocket(_Server(), "")
    missing += [f"BaseSocket.{name}" for name in _SESSION_FIELDS if not hasattr(session, name)]
    return missing
