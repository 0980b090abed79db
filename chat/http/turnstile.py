"""Lets requests and CONNECTs take turns with each other and with the loop's other work."""

import asyncio
from collections import deque
from collections.abc import Hashable
from typing import Final, Generic, TypeVar

REQUESTS_A_TURN: Final = 2
"""Requests in one turn of the loop, about 2 ms; then sockets, heartbeats and writes run.

Without this limit, requests on a hundred connections at once would delay an ack by 140 ms.
"""

CONNECTS_A_TURN: Final = 4
"""CONNECTs in one turn of the loop, about 2 ms; without it, a hundred held the loop for 27 ms."""


AskerT = TypeVar("AskerT", bound=Hashable)


class Turnstile(Generic[AskerT]):
    """Start at most `a_turn` requests in each turn of the loop; waiting askers take turns.

    A request that need not wait costs 0.5 us and a callback of the loop.
    """

    def __init__(self, a_turn: int = REQUESTS_A_TURN) -> None:
        self._a_turn = self._left = a_turn
        self._waiting: dict[AskerT, deque[asyncio.Future[None]]] = {}

    async def enter(self, asker: AskerT) -> None:
        if self._left == self._a_turn:
            asyncio.get_running_loop().call_soon(self._turn)
        if self._left > 0:
            self._left -= 1
            return
        place = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(asker, deque()).append(place)
        await place

    def _turn(self) -> None:
        self._left = self._a_turn
        if self._waiting:
            asyncio.get_running_loop().call_soon(self._turn)
        while self._waiting and self._left > 0:
            # An asker with more requests goes to the end of the line.
            asker = next(iter(self._waiting))
            places = self._waiting.pop(asker)
            place = places.popleft()
            if places:
                self._waiting[asker] = places
            if not place.done():
                place.set_result(None)
                self._left -= 1
