"""The keys of a server: rotation, public keys, and one family of algorithms for each."""

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from chat.errors import SetupError
from chat.keys.token_keys import TokenKeys
from tests.support.delivery.keys import short_key
from tests.support.rest.tokens import GOOD, SECRET, authenticator, code_of, signed

OLD = "an-old-secret-of-the-unit-tests-that-is-long"
RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())
PEM = serialization.Encoding.PEM


def public_pem(key):
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(PEM, form).decode()


def private_pem(key):
    none = serialization.NoEncryption()
    return key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, none).decode()


def test_earlier_secrets_still_verify():
    """While secrets rotate, tokens of either are good, and those of neither are not."""
    keys = TokenKeys([SECRET, OLD])
    for secret in (SECRET, OLD):
        token = signed(GOOD, secret=secret)
        assert authenticator(keys=keys).authenticate(token).user_id == 7
    assert code_of(signed(GOOD, secret=OLD[:-1]), keys=keys) == "TOKEN_INVALID"


def test_an_expired_token_of_an_earlier_secret_has_expired():
    """It is judged as any other, so that its client refreshes."""
    token = signed(GOOD | {"exp": 1}, secret=OLD)
    assert code_of(token, keys=TokenKeys([SECRET, OLD])) == "TOKEN_EXPIRED"


@pytest.mark.parametrize(("key", "alg"), [(RSA_KEY, "RS256"), (EC_KEY, "ES256")])
def test_a_public_key_verifies_its_own_algorithm(key, alg):
    """And no other one, nor another key's signatures."""
    keys = TokenKeys(public_key=public_pem(key))
    good = jwt.encode(GOOD, key, algorithm=alg)
    assert authenticator(keys=keys).authenticate(good).user_id == 7
    assert code_of(good) == "TOKEN_INVALID"
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    stranger = other if alg == "RS256" else ec.generate_private_key(ec.SECP256R1())
    assert code_of(jwt.encode(GOOD, stranger, algorithm=alg), keys=keys) == "TOKEN_INVALID"
    if alg == "RS256":
        for wrong in ("RS384", "PS256"):
            assert code_of(jwt.encode(GOOD, key, algorithm=wrong), keys=keys) == "TOKEN_INVALID"


@pytest.mark.parametrize("key", [RSA_KEY, EC_KEY], ids=["RSA", "EC"])
@pytest.mark.parametrize("secrets", [[], [SECRET]])
def test_a_public_key_is_never_a_secret(key, secrets):
    """HS256 by the text of the public key, with or without its line ends: signed by a stranger."""
    keys = TokenKeys(secrets, public_key=public_pem(key))
    for text in (public_pem(key), public_pem(key).strip(), public_pem(key).replace("\n", "")):
        assert code_of(signed(GOOD, secret=text), keys=keys) == "TOKEN_INVALID"


@pytest.mark.parametrize(
    "pem",
    [
        private_pem(RSA_KEY), private_pem(EC_KEY), "", "x", public_pem(RSA_KEY)[:-60],
        public_pem(short_key()),
        public_pem(ec.generate_private_key(ec.SECP384R1())), "-----BEGIN PUBLIC KEY-----\n",
    ],
    ids=["private RSA", "private EC", "empty", "text", "truncated", "short", "P-384", "head only"],
)  # fmt: skip
def test_a_key_that_is_no_public_key_stops_the_start(pem):
    """One sentence that names the setting, and nothing of a private key in it."""
    with pytest.raises(SetupError, match=r"^JWT_PUBLIC_KEY [^\n]+\.$") as caught:
        TokenKeys(public_key=pem)
    assert "MII" not in str(caught.value)
