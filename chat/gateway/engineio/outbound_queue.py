"""What waits for a client until its next poll. Bounded in bytes."""

import asyncio
from collections.abc import Callable
from typing import Any, Final

PACKET_BYTES: Final = 100
"""Of a packet beside its text: a million empty ones are no small thing either."""


class Mailbox(asyncio.Queue[Any]):
    """A queue of Engine.IO packets. When more than `max_bytes` wait they are dropped, and `on_full`
    is called, once.
    """

    def __init__(self, max_bytes: int, on_full: Callable[[], None]) -> None:
        super().__init__()
        self._max_bytes = max_bytes
        self._on_full: Callable[[], None] | None = on_full
        self._waiting_bytes = 0

    def drain(self) -> list[Any]:
        """Everything that waits, at once."""
        return [self.get_nowait() for _ in range(self.qsize())]

    # The two below are asyncio.Queue's own places for subclasses.

    def _put(self, item: Any) -> None:
        super()._put(item)
        self._waiting_bytes += _size(item)
        if self._waiting_bytes > self._max_bytes and self._on_full is not None:
            on_full, self._on_full = self._on_full, None
            self.drain()
            on_full()

    def _get(self) -> Any:
        item = super()._get()
        self._waiting_bytes -= _size(item)
        return item


class _Nowhere(Mailbox):
    def __init__(self) -> None:
        super().__init__(0, lambda: None)

    def _put(self, item: Any) -> None:
        """Nobody will ever read it."""


NOWHERE: Final = _Nowhere()
"""In place of the queue of a session that has none any more: 1 kB a connection. Always empty."""


def _size(packet: Any) -> int:
    data = getattr(packet, "data", None)
    if isinstance(data, str) and not data.isascii():
        return PACKET_BYTES + 4 * len(data)  # as much as it takes, at most, in memory and as UTF-8
    return PACKET_BYTES + (len(data) if isinstance(data, str | bytes) else 0)
