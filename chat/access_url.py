"""Ask the host at ACCESS_URL for a seat: signed, bounded in time and size, never redirected."""

import asyncio
import base64
import binascii
import hmac
import secrets
from typing import Final

import structlog
from tornado.httpclient import AsyncHTTPClient, HTTPRequest

from chat.contracts.access import read_seat, seat_question
from chat.entities import Seat
from chat.errors import ChatError, ErrorCode
from chat.identity import Identity, named
from chat.ports import Clock

TIMEOUT_S: Final = 2.0
MAX_ANSWER_BYTES: Final = 16_384
RETRY_AFTER_S: Final = 2.0
NO_SEAT: Final = (403, 404)

MAX_ASKED_AT_ONCE: Final = 50
"""Further questions wait; their time limit includes the wait."""

_PREFIX: Final = "whsec_"
_log = structlog.get_logger("chat.seats")


class AccessUrl:
    """The host behind ACCESS_URL; signs as Standard Webhooks does."""

    def __init__(self, url: str, secret: str, clock: Clock, timeout_s: float = TIMEOUT_S) -> None:
        self._url = url
        self._key = key_of(secret)
        self._clock = clock
        self._timeout_s = timeout_s
        self._turns = asyncio.Semaphore(MAX_ASKED_AT_ONCE)

    async def seat(self, identity: Identity, external_ref: str) -> Seat | None:
        """Ask for the seat; None for 403 and 404, AUTH_UNAVAILABLE for whatever is no answer."""
        body = seat_question(identity, external_ref)
        try:
            async with asyncio.timeout(self._timeout_s), self._turns:
                status, answer = await self._post(body)
            if status in NO_SEAT:
                return None
            if status != 200:
                raise ValueError(f"status {status}")
            return read_seat(answer, identity.tenant)
        except Exception as error:  # noqa: BLE001  # of many kinds: nobody has said yes or no
            why = str(error) or type(error).__name__
            _log.warning("access_url_failed", why=why, **named(identity.key))
            raise ChatError(
                ErrorCode.AUTH_UNAVAILABLE,
                "the host could not be asked for a seat, try again",
                retry_after_s=RETRY_AFTER_S,
            ) from None

    async def _post(self, body: bytes) -> tuple[int, bytes]:
        question_id = f"ask_{secrets.token_hex(12)}"
        sent_at = str(int(self._clock.now().timestamp()))
        # Not the shared client, which may be waiting for the slow hosts of plugins.
        client = AsyncHTTPClient(force_instance=True, max_body_size=MAX_ANSWER_BYTES)
        try:
            request = HTTPRequest(
                self._url,
                method="POST",
                body=body,
                headers={
                    "Content-Type": "application/json",
                    "webhook-id": question_id,
                    "webhook-timestamp": sent_at,
                    "webhook-signature": sign(self._key, question_id, sent_at, body),
                },
                connect_timeout=self._timeout_s,
                request_timeout=self._timeout_s,
                follow_redirects=False,
                # The limit counts packed bytes; an unpacked answer would be longer.
                decompress_response=False,
            )
            response = await client.fetch(request, raise_error=False)
            if response.code == 599 and response.error is not None:
                raise response.error
            return response.code, response.body
        finally:
            client.close()


def key_of(secret: str) -> bytes:
    """The key of a secret: base64 after `whsec_`, otherwise the bytes of the secret."""
    if secret.startswith(_PREFIX):
        try:
            return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
        except (binascii.Error, ValueError):
            pass
    return secret.encode()


def sign(key: bytes, question_id: str, sent_at: str, body: bytes) -> str:
    """The signature of a question: `v1,` and the base64 of an HMAC-SHA256."""
    signed = f"{question_id}.{sent_at}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
