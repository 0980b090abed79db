"""Seats that a plugin or the host gave when asked, by chat and user, only in memory."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from chat.entities import Role
from chat.identity import Identity, UserId, UserKey

Holder = tuple[UserId, str, str | None]
"""The user, type and role that a seat was given to: tokens of two roles may hold one each."""


@dataclass(slots=True, eq=False)
class Grant:
    """A seat in the chat of `external_ref`, given to the user of a token.

    It holds for tokens of the same type and role, by which the host has decided. With
    `follows_token` the seat ends when the token expires, or the token that renews it.
    """

    identity: Identity
    external_ref: str
    role: Role
    ends_at: datetime
    follows_token: bool

    @property
    def holder(self) -> Holder:
        return holder_of(self.identity)


def holder_of(identity: Identity) -> Holder:
    """Return what the host decides by, within a tenant."""
    return identity.user_id, identity.type, identity.role


def role_granted(
    grants: Mapping[Holder, Grant] | None, identity: Identity, external_ref: str
) -> Role | None:
    """The role that the grants of a chat give the caller, in the chat of that externalRef."""
    grant = grants.get(holder_of(identity)) if grants else None
    return grant.role if grant is not None and grant.external_ref == external_ref else None


class Grants:
    """The grants of all chats."""

    def __init__(self) -> None:
        self._by_chat: dict[int, dict[Holder, Grant]] = {}
        self._of_user: dict[UserKey, dict[tuple[int, Holder], Grant]] = {}

    def in_chat(self, chat_id: int) -> dict[Holder, Grant] | None:
        return self._by_chat.get(chat_id)

    def has(self, key: UserKey) -> bool:
        """Whether the user has a grant in any chat."""
        return key in self._of_user

    def of_user(self, key: UserKey) -> list[tuple[int, Grant]]:
        """The grants of a user, each with the id of its chat, the oldest first."""
        grants = self._of_user.get(key, {})
        return [(chat_id, grant) for (chat_id, _), grant in grants.items()]

    def put(self, chat_id: int, grant: Grant) -> dict[Holder, Grant]:
        """Keep a grant in place of an earlier one of its holder; returns those of its chat."""
        grants = self._by_chat.setdefault(chat_id, {})
        grants[grant.holder] = grant
        self._of_user.setdefault(grant.identity.key, {})[chat_id, grant.holder] = grant
        return grants

    def remove(self, chat_id: int, grant: Grant) -> dict[Holder, Grant]:
        """Forget the holder's grant, if there is one; returns those that the chat has left."""
        grants = self._by_chat.get(chat_id, {})
        grants.pop(grant.holder, None)
        if not grants:
            self._by_chat.pop(chat_id, None)
        key = grant.identity.key
        own = self._of_user.get(key)
        if own is not None:
            own.pop((chat_id, grant.holder), None)
            if not own:
                del self._of_user[key]
        return grants
