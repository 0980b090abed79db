"""Who may not come in though the token is good: blocked users, revoked tokens. All in memory,
loaded at start.
"""

import asyncio
from dataclasses import replace
from datetime import datetime

from chat.contracts.pushes import session_expired
from chat.entities import UserAccess
from chat.errors import ChatError, ErrorCode
from chat.identity import Identity, UserId
from chat.ports import AccessRepository, Broadcaster, Clock


class AccessService:
    """Decisions of the host application. Each is stored first, and felt by live sockets at once."""

    def __init__(
        self, repository: AccessRepository, broadcaster: Broadcaster, clock: Clock
    ) -> None:
        self._repository = repository
        self._broadcaster = broadcaster
        self._clock = clock
        self._decided: dict[UserId, UserAccess] = {}
        # The latest `iat` of users whose tokens come from a clock that is ahead of this one.
        self._ahead: dict[UserId, datetime] = {}

    async def load(self) -> None:
        self._decided = {each.user_id: each for each in await self._repository.all()}

    def check(self, identity: Identity) -> None:
        """USER_BLOCKED or TOKEN_REVOKED; one look-up in a dict that is mostly empty."""
        decided = self._decided.get(identity.user_id)
        if decided is None:
            return
        if decided.blocked:
            raise _blocked()
        before = decided.revoked_before
        # A token that does not say when it was issued may be any of those revoked.
        if before is not None and (identity.issued_at is None or identity.issued_at <= before):
            raise _revoked()

    def admit(self, identity: Identity) -> None:
        """`check` a token that is shown; a later `revoke` then covers it, whatever its `iat`."""
        self.check(identity)
        issued_at = identity.issued_at
        if issued_at is None or issued_at <= (now := self._clock.now()):
            return
        latest = max(issued_at, self._ahead.pop(identity.user_id, issued_at))
        self._ahead[identity.user_id] = latest
        # Those that were shown first; the one just put in ends the loop.
        while self._ahead[oldest := next(iter(self._ahead))] <= now:
            del self._ahead[oldest]

    async def revoke(self, user_id: UserId) -> int:
        """All tokens issued up to now are worth nothing; returns how many sockets were ended.

        `iat` has whole seconds, so this returns in the next one: a token that the host issues
        afterwards has a later `iat`, and is good.
        """
        now = self._clock.now()
        before = max(now, self._ahead.get(user_id, now))
        await self._decide(replace(self._of(user_id), revoked_before=before))
        ended = self._broadcaster.disconnect(user_id, session_expired(_revoked()))
        await asyncio.sleep(1 if before > now else 1 - now.microsecond / 1e6)
        return ended

    async def block(self, user_id: UserId) -> int:
        """The user is let in no more, whatever the token, until unblocked."""
        await self._decide(replace(self._of(user_id), blocked=True))
        return self._broadcaster.disconnect(user_id, session_expired(_blocked()))

    async def unblock(self, user_id: UserId) -> None:
        await self._decide(replace(self._of(user_id), blocked=False))

    def disconnect(self, user_id: UserId) -> int:
        """End all sockets of the user; a client with a good token comes back by itself."""
        return self._broadcaster.disconnect(user_id, None)

    def _of(self, user_id: UserId) -> UserAccess:
        return self._decided.get(user_id) or UserAccess(user_id=user_id)

    async def _decide(self, decided: UserAccess) -> None:
        await self._repository.put(decided)
        self._decided[decided.user_id] = decided


def _revoked() -> ChatError:
    return ChatError(ErrorCode.TOKEN_REVOKED, "the token was revoked")


def _blocked() -> ChatError:
    return ChatError(ErrorCode.USER_BLOCKED, "the user is blocked")
