"""The keys of users: one for each user of each tenant, whatever they are called."""

from hypothesis import given
from hypothesis import strategies as st

from chat.identity import (
    MAX_INTEGER,
    is_tenant,
    named,
    parse_user_id,
    tenant_of,
    user_id_of,
    user_key,
)

names = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=64)
# Short ones, so that chance tries to mix an id up with a tenant, and digits with integers.
short = st.text("1a|:", min_size=1, max_size=3)
tenants = st.just("") | short | names
user_ids = st.integers(0, 200) | st.integers(0, MAX_INTEGER) | (short | names).map(parse_user_id)
users = st.tuples(tenants, user_ids)


@given(users)
def test_a_key_holds_its_tenant_and_its_user_id(user):
    """And names both in a log."""
    key = user_key(*user)
    assert (tenant_of(key), user_id_of(key)) == user
    assert type(user_id_of(key)) is type(user[1])
    line = named(key)
    assert (line.get("tenant", ""), line["user_id"]) == user


@given(users, users)
def test_two_users_never_have_one_key(one, other):
    """Not an integer and its digits either, nor a tenant and a user of the same name."""
    assert (user_key(*one) == user_key(*other)) == (one == other)


@given(user_ids)
def test_the_key_of_a_user_without_a_tenant_is_the_user_id(user_id):
    """So that data of earlier versions has the keys of the tenant `''`."""
    assert user_key("", user_id) is user_id


@given(tenants)
def test_what_may_be_a_user_id_may_be_a_tenant(tenant):
    assert is_tenant(tenant)


def test_nothing_else_is_a_tenant():
    """A blank would let one user have the key of another."""
    for each in (None, 5, True, ["a"], "a b", " ", "a\n", "ä", "a" * 65, "a\x00"):
        assert not is_tenant(each), each
