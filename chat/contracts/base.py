"""What all wire models share: camelCase names, strict integers, unknown fields ignored, one kind of
error.

`parse` is the only way from a client's object to a model.
"""

import math
import re
from datetime import UTC, datetime
from typing import Annotated, Any, Final, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from chat.errors import ChatError, ErrorCode
from chat.identity import MAX_INTEGER, UserId, parse_user_id

MAX_METADATA_BYTES: Final = 16_000
"""Metadata travels with every push of the message: it is for references, not for documents."""

MAX_DETAILS: Final = 10
"""A body with a thousand faults is answered with the first few."""


class WireModel(BaseModel):
    """Base of all models that a client sends or receives."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        # By the wire's name only: a snake_case field of a client is an unknown field like any
        # other.
        populate_by_name=False,
        extra="ignore",
        frozen=True,
        # An error must not repeat what the client sent: it may be a token.
        hide_input_in_errors=True,
    )


Model = TypeVar("Model", bound=BaseModel)


def parse(model: type[Model], value: Any) -> Model:
    """The model that `value` (decoded JSON) is, or ChatError VALIDATION_ERROR with `details:
    [{path, message}]`.
    """
    try:
        # What model_validate calls, after 0.5 us of its own.
        valid: Model = model.__pydantic_validator__.validate_python(value)
        return valid
    except ValidationError as error:
        details = [
            {
                "path": ".".join(str(part) for part in item["loc"])[:200],
                "message": item["msg"].removeprefix("Value error, "),
            }
            for item in error.errors(include_url=False, include_input=False, include_context=False)[
                :MAX_DETAILS
            ]
        ]
        first = details[0]
        where = f"{first['path']}: " if first["path"] else ""
        raise ChatError(
            ErrorCode.VALIDATION_ERROR, f"{where}{first['message']}", details=details
        ) from None


def iso(moment: datetime) -> str:
    """ISO-8601 in UTC with milliseconds: `2025-10-09T12:00:00.000Z`. 1.3 us; the moment that was
    asked about last, which is nearly always the one of the message at hand, 0.1 us.
    """
    global _last_iso  # one slot of memory
    last, text = _last_iso
    if moment is not last:
        text = moment.astimezone(UTC).isoformat(timespec="milliseconds")[:-6] + "Z"
        _last_iso = (moment, text)
    return text


_last_iso: tuple[datetime | None, str] = (None, "")


def iso_or_none(moment: datetime | None) -> str | None:
    return None if moment is None else iso(moment)


def _user_id(value: Any) -> UserId:
    user_id = parse_user_id(value)
    if user_id is None:
        raise ValueError("a user id is a non-negative integer or a string of 1 to 64 characters")
    return user_id


def _plain_text(value: str) -> str:
    # A lone surrogate cannot be written as UTF-8: neither the store nor a peer could take it.
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise ValueError("holds half a surrogate pair") from None
    if "\x00" in value:
        raise ValueError("holds a NUL character")
    return value


BLANK: Final = "must not be blank: it needs at least one visible character"
_VISIBLE: Final = re.compile(
    # All but white space, control characters, Unicode's Default_Ignorable_Code_Point, the empty
    # Braille pattern and the marks of interlinear annotation.
    r"[^\s\x00-\x1f\x7f-\xa0\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    r"\u200b-\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0"
    r"\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)


def is_blank(text: str) -> bool:
    """True for a text in which a reader sees nothing: white space, zero-width and control
    characters, in any mixture.
    """
    return _VISIBLE.search(text) is None


def _words(value: str) -> str:
    # Nearly every text begins with a visible ASCII character; that one look costs 50 ns.
    if not "!" <= value[0] <= "~" and is_blank(value):
        raise ValueError(BLANK)
    return _plain_text(value)


def _finite_json(value: dict[str, Any] | None) -> dict[str, Any] | None:
    """Refuse what a JavaScript peer or the store could not take; cost is linear in the size of the
    value.
    """
    if value is None:
        return None
    size = 0
    level: list[Any] = [value]
    while level:
        inner: list[Any] = []
        for item in level:
            size += 8
            if isinstance(item, dict):
                for key in item:
                    if "\x00" in key:
                        raise ValueError("a key holds a NUL character")
                    size += len(key)
                inner.extend(item.values())
            elif isinstance(item, list):
                inner.extend(item)
            elif isinstance(item, str):
                size += len(_plain_text(item))
            elif isinstance(item, float) and not math.isfinite(item):
                raise ValueError("holds a number that is not finite")
            elif type(item) is int and abs(item) > MAX_INTEGER:
                raise ValueError("holds an integer beyond 2^53")
        if size > MAX_METADATA_BYTES:
            raise ValueError(f"is larger than {MAX_METADATA_BYTES} bytes")
        level = inner
    return value


Id = Annotated[int, Field(strict=True, ge=1, le=MAX_INTEGER)]
"""An id made by this server: a JSON integer, never "1", 1.0 or true."""

Count = Annotated[int, Field(strict=True, ge=0, le=MAX_INTEGER)]
Limit = Annotated[int, Field(strict=True, ge=1, le=200)]
"""How many messages a page may hold."""


def at_most(count: int) -> BeforeValidator:
    """Refuse a list that is too long before any of its items is looked at.

    Stands behind `fail_fast`, with which a list of faulty items is one error, not thousands.
    """

    def check(value: Any) -> Any:
        if isinstance(value, list) and len(value) > count:
            raise ValueError(f"at most {count}")
        return value

    return BeforeValidator(check)


AnyUserId = Annotated[int | str, BeforeValidator(_user_id)]
Content = Annotated[str, Field(strict=True, min_length=1), AfterValidator(_words)]
"""The longest length is a setting, so the service checks it."""

Title = Annotated[
    str,
    Field(strict=True, min_length=1, max_length=200),
    AfterValidator(_words),
]
Key = Annotated[str, Field(strict=True, min_length=1, max_length=64, pattern=r"^[!-~]+$")]
"""A clientMessageId: 1 to 64 printable ASCII characters without blanks."""

Metadata = Annotated[dict[str, Any] | None, AfterValidator(_finite_json)]
