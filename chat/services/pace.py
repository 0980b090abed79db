"""Limits of one user for what costs everybody: pages of messages, look-ups in the store, typing.

The server checks them before the work, on sockets and REST. They hold without any plugin, and a
good client stays below them. Plugins have limits of their own (plugins/rate_limit.py).
Tokens of type `service` have no limits.
"""

from typing import Final

from chat.errors import ChatError, ErrorCode
from chat.identity import Identity, UserKey
from chat.limits import Limit
from chat.ports import Clock
from chat.settings import Settings

PAGES_BURST_S: Final = 30.0
"""A client that reconnects joins all its chats, some hundreds, at once."""

LOOKUPS_BURST_S: Final = 10.0
TYPING_BURST_S: Final = 3.0
ENTRIES_OF_A_PAGE: Final = 50
"""A page of so many messages or chats costs two, a page of 200 costs five."""

USERS_OF_A_LOOKUP: Final = 20
"""Users whose presence one look-up asks for."""


class Pace:
    """Charges a user's limits; RATE_LIMITED if one is used up."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        def limit(per_s: float, burst_s: float) -> Limit[UserKey]:
            return Limit(per_s, max(1.0, per_s * burst_s), clock.monotonic)

        self._pages = limit(settings.max_pages_per_s, PAGES_BURST_S)
        self._lookups = limit(settings.max_lookups_per_s, LOOKUPS_BURST_S)
        self._typing = limit(settings.max_typing_per_s, TYPING_BURST_S)

    def take_page(self, identity: Identity, pages: float = 1) -> None:
        """Charge a page, a join or a sync in advance; `made_page` charges the rest of its cost."""
        self._take(self._pages, identity, pages)

    def made_page(self, identity: Identity, entries: int) -> None:
        """Charge a page by the messages or chats that were in it."""
        if entries and not identity.is_service:
            self._pages.charge(identity.key, entries / ENTRIES_OF_A_PAGE)

    def take_lookup(self, identity: Identity, lookups: float = 1) -> None:
        """Charge a look-up in the store for something that may not be there."""
        self._take(self._lookups, identity, lookups)

    def may_look_up(self, identity: Identity) -> None:
        """Check the limit of look-ups without charging: only one that finds nothing is charged."""
        _refuse(0.0 if identity.is_service else self._lookups.owed_s(identity.key))

    def found_nothing(self, identity: Identity) -> None:
        """Charge a look-up that found nothing."""
        if not identity.is_service:
            self._lookups.charge(identity.key)

    def take_typing(self, identity: Identity) -> None:
        self._take(self._typing, identity, 1)

    @staticmethod
    def _take(limit: Limit[UserKey], identity: Identity, tokens: float) -> None:
        if identity.is_service:
            return
        wait_s = limit.wait_s(identity.key)
        _refuse(wait_s)
        if tokens > 1:
            limit.charge(identity.key, tokens - 1)


def _refuse(wait_s: float) -> None:
    if wait_s > 0:
        raise ChatError(
            ErrorCode.RATE_LIMITED,
            "too many at once, try again shortly",
            retry_after_s=round(max(wait_s, 0.001), 3),
        )
