"""The end of a token while its socket is connected.

The client gets a warning, then its events are refused, then its socket ends.
"""

import asyncio
from typing import Final

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


class TokenExpiry:
    """Watches the tokens of all connections.

    `watch` a connection when it is accepted and when its token is refreshed; `forget` it when it is
    gone.
    """

    def __init__(self, fanout: Fanout, clock: Clock, tick_s: float) -> None:
        self._fanout = fanout
        self._clock = clock
        self._wheel: Wheel[Connection] = Wheel(tick_s, self._advance, self._now)

    def watch(self, connection: Connection) -> None:
        self.forget(connection)
        self._wait_until(
            connection, int(connection.identity.expires_at.timestamp()) - WARN_BEFORE_S
        )

    def forget(self, connection: Connection) -> None:
        self._wheel.remove(connection, connection.token_slot)

    def end_soon(self, connection: Connection) -> None:
        """End a connection that showed another user's token, behind the answer that says so."""
        asyncio.get_running_loop().call_later(END_AFTER_S, connection.session.close_soon)

    def stop(self) -> None:
        self._wheel.stop()

    def _now(self) -> float:
        return self._clock.now().timestamp()

    def _wait_until(self, connection: Connection, moment: int) -> None:
        # Never in the past: a token that is about to end is warned of with the next tick.
        connection.token_slot = self._wheel.put(connection, max(moment, self._now()))

    def _advance(self, connection: Connection) -> None:
        expires_at = connection.identity.expires_at
        left_s = expires_at.timestamp() - self._now()
        if left_s > -CUT_AFTER_S:
            self._wait_until(connection, int(expires_at.timestamp()) + CUT_AFTER_S)
            if left_s <= 0:
                return
            event = token_expiring(expires_at, int(left_s))
        else:
            event = session_expired(ChatError(ErrorCode.TOKEN_EXPIRED, "the token has expired"))
            connection.session.close_soon()
        self._fanout.to_session(connection.session, event)
