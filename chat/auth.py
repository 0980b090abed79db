"""From a token to an Identity. With `token_keys` the only room that knows JWT (RFC
7519) and PyJWT.

Tokens are minted by the host application; `mint` is for development and demo mode.
"""

import math
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import jwt

from chat.errors import ChatError, ErrorCode
from chat.identity import Identity, UserId, parse_user_id
from chat.ports import Clock
from chat.token_keys import SYMMETRIC, TokenKey, TokenKeys

MAX_TOKEN_BYTES: Final = 8_192
"""Longer ones are refused before any of it is decoded."""

FUTURE_TOLERANCE_S: Final = 30
"""How far ahead the host's clock may be."""

MAX_EXPIRY: Final = 253_402_300_799
"""The last second that a datetime can hold."""


class Authenticator:
    """Checks tokens against the keys of this server."""

    def __init__(
        self,
        keys: TokenKeys,
        clock: Clock,
        *,
        audience: str | None = None,
        issuer: str | None = None,
    ) -> None:
        self._keys = keys
        self._clock = clock
        self._audience = audience
        self._issuer = issuer

    async def identify(self, token: object) -> Identity:
        """`authenticate`; where no key fits, once more after a look at the host's key set."""
        try:
            return self.authenticate(token)
        except _NoKeyError:
            if not await self._keys.refresh():
                raise
        return self.authenticate(token)

    def authenticate(self, token: object) -> Identity:
        """The identity a token stands for; ChatError UNAUTHENTICATED, TOKEN_INVALID or
        TOKEN_EXPIRED.

        Costs about 40 us. The error never says more than which of the three, and what the host has
        to mend.
        """
        if token is None or token == "":
            raise ChatError(ErrorCode.UNAUTHENTICATED, "a token is needed")
        if not isinstance(token, str) or len(token) > MAX_TOKEN_BYTES or not token.isascii():
            raise _invalid("not a token")
        try:
            header = jwt.get_unverified_header(token)
        except (jwt.PyJWTError, ValueError, TypeError):
            raise _invalid("the token cannot be verified") from None
        keys = self._keys.candidates(header.get("alg"), header.get("kid"))
        if not keys:
            raise _NoKeyError
        error = _invalid("the token cannot be verified")
        for key in keys:
            try:
                return self._identity(self._verified(token, key))
            except jwt.InvalidSignatureError:
                continue
            except jwt.InvalidAudienceError:
                error = _invalid("the token is meant for another audience")
            except jwt.InvalidIssuerError:
                error = _invalid("the token is of another issuer")
            except jwt.MissingRequiredClaimError as missing:
                error = _invalid(f"the token has no `{missing.claim}`")
            except (jwt.PyJWTError, ValueError, TypeError):
                pass
            break
        raise error

    def _verified(self, token: str, key: TokenKey) -> dict[str, Any]:
        claims: dict[str, Any] = jwt.decode(
            token,
            key.key,
            algorithms=[key.algorithm],
            audience=self._audience,
            issuer=self._issuer,
            # `sub` is checked here below: PyJWT refuses the numeric one that Node back ends
            # mint. The times are too: PyJWT would take "123", 1e300 and the machine's clock.
            options={
                "require": ["exp"],
                "verify_sub": False,
                "verify_exp": False,
                "verify_nbf": False,
                "verify_iat": False,
                "verify_aud": self._audience is not None,
            },
        )
        return claims

    def _identity(self, claims: Mapping[str, Any]) -> Identity:
        now = self._clock.now()
        expires_at = _moment(claims, "exp")
        issued_at = _moment(claims, "iat")
        not_before = _moment(claims, "nbf")
        tolerated = now + timedelta(seconds=FUTURE_TOLERANCE_S)
        if expires_at is None:
            raise _invalid("the token has no `exp`")
        if expires_at <= now:
            raise ChatError(ErrorCode.TOKEN_EXPIRED, "the token has expired")
        if issued_at is not None and issued_at > tolerated:
            raise _invalid("the token was issued in the future")
        if not_before is not None and not_before > tolerated:
            raise _invalid("the token is not valid yet")
        user_id = parse_user_id(claims["id"] if "id" in claims else claims.get("sub"))
        if user_id is None:
            raise _invalid(
                "the token names no user: `id` or `sub` must be an integer or a short string"
            )
        permissions = claims.get("permissions")
        return Identity(
            user_id=user_id,
            type=_text(claims, "type") or "employee",
            expires_at=expires_at,
            issued_at=issued_at,
            role=_text(claims, "role"),
            department=_text(claims, "department"),
            permissions=tuple(each for each in permissions if isinstance(each, str))
            if isinstance(permissions, list)
            else (),
            name=_text(claims, "name"),
            avatar_url=_text(claims, "avatarUrl"),
        )


def mint(
    secret: str,
    user_id: UserId,
    *,
    user_type: str,
    clock: Clock,
    valid_s: float,
    audience: str | None = None,
    issuer: str | None = None,
    **claims: str | None,
) -> tuple[str, datetime]:
    """A token for development and demo mode, and when it expires."""
    now = clock.now()
    expires_at = now + timedelta(seconds=valid_s)
    # `id`, since PyJWT insists on a `sub` that is a string.
    payload: dict[str, Any] = {"id": user_id, "type": user_type, "iat": now, "exp": expires_at}
    optional = {**claims, "aud": audience, "iss": issuer}
    payload.update({name: value for name, value in optional.items() if value is not None})
    return jwt.encode(payload, secret, algorithm=SYMMETRIC), expires_at


def claimed_user(token: object) -> UserId | None:
    """Whom a token says it is of. Nothing of it is checked: good for counting, and nothing else."""
    if not isinstance(token, str) or len(token) > MAX_TOKEN_BYTES:
        return None
    try:
        claims = jwt.decode(token, options={"verify_signature": False})
    except (jwt.PyJWTError, ValueError, TypeError):
        return None
    return parse_user_id(claims["id"] if "id" in claims else claims.get("sub"))


class _NoKeyError(ChatError):
    """No key of this server fits the token's header."""

    def __init__(self) -> None:
        super().__init__(ErrorCode.TOKEN_INVALID, "the token cannot be verified")


def _invalid(message: str) -> ChatError:
    return ChatError(ErrorCode.TOKEN_INVALID, message)


def _moment(claims: Mapping[str, Any], name: str) -> datetime | None:
    """A NumericDate (RFC 7519 2: seconds, fractions allowed) as a datetime."""
    value = claims.get(name)
    if value is None:
        return None
    if type(value) not in (int, float) or not math.isfinite(value) or not 0 <= value <= MAX_EXPIRY:
        raise _invalid(f"the token's `{name}` is no date")
    return datetime.fromtimestamp(value, UTC)


def _text(claims: Mapping[str, Any], name: str) -> str | None:
    """A short text claim; anything else counts as absent, since hosts put all kinds of things into
    tokens.
    """
    value = claims.get(name)
    if not isinstance(value, str):
        return None
    clean = value.replace("\x00", "").encode("utf-8", "ignore").decode()
    # Interned: thousands of tokens name the same few types and roles.
    return sys.intern(clean[:500]) if clean else None
