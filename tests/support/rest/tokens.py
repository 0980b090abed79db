"""Tokens made by hand, so that nothing has a say in what stands in them, and an authenticator at a
fixed moment.
"""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime

import pytest

from chat.auth import Authenticator
from chat.errors import ChatError
from chat.keys.token_keys import TokenKeys

SECRET = "a-secret-of-the-unit-tests-that-is-long"  # it guards nothing
NOW = datetime(2025, 10, 9, 12, 0, 0, tzinfo=UTC)
AT = int(NOW.timestamp())
GOOD = {"sub": "7", "exp": AT + 60}


class StoppedClock:
    def now(self):
        return NOW

    def monotonic(self):
        return 0.0


def authenticator(**options):
    """One that takes tokens by SECRET, at NOW."""
    return Authenticator(options.pop("keys", TokenKeys([SECRET])), StoppedClock(), **options)


def b64(data):
    """Bytes, or anything else as JSON, as a part of a token."""
    raw = data if isinstance(data, bytes) else json.dumps(data).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def signed(claims, header=None, secret=SECRET, digest=hashlib.sha256):
    """A token of these claims, whatever they are."""
    head = {"alg": "HS256", "typ": "JWT"} if header is None else header
    body = f"{b64(head)}.{b64(claims)}"
    return f"{body}.{b64(hmac.new(secret.encode(), body.encode(), digest).digest())}"


def code_of(token, **options):
    """The code with which the token is refused."""
    with pytest.raises(ChatError) as caught:
        authenticator(**options).authenticate(token)
    return caught.value.code.value
