"""The error model of a REST answer, written out from the contract, so that the product's own table
is not its judge.
"""

from typing import Any, Final

from chat.testing import Response

# code -> (HTTP status, retryable)
ERRORS: Final = {
    "VALIDATION_ERROR": (400, False),
    "UNKNOWN_EVENT": (404, False),
    "UNAUTHENTICATED": (401, False),
    "TOKEN_INVALID": (401, False),
    "TOKEN_EXPIRED": (401, False),
    "TOKEN_REVOKED": (403, False),
    "AUTH_UNAVAILABLE": (503, True),
    "USER_BLOCKED": (403, False),
    "FORBIDDEN": (403, False),
    "NOT_PARTICIPANT": (403, False),
    "NOT_FOUND": (404, False),
    "METHOD_NOT_ALLOWED": (405, False),
    "MESSAGE_DELETED": (410, False),
    "CONFLICT": (409, False),
    "IDEMPOTENCY_CONFLICT": (409, False),
    "EDIT_CONFLICT": (409, True),
    "EDIT_WINDOW_CLOSED": (403, False),
    "PAYLOAD_TOO_LARGE": (413, False),
    "UNSUPPORTED_MEDIA": (415, False),
    "RATE_LIMITED": (429, True),
    "REJECTED": (422, False),
    "PLUGIN_ERROR": (500, True),
    "STORAGE_UNAVAILABLE": (503, True),
    "SHUTTING_DOWN": (503, True),
    "TIMEOUT": (504, True),
    "INTERNAL_ERROR": (500, True),
}


def assert_refused(response: Response, code: str, *, path: str | None = None) -> None:
    """The answer is the error model with that code; with `path`, its details name that field."""
    assert response.code == code, (response.status, response.body)
    status, retryable = ERRORS[code]
    assert response.status == status
    assert response.headers["Content-Type"].startswith("application/json")
    body = response.body
    assert set(body) == {"success", "message", "error"}
    assert body["success"] is False
    error = body["error"]
    assert set(error) >= {"code", "message", "retryable", "requestId"}
    known = {"code", "message", "retryable", "requestId", "retryAfter", "details"}
    assert set(error) <= known | ({"chatId"} if code == "CONFLICT" else set())
    assert error["message"] == body["message"] != ""
    assert error["retryable"] is retryable
    assert error["requestId"]
    if path is not None:
        assert path in [each["path"] for each in error["details"]], error


def assert_succeeded(response: Response, status: int = 200) -> Any:
    """The answer is a success with that status; returns its data."""
    assert response.status == status, (response.status, response.body)
    assert response.body["success"] is True
    return response.data
