"""Whether the libraries still have the undocumented names that the socket door leans on. Asked at
start, of classes and of the attributes that their instances begin with.

Without one of them the server does not start. A whole module or class that is gone fails at its
import, before this is asked.
"""

import contextlib
import socket
from collections.abc import Iterator
from typing import Any, Final

import engineio
import socketio
import tornado.iostream
import tornado.util
import tornado.websocket
from engineio import async_socket, exceptions, packet
from engineio.async_drivers import tornado as engineio_tornado

from chat.errors import SetupError

Names = tuple[tuple[Any, tuple[str, ...]], ...]

NAMES: Final[Names] = (
    (tornado.websocket.WebSocketProtocol13, ("_receive_frame_loop", "on_connection_close")),
    (tornado.websocket, ("_WebSocketParams",)),
    (tornado.util, ("_websocket_mask",)),
    (tornado.iostream.IOStream, ("writing", "write")),
    (engineio_tornado, ("get_tornado_handler", "_async")),
    (
        engineio.AsyncServer,
        (
            "_handle_connect", "_upgrades", "_ok", "_bad_request", "_trigger_event",
            "_log_error_once", "create_queue", "generate_id", "start_background_task",
        ),
    ),
    (
        async_socket.AsyncSocket,
        ("send", "close", "schedule_ping", "handle_get_request", "handle_post_request"),
    ),
    (exceptions, ("EngineIOError", "QueueEmpty")),
    (packet, ("OPEN", "CLOSE", "PING", "NOOP", "MESSAGE")),
    (
        socketio.AsyncServer,
        (
            "_handle_connect", "_handle_disconnect", "_handle_eio_connect",
            "_handle_eio_disconnect", "_trigger_event", "_send_packet", "_engineio_server_class",
        ),
    ),
    (
        socketio.AsyncManager,
        (
            "basic_enter_room", "basic_leave_room", "basic_disconnect", "get_participants",
            "is_sid_room", "is_connected", "sid_from_eio_sid", "eio_sid_from_sid", "disconnect",
            "trigger_callback",
        ),
    ),
)  # fmt: skip

_STREAM_FIELDS: Final = (
    "socket", "io_loop", "_read_buffer", "_state", "_closed", "_close_callback",
)  # fmt: skip
_SERVER_FIELDS: Final = (
    "eio", "manager", "environ", "namespace_handlers", "packet_class", "not_handled",
)  # fmt: skip
_ENGINE_FIELDS: Final = (
    "_async", "sockets", "ping_interval", "ping_timeout", "max_http_buffer_size",
)  # fmt: skip
_SESSION_FIELDS: Final = (
    "sid", "server", "queue", "last_ping", "connected", "upgrading", "upgraded", "closing",
    "closed",
)  # fmt: skip
_MANAGER_FIELDS: Final = ("rooms", "callbacks", "pending_connect", "pending_disconnect")


def require_names() -> None:
    """SetupError that names what is gone."""
    missing = [*_missing(*NAMES)]
    if not missing:
        server = socketio.AsyncServer(async_mode="tornado", monitor_clients=False)
        with contextlib.closing(tornado.iostream.IOStream(socket.socket())) as stream:
            missing += _missing(
                (stream, _STREAM_FIELDS),
                (server, _SERVER_FIELDS),
                (server.eio, _ENGINE_FIELDS),
                (server.manager, _MANAGER_FIELDS),
                (async_socket.AsyncSocket(server.eio, ""), _SESSION_FIELDS),
            )
    if missing:
        raise SetupError(
            "the installed Tornado, python-socketio or python-engineio lacks what this server "
            f"leans on ({', '.join(missing)}); install the versions in requirements.txt."
        )


def _missing(*names: tuple[Any, tuple[str, ...]]) -> Iterator[str]:
    for owner, wanted in names:
        label = getattr(owner, "__name__", type(owner).__name__)
        yield from (f"{label}.{name}" for name in wanted if not hasattr(owner, name))
