"""What becomes of a session whose events are refused too often: it is read more slowly, and in the
end cut.

While a session is paused, what its client sends waits in the client's own kernel. The cut is one
from which a client comes back by itself: it may have been only too eager.
"""

import asyncio
from collections.abc import Callable
from typing import Final

import structlog

from chat.errors import ChatError
from chat.gateway.engineio.session import ChatSession
from chat.identity import UserId
from chat.services.refusals import Refusals, too_many_refused

LONGEST_PAUSE_S: Final = 10.0
"""Below the time in which a heartbeat has to be answered: that waits, too."""

LONGEST_DEBT_S: Final = 50.0
"""A longer debt is cut at once. A shorter one is paused for a while, since a client that is cut and
comes back costs a handshake, which is 20 refused events.
"""

CUT_AFTER_S: Final = 30.0
"""How long a session may go on from one pause to the next."""

LONGEST_RUSH_S: Final = 1.0
"""The longest pause of a session that is refused much in a short time: it may have reason to."""

CALM_S: Final = 10.0
"""A session that has given no cause for so long begins anew."""

_log = structlog.get_logger("chat.gateway")


class Patience:
    """Slow down and end sessions.

    `hurry` shortens the next reads of all connections, `cut` ends a session with an error.
    """

    def __init__(
        self,
        refusals: Refusals,
        hurry: Callable[[], None],
        cut: Callable[[ChatSession, str, ChatError], None],
    ) -> None:
        self._refusals = refusals
        self._hurry = hurry
        self._cut = cut

    def refused(
        self, session: ChatSession, namespace: str, user_id: UserId | None, cost: float
    ) -> None:
        """Charge a session for an event that was refused."""
        self._hurry()
        if session.wire is not None:
            session.wire.hasty = True
        rush_s = self._refusals.rush_of_socket(session.sid, user_id)
        owed_s = self._refusals.of_socket(session.sid, user_id, cost)
        if session.deaf:
            return
        if owed_s == 0:
            if rush_s > 0:
                session.pause(min(rush_s, LONGEST_RUSH_S))
            return
        now = asyncio.get_running_loop().time()
        if not session.impatient_since or now > session.paused_until + CALM_S:
            session.impatient_since = now
            _log.info("session_slowed", user_id=user_id, why="too many refused events")
        if owed_s > LONGEST_DEBT_S or now - session.impatient_since > CUT_AFTER_S:
            _log.info("session_ended", user_id=user_id, why="too many refused events")
            self._cut(session, namespace, too_many_refused(owed_s))
        else:
            session.pause(min(owed_s, LONGEST_PAUSE_S))
