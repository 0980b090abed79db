"""Slows down a session whose events are refused too often, and finally ends it.

While a session is paused, the server does not read from it, and the data waits in the client's own
kernel. A client whose session was ended reconnects by itself: perhaps it was only too eager.
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
"""Shorter than the time limit for a PONG, since a PONG waits during a pause, too."""

LONGEST_DEBT_S: Final = 50.0
"""A session that owes more than this is ended at once.

A session that owes less is paused. If it were ended, its client would reconnect, and the handshake
would cost as much as 20 refused events.
"""

CUT_AFTER_S: Final = 30.0
"""A session that goes from pause to pause for longer than this is ended."""

LONGEST_RUSH_S: Final = 1.0
"""Longest pause after many refusals in a short time: the client may have a reason to ask."""

CALM_S: Final = 10.0
"""If a session was not paused for this long, its CUT_AFTER_S begins anew."""

_log = structlog.get_logger("chat.gateway")


class Patience:
    """Charges sessions for their refused events.

    `hurry` makes the server spend less time on reading, for a moment.
    """

    def __init__(self, refusals: Refusals, hurry: Callable[[], None]) -> None:
        self._refusals = refusals
        self._hurry = hurry

    def refused(
        self, session: ClientSession, namespace: str, user: UserKey | None, cost: float
    ) -> bool:
        """Charge a session for a refused event; returns whether this ends the session.

        The client then gets the reason in `namespace`, as the last event.
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
