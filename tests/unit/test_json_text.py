"""JSON text of a client: the shortcuts by length and by brackets refuse what counting would."""

import json
from typing import Any

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from chat.contracts.json_text import (
    SMALL_TEXT,
    HalfPairError,
    JsonLimits,
    memory_of,
    read_json,
)
from chat.errors import ChatError

RUNS = settings(max_examples=150, deadline=None)

words = st.text(alphabet='ab[{,"é😀\x1e', max_size=4)
value = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | words,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=3),
    max_leaves=12,
)
limits = st.builds(JsonLimits, st.integers(0, 6), st.integers(0, 60))


def _levels_below(value: Any) -> int:
    """The lists and objects around the innermost value, without the outermost."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    below = [1 + _levels_below(each) for each in inner if isinstance(each, list | dict)]
    return max(below, default=0)


def _read(text: bytes, limits: JsonLimits) -> Any:
    """The value, or the error."""
    try:
        return read_json(text, limits, "it")
    except ChatError as error:
        return error


@RUNS
@given(value, limits, st.booleans())
def test_what_is_within_the_limits_is_read_and_nothing_else_is(value, limits, spaced) -> None:
    """Marks are commas and opening brackets wherever they stand, levels those of the value."""
    text = json.dumps(value, ensure_ascii=spaced, indent=1 if spaced else None).encode()
    read = _read(text, limits)
    if sum(text.count(mark) for mark in (b",", b"[", b"{")) > limits.marks:
        assert read.message == "it holds too many values"
    elif _levels_below(value) > limits.depth:
        assert read.message == "it is nested too deeply"
    else:
        assert read == orjson.loads(orjson.dumps(value)) == value


@RUNS
@given(value, st.integers(0, 3_000))
def test_what_values_take_is_counted_only_where_it_is_much(value, padding) -> None:
    """A small text counts as long as it is, whatever is in it."""
    text = orjson.dumps([value, "x" * padding])
    assert memory_of(text) >= len(text)
    assert (memory_of(text) == len(text)) == (len(text) <= SMALL_TEXT)


half = st.sampled_from(["\ud83d", "\ude00", "a\ud800", "\udfffb", "\ude00\ud83d"])
name = st.text(alphabet="abc", min_size=1, max_size=2)
place = st.lists(
    st.one_of(st.tuples(st.just("key"), name), st.tuples(st.just("at"), st.integers(0, 3)))
)
LOOSE = JsonLimits(100, 10_000)


def _around(value: Any, place: list[Any], last: str | None) -> tuple[Any, str]:
    """The value, wrapped as the place says, and its path; good values stand beside it."""
    if last is not None:
        value = {"good": "😀", value: 1}
    path: list[str] = []
    for kind, where in reversed(place):
        if kind == "key":
            value = {"before": "é", where: value, "zz": [1, "b"]}
        else:
            value = ["😀"] * where + [value, {}]
        path.insert(0, str(where))
    return value, ".".join(path)


@RUNS
@given(half, place, st.none() | st.just("as a key"), st.booleans())
def test_half_a_surrogate_pair_is_found_wherever_it_is(half, place, last, in_event) -> None:
    """As a text or as a key; in an event the path is that within the payload."""
    value, path = _around(half, place, last)
    text = json.dumps(["event", value] if in_event else {"body": value}).encode()
    error = _read(text, LOOSE)
    assert isinstance(error, HalfPairError)
    whole = path if in_event else f"body.{path}".rstrip(".")
    if whole:
        assert error.details == [{"path": whole, "message": "holds half a surrogate pair"}]
    else:
        assert error.message == "it holds half a surrogate pair"
    orjson.dumps(error.to_answer())


@RUNS
@given(st.text(alphabet='[]{}",:0123456789eE.-ntul \\dD8faSRI', max_size=20))
def test_what_orjson_does_not_read_is_refused(text) -> None:
    """However it is broken, by VALIDATION_ERROR."""
    read = _read(text.encode(), LOOSE)
    try:
        expected = orjson.loads(text)
    except orjson.JSONDecodeError:
        half = read.message.endswith("half a surrogate pair")
        assert half or read.message.endswith("is not JSON")
        assert isinstance(read, HalfPairError) == half
    else:
        assert read == expected
