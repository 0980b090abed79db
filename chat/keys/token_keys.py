"""The keys that tokens are checked with: secrets, a public key, or the host's key set.

The host publishes its key set as JWKS (RFC 7517). Each key belongs to one family of algorithms, so
that a public key can never be used as an HMAC secret.
"""

import json
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import jwt
import structlog

from chat.errors import SetupError
from chat.keys.fetcher import MAX_KEY_SET_BYTES, KeyFetcher, KeySetError
from chat.keys.public_keys import MIN_RSA_BITS, is_short
from chat.timings import TIMINGS, Timings

LOOK_AGAIN_AFTER_S: Final = 60.0
"""A bad signature makes this server fetch the key set again if the last fetch is this old."""

GIVE_UP_AFTER_S: Final = 60.0
"""A host may sign with a new key this long before its caches publish the key."""

REFRESH_AFTER_S: Final = 600.0
"""The longest time that a withdrawn key is still accepted, while the host answers."""

MAX_PUBLISHED: Final = 100
MAX_TRIED: Final = 16
"""The most keys that a token without a `kid` is tried with."""

MAX_MISSING: Final = 1_000
"""Missing keys that are remembered at one time; beyond that the oldest is forgotten."""

SYMMETRIC: Final = "HS256"
ASYMMETRIC: Final = ("RS256", "ES256")
_BY_TYPE: Final = {"RSA": "RS256", "EC": "ES256"}
_log = structlog.get_logger("chat.auth")


@dataclass(frozen=True, slots=True)
class TokenKey:
    """A key and the only algorithm that it is used with; `key_id` None = for any token."""

    key: Any
    algorithm: str
    key_id: str | None = None


class TokenKeys:
    """All keys of a server; `fetch` returns the text of a JWKS document.

    Fetched keys are used until a later fetch succeeds without them, however long the host is away.
    """

    def __init__(
        self,
        secrets: Sequence[str] = (),
        *,
        public_key: str | None = None,
        fetch: Callable[[], Awaitable[str]] | None = None,
        now: Callable[[], float] = time.monotonic,
        timings: Timings = TIMINGS,
    ) -> None:
        self._fixed = [TokenKey(secret, SYMMETRIC) for secret in secrets]
        if public_key is not None:
            self._fixed.append(_from_pem(public_key))
        self._published: list[TokenKey] = []
        # The `kid` of each key of the latest set that is too short; each key is logged once.
        self._short: set[str] = set()
        self._fetcher = KeyFetcher(fetch, self._take, now, timings) if fetch is not None else None
        self._now = now
        # When the server first saw a token of each missing key.
        self._missing: dict[int, float] = {}

    async def open(self) -> None:
        """Begin to fetch the key set, and wait a moment for it."""
        if self._fetcher is not None:
            await self._fetcher.ask_and_wait()

    def close(self) -> None:
        if self._fetcher is not None:
            self._fetcher.stop()

    def knows(self, algorithm: object) -> bool:
        """Whether any key, present or future, can verify tokens of this algorithm."""
        if self._fetcher is not None and algorithm in ASYMMETRIC:
            return True
        return any(key.algorithm == algorithm for key in self._fixed)

    def candidates(self, algorithm: object, key_id: object) -> list[TokenKey]:
        """Return the keys that a token with this header may have been signed with."""
        fixed = [key for key in self._fixed if key.algorithm == algorithm]
        published = [key for key in self._published if key.algorithm == algorithm]
        if key_id is not None:
            named = [key for key in published if key.key_id == key_id]
            published = named + [key for key in published if key.key_id is None]
        return fixed + published[:MAX_TRIED]

    def may_come(self, algorithm: object, key_id: object) -> bool:
        """Whether the host may yet publish the key of a token that no key verifies."""
        if self._fetcher is None or algorithm not in ASYMMETRIC:
            return False
        return key_id is None or not any(key.key_id == key_id for key in self._published)

    def keep_fresh(self) -> None:
        """Fetch the key set again in the background, if the last fetch is old."""
        # A failed fetch is repeated anyway, after a longer pause each time.
        fetcher = self._fetcher
        if fetcher and fetcher.age_s > REFRESH_AFTER_S and not fetcher.is_failing:
            fetcher.ask()

    async def look_for(self, missing: int) -> None:
        """Fetch the key set for a missing key, and wait a moment if a fetch is running.

        `missing` is any number that stands for the key.
        """
        if self._fetcher is None:
            return
        if missing not in self._missing:
            if len(self._missing) >= MAX_MISSING:
                self._missing.pop(next(iter(self._missing)))
            self._missing[missing] = self._now()
        await self._fetcher.ask_and_wait()

    async def look_again(self) -> bool:
        """Fetch the key set after a bad signature, for hosts that give a new key an old `kid`.

        Returns False where that cannot help: the set is young, or the host is away.
        """
        fetcher = self._fetcher
        if fetcher is None or fetcher.is_failing or fetcher.age_s < LOOK_AGAIN_AFTER_S:
            return False
        await fetcher.ask_and_wait()
        return True

    def has_given_up(self, missing: int) -> bool:
        """Whether the host still does not publish the key, a while after it was first needed."""
        first_seen = self._missing.get(missing)
        if self._fetcher is None or first_seen is None:
            return False
        return self._fetcher.good_began_at - first_seen >= GIVE_UP_AFTER_S

    @property
    def host_is_away(self) -> bool:
        """Whether the latest fetch of the key set failed."""
        return self._fetcher is not None and self._fetcher.is_failing

    @property
    def retry_after_s(self) -> float:
        """Seconds until a missing key can be there, at the earliest."""
        return max(1.0, round(self._fetcher.next_in_s, 3)) if self._fetcher is not None else 1.0

    def _take(self, text: str) -> int:
        published, short = _read_key_set(text)
        for key_id in short - self._short:
            _log.warning("jwks_key_too_short", kid=key_id, least_bits=MIN_RSA_BITS)
        self._short = short
        if not published:
            # An empty set is a failure: otherwise a host that is starting would sign everybody out.
            raise KeySetError("the key set has no key for RS256 or ES256")
        if published != self._published:
            self._published = published
            # Caches of the host may disagree for a while: the wait for a missing key begins anew.
            self._missing.clear()
        return len(published)


def _read_key_set(text: str) -> tuple[list[TokenKey], set[str]]:
    """Read a JWKS document: its usable keys, and the `kid` of those that are too short.

    Raises KeySetError if the text is no such document.
    """
    if len(text) > MAX_KEY_SET_BYTES:
        raise KeySetError("the answer is too long")
    try:
        document = json.loads(text)
    except ValueError:
        raise KeySetError("the answer is no JSON") from None
    members = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(members, list):
        raise KeySetError("the answer is no key set")
    keys = [key for each in members[:MAX_PUBLISHED] if (key := _from_jwk(each)) is not None]
    short = {key.key_id or "" for key in keys if is_short(key.key)}
    return [key for key in keys if not is_short(key.key)], short


def _from_jwk(member: Any) -> TokenKey | None:
    """Read a member of a key set; None if tokens cannot be verified with it.

    RFC 7517 leaves `alg`, `use`, `key_ops` and `kid` optional.
    """
    try:
        if (member.get("use") or "sig") != "sig" or "verify" not in (
            member.get("key_ops") or ["verify"]
        ):
            return None
        algorithm = member.get("alg") or _BY_TYPE.get(member.get("kty"))
        if algorithm not in ASYMMETRIC:
            return None
        key = jwt.PyJWK(member, algorithm).key
        # Raises for a key of another curve.
        jwt.get_algorithm_by_name(algorithm).prepare_key(key)
    except Exception:  # noqa: BLE001  # one bad key spoils none of the others
        return None
    if hasattr(key, "private_numbers"):
        return None
    key_id = member.get("kid")
    return TokenKey(key, algorithm, key_id if isinstance(key_id, str) else None)


def _from_pem(pem: str) -> TokenKey:
    for algorithm in ASYMMETRIC:
        try:
            key = jwt.get_algorithm_by_name(algorithm).prepare_key(pem)
        except (ValueError, TypeError, jwt.PyJWTError):
            continue
        if hasattr(key, "private_numbers"):
            raise SetupError("JWT_PUBLIC_KEY is a private key; give the public one.")
        if is_short(key):
            raise SetupError(f"JWT_PUBLIC_KEY has fewer than {MIN_RSA_BITS} bits.")
        return TokenKey(key, algorithm)
    raise SetupError("JWT_PUBLIC_KEY is no RSA or P-256 public key in PEM form.")
