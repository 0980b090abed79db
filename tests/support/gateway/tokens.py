"""Tokens as other back ends make them: JWTs put together by hand, with any claims in them."""

import time
from typing import Any

from chat.testing import SECRET
from tests.support.rest.tokens import signed as signed_as_it_is


def hours(count: float) -> int:
    """That many hours from now, as a NumericDate."""
    return int(time.time() + count * 3600)


def signed(secret: str = SECRET, header: dict[str, Any] | None = None, **claims: Any) -> str:
    """An HS256 token with exactly these claims, and `exp` in an hour unless it is given (None =
    without)."""
    claims = {"exp": hours(1), **claims}
    claims = {name: value for name, value in claims.items() if value is not None}
    return signed_as_it_is(claims, header, secret)
