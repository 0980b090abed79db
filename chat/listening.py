"""Taking the port, before anything else is started."""

import errno
import socket

import tornado.netutil

from chat.errors import SetupError
from chat.settings import Settings


def bind(settings: Settings) -> list[socket.socket]:
    """Listening sockets for HOST and PORT; SetupError in one sentence where they cannot be had."""
    sockets: list[socket.socket] = []
    port = settings.port
    try:
        for address in settings.listen_addresses:
            bound = tornado.netutil.bind_sockets(port, address, reuse_port=False)
            sockets += bound
            port = port or bound[0].getsockname()[1]
    except OSError as error:
        for each in sockets:
            each.close()
        if error.errno == errno.EADDRINUSE:
            raise SetupError(
                f"port {settings.port} of {settings.host} is taken; "
                "stop what listens there or set PORT."
            ) from None
        if sockets and error.errno in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
            return bind(settings.model_copy(update={"host": "127.0.0.1"}))
        raise SetupError(
            f"{settings.host}:{settings.port} cannot be listened on ({error.strerror}); "
            "set HOST and PORT."
        ) from None
    return sockets
