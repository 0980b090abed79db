"""The check of our own in schemathesis: which valid requests the server may refuse with 400."""

import re

import schemathesis
from schemathesis import GenerationMode

RULES_BEYOND_SCHEMAS = re.compile(
    # Two fields that do not go together.
    "give one of before, after and around|Idempotency-Key and clientMessageId differ"
    "|give a title, an externalRef or metadata|direct chat|participantIds|at least 1 item"
    # Texts.
    "|use a nextCursor as it was given|must not be blank|half a surrogate pair|NUL character"
    # JSON Schema takes 1.0 for an integer.
    "|should be a valid integer|a user id is a non-negative integer"
    # Metadata.
    "|beyond 2\\^53|not finite|is larger than|nested|too many values"
)


@schemathesis.check
def valid_requests_are_refused_only_by_rules_beyond_schemas(_context, response, case):
    """A 400 to a request that fits its schema names one of a few rules."""
    if case.meta.generation.mode is not GenerationMode.POSITIVE or response.status_code != 400:
        return
    message = response.json()["message"]
    assert RULES_BEYOND_SCHEMAS.search(message), f"refused: {message}"
