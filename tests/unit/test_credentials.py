"""How a token may be spelt, and which one counts where several are given."""

import pytest

from chat.http.credentials import first_given, in_header, spelt

FIELDS = {
    "a.b.c": "a.b.c", " a.b.c\n": "a.b.c", "Bearer a.b.c": "a.b.c", "bearer a.b.c": "a.b.c",
    "BEARER   a.b.c ": "a.b.c", "Bearer\ta.b.c": "a.b.c", "Bearer": "", "Bearer  ": "", "  ": "",
    "": "", "Bearera.b.c": "Bearera.b.c", "Basic YTpi": "Basic YTpi", "Bearer a b": "a b",
}  # fmt: skip


@pytest.mark.parametrize("field", FIELDS)
def test_a_field_may_hold_blanks_and_a_bearer(field):
    """The scheme's case does not matter (RFC 9110 11.1)."""
    assert spelt(field) == FIELDS[field]


@pytest.mark.parametrize("value", [None, 0, 7, True, False, 1.5, [], ["a"], {}, {"a": 1}])
def test_a_field_of_another_type_is_left_as_it_is(value):
    """The authenticator says what is wrong with it."""
    assert spelt(value) is value


@pytest.mark.parametrize(
    ("header", "token"),
    [
        ("Bearer a.b.c", "a.b.c"), ("bEARER \t a.b.c  ", "a.b.c"), ("  Bearer a.b.c", "a.b.c"),
        ("Bearer", ""), ("Bearer ", ""), ("Basic YTpi", None), ("a.b.c", None), ("", None),
        ("Bearer a, Bearer b", "a, Bearer b"),
    ],
)  # fmt: skip
def test_a_header_holds_a_token_behind_its_scheme(header, token):
    """A header of another scheme is somebody else's, and no token."""
    assert in_header(header) == token


@pytest.mark.parametrize("nothing", [None, "", "  ", "Bearer "])
def test_the_first_place_that_has_a_token_counts(nothing):
    """Null and blanks are no token; anything else is one, also where it cannot be good."""
    assert first_given(nothing, "Bearer b", "c") == "b"
    assert first_given("a", "b") == "a"
    assert first_given(nothing, 0, "c") == 0
    assert first_given(nothing, nothing) is None
