"""Tokens signed with other keys than the one secret: rotation, public keys, and a published key
set."""

import asyncio
import json
import time

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from tornado.httpclient import AsyncHTTPClient

from chat.errors import SetupError
from chat.keys.download import TIMEOUT_S
from chat.plugin_api import AuthFailure, Plugin, after_auth_failure, hookimpl
from chat.testing import SECRET
from chat.timings import Timings
from tests.support.delivery.chats import connect_refusal, rest_code, sent_away
from tests.support.delivery.keys import (
    ec_key,
    jwk,
    key_for,
    key_host,
    private_pem,
    public_pem,
    rsa_key,
    token,
)
from tests.support.gateway.servers import MovableClock, generous
from tests.support.gateway.tokens import signed
from tests.support.gateway.wire import RawSocket
from tests.support.waiting import eventually

FAMILIES = ("RS256", "ES256")
EARLIER = "an-earlier-secret-of-the-tests-long-enough"
OLDEST = "the-oldest-secret-of-the-tests-long-enough"


class Watcher(Plugin):
    """Hears of every failure."""

    name = "watcher"

    def __init__(self):
        super().__init__()
        self.failures = []

    @hookimpl(after_auth_failure)
    async def heard(self, failure: AuthFailure) -> None:
        self.failures.append(failure)


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


async def test_a_key_that_is_not_there_yet_is_a_refusal_that_passes(serve):
    """503 with Retry-After in REST, a typed ack for `authenticate`, and at connect a closed
    transport: after a CONNECT_ERROR the official client would stay away.
    """
    clock = MovableClock()
    async with (
        key_host(jwk(rsa_key(), "one")) as host,
        serve(jwt_secret=None, jwt_jwks_url=host.url, clock=clock) as chat,
    ):
        raw = await RawSocket.open(chat)
        await raw.connect({"token": token(rsa_key(), "RS256", "one")})
        fresh = token(rsa_key("new"), "RS256", "new")
        refused = await chat.request(
            "GET", "/chats", None, headers={"Authorization": f"Bearer {fresh}"}
        )
        assert (refused.status, refused.code) == (503, "AUTH_UNAVAILABLE")
        assert 1 <= int(refused.headers["Retry-After"]) <= 5
        assert refused.body["error"]["retryable"] is True
        answer = await raw.call("authenticate", {"token": fresh})
        assert answer["error"]["code"] == "AUTH_UNAVAILABLE"
        assert answer["error"]["retryAfter"] >= 1
        assert await sent_away(chat, fresh)
        assert await raw.is_alive()
        host.keys.append(jwk(rsa_key("new"), "new"))
        clock.jump(5)
        assert await rest_code(chat, fresh) is None
        assert await connect_refusal(chat, fresh) is None
        assert (await raw.call("authenticate", {"token": fresh}))["success"]


async def test_made_up_key_ids_do_not_make_the_host_be_asked_often(serve):
    """Nor do they fill the log: a client that tries again and again is told of now and then."""
    watcher = Watcher()
    async with (
        key_host(jwk(rsa_key(), "one")) as host,
        serve(
            jwt_secret=None,
            jwt_jwks_url=host.url,
            max_failed_tokens_per_min=3,
            **generous(watcher),
        ) as chat,
    ):
        for number in range(10):
            made_up = token(rsa_key("evil"), "RS256", f"made-up-{number}")
            assert await rest_code(chat, made_up) == "AUTH_UNAVAILABLE"
        assert host.asked == 1
        assert await rest_code(chat, token(rsa_key(), "RS256", "one")) is None
        await chat.app.hooks.drain()
        assert [each.code.value for each in watcher.failures] == ["AUTH_UNAVAILABLE"] * 3
        assert {each.reason for each in watcher.failures} == {"unknown key"}


async def test_a_host_that_was_down_at_start_lets_clients_in_later(serve):
    """The server starts without its keys, and fetches them in the background once they are
    there.
    """
    timings = Timings(key_first_retry_s=0.02, key_last_retry_s=0.02)
    async with key_host(jwk(rsa_key(), "one")) as host:
        host.status = 502
        async with serve(jwt_secret=None, jwt_jwks_url=host.url, timings=timings) as chat:
            good = token(rsa_key(), "RS256", "one")
            assert await rest_code(chat, good) == "AUTH_UNAVAILABLE"
            assert (await chat.request("GET", "/health/live", None)).status == 200
            assert await sent_away(chat, good)
            host.status = 200

            async def is_let_in():
                return await rest_code(chat, good) is None

            await eventually(is_let_in)
            assert await connect_refusal(chat, good) is None


async def test_a_host_that_is_down_costs_no_known_key(serve):
    """What was fetched before goes on to work, and those with a new key try again."""
    async with key_host(jwk(rsa_key(), "one")) as host:
        server = serve(jwt_secret=None, jwt_jwks_url=host.url)
        chat = await server.__aenter__()
    try:
        assert await rest_code(chat, token(rsa_key("x"), "RS256", "other")) == "AUTH_UNAVAILABLE"
        assert await rest_code(chat, token(rsa_key(), "RS256", "one")) is None
        assert await connect_refusal(chat, token(rsa_key(), "RS256", "one")) is None
        assert (await chat.request("GET", "/health/live", None)).status == 200
    finally:
        await server.__aexit__(None, None, None)


async def test_a_token_without_a_key_id_is_good_by_a_key_of_the_set(serve):
    """`kid` is optional in the token and in the set."""
    async with (
        key_host(jwk(rsa_key(), "one"), jwk(ec_key(), None)) as host,
        serve(jwt_secret=None, jwt_jwks_url=host.url) as chat,
    ):
        for key, algorithm in ((rsa_key(), "RS256"), (ec_key(), "ES256")):
            assert await rest_code(chat, token(key, algorithm)) is None
            assert await connect_refusal(chat, token(key, algorithm)) is None
        assert host.asked == 1


async def test_a_server_stops_while_its_key_host_hangs(serve):
    """Nobody waits for the fetch, at start or at the end."""
    timings = Timings(key_wait_s=0.05)
    async with key_host(jwk(rsa_key(), "one")) as host:
        host.hold = asyncio.Event()
        began = time.monotonic()
        async with serve(jwt_secret=None, jwt_jwks_url=host.url, timings=timings) as chat:
            assert await rest_code(chat, token(rsa_key(), "RS256", "one")) == "AUTH_UNAVAILABLE"
        assert time.monotonic() - began < TIMEOUT_S
        host.hold.set()


async def test_slow_requests_of_plugins_do_not_hold_up_the_keys(serve):
    """Tornado's shared client runs ten requests at a time; the fetch is none of them."""
    async with key_host(jwk(rsa_key(), "one")) as host, key_host() as slow:
        slow.hold = asyncio.Event()
        pending = [asyncio.ensure_future(AsyncHTTPClient().fetch(slow.url)) for _ in range(10)]
        await eventually(lambda: slow.asked == 10)
        async with serve(jwt_secret=None, jwt_jwks_url=host.url) as chat:
            assert await connect_refusal(chat, token(rsa_key(), "RS256", "one")) is None
            slow.hold.set()
            await asyncio.gather(*pending)


async def test_a_key_set_may_begin_with_a_byte_order_mark(serve):
    """Some hosts write one in front of their JSON."""
    async with key_host() as host:
        host.body = "\ufeff" + json.dumps({"keys": [jwk(rsa_key(), "one")]})
        async with serve(jwt_secret=None, jwt_jwks_url=host.url) as chat:
            assert await rest_code(chat, token(rsa_key(), "RS256", "one")) is None
