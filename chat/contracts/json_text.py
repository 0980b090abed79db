"""The reader of clients' JSON: strict, with limits on depth and on the number of values.

NaN, infinity and lone surrogates are no JSON here.
"""

import json
import re
from typing import Any, Final, NamedTuple, Protocol

import orjson

from chat.contracts.base import MAX_METADATA_BYTES, MAX_PATH_CHARS
from chat.errors import ChatError, ErrorCode

MARK_BYTES: Final = 150
"""The memory that a value takes for each of its marks in the text: `{"a":0},` has two."""

SMALL_TEXT: Final = 2_000
"""Nearly every event is smaller; the length of a smaller text will do, without counting."""

_ESCAPED_SURROGATE: Final = re.compile(rb"\\u[dD][89a-fA-F]")


class JsonSettings(Protocol):
    """The settings that the limits are made of."""

    @property
    def max_json_depth(self) -> int: ...

    @property
    def max_json_values(self) -> int: ...

    @property
    def max_content_chars(self) -> int: ...

    @property
    def max_participants(self) -> int: ...


class JsonLimits(NamedTuple):
    """Limits of a text; `depth` counts the levels below the outermost value.

    `marks` limits commas plus opening brackets. They are cheap to count, and a text has at most one
    value more than marks.
    """

    depth: int
    marks: int

    @classmethod
    def of(cls, settings: JsonSettings) -> "JsonLimits":
        # A message and its metadata may consist of commas, and a list of participants has one for
        # each.
        allowed = settings.max_content_chars + MAX_METADATA_BYTES + settings.max_participants
        return cls(settings.max_json_depth, settings.max_json_values + allowed)


class JsonError(ChatError):
    """VALIDATION_ERROR: the text is no JSON."""

    def __init__(self, message: str, details: list[dict[str, str]] | None = None) -> None:
        super().__init__(ErrorCode.VALIDATION_ERROR, message, details=details)


class HalfPairError(JsonError):
    """The text is fine except for half a surrogate pair in one of its strings.

    A client that cuts a text by UTF-16 units sends such a half, which orjson does not read.
    """


class TooMuchJsonError(JsonError):
    """The text is nested too deeply, or holds too many values."""


def read_json(text: bytes, limits: JsonLimits, what: str) -> Any:
    """Decode a text; raise the subclass of JsonError that says why it is refused.

    `what` names the text in the error's message. Takes 0.2 us on top of orjson's time for a
    message.
    """
    max_depth, most = limits
    # Checked before the values are made: 300 kB of text can become 12 MB of them.
    if len(text) > most and _marks_in(text) > most:
        raise TooMuchJsonError(f"{what} holds too many values")
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        # Not kept in a variable, since the error's traceback would then refer to the error.
        raise _half_pair_in(text, what) or JsonError(f"{what} is not JSON") from None
    # Nesting cannot exceed the number of brackets, so most texts need no walk.
    if text.count(b"[") + text.count(b"{") > max_depth and _is_deeper(value, max_depth):
        raise _too_deep(value, max_depth, what)
    return value


def _marks_in(text: bytes) -> int:
    """Count commas and opening brackets, those in strings included."""
    return text.count(b",") + text.count(b"[") + text.count(b"{")


def memory_of(text: bytes) -> int:
    """Estimate the bytes that the values of a text take in memory; for a small text, its length."""
    return len(text) + (MARK_BYTES * _marks_in(text) if len(text) > SMALL_TEXT else 0)


def _half_pair_in(text: bytes, what: str) -> HalfPairError | None:
    """Make the error that names the field with half a surrogate pair; None where there is none."""
    if not _ESCAPED_SURROGATE.search(text):
        return None
    try:
        value = json.loads(text.decode())
    except (ValueError, RecursionError):
        return None
    path = _path_of_half_pair(_payload_of(value))
    if path is None and _path_of_half_pair(value) is None:
        return None
    message = "holds half a surrogate pair"
    if not path:
        return HalfPairError(f"{what} {message}")
    return HalfPairError(f"{path}: {message}", [{"path": path, "message": message}])


def _path_of_half_pair(value: Any) -> str | None:
    """Find the path of the first string that UTF-8 cannot hold; for a key, that of its object."""
    # Each list or object, with the index in `found` of its container, and its key in that
    # container.
    found: list[tuple[Any, int, Any]] = [([value], 0, None)]
    for at, (outer, _, _) in enumerate(found):  # grows during the loop
        inner = outer.items() if isinstance(outer, dict) else enumerate(outer)
        for key, each in inner:
            if isinstance(key, str) and _is_half(key):
                return _path(found, at)
            if isinstance(each, str):
                if _is_half(each):
                    return _path(found, at, key)
            elif isinstance(each, dict | list):
                found.append((each, at, key))
    return None


def _path(found: list[tuple[Any, int, Any]], at: int, *last: Any) -> str:
    parts = [*last]
    while at:
        _, outer_at, key = found[at]
        parts.append(key)
        at = outer_at
    # The last part is an index in the list around the value: cut it off.
    whole = parts[:-1] if parts else parts
    return ".".join(str(each) for each in reversed(whole))[:MAX_PATH_CHARS]


def _is_half(text: str) -> bool:
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            return True
    return False


def _payload_of(value: Any) -> Any:
    """Take the payload out of an event, which is a list; any other value is its own payload."""
    if not isinstance(value, list):
        return value
    return value[1] if len(value) > 1 else None


def _too_deep(value: Any, max_depth: int, what: str) -> ChatError:
    """Make the VALIDATION_ERROR, with the field in `details` where one field is at fault."""
    message = f"{what} is nested too deeply"
    body = _payload_of(value)
    depth = max_depth - isinstance(value, list)
    fields = body.items() if isinstance(body, dict) else ()
    details = [
        {"path": key[:MAX_PATH_CHARS], "message": "is nested too deeply"}
        for key, inner in fields
        if isinstance(inner, dict | list) and _is_deeper(inner, depth - 1)
    ]
    return TooMuchJsonError(message, details[:1])


def _is_deeper(value: Any, max_depth: int) -> bool:
    """Walk a value level by level; a list of 10,000 empty lists takes 0.5 ms."""
    level = [value]
    for _ in range(max_depth + 1):
        level = [
            inner
            for outer in level
            if outer
            for inner in (outer.values() if type(outer) is dict else outer)
            if type(inner) is list or type(inner) is dict
        ]
        if not level:
            return False
    return True
