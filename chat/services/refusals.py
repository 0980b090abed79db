"""The budget of refusals: a refused event or request costs the server work, so it costs its sender.

A good client makes a few mistakes and never uses a budget up. For a sender who has, the server
reads the sockets more slowly and in the end cuts them (chat/gateway/socketio/patience.py). It
answers requests late and with RATE_LIMITED, before it looks at them (chat/rest/base.py).
"""

from typing import Any, Final

from chat.errors import ChatError, ErrorCode
from chat.identity import Identity, UserKey
from chat.limits import Limit
from chat.net.addresses import home_of
from chat.ports import Clock

WINDOW_S: Final = 60.0
BURST_S: Final = 30.0
"""Half a minute's refusals may come at once: a client that comes back into hundreds of chats that
it was removed from is refused hundreds of joins.
"""

SOCKETS_OF_A_USER: Final = 4
"""The sockets and requests of a user share this many budgets, so that one broken tab does not use
up the budgets of the others, and twenty tabs do not have twenty budgets.
"""

PEOPLE_AT_AN_ADDRESS: Final = 10
OF_A_LIMIT: Final = 0.1
"""The price of RATE_LIMITED for a socket: a client that comes back into 500 chats is refused two
thousand joins until it is in all of them, and has done nothing wrong. A request costs ten times
the work.
"""

RUSH_PER_S: Final = 200
"""The server answers so many refusals of one user in a second, and so many at once. It reads events
no faster: otherwise five users with ten thousand refused events a second take the whole core.
"""

EVENTS_OF_A_REQUEST: Final = 10
"""A refused request takes as long as so many refused events."""

BYTES_OF_A_REFUSAL: Final = 16_000
"""Reading so many bytes takes about as long as the rest of a refusal."""


def price_of_event(error: ChatError, size: int) -> float:
    """The price of refusing an event of so many bytes."""
    first = OF_A_LIMIT if error.code is ErrorCode.RATE_LIMITED else 1
    return first + size / BYTES_OF_A_REFUSAL


def price_of_request(size: int) -> float:
    """The price of refusing a request with a body of so many bytes."""
    return 1 + size / BYTES_OF_A_REFUSAL


def counts(error: ChatError) -> bool:
    """Whether the sender caused a refusal: not if the server or a plugin failed."""
    return error.kind.status < 500


class Refusals:
    """Counts refusals by socket, by user and, for requests of unknown users, by address."""

    def __init__(self, most_per_min: int, clock: Clock) -> None:
        def limit(times: int) -> Limit[Any]:
            per_s = times * most_per_min / WINDOW_S
            return Limit(per_s, per_s * BURST_S, clock.monotonic)

        self._sockets: Limit[str] = limit(1)
        self._users: Limit[UserKey] = limit(SOCKETS_OF_A_USER)
        self._homes: Limit[str] = limit(PEOPLE_AT_AN_ADDRESS)
        self._rushes: Limit[str | UserKey] = Limit(RUSH_PER_S, RUSH_PER_S, clock.monotonic)

    def of_socket(self, session_id: str, user: UserKey | None, cost: float) -> float:
        """Charge a socket and its user; the seconds for which it has nothing left, mostly 0."""
        debt_s = self._sockets.charge(session_id, cost)
        return debt_s if user is None else max(debt_s, self._users.charge(user, cost))

    def rush_of_socket(self, session_id: str, user: UserKey | None) -> float:
        """Count a refused event; the seconds until the next one is read, mostly 0."""
        return self._rushes.charge(session_id if user is None else user)

    def of_request(self, identity: Identity | None, address: str, cost: float) -> None:
        """Charge the caller: the user, or the address if the user is unknown."""
        if identity is None:
            self._homes.charge(home_of(address), cost)
        elif not identity.is_service:
            self._users.charge(identity.key, cost)
            self._rushes.charge(identity.key, EVENTS_OF_A_REQUEST)

    def rush_of_request(self, identity: Identity) -> float:
        """The seconds until a user's next request is looked at, mostly 0."""
        return 0.0 if identity.is_service else self._rushes.owed_s(identity.key)

    def check(self, identity: Identity | None, address: str) -> None:
        """Raise RATE_LIMITED if the caller has to wait, whatever the request."""
        if identity is None:
            owed_s = self._homes.owed_s(home_of(address))
        elif identity.is_service:
            return
        else:
            owed_s = self._users.owed_s(identity.key)
        if owed_s > 0:
            raise too_many_refused(owed_s)


def too_many_refused(owed_s: float) -> ChatError:
    return ChatError(
        ErrorCode.RATE_LIMITED,
        "too many refused requests, try again later",
        retry_after_s=round(max(owed_s, 0.1), 3),
    )
