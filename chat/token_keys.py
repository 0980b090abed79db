"""The keys that tokens are checked with: secrets in rotation, a public key, a host's published key
set (JWKS).

Each key belongs to one family of algorithms, so that a public key can never be used as an HMAC
secret.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import jwt
import structlog

from chat.errors import SetupError

FETCH_EVERY_S: Final = 60.0
"""A token with an unknown key id must not make this server hammer the host's."""

SYMMETRIC: Final = "HS256"
ASYMMETRIC: Final = ("RS256", "ES256")
_log = structlog.get_logger("chat.auth")


@dataclass(frozen=True, slots=True)
class TokenKey:
    """`algorithm` is the only one that this key is used with; `key_id` None = for any token."""

    key: Any
    algorithm: str
    key_id: str | None = None


class TokenKeys:
    """All keys of a server. `fetch` returns the text of a JWKS document."""

    def __init__(
        self,
        secrets: Sequence[str] = (),
        *,
        public_key: str | None = None,
        fetch: Callable[[], Awaitable[str]] | None = None,
    ) -> None:
        self._fixed = [TokenKey(secret, SYMMETRIC) for secret in secrets]
        if public_key is not None:
            self._fixed.append(_from_pem(public_key))
        self._fetch = fetch
        self._fetched: list[TokenKey] = []
        self._fetched_at = float("-inf")
        self._fetching: asyncio.Task[bool] | None = None

    @property
    def algorithms(self) -> list[str]:
        return sorted({key.algorithm for key in (*self._fixed, *self._fetched)})

    def candidates(self, algorithm: object, key_id: object) -> list[TokenKey]:
        """The keys that a token with this header may have been signed with."""
        return [
            key
            for key in (*self._fixed, *self._fetched)
            if key.algorithm == algorithm and key.key_id in (None, key_id)
        ]

    async def refresh(self) -> bool:
        """Fetch the host's key set, at most once a minute; False when there is nothing new.

        Whoever asks while it is being fetched waits for the same answer.
        """
        if self._fetch is None:
            return False
        if self._fetching is None:
            if time.monotonic() - self._fetched_at < FETCH_EVERY_S:
                return False
            self._fetched_at = time.monotonic()
            self._fetching = asyncio.get_running_loop().create_task(self._fetch_now(self._fetch))
        return await asyncio.shield(self._fetching)

    async def _fetch_now(self, fetch: Callable[[], Awaitable[str]]) -> bool:
        try:
            published = jwt.PyJWKSet.from_json(await fetch())
        except Exception as error:  # noqa: BLE001  # whatever a foreign server answers
            _log.warning("jwks_not_fetched", error=type(error).__name__)
            return False
        finally:
            self._fetching = None
        self._fetched = [
            TokenKey(each.key, each.algorithm_name, each.key_id)
            for each in published.keys
            if each.algorithm_name in ASYMMETRIC
        ]
        return True


def _from_pem(pem: str) -> TokenKey:
    for algorithm in ASYMMETRIC:
        try:
            key = jwt.get_algorithm_by_name(algorithm).prepare_key(pem)
        except (ValueError, TypeError, jwt.PyJWTError):
            continue
        if hasattr(key, "private_numbers"):
            raise SetupError("JWT_PUBLIC_KEY is a private key; give the public one.")
        return TokenKey(key, algorithm)
    raise SetupError("JWT_PUBLIC_KEY is no RSA or P-256 public key in PEM form.")
