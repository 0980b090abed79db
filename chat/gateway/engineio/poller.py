"""Finds the websockets that have something to read, or room to write.

One epoll watches all websockets, and the loop watches the epoll. A reader of the loop for each
websocket would take 0.4 kB more, and 1.2 us more an event. Without epoll (macOS) the poller uses
such readers.
"""

import asyncio
import select
from time import monotonic
from typing import Final, Protocol

import structlog

EVENTS_A_TURN: Final = 256
READING_S: Final = 0.005
"""Time for reading in one turn of the loop; the websockets left over are read in the next turn.

One read may hold hundreds of events, and a hundred such reads would delay everybody.
"""

HURRIED_READING_S: Final = 0.001
"""READING_S while events are being refused.

When a hundred sockets flood, other clients wait less for an ack (p95 173 ms without this limit,
48 ms with it).
"""

HURRY_S: Final = 0.1

_log = structlog.get_logger("chat.transport")


class Polled(Protocol):
    hasty: bool
    """Whether the server has refused an event of this client since the last read."""

    def on_readable(self) -> None: ...

    def on_writable(self) -> None: ...

    def abort(self) -> None: ...


class Poller(Protocol):
    def add(self, fd: int, connection: Polled) -> None:
        """Call `on_readable` whenever there is something to read."""

    def watch(self, fd: int, connection: Polled, *, reading: bool, writing: bool) -> None:
        """Choose the calls: `on_readable` if there is data, `on_writable` if there is room."""

    def remove(self, fd: int) -> None:
        """Stop watching; called before the descriptor is closed."""

    def hurry(self) -> None:
        """Read in short turns for the next HURRY_S."""

    def close(self) -> None: ...


class EpollPoller:
    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._connections: dict[int, Polled] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        # Descriptors that are not read for now; the kernel reports their end all the same.
        self._paused: set[int] = set()
        # Descriptors that the last turn had no time for. They are still ready, so the loop calls
        # `_poll` again.
        self._left: list[tuple[int, int]] = []
        self._hurried_until = 0.0

    def add(self, fd: int, connection: Polled) -> None:
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
            self._loop.add_reader(self._epoll.fileno(), self._poll)
        self._connections[fd] = connection
        self._epoll.register(fd, select.EPOLLIN)

    def watch(self, fd: int, connection: Polled, *, reading: bool, writing: bool) -> None:
        if self._connections.get(fd) is not connection:
            return
        if reading:
            self._paused.discard(fd)
        else:
            self._paused.add(fd)
        mask = (select.EPOLLIN if reading else 0) | (select.EPOLLOUT if writing else 0)
        self._epoll.modify(fd, mask)

    def remove(self, fd: int) -> None:
        self._paused.discard(fd)
        if self._connections.pop(fd, None) is not None:
            self._epoll.unregister(fd)

    def hurry(self) -> None:
        self._hurried_until = monotonic() + HURRY_S

    def close(self) -> None:
        if self._loop is not None:
            self._loop.remove_reader(self._epoll.fileno())
        self._epoll.close()

    def _poll(self) -> None:
        until = monotonic()
        if until < self._hurried_until:
            ready = self._calm_ones_first()
            until += HURRIED_READING_S
        else:
            ready = self._left or self._epoll.poll(0, EVENTS_A_TURN)
            until += READING_S
        self._left = []
        for number, (fd, events) in enumerate(ready, start=1):
            connection = self._connections.get(fd)
            if connection is None:
                continue  # what was read from another connection ended it
            try:
                if events & select.EPOLLOUT:
                    connection.on_writable()
                if events & ~select.EPOLLOUT:
                    if fd not in self._paused:
                        connection.on_readable()
                    elif events & (select.EPOLLHUP | select.EPOLLERR):
                        connection.abort()
            except Exception:  # noqa: BLE001  # a fault of ours ends this one, not the others
                _log.exception("connection_crashed")
                connection.abort()
            if monotonic() > until:
                self._left = ready[number:]
                return

    def _calm_ones_first(self) -> list[tuple[int, int]]:
        """Return what is ready; hasty connections are last, in the order of their events."""
        hasty = dict(self._left)
        calm = []
        for fd, events in self._epoll.poll(0, EVENTS_A_TURN):
            if self._connections[fd].hasty:
                hasty.setdefault(fd, events)
            else:
                hasty.pop(fd, None)
                calm.append((fd, events))
        return calm + list(hasty.items())


class LoopPoller:
    def add(self, fd: int, connection: Polled) -> None:
        asyncio.get_running_loop().add_reader(fd, connection.on_readable)

    def watch(self, fd: int, connection: Polled, *, reading: bool, writing: bool) -> None:
        loop = asyncio.get_running_loop()
        if reading:
            loop.add_reader(fd, connection.on_readable)
        else:
            loop.remove_reader(fd)
        if writing:
            loop.add_writer(fd, connection.on_writable)
        else:
            loop.remove_writer(fd)

    def remove(self, fd: int) -> None:
        loop = asyncio.get_running_loop()
        loop.remove_reader(fd)
        loop.remove_writer(fd)

    def hurry(self) -> None:
        pass  # the loop reads each connection in a call of its own

    def close(self) -> None:
        pass


def make_poller() -> Poller:
    return EpollPoller() if hasattr(select, "epoll") else LoopPoller()
