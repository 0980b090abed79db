"""The error tree against the table of the contract."""

import pytest

from chat.errors import (
    ERROR_KINDS,
    ChatError,
    ErrorCode,
    OutcomeUnknownError,
    Reject,
    StoreUnavailableError,
)
from tests.support.rest.errors import ERRORS


@pytest.mark.parametrize("code", ErrorCode)
def test_a_code_means_what_the_contract_says(code):
    """HTTP status and whether the same request may succeed later."""
    kind = ERROR_KINDS[code]
    assert (kind.status, kind.retryable) == ERRORS[code.value]


def test_an_error_is_told_whole():
    """Code, message, retryable, and what was given besides; each with an id of its own."""
    details = [{"path": "a", "message": "b"}]
    error = ChatError(ErrorCode.RATE_LIMITED, "slowly", retry_after_s=1.5, details=details)
    wire = error.to_wire()
    assert wire == {
        "code": "RATE_LIMITED", "message": "slowly", "retryable": True, "retryAfter": 1.5,
        "details": details, "requestId": error.request_id,
    }  # fmt: skip
    answer = {"success": False, "message": "slowly", "error": wire}
    assert error.to_answer() == answer
    assert ChatError(ErrorCode.RATE_LIMITED, "slowly").request_id != error.request_id


def test_what_is_not_known_is_not_told():
    """No retryAfter and no details where there are none."""
    wire = ChatError(ErrorCode.NOT_FOUND, "gone").to_wire()
    assert set(wire) == {"code", "message", "retryable", "requestId"}


@pytest.mark.parametrize("error", [StoreUnavailableError(), OutcomeUnknownError()])
def test_a_store_that_fails_is_worth_another_try(error):
    """Both say when."""
    assert error.kind.retryable
    assert error.retry_after_s == 1


def test_a_plugins_refusal_is_an_error_like_any_other():
    """Reject carries the plugin's own code and reason."""
    refused = Reject(ErrorCode.REJECTED, "no links, please")
    assert isinstance(refused, ChatError)
    assert refused.to_answer()["message"] == "no links, please"
