"""Turn a token into an Identity.

Only this module and chat/keys know JWT (RFC 7519) and PyJWT. The host application mints tokens;
`mint` is for development and demo mode.
"""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Final

import jwt

from chat.contracts.base import MAX_NAME_CHARS, is_blank
from chat.errors import ChatError, ErrorCode
from chat.identity import (
    MAX_SEATS,
    SEAT_ROLES,
    Identity,
    Seats,
    UserId,
    UserKey,
    is_tenant,
    parse_user_id,
    user_key,
)
from chat.keys.token_keys import SYMMETRIC, TokenKey, TokenKeys
from chat.ports import Clock

MAX_TOKEN_BYTES: Final = 8_192
"""A longer token is refused before any of it is decoded."""

MAX_EXPIRY: Final = 253_402_300_799
"""The last second that a datetime can hold."""

_BROKEN: Final = (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError)
_jws: Final = jwt.PyJWS()
_Refuse = Callable[[str, str], "TokenRefusal"]


class TokenRefusal(ChatError):
    """Why a token is refused: `reason` for the operator's log, the message for the client.

    `user_id` and `tenant` are set where the signature was good.
    """

    def __init__(
        self,
        reason: str,
        message: str,
        *,
        code: ErrorCode = ErrorCode.TOKEN_INVALID,
        user_id: UserId | None = None,
        tenant: str = "",
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(code, message, retry_after_s=retry_after_s)
        self.reason = reason
        self.user_id = user_id
        self.tenant = tenant


class Authenticator:
    """Checks tokens against the keys of this server."""

    def __init__(
        self,
        keys: TokenKeys,
        clock: Clock,
        *,
        audience: str | None = None,
        issuer: str | None = None,
        clock_skew_s: float = 30,
    ) -> None:
        self._keys = keys
        self._clock = clock
        self._audience = audience
        self._issuer = issuer
        # How far ahead the host's clock may be.
        self._skew = timedelta(seconds=clock_skew_s)

    async def identify(self, token: object) -> Identity:
        """Authenticate a token, and fetch the host's key set if the token's key is missing.

        Raises AUTH_UNAVAILABLE while the host may still publish the key, then TOKEN_INVALID.
        """
        self._keys.keep_fresh()
        try:
            return self.authenticate(token)
        except _MissingKeyError as error:
            missing = error.key
        except TokenRefusal as error:
            if error.reason == "signature" and await self._keys.look_again():
                return self.authenticate(token)
            raise
        await self._keys.look_for(missing)
        try:
            return self.authenticate(token)
        except _MissingKeyError:
            if self._keys.has_given_up(missing):
                raise
        raise TokenRefusal(
            "key set away" if self._keys.host_is_away else "unknown key",
            "the key of the token is not there yet, try again",
            code=ErrorCode.AUTH_UNAVAILABLE,
            retry_after_s=self._keys.retry_after_s,
        )

    def authenticate(self, token: object) -> Identity:
        """Check a token and return the identity in it.

        Raises TokenRefusal with UNAUTHENTICATED, TOKEN_INVALID or TOKEN_EXPIRED. Its message says
        only which of the three it is, and what the host has to change. Costs about 40 us.
        """
        if token is None or token == "":
            raise TokenRefusal("no token", "a token is needed", code=ErrorCode.UNAUTHENTICATED)
        if not isinstance(token, str) or len(token) > MAX_TOKEN_BYTES or not token.isascii():
            raise TokenRefusal("malformed", "not a token")
        try:
            header = jwt.get_unverified_header(token)
        except _BROKEN:
            raise _unverifiable("malformed") from None
        algorithm, key_id = header.get("alg"), header.get("kid")
        for key in self._keys.candidates(algorithm, key_id):
            try:
                payload = _verified(token, key)
            except jwt.InvalidSignatureError:
                continue
            except _BROKEN:
                raise _unverifiable("malformed") from None
            return self._identity(_read_claims(payload))
        if self._keys.may_come(algorithm, key_id):
            # Without a `kid` the token itself stands for its key.
            raise _MissingKeyError(hash((algorithm, key_id or token)))
        raise _unverifiable("signature" if self._keys.knows(algorithm) else "algorithm")

    def _identity(self, claims: Mapping[str, Any]) -> Identity:
        user_id, tenant = _user(claims), _tenant(claims)

        def refusal(reason: str, message: str) -> TokenRefusal:
            return TokenRefusal(reason, message, user_id=user_id, tenant=tenant or "")

        self._check_addressee(claims, refusal)
        now = self._clock.now()
        expires_at, issued_at, not_before = (
            _moment(claims, name, refusal) for name in ("exp", "iat", "nbf")
        )
        if expires_at is None:
            raise refusal("no exp", "the token has no `exp`")
        if user_id is None:
            raise refusal(
                "no user",
                "the token names no user: `id` or `sub` must be an integer or a short string",
            )
        if tenant is None:
            # Not read as `''`, which is another tenant.
            raise refusal(
                "bad tenant",
                "the token's `tenant` must be a string of 1 to 64 printable characters",
            )
        permissions = claims.get("permissions")
        identity = Identity(
            tenant=tenant,
            user_id=user_id,
            type=_word(claims, "type", refusal) or "employee",
            expires_at=expires_at,
            issued_at=issued_at,
            role=_word(claims, "role", refusal),
            department=_word(claims, "department", refusal),
            permissions=tuple(each for each in permissions if isinstance(each, str))
            if isinstance(permissions, list)
            else (),
            name=_text(claims, "name"),
            avatar_url=_text(claims, "avatarUrl"),
            seats=_seats(claims, refusal),
        )
        if identity.has_expired(now):
            raise TokenRefusal(
                "expired",
                "the token has expired",
                code=ErrorCode.TOKEN_EXPIRED,
                user_id=user_id,
                tenant=tenant,
            )
        tolerated = now + self._skew
        if issued_at is not None and issued_at > tolerated:
            raise refusal("not yet valid", "the token was issued in the future")
        if not_before is not None and not_before > tolerated:
            raise refusal("not yet valid", "the token is not valid yet")
        return identity

    def _check_addressee(self, claims: Mapping[str, Any], refusal: _Refuse) -> None:
        """Compare `aud` and `iss` with the settings, where those are set."""
        if self._audience is not None:
            audience = claims.get("aud")
            if audience is None:
                raise refusal("audience", "the token has no `aud`")
            # RFC 7519 4.1.3: one text, or a list of them.
            if self._audience not in (audience if isinstance(audience, list) else [audience]):
                raise refusal("audience", "the token is meant for another audience")
        if self._issuer is not None:
            issuer = claims.get("iss")
            if issuer is None:
                raise refusal("issuer", "the token has no `iss`")
            if issuer != self._issuer:
                raise refusal("issuer", "the token is of another issuer")


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
    """Make a token for development and demo mode; returns it and when it expires."""
    now = clock.now()
    # PyJWT cuts dates to whole seconds, and the returned moment must be the token's.
    expires_at = (now + timedelta(seconds=valid_s)).replace(microsecond=0)
    # `id`, since PyJWT insists on a `sub` that is a string.
    payload: dict[str, Any] = {"id": user_id, "type": user_type, "iat": now, "exp": expires_at}
    optional = {**claims, "aud": audience, "iss": issuer}
    payload.update({name: value for name, value in optional.items() if value is not None})
    return jwt.encode(payload, secret, algorithm=SYMMETRIC), expires_at


def claimed_user(token: object) -> UserKey | None:
    """Read the user that a token claims, without checking it: good for counting only."""
    if not isinstance(token, str) or len(token) > MAX_TOKEN_BYTES:
        return None
    try:
        claims = jwt.decode(token, options={"verify_signature": False})
    except _BROKEN:
        return None
    user_id = _user(claims)
    return None if user_id is None else user_key(_tenant(claims) or "", user_id)


class _MissingKeyError(TokenRefusal):
    """No key of this server fits the token, but the host may yet publish the one that does."""

    def __init__(self, key: int) -> None:
        super().__init__("unknown key", "the token cannot be verified")
        self.key = key


def _unverifiable(reason: str) -> TokenRefusal:
    return TokenRefusal(reason, "the token cannot be verified")


def _verified(token: str, key: TokenKey) -> bytes:
    """Check the signature of a token and return its payload.

    The claims are read and checked here and not by PyJWT, which refuses the numeric `sub` that Node
    back ends mint, accepts dates like "123" and 1e300, and takes the last of two equal claims.
    """
    payload: bytes = _jws.decode(token, key.key, algorithms=[key.algorithm])
    return payload


def _read_claims(payload: bytes) -> dict[str, Any]:
    try:
        claims = json.loads(payload, object_pairs_hook=_each_once)
    except _ClaimTwiceError:
        raise TokenRefusal("claim twice", "the token has a claim twice") from None
    except _BROKEN:
        raise _unverifiable("malformed") from None
    if not isinstance(claims, dict):
        raise _unverifiable("malformed")
    return claims


class _ClaimTwiceError(ValueError):
    """A claim is in the token twice, so that two readers could read different values."""


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _ClaimTwiceError
    return found


def _user(claims: Mapping[str, Any]) -> UserId | None:
    """Read the user of the claims: `id`, or `sub` where that is absent or null."""
    user_id = claims.get("id")
    return parse_user_id(claims.get("sub") if user_id is None else user_id)


def _tenant(claims: Mapping[str, Any]) -> str | None:
    """Read the tenant, `''` where the token has none; None for a value that is no tenant."""
    tenant = claims.get("tenant")
    if tenant is None:
        return ""
    return _shared(tenant) if is_tenant(tenant) else None


def _moment(claims: Mapping[str, Any], name: str, refusal: _Refuse) -> datetime | None:
    """Read a NumericDate (RFC 7519 2: seconds, fractions allowed)."""
    value = claims.get(name)
    if value is None:
        return None
    # NaN fails the comparison, and so does infinity.
    if type(value) not in (int, float) or not 0 <= value <= MAX_EXPIRY:
        raise refusal(f"bad {name}", f"the token's `{name}` is no date")
    return datetime.fromtimestamp(value, UTC)


def _text(claims: Mapping[str, Any], name: str) -> str | None:
    """Read a short text claim.

    Anything but a text counts as absent, since hosts put all kinds of things into tokens.
    """
    value = claims.get(name)
    if not isinstance(value, str):
        return None
    clean = value.replace("\x00", "").encode("utf-8", "ignore").decode()
    return None if is_blank(clean) else clean[:500]


def _word(claims: Mapping[str, Any], name: str, refusal: _Refuse) -> str | None:
    """Read a text claim that rights may depend on; refuse a text that cannot be read unchanged."""
    text = _text(claims, name)
    if text is not None and text != claims[name][:500]:
        raise refusal(f"bad {name}", f"the token's `{name}` holds what is no character")
    return None if text is None else _shared(text)


def _seats(claims: Mapping[str, Any], refusal: _Refuse) -> Seats | None:
    """Read the claim `seats`, which rights depend on: a bad one refuses the token."""
    seats = claims.get("seats")
    if seats is None:
        return None
    if not isinstance(seats, dict):
        raise refusal("bad seats", "the token's `seats` is no object")
    if len(seats) > MAX_SEATS:
        raise refusal("bad seats", f"the token's `seats` has more than {MAX_SEATS} entries")
    for ref, role in seats.items():
        if not 0 < len(ref) <= MAX_NAME_CHARS + ref.endswith("*") or is_blank(ref):
            raise refusal("bad seats", "the token's `seats` names what is no externalRef")
        if "*" in ref[:-1]:
            raise refusal("bad seats", "a `*` stands only at the end of a name in `seats`")
        if role not in SEAT_ROLES:
            roles = ", ".join(SEAT_ROLES)
            raise refusal("bad seats", f"a role in the token's `seats` is none of {roles}")
    return Seats(seats) if seats else None


@lru_cache(maxsize=1_000)
def _shared(text: str) -> str:
    """Keep one copy of each text: thousands of tokens name the same few types and tenants.

    The cache is bounded, which `sys.intern` of Python 3.12 is not.
    """
    return text
