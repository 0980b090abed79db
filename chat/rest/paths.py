"""The ids in the paths of routes, and the methods that a route answers."""

from collections.abc import Iterable

from chat.errors import ChatError, ErrorCode
from chat.identity import MAX_ID_DIGITS, MAX_INTEGER, UserId, parse_user_id


def with_head_and_options(methods: Iterable[str]) -> list[str]:
    """Add OPTIONS, and HEAD where the route has GET."""
    known = list(methods)
    head = ["HEAD"] if "GET" in known else []
    return [*known, *head, "OPTIONS"]


def path_id(text: str) -> int:
    """Read an id, which the route's pattern limits to digits; NOT_FOUND if no id is so large."""
    if len(text) > MAX_ID_DIGITS or not 1 <= int(text) <= MAX_INTEGER:
        raise ChatError(ErrorCode.NOT_FOUND, "there is no such id")
    return int(text)


def path_user_id(text: str) -> UserId:
    """Read the id of a user; NOT_FOUND where it cannot be one."""
    user_id = parse_user_id(text)
    if user_id is None:
        raise ChatError(ErrorCode.NOT_FOUND, "there is no such user")
    return user_id
