"""The common parts of all models of requests: camelCase names, strict types, shared fields.

`parse` is the only way from a client's object to a model.
"""

import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal, TypeVar

from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    GetPydanticSchema,
    ValidationError,
    WithJsonSchema,
)
from pydantic.alias_generators import to_camel
from pydantic_core import CoreSchema
from pydantic_core.core_schema import no_info_before_validator_function

from chat.errors import ChatError, ErrorCode
from chat.identity import MAX_INTEGER, UserId, parse_user_id

MAX_METADATA_BYTES: Final = 16_000
"""Metadata travels with every push of the message: it is for references, not for documents."""

MAX_DETAILS: Final = 10
"""A body with a thousand faults is answered with the first few."""

MAX_PATH_CHARS: Final = 200
"""The longest path to a faulty field in an answer, since the client chose the names in it."""

DEFAULT_PAGE: Final = 50
"""The most items of a page, for clients that do not say how many they want."""

MAX_PAGE: Final = 200

MAX_USERS_ASKED: Final = 200
"""The number of users whose profiles or presence one request may ask for."""

MAX_NAME_CHARS: Final = 200
"""The longest title of a chat, name of a user, or externalRef."""

ExternalRef = Annotated[str, Field(strict=True, min_length=1, max_length=MAX_NAME_CHARS)]


class RequestModel(BaseModel):
    """Base of all models of what a client sends."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        # Accept camelCase names only; a snake_case name is ignored like any unknown field.
        populate_by_name=False,
        extra="ignore",
        frozen=True,
        # An error must not repeat what the client sent: it may be a token.
        hide_input_in_errors=True,
    )


Model = TypeVar("Model", bound=BaseModel)


def parse(model: type[Model], value: Any) -> Model:
    """Check a decoded JSON value; ChatError VALIDATION_ERROR with `details: [{path, message}]`."""
    try:
        # model_validate calls this after 0.5 us of its own.
        valid: Model = model.__pydantic_validator__.validate_python(value)
        return valid
    except ValidationError as error:
        details = [
            {
                "path": ".".join(str(part) for part in item["loc"])[:MAX_PATH_CHARS],
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


def parse_fields(model: type[Model], **fields: Any) -> Model:
    """Check values from a path or a query, given by their names in the model."""
    return parse(model, {model.model_fields[name].alias or name: fields[name] for name in fields})


def iso(moment: datetime) -> str:
    """Write a moment as ISO-8601 in UTC with milliseconds: `2025-10-09T12:00:00.000Z`.

    Takes 1.3 us, but 0.1 us for the moment that was written last, which is nearly always that of
    the message at hand.
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
    # A lone surrogate cannot be encoded as UTF-8, so neither the store nor a peer could take it.
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
    # Anything except white space, control characters, Unicode's Default_Ignorable_Code_Point, the
    # empty Braille pattern and the marks of interlinear annotation.
    r"[^\s\x00-\x1f\x7f-\xa0\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    r"\u200b-\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0"
    r"\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)


def is_blank(text: str) -> bool:
    """Tell whether a reader sees nothing in a text.

    Blank is any mixture of white space, zero-width and control characters.
    """
    return _VISIBLE.search(text) is None


def _words(value: str) -> str:
    # Nearly every text begins with a visible ASCII character; looking at that costs 50 ns.
    if not "!" <= value[0] <= "~" and is_blank(value):
        raise ValueError(BLANK)
    return _plain_text(value)


VALUE_BYTES: Final = 8
"""The size that each value of the metadata counts for, in addition to its text."""


def _finite_json(value: dict[str, Any] | None) -> dict[str, Any] | None:
    """Refuse a value that a JavaScript peer or the store could not take.

    The cost is linear in the size of the value.
    """
    if value is None:
        return None
    size = 0
    level: list[Any] = [value]
    while level:
        inner: list[Any] = []
        for item in level:
            size += VALUE_BYTES
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
"""An id that this server made: a JSON integer, never "1", 1.0 or true."""

Count = Annotated[int, Field(strict=True, ge=0, le=MAX_INTEGER)]
PageLimit = Annotated[int, Field(strict=True, ge=1, le=MAX_PAGE)]
"""How many messages a page may hold."""


@dataclass(frozen=True, slots=True)
class _AtMost:
    count: int

    def __get_pydantic_core_schema__(
        self, kind: Any, schema_of: GetCoreSchemaHandler
    ) -> CoreSchema:
        return no_info_before_validator_function(self._check, schema_of(kind))

    def __get_pydantic_json_schema__(
        self, kind: CoreSchema, schema_of: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {**schema_of(kind), "maxItems": self.count}

    def _check(self, value: Any) -> Any:
        if isinstance(value, list) and len(value) > self.count:
            raise ValueError(f"at most {self.count}")
        return value


def at_most(count: int) -> _AtMost:
    """Refuse a list that is too long before its items are checked.

    Use it after `fail_fast`, which makes one error of a list of faulty items, not thousands.
    """
    return _AtMost(count)


def checked_as(kind: Any) -> GetPydanticSchema:
    """Annotate a field whose writer has another type than its reader.

    Examples are JSON that is already encoded, and texts that take only a few values.
    """
    return GetPydanticSchema(lambda _type, schema_of: schema_of(kind))


AnyUserId = Annotated[int | str, BeforeValidator(_user_id), WithJsonSchema({"x-ref": "UserId"})]
Content = Annotated[
    str,
    Field(
        strict=True,
        min_length=1,
        validation_alias=AliasChoices("content", "message"),
        json_schema_extra={"x-limit": "max_content_chars"},
    ),
    AfterValidator(_words),
]
"""The text of a message. The service checks its length, since the longest is a setting.

`message` is accepted for `content`, since that is the name under which clients receive it.
"""

Title = Annotated[
    str,
    Field(strict=True, min_length=1, max_length=MAX_NAME_CHARS),
    AfterValidator(_words),
]
Key = Annotated[str, Field(strict=True, min_length=1, max_length=64, pattern=r"^[!-~]+$")]
"""A clientMessageId: 1 to 64 printable ASCII characters without blanks."""

RoleName = Annotated[
    Literal["owner", "moderator", "member", "readonly"], WithJsonSchema({"x-ref": "Role"})
]
Timestamp = Annotated[str, WithJsonSchema({"x-ref": "Timestamp"})]
"""A moment as `iso` writes it."""

NAMED_SCHEMAS: Final[dict[str, dict[str, Any]]] = {
    "Role": {
        "description": "What a participant may do in a chat, from most to least.",
        "type": "string",
        "enum": ["owner", "moderator", "member", "readonly"],
    },
    "Timestamp": {
        "description": "A moment in UTC, with milliseconds.",
        "type": "string",
        "format": "date-time",
        "examples": ["2025-10-09T12:00:00.000Z"],
    },
    "UserId": {
        "description": "The host application's id of a user; a text of digits is the integer.",
        "anyOf": [
            {"type": "integer", "minimum": 0, "maximum": MAX_INTEGER},
            {"type": "string", "minLength": 1, "maxLength": 64, "pattern": "^[!-~]+$"},
        ],
    },
}
"""The JSON schemas that `x-ref` names, which the specifications have under these names."""

Metadata = Annotated[dict[str, Any] | None, AfterValidator(_finite_json)]
