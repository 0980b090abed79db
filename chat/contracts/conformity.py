"""Compare what a server has sent with the types of the contract, for `chat.testing`."""

import re
from functools import cache
from typing import Any, Final

import orjson
from pydantic import TypeAdapter, ValidationError

from chat.contracts.operations import CLIENT_EVENTS, ROUTES
from chat.contracts.pushes import SERVER_EVENTS
from chat.errors import RefusalModel


def difference(model: Any, value: Any) -> str | None:
    """Say how a value differs from its type: a field that is wrong, missing or not declared."""
    adapter = _adapter(model)
    try:
        known = adapter.dump_python(adapter.validate_python(value), mode="json")
    except ValidationError as error:
        return str(error)
    if known != value:
        return f"{orjson.dumps(value).decode()} is declared as {orjson.dumps(known).decode()}"
    return None


def of_push(event: str, payload: Any) -> str | None:
    """Say how a push differs from its type; None for an event that the contract does not know."""
    return difference(SERVER_EVENTS[event], payload) if event in SERVER_EVENTS else None


def of_ack(event: str, ack: Any) -> str | None:
    """Say how an ack differs from its type; None for the success of a plugin's event."""
    if isinstance(ack, dict) and ack.get("success") is False:
        return difference(RefusalModel, ack)
    return difference(CLIENT_EVENTS[event].ack, ack) if event in CLIENT_EVENTS else None


def of_answer(method: str, path: str, status: int, body: Any) -> str | None:
    """Say how a REST answer differs from its type; None for a success of a plugin's route."""
    if isinstance(body, dict) and body.get("success") is False:
        return difference(RefusalModel, body)
    name = f"{method} {path.partition('?')[0]}"
    for pattern, operation in _PATTERNS:
        if pattern.fullmatch(name):
            if status not in operation.statuses:
                return f"{name} has answered {status}, which is not declared"
            return difference(operation.answer, body)
    return None


@cache
def _adapter(model: Any) -> TypeAdapter[Any]:
    return TypeAdapter(model)


_PATTERNS: Final = [
    (re.compile(re.sub(r":\w+", r"[^/]+", name)), operation) for name, operation in ROUTES.items()
]
"""The routes in the order of the table, where /users/presence comes before /users/:id."""
