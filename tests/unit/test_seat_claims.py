"""The claim `seats`: which one is believed, and which role it gives where."""

import pytest

from chat.auth import TokenRefusal
from chat.identity import MAX_SEATS
from tests.support.rest.tokens import GOOD, authenticator, signed

BAD = {
    "a list": ["order:1"],
    "a text": "order:1",
    "51 seats": {f"order:{number}": "member" for number in range(MAX_SEATS + 1)},
    "a wildcard in the middle": {"order:*:notes": "member"},
    "two wildcards": {"order:**": "member"},
    "a wildcard first": {"*:1": "member"},
    "no name": {"": "member"},
    "a blank name": {"  ": "member"},
    "a name that is too long": {"x" * 201: "member"},
    "an owner": {"order:1": "owner"},
    "no such role": {"order:1": "boss"},
    "a role that is no text": {"order:1": ["member"]},
    "no role": {"order:1": None},
}


@pytest.mark.parametrize("seats", BAD.values(), ids=BAD)
def test_a_token_with_bad_seats_is_refused(seats):
    """TOKEN_INVALID, and the log says that it is the seats."""
    with pytest.raises(TokenRefusal) as refused:
        authenticator().authenticate(signed(GOOD | {"seats": seats}))
    assert (refused.value.code, refused.value.reason) == ("TOKEN_INVALID", "bad seats")


@pytest.mark.parametrize("seats", [None, {}])
def test_no_seats_are_no_seats(seats):
    """An absent claim, null and an empty object are the same."""
    assert authenticator().authenticate(signed(GOOD | {"seats": seats})).seats is None


def test_the_name_that_says_most_wins():
    """An exact name over a wildcard, a longer wildcard over a shorter one."""
    claim = {
        "order:*": "readonly",
        "order:10*": "member",
        "order:1001": "moderator",
        "*": "member",
        "x" * 200: "readonly",
        "y" * 200 + "*": "readonly",
    }
    seats = authenticator().authenticate(signed(GOOD | {"seats": claim})).seats
    roles = {ref: seats.role_in(ref) for ref in ("order:1001", "order:10", "order:2", "order", "x")}
    assert roles == {
        "order:1001": "moderator",
        "order:10": "member",
        "order:2": "readonly",
        "order": "member",
        "x": "member",
    }


def test_without_a_name_that_fits_there_is_no_seat():
    """Names are compared as they are, case and blanks included."""
    claim = {"order:1001": "member", "deal:*": "member"}
    seats = authenticator().authenticate(signed(GOOD | {"seats": claim})).seats
    refs = ("order:100", "order:10011", "Order:1001", " order:1001", "deal", "order:*")
    assert [seats.role_in(ref) for ref in refs] == [None] * len(refs)


def test_fifty_seats_fit():
    """As many as may be."""
    claim = {f"order:{number}": "member" for number in range(MAX_SEATS)}
    seats = authenticator().authenticate(signed(GOOD | {"seats": claim})).seats
    assert seats.role_in(f"order:{MAX_SEATS - 1}") == "member"
