"""Slows down a session whose events are refused too often, and in the end cuts it.

While a session is paused, what its client sends waits in the client's own kernel. After the cut a
client comes back by itself: it may have been only too eager.
"""

import asyncio
from collections.abc import Callable
from typing import Final

import structlog
from engineio import packet as engineio_packet

from chat.contracts.pushes import error_event
from chat.errors import ChatError
from chat.gateway.socketio.packets import event_text
from chat.gateway.socketio.session import ClientSession
from chat.identity import UserKey, named
from chat.services.refusals import Refusals, too_many_refused

LONGEST_PAUSE_S: Final = 10.0
"""Shorter than the time in which a heartbeat has to be answered, since that waits, too."""

LONGEST_DEBT_S: Final = 50.0
"""A longer debt is cut at once.

A shorter one is paused for a while: a client that is cut and comes back costs a handshake, which is
20 refused events.
"""

CUT_AFTER_S: Final = 30.0
"""How long a session may go on from one pause to the next."""

LONGEST_RUSH_S: Final = 1.0
"""Longest pause of a session that is refused much in a short time: it may have reason to ask."""

CALM_S: Final = 10.0
"""A session that has given no cause for so long begins anew."""

_log = structlog.get_logger("chat.gateway")


class Patience:
    """Charges sessions for their refused events.

    `hurry` shortens the next reads of all connections.
    """

    def __init__(self, refusals: Refusals, hurry: Callable[[], None]) -> None:
        self._refusals = refusals
        self._hurry = hurry

    def refused(
        self, session: ClientSession, namespace: str, user: UserKey | None, cost: float
    ) -> bool:
        """Charge a session for an event that was refused; returns whether it is cut for that.

        The client gets the reason in `namespace`, as the last event.
        """
        self._hurry()
        if session.websocket is not None:
            session.websocket.hasty = True
        rush_s = self._refusals.rush_of_socket(session.sid, user)
        owed_s = self._refusals.of_socket(session.sid, user, cost)
        if session.deaf:
            return False
        if owed_s == 0:
            if rush_s > 0:
                session.pause(min(rush_s, LONGEST_RUSH_S))
            return False
        now = asyncio.get_running_loop().time()
        if not session.impatient_since or now > session.paused_until + CALM_S:
            session.impatient_since = now
            _log.info("session_slowed", why="too many refused events", **named(user))
        if owed_s > LONGEST_DEBT_S or now - session.impatient_since > CUT_AFTER_S:
            _log.info("session_ended", why="too many refused events", **named(user))
            _cut(session, namespace, too_many_refused(owed_s))
            return True
        session.pause(min(owed_s, LONGEST_PAUSE_S))
        return False


def _cut(session: ClientSession, namespace: str, error: ChatError) -> None:
    last = event_text(namespace, error_event(error, None))
    session.ignore_client()
    session.write(engineio_packet.Packet(engineio_packet.MESSAGE, last))
    session.close_soon()
