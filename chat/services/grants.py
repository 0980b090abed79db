"""Seats that a plugin or the host gave when asked, by chat and user, only in memory."""

from dataclasses import dataclass
from datetime import datetime

from chat.entities import Role
from chat.identity import Identity, UserId, UserKey, user_id_of


@dataclass(slots=True)
class Grant:
    """A seat in the chat of `external_ref`, given to the user of a token.

    It holds for tokens of the same type and role: the host has decided by these.
    With `follows_token` it ends with the token, or with the token that renews it.
    """

    identity: Identity
    external_ref: str
    role: Role
    ends_at: datetime
    follows_token: bool

    def is_for(self, identity: Identity, external_ref: str | None) -> bool:
        """Whether the seat is one of that caller, in the chat of that externalRef."""
        asked = self.identity
        return (
            self.external_ref == external_ref
            and asked.type == identity.type
            and asked.role == identity.role
        )


class Grants:
    """The grants of all chats."""

    def __init__(self) -> None:
        self._by_chat: dict[int, dict[UserId, Grant]] = {}
        self._chats_of: dict[UserKey, dict[int, None]] = {}

    def in_chat(self, chat_id: int) -> dict[UserId, Grant] | None:
        return self._by_chat.get(chat_id)

    def of_user(self, key: UserKey) -> list[tuple[int, Grant]]:
        """The grants of a user, each with the id of its chat, the oldest first."""
        user_id = user_id_of(key)
        return [(each, self._by_chat[each][user_id]) for each in self._chats_of.get(key, ())]

    def put(self, chat_id: int, grant: Grant) -> dict[UserId, Grant]:
        """Keep a grant; returns those of its chat."""
        grants = self._by_chat.setdefault(chat_id, {})
        grants[grant.identity.user_id] = grant
        self._chats_of.setdefault(grant.identity.key, {})[chat_id] = None
        return grants

    def remove(self, chat_id: int, key: UserKey) -> dict[UserId, Grant]:
        """Forget a grant, if it is there; returns those that the chat has left."""
        grants = self._by_chat.get(chat_id, {})
        grants.pop(user_id_of(key), None)
        if not grants:
            self._by_chat.pop(chat_id, None)
        chats = self._chats_of.get(key)
        if chats is not None:
            chats.pop(chat_id, None)
            if not chats:
                del self._chats_of[key]
        return grants
