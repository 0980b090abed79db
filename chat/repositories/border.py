"""Translate the driver's errors into ours, so that no text of the driver reaches a client.

Two questions matter about a failure. Is the request at fault, or the store? A failure of the store
is an outage: the client tries again. And can a failed write have landed? A driver that found no
server or no free connection has sent nothing; any other error leaves that open.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import structlog
from pymongo.errors import (
    BulkWriteError,
    ConnectionFailure,
    ExecutionTimeout,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
    WaitQueueTimeoutError,
    WriteConcernError,
)

from chat.errors import OutcomeUnknownError, StoreUnavailableError

DUPLICATE_KEY: Final = 11000

_NOT_SENT = (ServerSelectionTimeoutError, WaitQueueTimeoutError)
_NO_ANSWER = (ConnectionFailure, ExecutionTimeout, WriteConcernError)

_ABOUT_THE_REQUEST: Final = frozenset(
    {DUPLICATE_KEY, 2, 9, 14, 15, 16, 28, 40, 52, 53, 54, 56, 57, 59, 66, 67, 85, 86, 121}
    | {10334, 17280}
)
"""BadValue, FailedToParse, TypeMismatch and all other codes of a wrong field, index or document.

All other codes say that the store is unwell, such as InternalError (from SecantusDB after a
WiredTiger panic), CursorNotFound, and the code for a password that was changed.
"""

_TEMPORARY: Final = frozenset({112, 262, 365, 8000, 12501, 14031})
"""WriteConflict, ExceededTimeLimit, TemporarilyUnavailable and the codes of a full store.

The latter are AtlasError (over its quota), QuotaExceeded and OutOfDiskSpace. All of them are an
outage even if the store takes a small write meanwhile.
"""

_log = structlog.get_logger("chat.store")


@contextmanager
def reading() -> Iterator[None]:
    """Raise StoreUnavailableError for a read if the store is away or unwell."""
    try:
        yield
    except PyMongoError as error:
        if not is_outage(error):
            raise
        _tell(error)
        raise StoreUnavailableError from error


@contextmanager
def writing() -> Iterator[None]:
    """Raise StoreUnavailableError for a write that was not sent.

    Raises OutcomeUnknownError for a write that may have landed.
    """
    try:
        yield
    except PyMongoError as error:
        raise_outage(error)
        raise


def raise_outage(error: PyMongoError) -> None:
    """Raise this server's error for a failed write, if the failure is an outage."""
    if not is_outage(error):
        return
    _tell(error)
    raise (
        StoreUnavailableError if isinstance(error, _NOT_SENT) else OutcomeUnknownError
    ) from error


def is_outage(error: PyMongoError) -> bool:
    """Whether the store is at fault, and not the request."""
    if error.timeout or isinstance(error, _NO_ANSWER):
        return True
    return bool(_codes(error) - _ABOUT_THE_REQUEST)


def is_answer(error: BaseException | None) -> bool:
    """Whether the error is an answer of the store; a store that is away answers nothing."""
    return isinstance(error, OperationFailure) and not isinstance(error, _NO_ANSWER)


def may_be_the_request(error: PyMongoError) -> bool:
    """Whether the store's error may be the request's fault, although it looks like an outage."""
    return is_answer(error) and not _codes(error) & _TEMPORARY


def _codes(error: PyMongoError) -> set[int]:
    """Return the store's error codes, 0 for an error without one; none for the driver's errors."""
    if isinstance(error, BulkWriteError):
        details = error.details
        failures = [*details.get("writeErrors", ()), *details.get("writeConcernErrors", ())]
        return {each.get("code", 0) for each in failures}
    return {error.code or 0} if isinstance(error, OperationFailure) else set()


def _tell(error: PyMongoError) -> None:
    """Name the store's own errors in the log, without their texts: these may quote documents."""
    if is_answer(error):
        _log.warning("store_failed", kind=type(error).__name__, codes=sorted(_codes(error)))
