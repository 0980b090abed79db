"""Binds the addresses that the server listens on, before all else, and reports them."""

import errno
import socket
from collections.abc import Sequence
from typing import Any, Final

import structlog

from chat.errors import SetupError
from chat.settings import Settings

BACKLOG: Final = 128
PORT_TRIES: Final = 20
"""Tries with PORT=0: a port that is free on one address may be taken on another address."""

_MISSING: Final = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.EPROTONOSUPPORT)
_EVERYWHERE: Final = {"0.0.0.0": "IPv4", "::": "IPv6"}  # noqa: S104  # compared, not bound
_log = structlog.get_logger("chat.app")

_Address = tuple[socket.AddressFamily, tuple[Any, ...]]


def bind(settings: Settings) -> list[socket.socket]:
    """Open listening sockets for HOST and PORT, the same port on each.

    Raises SetupError if that is impossible.
    """
    addresses = _resolve(settings)
    for attempt in range(PORT_TRIES):
        try:
            return _bind_all(addresses, settings.port)
        except _TakenError as taken:
            if settings.port or attempt == PORT_TRIES - 1:
                raise SetupError(
                    f"port {taken.port} of {taken.host} is taken; "
                    "stop what listens there or set PORT."
                ) from None
        except OSError as error:
            raise SetupError(
                f"{settings.host}:{settings.port} cannot be listened on ({error.strerror}); "
                "set HOST and PORT."
            ) from None
    raise AssertionError("unreachable")


def url_of(settings: Settings, sockets: Sequence[socket.socket]) -> str:
    """The URL to show to the person who started the server."""
    names = [str(each.getsockname()[0]) for each in sockets]
    port = sockets[0].getsockname()[1]
    if settings.host in _EVERYWHERE or settings.host == "localhost":
        # 127.0.0.1 rather than ::1, which fewer programs reach.
        return f"http://{'[::1]' if ':' in names[0] else '127.0.0.1'}:{port}/"
    return f"http://{_in_url(settings.host)}:{port}/"


def everywhere(sockets: Sequence[socket.socket]) -> str:
    """`IPv4 and IPv6`, or one of them, if the server listens on all addresses of the machine."""
    names = [str(each.getsockname()[0]) for each in sockets]
    return " and ".join(_EVERYWHERE[name] for name in names if name in _EVERYWHERE)


def own_hosts(settings: Settings, port: int) -> frozenset[str]:
    """Every `Host` header with which a browser on this machine may reach the server."""
    names = {settings.host, *settings.listen_addresses, "localhost", "127.0.0.1", "::1"}
    # Browsers leave the port out if it is 80.
    ports = (f":{port}", "") if port == 80 else (f":{port}",)
    return frozenset(f"{_in_url(name)}{each}".lower() for name in names for each in ports)


class _TakenError(Exception):
    def __init__(self, host: str, port: int) -> None:
        super().__init__(f"{host}:{port}")
        self.host = host
        self.port = port


def _in_url(host: str) -> str:
    """Spell a host as a URL does: an IPv6 address in brackets."""
    return f"[{host.replace('%', '%25')}]" if ":" in host else host


def _resolve(settings: Settings) -> list[_Address]:
    """Look up the addresses of the names, each address once, IPv4 first."""
    found: list[_Address] = []
    for host in settings.listen_addresses:
        try:
            known = socket.getaddrinfo(
                host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )
        except OSError:
            raise SetupError(
                f"HOST {host!r} is neither an address nor a name that this machine knows; "
                "set HOST to one of its addresses, to 0.0.0.0 or to ::."
            ) from None
        found += [(family, tuple(address)) for family, _, _, _, address in known]
    return sorted(dict.fromkeys(found), key=lambda each: each[0] != socket.AF_INET)


def _bind_all(addresses: Sequence[_Address], port: int) -> list[socket.socket]:
    """Open one socket for each address that this machine has; OSError if it has none of them."""
    sockets: list[socket.socket] = []
    missing: dict[str, OSError] = {}
    try:
        for family, (host, _, *scope) in addresses:
            port = port or (sockets[0].getsockname()[1] if sockets else 0)
            try:
                sockets.append(_listen(family, (host, port, *scope)))
            except OSError as error:
                if error.errno == errno.EADDRINUSE:
                    raise _TakenError(str(host), port) from None
                if error.errno not in _MISSING:
                    raise
                missing[str(host)] = error
        if not sockets:
            raise next(iter(missing.values()))
        for name, why in missing.items():
            _log.warning("address_missing", address=name, why=why.strerror)
    except BaseException:
        for each in sockets:
            each.close()
        raise
    return sockets


def _listen(family: socket.AddressFamily, address: tuple[Any, ...]) -> socket.socket:
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            # IPv4 has a socket of its own, so that its clients keep their plain addresses.
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        bound.setblocking(False)
        bound.bind(address)
        bound.listen(BACKLOG)
    except BaseException:
        bound.close()
        raise
    return bound
