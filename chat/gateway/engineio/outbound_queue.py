"""The packets that wait for a client until its next poll, bounded in bytes."""

import asyncio
from collections.abc import Callable
from typing import Final

from engineio.packet import Packet

PACKET_BYTES: Final = 100
"""Fixed overhead charged per packet, so that a flood of empty packets is bounded too."""


class OutboundQueue(asyncio.Queue[Packet]):
    """A queue of Engine.IO packets.

    When more than `max_bytes` wait, the queue drops all its packets and calls `on_full`, once.
    """

    def __init__(self, max_bytes: int, on_full: Callable[[], None]) -> None:
        super().__init__()
        self._max_bytes = max_bytes
        self._on_full: Callable[[], None] | None = on_full
        self._waiting_bytes = 0

    def drain(self) -> list[Packet]:
        """Take all waiting packets."""
        return [self.get_nowait() for _ in range(self.qsize())]

    # asyncio.Queue offers the two methods below to subclasses.

    def _put(self, item: Packet) -> None:
        super()._put(item)
        self._waiting_bytes += _size(item)
        if self._waiting_bytes > self._max_bytes and self._on_full is not None:
            on_full, self._on_full = self._on_full, None
            self.drain()
            on_full()

    def _get(self) -> Packet:
        item = super()._get()
        self._waiting_bytes -= _size(item)
        return item


class _Nowhere(OutboundQueue):
    def __init__(self) -> None:
        super().__init__(0, lambda: None)

    def _put(self, item: Packet) -> None:
        """Drop the packet: the session has ended."""


NOWHERE: Final = _Nowhere()
"""Queue of all sessions that no longer need one: always empty, it saves 1 kB a connection."""


def _size(packet: Packet) -> int:
    data = packet.data
    if isinstance(data, str) and not data.isascii():
        return PACKET_BYTES + 4 * len(data)  # the most that it takes in memory or as UTF-8
    return PACKET_BYTES + (len(data) if isinstance(data, str | bytes) else 0)
