"""Admission of tokens: at connect, for each request, and when a socket renews its token."""

from typing import Final

import structlog

from chat.auth import Authenticator, TokenRefusal, claimed_user
from chat.errors import ChatError, ErrorCode
from chat.hooks.events import AuthFailure, Door
from chat.hooks.manager import PluginManager
from chat.hooks.specs import after_auth_failure
from chat.identity import Identity, UserId, UserKey
from chat.limits import Limit
from chat.net.addresses import home_of
from chat.ports import Clock
from chat.services.access import AccessRefusal, AccessService

WINDOW_S: Final = 60.0
MAX_NAMES: Final = 10_000
"""Failures beyond it count only by address: names are cheaper to make up than addresses."""

_BAD_TOKEN: Final = (ErrorCode.TOKEN_INVALID, ErrorCode.TOKEN_EXPIRED)
_log = structlog.get_logger("chat.auth")


class FailedTokens:
    """Count bad tokens of the last minute, by address and by the user that a token names.

    An office shares an address, and one broken client in it must not exhaust the limit of the
    others.
    """

    def __init__(self, most_per_min: int, clock: Clock) -> None:
        self._limit: Limit[tuple[str, UserKey | None]] = Limit(
            most_per_min / WINDOW_S, most_per_min, clock.monotonic
        )

    def wait_s(self, address: str, user: UserKey | None) -> float:
        """Count a failure; returns 0, or the seconds until the next token is examined."""
        key = (home_of(address), user)
        if not self._limit.knows(key) and len(self._limit) >= MAX_NAMES:
            self._limit.forget_full()
            if len(self._limit) >= MAX_NAMES:
                key = (key[0], None)
        return self._limit.wait_s(key)

    def __len__(self) -> int:
        return len(self._limit)


class Admission:
    """Identify callers by their tokens; a good token always passes.

    Bad tokens over the limit get a generic RATE_LIMITED, and not all of them are logged or reach
    plugins.
    """

    def __init__(
        self,
        *,
        authenticator: Authenticator,
        access: AccessService,
        hooks: PluginManager,
        clock: Clock,
        max_failed_per_min: int,
    ) -> None:
        self._authenticator = authenticator
        self._access = access
        self._hooks = hooks
        self._failed = FailedTokens(max_failed_per_min, clock)
        self._undecided = FailedTokens(max_failed_per_min, clock)

    async def identify(self, token: object, remote_ip: str, door: Door) -> Identity:
        """Return the identity of a good token whose user is not refused; raises ChatError."""

        def tell(error: ChatError, reason: str, user_id: UserId | None, tenant: str) -> None:
            failure = AuthFailure(
                code=error.code,
                remote_ip=remote_ip,
                door=door,
                reason=reason,
                user_id=user_id,
                tenant=tenant,
                request_id=error.request_id,
            )
            self._hooks.notify_soon(after_auth_failure, failure)

        try:
            identity = await self._authenticator.identify(token)
        except TokenRefusal as error:
            if error.code in _BAD_TOKEN:
                self._count(token, remote_ip)
            if error.code is not ErrorCode.AUTH_UNAVAILABLE or self._is_news(token, remote_ip):
                tell(error, error.reason, error.user_id, error.tenant)
            raise
        try:
            self._access.admit(identity)
        except AccessRefusal as error:
            if error.code is not ErrorCode.AUTH_UNAVAILABLE or self._is_news(token, remote_ip):
                tell(error, error.reason, identity.user_id, identity.tenant)
            raise
        return identity

    def _count(self, token: object, remote_ip: str) -> None:
        wait_s = self._failed.wait_s(remote_ip, claimed_user(token))
        if wait_s > 0:
            limited = ChatError(
                ErrorCode.RATE_LIMITED, "too many bad tokens", retry_after_s=round(wait_s, 3)
            )
            _log.info("auth_failures_limited", remote_ip=remote_ip, request_id=limited.request_id)
            raise limited from None

    def _is_news(self, token: object, remote_ip: str) -> bool:
        """Whether to log a token that waits for its key: its client tries again and again."""
        return self._undecided.wait_s(remote_ip, claimed_user(token)) == 0
