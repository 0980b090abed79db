"""Addresses of clients and of proxies: their spellings, and the networks that they belong to."""

import re
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final

IPV6_HOME_BITS: Final = 64
"""A household or an office has a network of this size (RFC 6177), and may use all of it."""

_PORT: Final = re.compile(r":(\d{1,5}|_[\w.-]+)?", re.ASCII)


class Networks:
    """A set of networks: `address in networks`, for addresses as text.

    Raises ValueError for an item that is neither an address nor a network (10.0.0.0/8).
    """

    def __init__(self, items: Iterable[str]) -> None:
        self._networks = tuple(ip_network(item, strict=False) for item in items)

    def __contains__(self, address: object) -> bool:
        parsed = _parsed(address) if isinstance(address, str) else None
        return parsed is not None and any(parsed in network for network in self._networks)


@lru_cache(maxsize=10_000)
def home_of(address: str) -> str:
    """Return the key of limits by address: an IPv4 address, or the /64 of an IPv6 one."""
    parsed = _parsed(address)
    if parsed is None:
        return address
    if parsed.version == 4:
        return str(parsed)
    return str(ip_network((parsed, IPV6_HOME_BITS), strict=False))


def is_loopback(host: str) -> bool:
    """Whether an address or a name of a host means this machine and cannot mean another one."""
    parsed = _parsed(host)
    return host.lower() == "localhost" if parsed is None else parsed.is_loopback


def read_address(text: str) -> str | None:
    """Read the address of a client that a proxy names, and spell it as usual; None if it is none.

    Proxies add a port (Azure, IIS), brackets, quotes (RFC 7239) and a link-local address's zone.
    `unknown` and `_hidden` are no addresses.
    """
    bare = text.strip().strip('"').strip()
    if bare.startswith("["):
        bare, end, port = bare[1:].partition("]")
        if not end or (port and not _PORT.fullmatch(port)):
            return None
    parsed = _parsed(bare.partition("%")[0])
    if parsed is None:
        host, _, port = bare.rpartition(":")
        # An IPv6 address with a port and no brackets could be read in two ways.
        parsed = _parsed(host) if "." in host and _PORT.fullmatch(f":{port}") else None
    return None if parsed is None else str(parsed)


def _parsed(address: str) -> IPv4Address | IPv6Address | None:
    try:
        parsed = ip_address(address)
    except ValueError:
        return None
    # A socket that listens to both families names an IPv4 peer ::ffff:10.0.0.1.
    mapped = parsed.ipv4_mapped if isinstance(parsed, IPv6Address) else None
    return mapped or parsed
