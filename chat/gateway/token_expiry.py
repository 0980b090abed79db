"""Handles tokens that expire while their sockets are connected.

The client gets a warning; then the server refuses its events; then the server ends its socket.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final

import structlog

from chat.contracts.pushes import session_expired, token_expiring
from chat.errors import ChatError, ErrorCode
from chat.gateway.fanout import Fanout
from chat.gateway.hub import Connection
from chat.gateway.timers import Wheel
from chat.ports import Clock

WARN_BEFORE_S: Final = 60
CUT_AFTER_S: Final = 15
"""Time that a client has after `exp` to refresh its token, before its socket is ended."""

END_AFTER_S: Final = 0.1

_log = structlog.get_logger("chat.gateway")


class TokenExpiry:
    """Watches the tokens of all connections.

    Call `watch` when a connection is accepted and when its token is refreshed, and `forget` when
    the connection is gone.
    """

    def __init__(
        self,
        fanout: Fanout,
        clock: Clock,
        tick_s: float,
        end_seats: Callable[[Connection], Awaitable[None]],
    ) -> None:
        self._fanout = fanout
        self._end_seats = end_seats
        # Holds running tasks, which could otherwise be collected as garbage.
        self._ending: set[asyncio.Task[None]] = set()
        self._clock = clock
        self._wheel: Wheel[Connection] = Wheel(tick_s, self._advance, self._now)

    def watch(self, connection: Connection) -> None:
        self.forget(connection)
        expires_at = connection.identity.expires_at.timestamp()
        self._wait_until(connection, int(expires_at) - WARN_BEFORE_S)
        left_s = expires_at - self._now()
        if left_s < self._wheel.tick_s:
            self._end_seats_in(left_s, connection)

    def forget(self, connection: Connection) -> None:
        self._wheel.remove(connection, connection.token_slot)

    def end_soon(self, connection: Connection) -> None:
        """End a connection that sent another user's token, after the answer that refuses it."""
        asyncio.get_running_loop().call_later(END_AFTER_S, connection.session.close_soon)

    def stop(self) -> None:
        self._wheel.stop()

    def _now(self) -> float:
        return self._clock.now().timestamp()

    def _wait_until(self, connection: Connection, moment: int) -> None:
        # Never in the past: if a token is about to end, its warning follows at the next tick.
        connection.token_slot = self._wheel.put(connection, max(moment, self._now()))

    def _advance(self, connection: Connection) -> None:
        expires_at = connection.identity.expires_at
        left_s = expires_at.timestamp() - self._now()
        if left_s > -CUT_AFTER_S:
            self._wait_until(connection, int(expires_at.timestamp()) + CUT_AFTER_S)
            self._end_seats_in(left_s, connection)
            if left_s <= 0:
                return
            event = token_expiring(expires_at, int(left_s))
        else:
            event = session_expired(ChatError(ErrorCode.TOKEN_EXPIRED, "the token has expired"))
            connection.session.close_soon()
        self._fanout.to_session(connection.session, event)

    def _end_seats_in(self, left_s: float, connection: Connection) -> None:
        # A timer of its own: until the wheel's next tick, the user would still get pushes.
        asyncio.get_running_loop().call_later(
            max(left_s, 0), self._token_ended, connection, connection.identity.expires_at
        )

    def _token_ended(self, connection: Connection, expires_at: datetime) -> None:
        """Take the socket out of rooms where its user has a seat, unless the token was renewed."""
        if connection.closed or connection.identity.expires_at != expires_at:
            return
        task = asyncio.get_running_loop().create_task(self._end(connection))
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    async def _end(self, connection: Connection) -> None:
        try:
            await self._end_seats(connection)
        except ChatError as error:
            # The store cannot be reached. Ending the socket takes it out of all rooms.
            _log.warning("seats_not_ended", code=error.code.value)
            connection.session.close_soon()
