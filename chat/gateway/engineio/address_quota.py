"""The quota of sessions per address, so that one address cannot take all places.

Sessions are counted from the handshake on, with or without a token. A session takes its place when
it is made and gives it back when it closes, for whatever reason; nothing else has to be returned.
"""

from chat.net.addresses import home_of


class AddressQuota:
    """Sessions by address; the /64 of an IPv6 address counts as one."""

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
