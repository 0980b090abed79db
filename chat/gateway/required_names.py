"""Checks that the libraries still have the undocumented names that the gateway relies on.

The check runs at start and looks at classes and at the attributes of new instances. If a name is
missing, the server does not start. A missing module or class fails earlier, at its import.
"""

import contextlib
import socket
from collections.abc import Iterator
from typing import Final

import engineio
import socketio
import tornado.iostream
import tornado.util
import tornado.websocket
from engineio import async_socket, exceptions, packet
from engineio.async_drivers import tornado as engineio_tornado

from chat.errors import SetupError

NAMES: Final[tuple[tuple[object, tuple[str, ...], tuple[str, ...]], ...]] = (
    (tornado.websocket, ("_WebSocketParams",), ()),
    (tornado.util, ("_websocket_mask",), ()),
    (tornado.websocket.WebSocketProtocol13, ("_receive_frame_loop", "on_connection_close"), ()),
    (
        tornado.iostream.IOStream,
        ("writing", "write"),
        ("socket", "io_loop", "_read_buffer", "_state", "_closed", "_close_callback"),
    ),
    (engineio_tornado, ("get_tornado_handler", "_async"), ()),
    (exceptions, ("EngineIOError", "QueueEmpty"), ()),
    (packet, ("OPEN", "CLOSE", "PING", "NOOP", "MESSAGE"), ()),
    (
        engineio.AsyncServer,
        (
            "_handle_connect", "_upgrades", "_ok", "_bad_request", "_trigger_event",
            "_log_error_once", "create_queue", "generate_id", "start_background_task", "reason",
        ),
        ("_async", "sockets", "ping_interval", "ping_timeout", "max_http_buffer_size"),
    ),
    (
        async_socket.AsyncSocket,
        ("send", "close", "schedule_ping", "handle_get_request", "handle_post_request"),
        (
            "sid", "server", "queue", "last_ping", "connected", "upgrading", "upgraded", "closing",
            "closed",
        ),
    ),
    (
        socketio.AsyncServer,
        (
            "_handle_connect", "_handle_disconnect", "_handle_eio_connect",
            "_handle_eio_disconnect", "_trigger_event", "_send_packet", "_engineio_server_class",
        ),
        ("eio", "manager", "environ", "namespace_handlers", "packet_class", "not_handled"),
    ),
    (
        socketio.AsyncManager,
        (
            "basic_enter_room", "basic_leave_room", "basic_disconnect", "get_participants",
            "is_sid_room", "is_connected", "sid_from_eio_sid", "eio_sid_from_sid", "disconnect",
            "trigger_callback",
        ),
        ("rooms", "callbacks", "pending_connect", "pending_disconnect"),
    ),
)  # fmt: skip
"""Modules and classes, the names that they have, and the names that their new instances have."""


def require_names() -> None:
    """Raise a SetupError that lists the missing names, if any."""
    missing = list(_missing())
    if missing:
        raise SetupError(
            "the installed Tornado, python-socketio or python-engineio lacks what this server "
            f"leans on ({', '.join(missing)}); install the versions in requirements.txt."
        )


def _missing() -> Iterator[str]:
    lacking = False
    for owner, names, _ in NAMES:
        for name in names:
            if not hasattr(owner, name):
                lacking = True
                yield f"{_label(owner)}.{name}"
    if lacking:
        return  # perhaps no instances can be made
    server = socketio.AsyncServer(async_mode="tornado", monitor_clients=False)
    session = async_socket.AsyncSocket(server.eio, "")
    with contextlib.closing(tornado.iostream.IOStream(socket.socket())) as stream:
        instances = (stream, server, server.eio, server.manager, session)
        made: dict[object, object] = {type(each): each for each in instances}
        for owner, _, names in NAMES:
            lacks = (name for name in names if not hasattr(made[owner], name))
            yield from (f"{_label(owner)}.{name}" for name in lacks)


def _label(owner: object) -> str:
    return str(getattr(owner, "__name__", owner))
