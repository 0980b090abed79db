"""What a believed token says: dates, the user, audience and issuer, and the rest."""

import json

import jwt
import pytest

from chat.auth import _shared, mint
from chat.errors import ChatError
from tests.support.rest.tokens import (
    AT,
    GOOD,
    NOW,
    SECRET,
    StoppedClock,
    authenticator,
    code_of,
    signed,
)


def test_a_good_token_is_its_owner():
    """All claims that are read, and nothing else."""
    claims = GOOD | {
        "role": "agent", "type": "admin", "department": "sales", "permissions": ["a", "b"],
        "name": "Ada", "avatarUrl": "https://example.com/a.png", "iat": AT - 5, "nbf": AT - 5,
    }  # fmt: skip
    identity = authenticator().authenticate(signed(claims))
    assert (identity.user_id, identity.type, identity.role) == (7, "admin", "agent")
    assert (identity.department, identity.permissions) == ("sales", ("a", "b"))
    assert (identity.name, identity.avatar_url) == ("Ada", "https://example.com/a.png")
    assert identity.expires_at.timestamp() == AT + 60
    assert identity.issued_at.timestamp() == AT - 5


@pytest.mark.parametrize("claims", [[], "x", 7, None, [["sub", "7"]], True])
def test_claims_that_are_no_object_are_refused(claims):
    """A token says things by name."""
    assert code_of(signed(claims)) == "TOKEN_INVALID"


BAD_DATES = [
    "123", "", "2099-01-01", True, [AT + 60], {"$gt": 0}, 1e300, -1e300, float("inf"), float("nan"),
    10**30, 10**309, 10**400, 10**4_299, -1, 253402300800,
]  # fmt: skip


@pytest.mark.parametrize("claim", ["exp", "nbf", "iat"])
@pytest.mark.parametrize("value", BAD_DATES)
def test_a_date_that_is_none_is_refused(claim, value):
    """A string, a bool, infinity, or a moment beyond every calendar."""
    assert code_of(signed(GOOD | {claim: value})) == "TOKEN_INVALID"


@pytest.mark.parametrize("claims", [{"sub": "7"}, {"sub": "7", "exp": None}])
def test_a_token_that_never_ends_is_refused(claims):
    """`exp` is required."""
    assert code_of(signed(claims)) == "TOKEN_INVALID"


@pytest.mark.parametrize("exp", [AT, AT - 1, AT - 0.001, 1, 0])
def test_a_token_is_over_from_its_exp_on(exp):
    """TOKEN_EXPIRED, so that a client knows to refresh."""
    assert code_of(signed(GOOD | {"exp": exp})) == "TOKEN_EXPIRED"


@pytest.mark.parametrize("exp", [AT + 1, AT + 0.5, float(AT + 60), 253402300799])
def test_a_date_may_have_a_fraction(exp):
    """RFC 7519 2: a NumericDate is a JSON number."""
    assert authenticator().authenticate(signed(GOOD | {"exp": exp})).expires_at > NOW


@pytest.mark.parametrize("claim", ["nbf", "iat"])
def test_a_token_of_the_future_is_refused(claim):
    """Over 30 s ahead; up to that it is the host's clock."""
    assert authenticator().authenticate(signed(GOOD | {claim: AT + 30})).user_id == 7
    assert code_of(signed(GOOD | {claim: AT + 31})) == "TOKEN_INVALID"


@pytest.mark.parametrize("claim", ["nbf", "iat"])
def test_a_null_date_is_no_date(claim):
    """As if the claim were absent."""
    assert authenticator().authenticate(signed(GOOD | {claim: None})).user_id == 7


USERS = [
    (7, 7), ("7", 7), (0, 0), ("0", 0), ("007", "007"), ("-1", "-1"), ("1.0", "1.0"),
    (2**53 - 1, 2**53 - 1), (str(2**53 - 1), 2**53 - 1), ("ada", "ada"), ("x" * 64, "x" * 64),
    ("3f2b8c1e-9d4a-4c55-8e0f-1a2b3c4d5e6f", "3f2b8c1e-9d4a-4c55-8e0f-1a2b3c4d5e6f"),
    ("auth0|5f7c", "auth0|5f7c"), ('{"$gt":""}', '{"$gt":""}'),
]  # fmt: skip
NOBODY = [
    None, True, False, 1.0, 7.5, -1, 2**53, 10**30, [], [7], {}, {"$gt": ""}, "", " ", "a b", "7 ",
    "a\n", "a\x00", "\x7f", "ä", "٣", "\u202e", "x" * 65, float("nan"),
]  # fmt: skip


@pytest.mark.parametrize("claim", ["id", "sub"])
@pytest.mark.parametrize(("value", "user_id"), USERS)
def test_the_user_is_the_id_or_the_sub(claim, value, user_id):
    """Integers, or strings of up to 64 characters; a canonical digit string is the integer."""
    identity = authenticator().authenticate(signed({claim: value, "exp": AT + 60}))
    assert identity.user_id == user_id
    assert type(identity.user_id) is type(user_id)


@pytest.mark.parametrize("claim", ["id", "sub"])
@pytest.mark.parametrize("value", NOBODY)
def test_what_is_no_user_id_is_nobody(claim, value):
    """Bools, floats, lists, blanks and control characters."""
    assert code_of(signed({claim: value, "exp": AT + 60})) == "TOKEN_INVALID"


def test_the_id_comes_before_the_sub():
    """And a token with neither names nobody."""
    assert authenticator().authenticate(signed(GOOD | {"id": 9})).user_id == 9
    assert authenticator().authenticate(signed(GOOD | {"id": None})).user_id == 7
    assert code_of(signed(GOOD | {"id": ""})) == "TOKEN_INVALID"
    assert code_of(signed({"exp": AT + 60})) == "TOKEN_INVALID"


@pytest.mark.parametrize(
    ("aud", "code"),
    [
        ("chat", None), (["x", "chat"], None), ("other", "TOKEN_INVALID"), ([], "TOKEN_INVALID"),
        (None, "TOKEN_INVALID"), (7, "TOKEN_INVALID"), ("cha", "TOKEN_INVALID"),
        ([7], "TOKEN_INVALID"), ({"chat": 1}, "TOKEN_INVALID"), ("absent", "TOKEN_INVALID"),
    ],
)  # fmt: skip
def test_the_audience_counts_when_it_is_configured(aud, code):
    """`aud` must hold it; without the setting any audience is taken."""
    claims = GOOD if aud == "absent" else GOOD | {"aud": aud}
    if code is None:
        assert authenticator(audience="chat").authenticate(signed(claims)).user_id == 7
    else:
        assert code_of(signed(claims), audience="chat") == code
    if aud in ("chat", "other", "absent"):
        assert authenticator().authenticate(signed(claims)).user_id == 7


@pytest.mark.parametrize("iss", ["other", None, 7, ["host"], "", "absent"])
def test_the_issuer_counts_when_it_is_configured(iss):
    """`iss` must equal it."""
    claims = GOOD if iss == "absent" else GOOD | {"iss": iss}
    assert code_of(signed(claims), issuer="host") == "TOKEN_INVALID"
    assert authenticator(issuer="host").authenticate(signed(GOOD | {"iss": "host"})).user_id == 7


@pytest.mark.parametrize("value", [7, True, ["x"], {"a": 1}, None, ""])
def test_an_odd_claim_counts_as_absent(value):
    """Hosts put all kinds of things into tokens: names and roles that are no text are left out."""
    names = ("role", "type", "department", "name", "avatarUrl", "permissions")
    identity = authenticator().authenticate(signed(GOOD | dict.fromkeys(names, value)))
    assert (identity.role, identity.type, identity.department) == (None, "employee", None)
    assert (identity.name, identity.avatar_url) == (None, None)
    assert all(isinstance(each, str) for each in identity.permissions)


def test_a_long_or_broken_name_is_cut_and_cleaned():
    """A name can be shown and stored whatever the token says."""
    name = "A\x00da\ud800" + "x" * 1_000
    identity = authenticator().authenticate(signed(GOOD | {"name": name}))
    assert identity.name is not None
    assert identity.name.startswith("Ada")
    assert len(identity.name) == 500
    identity.name.encode()


def test_claims_and_header_fields_that_nothing_is_decided_by_may_be_anything():
    """`jti`, `typ` and `aud` without a setting: what RFC 7519 leaves optional is not looked at."""
    for claims in ({"jti": 7}, {"jti": None}, {"aud": 5}, {"iss": ["x"]}, {"nonce": {}}):
        for header in ({"alg": "HS256"}, {"alg": "HS256", "typ": "at+jwt"}):
            assert authenticator().authenticate(signed(GOOD | claims, header)).user_id == 7


def test_the_words_of_a_refusal_hold_nothing_of_the_token():
    """No claim, no signature, no library text with a value in it."""
    for token in (
        signed(GOOD | {"sub": ["s3cret"]}),
        signed({"s3cret": 1}),
        "s3cret.s3cret.s3cret",
    ):
        with pytest.raises(ChatError) as caught:
            authenticator().authenticate(token)
        assert "s3cret" not in str(caught.value.to_answer())


def test_a_minted_token_is_a_good_one():
    """For every kind of user id, with the audience and issuer that the server asks for."""
    for user_id in (7, "ada", 0):
        token, expires_at = mint(
            SECRET, user_id, user_type="admin", clock=StoppedClock(), valid_s=60,
            audience="chat", issuer="host", name="Ada", role=None,
        )  # fmt: skip
        identity = authenticator(audience="chat", issuer="host").authenticate(token)
        assert (identity.user_id, identity.type, identity.name) == (user_id, "admin", "Ada")
        assert identity.expires_at == expires_at
        assert "role" not in jwt.decode(token, options={"verify_signature": False})


def test_a_minted_token_ends_when_it_is_said_to_end():
    """A token has whole seconds: the moment that is told with it is not a fraction later."""
    token, expires_at = mint(SECRET, 7, user_type="admin", clock=StoppedClock(), valid_s=59.7)
    assert expires_at.timestamp() == AT + 59
    assert authenticator().authenticate(token).expires_at == expires_at


@pytest.mark.parametrize("claims", [{}, {"tenant": None}, {"tenant": ""}])
def test_a_token_that_names_no_tenant_is_of_the_one_without_a_name(claims):
    """As all tokens were before there were tenants."""
    identity = authenticator().authenticate(signed(GOOD | claims))
    assert (identity.tenant, identity.key) == ("", 7)


def test_a_token_names_its_users_tenant():
    """The user's key holds it."""
    identity = authenticator().authenticate(signed(GOOD | {"tenant": "acme"}))
    assert (identity.tenant, identity.user_id, identity.key) == ("acme", 7, "acme 7")
    assert identity.key_of("x") == "acme x"


BAD_TENANTS = [
    7,
    0,
    True,
    False,
    1.5,
    ["acme"],
    {},
    "a b",
    " ",
    "acme ",
    "a\n",
    "ä",
    "x" * 65,
    "a\0",
]


@pytest.mark.parametrize("tenant", BAD_TENANTS)
def test_a_tenant_is_never_repaired(tenant):
    """To take it for none would let its user into the tenant of others."""
    assert code_of(signed(GOOD | {"tenant": tenant})) == "TOKEN_INVALID"


@pytest.mark.parametrize("claim", ["type", "role", "department"])
@pytest.mark.parametrize("text", ["ser\0vice", "service\0", "\0service", "ser\ud800vice"])
def test_a_word_that_rights_hang_on_is_never_repaired(claim, text):
    """What is no character is not cut out of a type, so that `ser\\0vice` never becomes service."""
    assert code_of(signed(GOOD | {claim: text})) == "TOKEN_INVALID"


def test_a_name_is_repaired():
    """No right hangs on it, and a token that was good yesterday lets its user in."""
    assert authenticator().authenticate(signed(GOOD | {"name": "A\0da"})).name == "Ada"


@pytest.mark.parametrize(
    "extra", ['"sub": "1"', '"type": "service"', '"exp": 1', '"more": {"a": 1, "a": 2}']
)
def test_a_claim_that_is_there_twice_is_refused(extra):
    """The host's library might read the one, and this server the other."""
    text = json.dumps(GOOD | {"type": "employee"})[:-1] + f", {extra}}}"
    assert code_of(signed(text.encode())) == "TOKEN_INVALID"
    assert authenticator().authenticate(signed(json.dumps(GOOD).encode())).user_id == 7


def test_id_counts_where_sub_is_another():
    """Back ends put an account's name into `sub`, and their number of the user into `id`."""
    assert authenticator().authenticate(signed(GOOD | {"id": 9, "sub": "login"})).user_id == 9


def test_what_tokens_say_is_not_kept_for_ever():
    """One copy of the few words that all tokens share, of no more than a thousand words."""
    check = authenticator()
    for number in range(3_000):
        claims = GOOD | {"role": f"role-{number}", "avatarUrl": f"https://a/{number}"}
        check.authenticate(signed(claims))
    assert _shared.cache_info().currsize <= 1_000
