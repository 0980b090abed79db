"""The turns that requests take with the other work of the loop, and with each other."""

import asyncio
from collections import deque
from typing import Final

from chat.identity import UserId

REQUESTS_A_TURN: Final = 2
"""About 2 ms of requests; then sockets, heartbeats and writes have their turn.

Without it, users who ask over a hundred connections at once would hold up an ack for 140 ms.
"""


class Turnstile:
    """Start so many requests with each turn of the loop; users whose requests wait take turns.

    For a request that need not wait, it costs 0.5 us and a call of the loop.
    """

    def __init__(self, a_turn: int = REQUESTS_A_TURN) -> None:
        self._a_turn = self._left = a_turn
        self._waiting: dict[UserId, deque[asyncio.Future[None]]] = {}

    async def enter(self, user_id: UserId) -> None:
        if self._left == self._a_turn:
            asyncio.get_running_loop().call_soon(self._turn)
        if self._left > 0:
            self._left -= 1
            return
        place = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(user_id, deque()).append(place)
        await place

    def _turn(self) -> None:
        self._left = self._a_turn
        if self._waiting:
            asyncio.get_running_loop().call_soon(self._turn)
        while self._waiting and self._left > 0:
            # A user with more requests goes to the end of the line.
            user_id = next(iter(self._waiting))
            places = self._waiting.pop(user_id)
            place = places.popleft()
            if places:
                self._waiting[user_id] = places
            if not place.done():
                place.set_result(None)
                self._left -= 1
