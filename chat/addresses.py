"""Addresses of clients and of proxies: which belong together, and which are meant by a list."""

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final

IPV6_HOME_BITS: Final = 64
"""What one household or office is given (RFC 6177): whoever has one address of it has all."""


class Networks:
    """`address in networks`, for addresses as text. ValueError where an item is no address and no
    network (10.0.0.0/8).
    """

    def __init__(self, items: Iterable[str]) -> None:
        self._networks = tuple(ip_network(item, strict=False) for item in items)

    def __contains__(self, address: object) -> bool:
        parsed = _parsed(address) if isinstance(address, str) else None
        return parsed is not None and any(parsed in network for network in self._networks)


@lru_cache(maxsize=10_000)
def home_of(address: str) -> str:
    """What limits by address count by: an IPv4 address, the /64 of an IPv6 one."""
    parsed = _parsed(address)
    if parsed is None:
        return address
    if parsed.version == 4:
        return str(parsed)
    return str(ip_network((parsed, IPV6_HOME_BITS), strict=False))


def _parsed(address: str) -> IPv4Address | IPv6Address | None:
    try:
        parsed = ip_address(address)
    except ValueError:
        return None
    # A socket that listens to both families names an IPv4 peer ::ffff:10.0.0.1.
    mapped = parsed.ipv4_mapped if isinstance(parsed, IPv6Address) else None
    return mapped or parsed
