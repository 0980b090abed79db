"""The quota of sessions per address, so that one address cannot take all places.

The server counts sessions from the handshake on, with or without a token. A session takes a place
when it is made, and gives the place back when it closes, for whatever reason.
"""

from chat.net.addresses import home_of


class AddressQuota:
    """Counts the sessions of each address; a /64 of IPv6 counts as one address."""

    def __init__(self, max_per_address: int) -> None:
        self._max = max_per_address
        self._count: dict[str, int] = {}

    def has_place(self, address: str) -> bool:
        return self._count.get(home_of(address), 0) < self._max

    def take(self, address: str) -> str:
        """Count one more session; returns the key to hand to `give_back`, once."""
        home = home_of(address)
        self._count[home] = self._count.get(home, 0) + 1
        return home

    def give_back(self, home: str) -> None:
        left = self._count[home] - 1
        if left:
            self._count[home] = left
        else:
            del self._count[home]

    def __len__(self) -> int:
        return sum(self._count.values())
