"""How many sockets there are from where, so that one address cannot take all places.

Sessions are counted from the handshake on, with a token or without. A session enters when it is
made and leaves when it closes, whichever way that comes about; there is nothing else to give back.
"""

from chat.net.addresses import home_of


class Crowd:
    """Sessions by address; the /64 of an IPv6 address counts as one."""

    def __init__(self, max_per_address: int) -> None:
        self._max = max_per_address
        self._count: dict[str, int] = {}

    def has_room(self, address: str) -> bool:
        return self._count.get(home_of(address), 0) < self._max

    def enter(self, address: str) -> str:
        """Count one more; what to hand to `leave`, once."""
        home = home_of(address)
        self._count[home] = self._count.get(home, 0) + 1
        return home

    def leave(self, home: str) -> None:
        left = self._count[home] - 1
        if left:
            self._count[home] = left
        else:
            del self._count[home]

    def __len__(self) -> int:
        return sum(self._count.values())
