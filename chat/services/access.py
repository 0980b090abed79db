"""Blocked users and revoked tokens, which are refused though their signature is good.

All decisions are in memory, loaded at start. An admin's decision applies to ordinary tokens, a
service's to all tokens. So whatever admins decide, tokens of type `admin` and `service` still work.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from chat.contracts.pushes import session_expired
from chat.entities import UserAccess, Verdict
from chat.errors import ChatError, ErrorCode
from chat.identity import Identity, UserId, UserKey
from chat.ports import AccessRepository, Broadcaster, Clock

MAX_PRIVILEGED: Final = 10_000
"""Admins and services that are remembered; the ones seen first are forgotten."""

SECOND: Final = timedelta(seconds=1)
"""The resolution of `iat`."""

MIN_RETRY_S: Final = 1.0


class AccessRefusal(ChatError):
    """Why a good token is refused: `reason` for the operator's log."""

    def __init__(
        self, code: ErrorCode, message: str, *, reason: str, retry_after_s: float | None = None
    ) -> None:
        super().__init__(code, message, retry_after_s=retry_after_s)
        self.reason = reason


class AccessService:
    """Decisions of services and admins about users of their own tenant.

    Each decision is stored first, and applies to live sockets at once.

    `clock_skew_s`: how far the clock of the issuer of tokens may be from this server's.
    """

    def __init__(
        self,
        repository: AccessRepository,
        broadcaster: Broadcaster,
        clock: Clock,
        clock_skew_s: float,
        settled: Callable[[], Awaitable[None]],
    ) -> None:
        """`settled` waits for the changes that the journal has numbered already."""
        self._repository = repository
        self._broadcaster = broadcaster
        self._clock = clock
        self._skew = timedelta(seconds=clock_skew_s)
        self._doubt = self._skew + SECOND
        self._settled = settled
        self._decided: dict[UserKey, UserAccess] = {}
        # One decision at a time: two concurrent ones about a user would overwrite each other's half
        # with its old value.
        self._deciding = asyncio.Lock()
        # Users who showed a token of type admin or service since the start, in that order.
        self._privileged: dict[UserKey, None] = {}

    async def load(self) -> None:
        self._decided = {each.key: each for each in await self._repository.all()}

    def check(self, identity: Identity) -> None:
        """Raise AccessRefusal if the token is refused; one look-up in a mostly empty dict."""
        decided = self._decided.get(identity.key)
        if decided is None:
            return
        has_token = identity.plugin is None
        privileged = identity.is_privileged and has_token
        verdict = decided.privileged if privileged else decided.ordinary
        if verdict.blocked:
            raise _blocked()
        if verdict.revoked_at is not None and has_token:
            self._check_issued_after(verdict.revoked_at, identity.issued_at)

    def check_still(self, identity: Identity) -> None:
        """Raise as `check` does, or TOKEN_EXPIRED; called again after a request has waited.

        0.2 us for a user about whom nothing was decided.
        """
        if identity.expires_at <= self._clock.now():
            raise ChatError(ErrorCode.TOKEN_EXPIRED, "the token has expired")
        if identity.key in self._decided:
            self.check(identity)

    def admit(self, identity: Identity) -> None:
        """Check a token that a client presents, and note admins and services."""
        if identity.is_privileged:
            self._privileged[identity.key] = None
            if len(self._privileged) > MAX_PRIVILEGED:
                del self._privileged[next(iter(self._privileged))]
        self.check(identity)

    async def revoke(self, by: Identity, user_id: UserId) -> int:
        """Revoke a user's tokens issued up to now; returns how many sockets ended.

        After this, no change that was asked for with such a token gets a number or is pushed.
        """

        def change(verdict: Verdict) -> Verdict:
            now = self._clock.now()
            return replace(verdict, revoked_at=max(now, verdict.revoked_at or now))

        await self._decide(by, user_id, change)
        ended = self._broadcaster.disconnect(by.key_of(user_id), session_expired(_revoked()))
        await self._settled()
        return ended

    async def block(self, by: Identity, user_id: UserId) -> int:
        """Refuse the user, whatever the token, until unblocked; returns how many sockets ended.

        After this, no change of the user gets a number or is pushed.
        """
        await self._decide(by, user_id, lambda verdict: replace(verdict, blocked=True))
        ended = self._broadcaster.disconnect(by.key_of(user_id), session_expired(_blocked()))
        await self._settled()
        return ended

    async def unblock(self, by: Identity, user_id: UserId) -> None:
        await self._decide(by, user_id, lambda verdict: replace(verdict, blocked=False))

    def disconnect(self, by: Identity, user_id: UserId) -> int:
        """End all sockets of the user; a client with a good token reconnects by itself."""
        return self._broadcaster.disconnect(by.key_of(user_id), None)

    def _check_issued_after(self, revoked_at: datetime, issued_at: datetime | None) -> None:
        """Refuse a token unless it was certainly issued after the revoke.

        `iat` has whole seconds of a clock that may be off by the accepted skew. So a token issued
        close to the revoke stays refused, though its user may have signed in anew. The refusal asks
        the client to retry until the next token is certain to be good, then to get a fresh token.
        """
        # True of nearly all tokens of users with an earlier revoke; the rest costs 1 us more.
        if issued_at is not None and issued_at - revoked_at >= self._doubt:
            return
        second = revoked_at.replace(microsecond=0)
        # Without an `iat` a token may be any of those revoked.
        if issued_at is None or issued_at < second - self._skew:
            raise _revoked()
        certain = second + self._doubt
        if issued_at >= certain:
            return
        now = self._clock.now()
        # A token of the last moments comes from a clock that is behind: the next may be good.
        if now < certain or now - issued_at <= self._doubt:
            wait_s = max((certain - now).total_seconds(), MIN_RETRY_S)
            raise AccessRefusal(
                ErrorCode.AUTH_UNAVAILABLE,
                "the user's tokens were revoked a moment ago, try again",
                reason="near a revoke",
                retry_after_s=round(wait_s, 3),
            )
        raise AccessRefusal(
            ErrorCode.TOKEN_EXPIRED,
            "the token was issued too close to a revoke; get a fresh one",
            reason="near a revoke",
        )

    async def _decide(
        self, by: Identity, user_id: UserId, change: Callable[[Verdict], Verdict]
    ) -> None:
        key = by.key_of(user_id)
        self._check_may(by, key)
        async with self._deciding:
            before = self._decided.get(key) or UserAccess(key=key)
            decided = replace(before, ordinary=change(before.ordinary))
            if by.is_service:
                decided = replace(decided, privileged=change(before.privileged))
            await self._repository.put(decided)
            self._decided[key] = decided

    def _check_may(self, by: Identity, key: UserKey) -> None:
        if key == by.key:
            raise ChatError(ErrorCode.FORBIDDEN, "nobody decides about their own access")
        if not by.is_service and key in self._privileged:
            raise ChatError(
                ErrorCode.FORBIDDEN, "only a service token decides about admins and services"
            )


def _revoked() -> AccessRefusal:
    return AccessRefusal(ErrorCode.TOKEN_REVOKED, "the token was revoked", reason="token revoked")


def _blocked() -> AccessRefusal:
    return AccessRefusal(ErrorCode.USER_BLOCKED, "the user is blocked", reason="user blocked")
