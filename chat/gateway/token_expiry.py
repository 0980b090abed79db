"""The end of a token while its socket is connected: a warning, a refusal of events, and then the
end.

Kept in buckets of a second and one timer for all, since most tokens are refreshed or their sockets
gone long before.
"""

import asyncio
from typing import Final

from chat.contracts.pushes import session_expired, token_expiring
from chat.errors import ChatError, ErrorCode
from chat.gateway.chat_server import ChatServer
from chat.gateway.fanout import Fanout
from chat.gateway.hub import Connection
from chat.ports import Clock

WARN_BEFORE_S: Final = 60
CUT_AFTER_S: Final = 15
"""From `exp` on events are refused; this long a client has to refresh before its socket is ended.
"""

END_AFTER_S: Final = 0.1


class TokenLife:
    """`watch` a connection when it comes in and when its token is refreshed; `forget` it when it
    goes.
    """

    def __init__(self, server: ChatServer, fanout: Fanout, clock: Clock, tick_s: float) -> None:
        self._server = server
        self._fanout = fanout
        self._clock = clock
        self._tick_s = tick_s
        self._due: dict[int, set[Connection]] = {}
        self._timer: asyncio.TimerHandle | None = None

    def watch(self, connection: Connection) -> None:
        self.forget(connection)
        self._wait_until(
            connection, int(connection.identity.expires_at.timestamp()) - WARN_BEFORE_S
        )
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._tick_s, self._tick)

    def forget(self, connection: Connection) -> None:
        bucket = self._due.get(connection.token_due)
        if bucket is not None:
            bucket.discard(connection)
            if not bucket:
                del self._due[connection.token_due]

    def end_soon(self, connection: Connection) -> None:
        """End a connection that showed somebody else's token, behind the answer that says so."""
        loop = asyncio.get_running_loop()
        loop.call_later(END_AFTER_S, self._server.close_session, connection.session_id)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _wait_until(self, connection: Connection, moment: int) -> None:
        # Never in the past: a token that is about to end is warned of with the next tick.
        due = max(moment, int(self._clock.now().timestamp()))
        connection.token_due = due
        self._due.setdefault(due, set()).add(connection)

    def _tick(self) -> None:
        now = self._clock.now()
        for due in [due for due in self._due if due <= now.timestamp()]:
            for connection in self._due.pop(due):
                self._advance(connection, now.timestamp())
        self._timer = None
        if self._due:
            self._timer = asyncio.get_running_loop().call_later(self._tick_s, self._tick)

    def _advance(self, connection: Connection, now: float) -> None:
        expires_at = connection.identity.expires_at
        left_s = expires_at.timestamp() - now
        if left_s > 0:
            event = token_expiring(expires_at, int(left_s))
            self._wait_until(connection, int(expires_at.timestamp()) + CUT_AFTER_S)
        elif left_s > -CUT_AFTER_S:
            self._wait_until(connection, int(expires_at.timestamp()) + CUT_AFTER_S)
            return
        else:
            event = session_expired(ChatError(ErrorCode.TOKEN_EXPIRED, "the token has expired"))
            self._server.close_session(connection.session_id)
        self._fanout.to_session(connection.session, event.name, event.payload)
