"""What paths of routes hold: ids; and which methods a route answers."""

from collections.abc import Iterable

from chat.errors import ChatError, ErrorCode
from chat.identity import MAX_INTEGER, UserId, parse_user_id


def with_head_and_options(methods: Iterable[str]) -> list[str]:
    """What a route answers that has these methods."""
    known = list(methods)
    head = ["HEAD"] if "GET" in known else []
    return [*known, *head, "OPTIONS"]


def path_id(text: str) -> int:
    """An id in a path: digits only, by the route's pattern; NOT_FOUND when it is beyond any id."""
    if len(text) > 16 or not 1 <= int(text) <= MAX_INTEGER:
        raise ChatError(ErrorCode.NOT_FOUND, "there is no such id")
    return int(text)


def path_user_id(text: str) -> UserId:
    user_id = parse_user_id(text)
    if user_id is None:
        raise ChatError(ErrorCode.NOT_FOUND, "there is no such user")
    return user_id
