"""Tokens signed with other keys than the one secret: rotation, public keys, and a published key
set."""

import asyncio
import time

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from chat.errors import SetupError
from chat.testing import SECRET
from tests.support.delivery_chats import connect_refusal, rest_code
from tests.support.delivery_keys import (
    ec_key,
    jwk,
    key_for,
    key_host,
    private_pem,
    public_pem,
    rsa_key,
    token,
)
from tests.support.gateway_servers import eventually
from tests.support.gateway_tokens import signed

FAMILIES = ("RS256", "ES256")
EARLIER = "an-earlier-secret-of-the-tests-long-enough"
OLDEST = "the-oldest-secret-of-the-tests-long-enough"


async def test_earlier_secrets_still_verify_during_a_rotation(serve):
    """JWT_SECRET_PREVIOUS holds any number of them; a secret that is not listed is refused."""
    async with serve(jwt_secret_previous=f"{EARLIER}, {OLDEST}") as chat:
        for secret in (SECRET, EARLIER, OLDEST):
            assert await rest_code(chat, signed(secret, id=1)) is None
            assert await connect_refusal(chat, signed(secret, id=1)) is None
        unknown = "a-secret-that-the-server-never-had-anywhere"
        assert await rest_code(chat, signed(unknown, id=1)) == "TOKEN_INVALID"
    async with serve() as chat:
        assert await rest_code(chat, signed(EARLIER, id=1)) == "TOKEN_INVALID"


@pytest.mark.parametrize("algorithm", FAMILIES)
@pytest.mark.parametrize("given", ["as text", "as a file"])
async def test_tokens_of_a_private_key_are_verified_with_its_public_one(
    serve, tmp_path, algorithm, given
):
    """RS256 and ES256, with JWT_PUBLIC_KEY as PEM text or the path of a file that holds it."""
    pem = public_pem(key_for(algorithm))
    (tmp_path / "key.pem").write_text(pem)
    setting = pem if given == "as text" else str(tmp_path / "key.pem")
    async with serve(jwt_secret=None, jwt_public_key=setting) as chat:
        good = token(key_for(algorithm), algorithm)
        assert await rest_code(chat, good) is None
        assert await connect_refusal(chat, good) is None
        other = token(key_for(algorithm, "another"), algorithm)
        assert await rest_code(chat, other) == "TOKEN_INVALID"
        assert (await connect_refusal(chat, other))["code"] == "TOKEN_INVALID"
        late = token(key_for(algorithm), algorithm, exp=int(time.time()) - 1)
        assert await rest_code(chat, late) == "TOKEN_EXPIRED"


@pytest.mark.parametrize("algorithm", FAMILIES)
async def test_a_public_key_is_never_a_secret(serve, algorithm):
    """An HS256 token signed with the text of the public key is refused, whatever else is
    configured."""
    pem = public_pem(key_for(algorithm))
    for secret in (None, SECRET):
        async with serve(jwt_secret=secret, jwt_public_key=pem) as chat:
            for text in (pem, pem.strip(), pem + "\n", pem.replace("\n", "")):
                assert await rest_code(chat, signed(text, id=1)) == "TOKEN_INVALID"
            assert await rest_code(chat, token(key_for(algorithm), algorithm)) is None


async def test_a_header_cannot_choose_another_algorithm(serve):
    """`none`, other families and other hashes are refused, though the signature fits the header."""
    pem = public_pem(rsa_key())
    async with serve(jwt_secret=None, jwt_public_key=pem) as chat:
        for algorithm in ("RS384", "RS512", "PS256"):
            assert await rest_code(chat, token(rsa_key(), algorithm)) == "TOKEN_INVALID"
        assert await rest_code(chat, token(ec_key(), "ES256")) == "TOKEN_INVALID"
        for header in ("none", "None", "NONE", "", "hs256", 5, None, ["RS256"]):
            forged = signed(SECRET, {"alg": header, "typ": "JWT"}, id=1)
            assert await rest_code(chat, forged) == "TOKEN_INVALID"
            unsigned = forged.rpartition(".")[0] + "."
            assert await rest_code(chat, unsigned) == "TOKEN_INVALID"
        assert await rest_code(chat, signed(SECRET, id=1)) == "TOKEN_INVALID"


async def test_a_key_in_the_tokens_own_header_is_not_believed(serve):
    """`jwk`, `jku` and `x5u` of a token are the sender's words."""
    async with key_host(jwk(rsa_key("evil"), "evil")) as evil:
        async with serve(jwt_secret=None, jwt_public_key=public_pem(rsa_key())) as chat:
            body = {"id": 1, "exp": int(time.time()) + 600}
            headers = {"jwk": jwk(rsa_key("evil"), "evil"), "jku": evil.url, "x5u": evil.url}
            forged = jwt.encode(body, rsa_key("evil"), "RS256", headers={**headers, "kid": "evil"})
            assert await rest_code(chat, forged) == "TOKEN_INVALID"
        assert evil.asked == 0


@pytest.mark.parametrize(
    "pem",
    [
        "-----BEGIN PUBLIC KEY-----\nnonsense\n-----END PUBLIC KEY-----",
        private_pem(ec_key()),
        private_pem(rsa_key()),
        public_pem(ec_key("", ec.SECP384R1)),
        public_pem(ed25519.Ed25519PrivateKey.generate()),
    ],
    ids=["nonsense", "private EC", "private RSA", "P-384", "Ed25519"],
)
async def test_a_key_that_cannot_be_used_stops_the_start(serve, pem):
    """One sentence that names the setting; the key itself is not repeated."""
    with pytest.raises(SetupError) as caught:
        async with serve(jwt_secret=None, jwt_public_key=pem):
            pass
    assert "JWT_PUBLIC_KEY" in str(caught.value)
    assert pem.splitlines()[1] not in str(caught.value)


async def test_a_key_file_that_is_not_there_stops_the_start(serve, tmp_path):
    """One sentence that names the setting."""
    with pytest.raises(SetupError, match="JWT_PUBLIC_KEY"):
        async with serve(jwt_secret=None, jwt_public_key=str(tmp_path / "nothing.pem")):
            pass


@pytest.mark.parametrize("algorithm", FAMILIES)
async def test_a_published_key_set_is_fetched_at_start(serve, algorithm):
    """Tokens of its keys are good from the first one on, and cost no further look."""
    async with (
        key_host(jwk(key_for(algorithm), "one"), jwk(key_for(algorithm, "2"), "two")) as host,
        serve(jwt_secret=None, jwt_jwks_url=host.url) as chat,
    ):
        for name, kid in (("", "one"), ("2", "two"), ("", "one")):
            good = token(key_for(algorithm, name), algorithm, kid)
            assert await rest_code(chat, good) is None
            assert await connect_refusal(chat, good) is None
        assert host.asked == 1
        mixed_up = token(key_for(algorithm), algorithm, "two")
        assert await rest_code(chat, mixed_up) == "TOKEN_INVALID"


async def test_an_unknown_key_id_is_looked_up_once_a_minute(serve, monkeypatch):
    """A host that rotates its keys is asked again; tokens with made-up ids do not make it often."""
    async with (
        key_host(jwk(rsa_key(), "one")) as host,
        serve(jwt_secret=None, jwt_jwks_url=host.url) as chat,
    ):
        host.keys.append(jwk(rsa_key("new"), "new"))
        fresh = token(rsa_key("new"), "RS256", "new")
        assert await rest_code(chat, fresh) == "TOKEN_INVALID"
        assert host.asked == 1
        monkeypatch.setattr("chat.token_keys.FETCH_EVERY_S", 0)
        assert await rest_code(chat, fresh) is None
        assert host.asked == 2
        monkeypatch.setattr("chat.token_keys.FETCH_EVERY_S", 60)
        for number in range(10):
            made_up = token(rsa_key("evil"), "RS256", f"made-up-{number}")
            assert await rest_code(chat, made_up) == "TOKEN_INVALID"
            assert (await connect_refusal(chat, made_up))["code"] == "TOKEN_INVALID"
        assert host.asked == 2
        assert await rest_code(chat, token(rsa_key(), "RS256", "one")) is None


async def test_a_key_that_is_no_longer_published_is_worth_nothing(serve, monkeypatch):
    """After the next look, the old key's tokens are refused."""
    async with (
        key_host(jwk(rsa_key(), "old")) as host,
        serve(jwt_secret=None, jwt_jwks_url=host.url) as chat,
    ):
        host.keys = [jwk(rsa_key("new"), "new")]
        monkeypatch.setattr("chat.token_keys.FETCH_EVERY_S", 0)
        assert await rest_code(chat, token(rsa_key("new"), "RS256", "new")) is None
        assert await rest_code(chat, token(rsa_key(), "RS256", "old")) == "TOKEN_INVALID"


async def test_all_that_come_with_a_new_key_at_once_are_let_in(serve, monkeypatch):
    """Whoever comes while the key set is being fetched waits for it: a refusal would be for
    good."""
    async with (
        key_host(jwk(rsa_key(), "old")) as host,
        serve(jwt_secret=None, jwt_jwks_url=host.url) as chat,
    ):
        monkeypatch.setattr("chat.token_keys.FETCH_EVERY_S", 0)
        host.keys.append(jwk(rsa_key("new"), "new"))
        host.hold = asyncio.Event()
        fresh = token(rsa_key("new"), "RS256", "new")
        first = asyncio.ensure_future(rest_code(chat, fresh))
        await eventually(lambda: host.asked == 2)
        monkeypatch.setattr("chat.token_keys.FETCH_EVERY_S", 60)
        others = [asyncio.ensure_future(rest_code(chat, fresh)) for _ in range(5)]
        gate = chat.app._gate
        await eventually(lambda: gate.running == 6 or any(each.done() for each in others))
        host.hold.set()
        assert await first is None
        assert await asyncio.gather(*others) == [None] * 5
        assert host.asked == 2


@pytest.mark.parametrize(
    "body", ["nonsense", "[]", "{}", '{"keys": []}', '{"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}']
)
async def test_a_host_that_publishes_nonsense_is_survived(serve, body, monkeypatch):
    """Tokens are refused with TOKEN_INVALID while there is no key; a symmetric one is never
    taken."""
    async with key_host() as host:
        host.body = body
        async with serve(jwt_secret=None, jwt_jwks_url=host.url) as chat:
            good = token(rsa_key(), "RS256", "one")
            assert await rest_code(chat, good) == "TOKEN_INVALID"
            assert (await connect_refusal(chat, signed("secret", id=1)))["code"] == "TOKEN_INVALID"
            host.body, host.keys = None, [jwk(rsa_key(), "one")]
            monkeypatch.setattr("chat.token_keys.FETCH_EVERY_S", 0)
            assert await rest_code(chat, good) is None


async def test_a_host_that_is_down_costs_no_known_key(serve, monkeypatch):
    """What was fetched before goes on to work; the others are refused, and the server lives."""
    monkeypatch.setattr("chat.token_keys.FETCH_EVERY_S", 0)
    async with key_host(jwk(rsa_key(), "one")) as host:
        server = serve(jwt_secret=None, jwt_jwks_url=host.url)
        chat = await server.__aenter__()
    try:
        assert await rest_code(chat, token(rsa_key("x"), "RS256", "other")) == "TOKEN_INVALID"
        assert await rest_code(chat, token(rsa_key(), "RS256", "one")) is None
        assert (await chat.request("GET", "/health/live", None)).status == 200
    finally:
        await server.__aexit__(None, None, None)


async def test_a_host_that_is_down_at_start_is_asked_again(serve, monkeypatch):
    """The server starts without its keys, and takes tokens once they are published."""
    async with key_host() as gone:
        url = gone.url
    async with serve(jwt_secret=None, jwt_jwks_url=url) as chat:
        refused = await connect_refusal(chat, token(rsa_key(), "RS256", "one"))
        assert refused["code"] == "TOKEN_INVALID"
        assert (await chat.request("GET", "/health/live", None)).status == 200
