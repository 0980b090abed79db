"""Driver errors become ours here, so that no driver text ever reaches a client.

The one question that matters of a failed write: can it have landed? A driver that found no server
or no free connection has sent nothing; a connection that broke or timed out leaves it open.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from pymongo.errors import (
    ConnectionFailure,
    ExecutionTimeout,
    PyMongoError,
    ServerSelectionTimeoutError,
    WaitQueueTimeoutError,
    WTimeoutError,
)

from chat.errors import OutcomeUnknownError, StoreUnavailableError

_NOT_SENT = (ServerSelectionTimeoutError, WaitQueueTimeoutError)
_NO_ANSWER = (ConnectionFailure, ExecutionTimeout, WTimeoutError)


@contextmanager
def reading() -> Iterator[None]:
    """A read that found no store raises StoreUnavailableError."""
    try:
        yield
    except _NO_ANSWER as error:
        raise StoreUnavailableError from error
    except PyMongoError as error:
        if error.timeout:
            raise StoreUnavailableError from error
        raise


@contextmanager
def writing() -> Iterator[None]:
    """A write that was never sent raises StoreUnavailableError, one that may have landed
    OutcomeUnknownError.
    """
    try:
        yield
    except _NOT_SENT as error:
        raise StoreUnavailableError from error
    except _NO_ANSWER as error:
        raise OutcomeUnknownError from error
    except PyMongoError as error:
        if error.timeout:
            raise OutcomeUnknownError from error
        raise
