"""Rules of who may add whom to chats, and how many.

Without them, one user could add anybody to any number of chats, and read their names there.
"""

import asyncio
from collections.abc import Sequence
from typing import Final

from chat.errors import ChatError, ErrorCode
from chat.identity import Identity, UserId, UserKey
from chat.limits import Limit
from chat.ports import ChatRepository, Clock
from chat.services.chat_states import ChatStates
from chat.settings import Settings

STAFF: Final = frozenset(("admin", "bot", "employee", "service"))
"""Types of tokens that are not guests; so are those that the operator trusts with externalRef."""

HOUR_S: Final = 3_600
COUNTED_AT_ONCE: Final = 4
"""Users whose chats are counted in parallel: fewer than the driver has connections."""


class Contacts:
    """The rule of CONTACTS and the quotas of chats and participants; services are exempt."""

    def __init__(
        self, *, states: ChatStates, chats: ChatRepository, clock: Clock, settings: Settings
    ) -> None:
        self._states = states
        self._chats = chats
        self._rule = settings.contacts
        self._staff = STAFF.union(settings.external_ref_types)
        self._max_chats = settings.max_chats_per_user
        self._most_added = settings.max_people_added_per_hour
        self._made = _hourly(settings.max_chats_made_per_hour, clock)
        self._added = _hourly(self._most_added, clock)
        self._added_by_strangers = _hourly(settings.max_added_by_strangers_per_hour, clock)

    def is_guest(self, identity: Identity) -> bool:
        """Whether the type of the token has no trust of its own, such as "customer"."""
        return identity.type not in self._staff

    async def admit(
        self, identity: Identity, newcomers: Sequence[UserId], *, new_chat: bool = False
    ) -> None:
        """Let the caller add the newcomers, to a new chat or an existing one.

        Raises FORBIDDEN, RATE_LIMITED. The quotas of the caller are charged in any case, those of
        the newcomers only if all of them may be added.
        """
        if identity.is_service:
            return
        await self._check_known(identity, newcomers)
        self._charge(identity, len(newcomers), new_chat=new_chat)
        people = [identity.user_id, *newcomers] if new_chat else newcomers
        await self._check_room(identity, people)
        self._charge_strangers(identity, newcomers)

    def admit_empty_chat(self, identity: Identity) -> None:
        """Let the caller make a chat without participants. RATE_LIMITED."""
        if not identity.is_service:
            self._charge(identity, 0, new_chat=True)

    async def _check_known(self, identity: Identity, newcomers: Sequence[UserId]) -> None:
        # The error depends on the caller only: it must not reveal which users exist.
        if identity.is_privileged:
            return
        if self._rule == "host":
            raise ChatError(
                ErrorCode.FORBIDDEN, "only the host application makes chats and adds people"
            )
        if self._rule == "all" and not self.is_guest(identity):
            return
        known = await self._states.peers_among(identity.key, newcomers)
        if not known.issuperset(newcomers):
            raise ChatError(
                ErrorCode.FORBIDDEN, "you may add only people with whom you share a chat"
            )

    def _charge(self, identity: Identity, people: int, *, new_chat: bool) -> None:
        if people > self._most_added:
            raise ChatError(
                ErrorCode.FORBIDDEN, f"at most {self._most_added} people an hour may be added"
            )
        key = identity.key
        waits = [self._added.owed_s(key, people)]
        if new_chat:
            waits.append(self._made.owed_s(key))
        _refuse_until(max(waits), "you have made too many chats, or added too many people to them")
        self._added.charge(key, people)
        if new_chat:
            self._made.charge(key)

    async def _check_room(self, identity: Identity, user_ids: Sequence[UserId]) -> None:
        for start in range(0, len(user_ids), COUNTED_AT_ONCE):
            some = user_ids[start : start + COUNTED_AT_ONCE]
            found = await asyncio.gather(
                *[self._chats.memberships(identity.key_of(each)) for each in some]
            )
            for user_id, chats in zip(some, found, strict=True):
                if len(chats) >= self._max_chats:
                    raise ChatError(
                        ErrorCode.FORBIDDEN,
                        f"{user_id} is in {self._max_chats} chats, which is the most",
                    )

    def _charge_strangers(self, identity: Identity, newcomers: Sequence[UserId]) -> None:
        strangers = self._strangers_among(identity, newcomers)
        quota = self._added_by_strangers
        for user_id in strangers:
            owed_s = quota.owed_s(identity.key_of(user_id))
            _refuse_until(owed_s, f"{user_id} was added to too many chats")
        for user_id in strangers:
            quota.charge(identity.key_of(user_id))

    def _strangers_among(self, identity: Identity, newcomers: Sequence[UserId]) -> set[UserId]:
        """The newcomers who share no chat with the caller except chats that the caller made.

        Looks only into memory: a user whose chats are not in memory is active in none of them.
        """
        strangers = set(newcomers)
        for state in self._states.loaded_chats_of(identity.key):
            if state.chat.created_by != identity.user_id:
                strangers -= strangers & state.members.keys()
        return strangers


def _hourly(most: int, clock: Clock) -> Limit[UserKey]:
    return Limit(most / HOUR_S, most, clock.monotonic)


def _refuse_until(wait_s: float, why: str) -> None:
    if wait_s > 0:
        raise ChatError(
            ErrorCode.RATE_LIMITED, f"{why} within an hour", retry_after_s=round(wait_s, 3)
        )
