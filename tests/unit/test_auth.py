"""Which tokens are believed: every trick that their form, header and signature are known for."""

import hashlib
import hmac

import pytest

from tests.support.rest.tokens import GOOD, SECRET, authenticator, b64, code_of, signed


@pytest.mark.parametrize("token", [None, ""])
def test_no_token_is_unauthenticated(token):
    """Told apart from a bad one."""
    assert code_of(token) == "UNAUTHENTICATED"


@pytest.mark.parametrize(
    "token",
    [
        "x", "a.b", "a.b.c", "...", "a.b.c.d", "Bearer x", " ", "null", 7, True, 1.5, b"bytes",
        ["a"], {"$gt": ""}, "ä.ö.ü", "\x00", signed(GOOD)[:-1], signed(GOOD)[:-10],
        signed(GOOD) + "A", signed(GOOD) + ".", signed(GOOD)[1:],
        signed(GOOD).replace(".", "..", 1),
        signed(GOOD).rsplit(".", 1)[0], signed(GOOD).rsplit(".", 1)[0] + ".",
    ],
)  # fmt: skip
def test_what_is_no_whole_token_is_invalid(token):
    """Garbage, truncated, of another type."""
    assert code_of(token) == "TOKEN_INVALID"


@pytest.mark.parametrize("size", [8_193, 100_000])
def test_a_token_over_8_kb_is_refused_unread(size):
    """Even a good one."""
    padded = signed(GOOD | {"pad": "x" * size})
    assert len(padded) > 8_192
    assert code_of(padded) == "TOKEN_INVALID"


@pytest.mark.parametrize("depth", [500, 1_500, 2_900])
def test_a_deeply_nested_token_is_no_crash(depth):
    """It is refused like any other, although its header is read before its signature is checked."""
    deep = b"[" * depth + b"]" * depth
    header = b'{"alg":"HS256","x":' + deep + b"}"
    body = f"{b64(header)}.{b64(GOOD)}"
    assert code_of(f"{body}.{b64(b'x' * 32)}") == "TOKEN_INVALID"
    claims = b'{"sub":"7","x":' + deep + b"}"
    body = f"{b64({'alg': 'HS256'})}.{b64(claims)}"
    mac = hmac.new(SECRET.encode(), body.encode(), hashlib.sha256).digest()
    assert code_of(f"{body}.{b64(mac)}") == "TOKEN_INVALID"


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "nOnE", "", None, "HS255", ["HS256"], 256])
@pytest.mark.parametrize("signature", ["", "kept"])
def test_a_token_without_an_algorithm_is_refused(alg, signature):
    """`none` never, in whatever spelling, with or without a signature."""
    token = signed(GOOD, {"alg": alg, "typ": "JWT"})
    if not signature:
        token = token.rsplit(".", 1)[0] + "."
    assert code_of(token) == "TOKEN_INVALID"


@pytest.mark.parametrize(("alg", "digest"), [("HS384", hashlib.sha384), ("HS512", hashlib.sha512)])
def test_another_algorithm_with_the_right_secret_is_refused(alg, digest):
    """One algorithm for one key."""
    assert code_of(signed(GOOD, {"alg": alg}, digest=digest)) == "TOKEN_INVALID"


@pytest.mark.parametrize("alg", ["RS256", "ES256", "PS256", "EdDSA"])
def test_a_public_key_algorithm_is_refused(alg):
    """Also when the signature is an HMAC by the secret under that name (key confusion)."""
    assert code_of(signed(GOOD, {"alg": alg})) == "TOKEN_INVALID"


def test_a_token_signed_by_a_published_key_is_refused():
    """HS256 by an RSA public key as its secret is signed by a stranger."""
    pem = (
        "-----BEGIN PUBLIC KEY-----\nMFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAK\n-----END PUBLIC KEY-----\n"
    )
    assert code_of(signed(GOOD, secret=pem)) == "TOKEN_INVALID"


@pytest.mark.parametrize("secret", ["", "secret", SECRET[:-1], SECRET + "x", SECRET.upper()])
def test_a_signature_by_another_secret_is_refused(secret):
    """Near is not equal."""
    assert code_of(signed(GOOD, secret=secret)) == "TOKEN_INVALID"


def test_changed_claims_do_not_fit_their_signature():
    """A stranger's id under a good signature of other claims."""
    head, _, mac = signed(GOOD).split(".")
    assert code_of(f"{head}.{b64(GOOD | {'sub': '1'})}.{mac}") == "TOKEN_INVALID"


@pytest.mark.parametrize(
    "header",
    [
        {"kid": "../../../../dev/null"}, {"kid": "x' UNION SELECT 'key"}, {"kid": "https://e.x/k"},
        {"jku": "https://evil.example/keys"}, {"x5u": "https://evil.example/cert"},
        {"jwk": {"kty": "oct", "k": b64(b"attackers-own-key-that-is-long-enough!!")}},
    ],
)  # fmt: skip
def test_a_header_that_points_to_another_key_is_not_followed(header):
    """A good signature stays good, one by the key that the header offers stays bad."""
    head = {"alg": "HS256", **header}
    assert authenticator().authenticate(signed(GOOD, head)).user_id == 7
    other = signed(GOOD, head, secret="attackers-own-key-that-is-long-enough!!")
    assert code_of(other) == "TOKEN_INVALID"
    assert code_of(signed(GOOD, head, secret="")) == "TOKEN_INVALID"


@pytest.mark.parametrize("crit", [["exp"], ["b64"], ["http://example.com/x"], [], "exp", 1, [1]])
def test_a_critical_header_that_nobody_understands_is_refused(crit):
    """RFC 7515 4.1.11: what is critical and unknown makes the token invalid."""
    head = {"alg": "HS256", "crit": crit, "http://example.com/x": True}
    assert code_of(signed(GOOD, head)) == "TOKEN_INVALID"


@pytest.mark.parametrize("header", [{"b64": False}, {"kid": 7}, {"kid": ["a"]}, [], "HS256", None])
def test_a_header_that_is_no_header_is_refused(header):
    """Wrong types in it, or no object at all."""
    head = {"alg": "HS256", **header} if isinstance(header, dict) else [header]
    assert code_of(signed(GOOD, head)) == "TOKEN_INVALID"
