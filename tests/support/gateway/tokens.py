"""Tokens as other back ends make them: JWTs put together by hand, with any claims in them."""

import base64
import hashlib
import hmac
import json
import time
from typing import Any

from chat.testing import SECRET


def hours(count: float) -> int:
    """That many hours from now, as a NumericDate."""
    return int(time.time() + count * 3600)


def _part(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def signed(secret: str = SECRET, header: dict[str, Any] | None = None, **claims: Any) -> str:
    """An HS256 token with exactly these claims, and `exp` in an hour unless it is given (None =
    without)."""
    claims = {"exp": hours(1), **claims}
    claims = {name: value for name, value in claims.items() if value is not None}
    head = header or {"alg": "HS256", "typ": "JWT"}
    body = f"{_part(json.dumps(head).encode())}.{_part(json.dumps(claims).encode())}"
    digest = hmac.new(secret.encode(), body.encode(), hashlib.sha256).digest()
    return f"{body}.{_part(digest)}"
