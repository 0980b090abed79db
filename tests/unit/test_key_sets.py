"""A host's published key set: when it is fetched, what a token hears while its key is missing, and
which members of the set are used.
"""

import asyncio
import json

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from chat.auth import Authenticator
from chat.errors import ChatError
from chat.keys.token_keys import MAX_MISSING, MAX_TRIED, TokenKeys
from chat.timings import Timings
from tests.support.delivery.keys import ec_key, jwk, key_for, public_pem, rsa_key, short_key
from tests.support.rest.tokens import GOOD, SECRET, StoppedClock, signed
from tests.support.waiting import eventually, turns

AWAY = ConnectionRefusedError()
TOO_LONG = json.dumps({"keys": [jwk(rsa_key("x"), "x", pad="x" * 1_000_000)]})


class Host:
    """Publishes `members`, or raises `fault`; `hold` keeps answers back. Time stands at `at`."""

    def __init__(self, *members, secrets=(), public_key=None, **timings):
        self.members, self.fault, self.text, self.hold = list(members), None, None, None
        self.asked, self.at, self.moments = 0, 1_000.0, []
        self.retry_after_s = None
        self.keys = TokenKeys(
            secrets,
            public_key=public_key,
            fetch=self._fetch,
            now=lambda: self.at,
            timings=Timings(**timings),
        )
        self._checks = Authenticator(self.keys, StoppedClock())

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        self.keys.close()

    async def _fetch(self):
        self.asked += 1
        self.moments.append(asyncio.get_running_loop().time())
        if self.hold is not None:
            await self.hold.wait()
        if self.fault is not None:
            raise self.fault
        return json.dumps({"keys": self.members}) if self.text is None else self.text

    async def code(self, token):
        """The code with which a token is refused, None for a good one."""
        return (await self.answer(token))[0]

    async def answer(self, token):
        try:
            identity = await self._checks.identify(token)
        except ChatError as error:
            self.retry_after_s = error.retry_after_s
            return error.code.value, error.reason
        assert identity.user_id == 7
        return None, None


def by(key, kid=None, alg="RS256"):
    return jwt.encode(GOOD, key, algorithm=alg, headers={"kid": kid} if kid else None)


async def test_a_key_set_is_fetched_when_a_token_names_an_unknown_key():
    """Then the token is good, and so are the next ones without another look."""
    async with Host(jwk(rsa_key(), "r1"), jwk(ec_key(), "e1")) as host:
        for key, alg, kid in ((rsa_key(), "RS256", "r1"), (ec_key(), "ES256", "e1")) * 2:
            assert await host.code(by(key, kid, alg)) is None
        assert host.asked == 1


async def test_a_host_that_is_away_is_a_refusal_that_passes():
    """AUTH_UNAVAILABLE with a time to wait, and a reason for the log."""
    async with Host(jwk(rsa_key(), "r1")) as host:
        host.fault = AWAY
        assert await host.answer(by(rsa_key(), "r1")) == ("AUTH_UNAVAILABLE", "key set away")
        host.fault, host.at = None, host.at + 5
        assert await host.code(by(rsa_key(), "r1")) is None


async def test_a_failed_fetch_is_tried_again_in_the_background():
    """Later each time, up to a bound, and nobody has to ask for it."""
    retries = {"key_first_retry_s": 0.02, "key_last_retry_s": 0.08}
    async with Host(jwk(rsa_key(), "r1"), **retries) as host:
        host.fault = AWAY
        await host.keys.open()
        await eventually(lambda: host.asked == 6)
        host.fault = None
        await eventually(lambda: not host.keys.host_is_away)
        gaps = [b - a for a, b in zip(host.moments, host.moments[1:], strict=False)]
        least = [0.02, 0.04, 0.08, 0.08, 0.08]
        # Timers of the loop may be early by its clock's resolution.
        assert all(gap > bound - 0.005 for gap, bound in zip(gaps, least, strict=False))
        asked = host.asked
        assert await host.code(by(rsa_key(), "r1")) is None
        assert host.asked == asked


async def test_one_outage_is_one_line_in_the_log(log):
    """And one more when it is over; neither holds an address."""
    async with Host(jwk(rsa_key(), "r1"), key_first_retry_s=0.001) as host:
        host.fault = AWAY
        await host.keys.open()
        await eventually(lambda: host.asked >= 4)
        host.fault = None
        await eventually(lambda: not host.keys.host_is_away)
    lines = [(line["event"], line.get("error"), line.get("keys")) for line in log.entries]
    assert lines == [
        ("jwks_not_fetched", "ConnectionRefusedError", None),
        ("jwks_fetched", None, 1),
    ]


async def test_known_keys_serve_while_the_host_is_away():
    """However long; tokens end by their own `exp`."""
    async with Host(jwk(rsa_key(), "r1")) as host:
        assert await host.code(by(rsa_key(), "r1")) is None
        host.fault = AWAY
        for _ in range(3):
            host.at += 100_000
            assert await host.code(by(rsa_key(), "r1")) is None
            assert await host.code(by(rsa_key("x"), "x")) == "AUTH_UNAVAILABLE"


@pytest.mark.parametrize(
    "text",
    [
        "", "{}", "[]", "null", '{"keys": []}', '{"keys": [{}]}', '{"keys": 5}', "<html>",
        "[" * 100_000, '{"keys": [null, 5, "x", []]}', TOO_LONG,
    ],
)  # fmt: skip
async def test_an_answer_that_is_no_key_set_is_a_failed_fetch(text):
    """The keys that were there stay, other secrets too, and the token with the new key waits."""
    async with Host(jwk(rsa_key(), "r1"), secrets=[SECRET]) as host:
        assert await host.code(by(rsa_key(), "r1")) is None
        host.text, host.at = text, host.at + 60
        assert await host.answer(by(rsa_key("x"), "x")) == ("AUTH_UNAVAILABLE", "key set away")
        assert await host.code(by(rsa_key(), "r1")) is None
        assert await host.code(signed(GOOD)) is None


async def test_a_key_of_a_rotation_just_after_a_look_is_waited_for():
    """The token is not refused for good; seconds later it is let in."""
    async with Host(jwk(rsa_key(), "r1")) as host:
        assert await host.code(by(rsa_key(), "r1")) is None
        host.members = [jwk(rsa_key("2"), "r2")]
        assert await host.answer(by(rsa_key("2"), "r2")) == ("AUTH_UNAVAILABLE", "unknown key")
        assert (host.asked, host.retry_after_s) == (1, 5)
        host.at += 5
        assert await host.code(by(rsa_key("2"), "r2")) is None
        assert await host.code(by(rsa_key(), "r1")) == "AUTH_UNAVAILABLE"


async def test_a_key_that_is_still_not_published_after_a_minute_is_a_bad_one():
    """The host was asked after that minute, and answered. Until then the client tries again."""
    async with Host(jwk(rsa_key(), "r1")) as host:
        token = by(rsa_key("x"), "x")
        for passed in (0, 5, 30, 59):
            host.at = 1_000 + passed
            assert await host.code(token) == "AUTH_UNAVAILABLE"
        host.at, host.fault = 1_070, AWAY
        assert await host.code(token) == "AUTH_UNAVAILABLE"
        host.at, host.fault = 1_080, None
        assert await host.answer(token) == ("TOKEN_INVALID", "unknown key")
        host.members.append(jwk(rsa_key("x"), "x"))
        host.at = 1_090
        assert await host.code(token) is None


async def test_unknown_key_ids_do_not_hammer_the_host():
    """One fetch in five seconds, whatever strangers send, and a bounded memory of it."""
    async with Host(jwk(rsa_key(), "r1")) as host:
        for number in range(20):
            assert await host.code(by(rsa_key("x"), f"x{number}")) == "AUTH_UNAVAILABLE"
        assert host.asked == 1
        host.at += 4.9
        assert await host.code(by(rsa_key("x"), "x")) == "AUTH_UNAVAILABLE"
        assert host.asked == 1
        for number in range(MAX_MISSING + 50):
            await host.keys.look_for(number)
        assert len(host.keys._missing) == MAX_MISSING


async def test_all_who_come_at_once_wait_for_one_fetch():
    """They get its answer."""
    async with Host(jwk(rsa_key(), "r1")) as host:
        host.hold = asyncio.Event()
        asked = [asyncio.ensure_future(host.code(by(rsa_key(), "r1"))) for _ in range(10)]
        await eventually(lambda: host.asked == 1)
        host.at += 5
        asked.append(asyncio.ensure_future(host.code(by(rsa_key(), "r1"))))
        await turns()
        host.hold.set()
        assert await asyncio.gather(*asked) == [None] * 11
        assert host.asked == 1


async def test_nobody_waits_long_for_a_host_that_hangs():
    """The fetch goes on, and its keys serve those who come again."""
    async with Host(jwk(rsa_key(), "r1"), key_wait_s=0.02) as host:
        host.hold = asyncio.Event()
        assert await host.code(by(rsa_key(), "r1")) == "AUTH_UNAVAILABLE"
        host.hold.set()
        await eventually(lambda: host.keys.candidates("RS256", "r1"))
        assert await host.code(by(rsa_key(), "r1")) is None
        assert host.asked == 1


async def test_a_fetch_that_hangs_is_cut_off():
    """Or no other would ever begin."""
    async with Host(jwk(rsa_key(), "r1"), key_fetch_within_s=0.02) as host:
        host.hold = asyncio.Event()
        assert await host.code(by(rsa_key(), "r1")) == "AUTH_UNAVAILABLE"
        assert host.keys.host_is_away


async def test_a_key_that_the_host_withdraws_is_dropped():
    """Within ten minutes, by a fetch in the background, though no token asks for another key."""
    async with Host(jwk(rsa_key(), "r1"), jwk(rsa_key("2"), "r2")) as host:
        assert await host.code(by(rsa_key(), "r1")) is None
        host.members.pop(0)
        host.at += 590
        assert await host.code(by(rsa_key("2"), "r2")) is None
        assert host.asked == 1
        host.at += 20
        assert await host.code(by(rsa_key("2"), "r2")) is None
        await eventually(lambda: host.asked == 2)
        assert await host.code(by(rsa_key(), "r1")) == "AUTH_UNAVAILABLE"


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
async def test_a_token_without_a_key_id_is_tried_with_each_key(algorithm):
    """`kid` is optional (RFC 7515 4.1.4), in a set of one key and of several."""
    first, second = key_for(algorithm), key_for(algorithm, "2")
    async with Host(jwk(first, "1")) as host:
        assert await host.code(by(first, alg=algorithm)) is None
    async with Host(jwk(rsa_key("x"), "x"), jwk(ec_key("x"), "y"), jwk(first, "1")) as host:
        assert await host.code(by(first, alg=algorithm)) is None
        assert await host.code(by(second, alg=algorithm)) == "AUTH_UNAVAILABLE"
        host.members, host.at = [jwk(second, "2")], host.at + 5
        assert await host.code(by(second, alg=algorithm)) is None
        host.at += 5
        forged = by(key_for(algorithm, "evil"), alg=algorithm)
        assert await host.code(forged) == "AUTH_UNAVAILABLE"
        host.at += 61
        assert await host.code(forged) == "TOKEN_INVALID"
        another = by(key_for(algorithm, "evil too"), alg=algorithm)
        assert await host.code(another) == "AUTH_UNAVAILABLE"
    async with Host(jwk(first, None)) as host:
        assert await host.code(by(first, alg=algorithm)) is None
        assert await host.code(by(second, alg=algorithm)) == "AUTH_UNAVAILABLE"


async def test_a_token_without_a_key_id_is_tried_with_few_keys():
    """Or a large set would make each forged token costly."""
    members = [jwk(ec_key(str(number)), str(number)) for number in range(MAX_TRIED + 4)]
    async with Host(*members) as host:
        await host.keys.open()
        assert len(host.keys.candidates("ES256", None)) == MAX_TRIED
        last = str(MAX_TRIED + 3)
        assert await host.code(by(ec_key(last), last, "ES256")) is None


async def test_a_bad_signature_of_a_known_key_is_final_at_once():
    """The host is not asked for a key that is there."""
    async with Host(jwk(rsa_key(), "r1")) as host:
        assert await host.code(by(rsa_key(), "r1")) is None
        host.at += 59
        assert await host.answer(by(rsa_key("evil"), "r1")) == ("TOKEN_INVALID", "signature")
        assert await host.answer(by(ec_key(), "r1", "ES256")) == ("TOKEN_INVALID", "signature")
        assert host.asked == 1


async def test_a_new_key_with_an_old_id_is_found():
    """A bad signature is looked at again, once a minute at most, and is final if it stays bad."""
    async with Host(jwk(rsa_key(), "k")) as host:
        assert await host.code(by(rsa_key(), "k")) is None
        host.members, host.at = [jwk(rsa_key("2"), "k")], host.at + 60
        assert await host.code(by(rsa_key("2"), "k")) is None
        assert host.asked == 2
        for _ in range(3):
            assert await host.code(by(rsa_key("evil"), "k")) == "TOKEN_INVALID"
        assert host.asked == 2
        host.fault, host.at = AWAY, host.at + 60
        for _ in range(3):
            assert await host.code(by(rsa_key("evil"), "k")) == "TOKEN_INVALID"
        assert host.asked == 3


async def test_an_algorithm_that_the_set_cannot_have_is_final_at_once():
    """HS256 and others are not for published keys; the host is not asked."""
    async with Host(jwk(rsa_key(), "r1")) as host:
        for header in ({"alg": "HS256", "kid": "x"}, {"alg": "none"}, {"alg": "RS512"}):
            assert await host.answer(signed(GOOD, header)) == ("TOKEN_INVALID", "algorithm")
        assert host.asked == 0


async def test_the_set_is_asked_although_a_fixed_key_is_of_the_same_kind():
    """JWT_PUBLIC_KEY and JWT_JWKS_URL together: a signature by neither may be a new key's."""
    async with Host(jwk(rsa_key(), "r1"), public_key=public_pem(rsa_key("fixed"))) as host:
        assert await host.code(by(rsa_key("fixed"), "whatever")) is None
        assert host.asked == 0
        assert await host.code(by(rsa_key(), "r1")) is None
        assert await host.code(by(rsa_key())) is None


USABLE = {
    "plain": {}, "without alg": {"alg": None}, "without use": {"use": None}, "use": {"use": "sig"},
    "alg": {"alg": "RS256"}, "key_ops": {"key_ops": ["verify"]}, "no key_ops": {"key_ops": None},
    "number as kid": {"kid": 7}, "no kid": {"kid": None}, "certificate": {"x5c": ["MII"]},
    "unknown member": {"ext": True, "exp": 1},
}  # fmt: skip


@pytest.mark.parametrize("what", USABLE)
async def test_what_rfc_7517_leaves_optional_is_optional(what):
    """`alg`, `use`, `key_ops` and `kid` of a member may be missing or null."""
    async with Host({**jwk(rsa_key(), "r1"), **USABLE[what]}) as host:
        assert await host.code(by(rsa_key(), "r1")) is None
        assert await host.code(by(rsa_key())) is None


RSA, EC = jwk(rsa_key(), "r1"), jwk(ec_key(), "r1")
UNUSABLE = {
    "encryption": {**RSA, "use": "enc"}, "other use": {**RSA, "use": ["sig"]},
    "no verify": {**RSA, "key_ops": ["encrypt", "wrapKey"]}, "odd key_ops": {**RSA, "key_ops": 5},
    "other alg": {**RSA, "alg": "RSA-OAEP"}, "longer hash": {**RSA, "alg": "RS512"},
    "alg of EC": {**RSA, "alg": "ES256"}, "odd alg": {**RSA, "alg": ["RS256"]},
    "unknown kty": {**RSA, "kty": "AKP"}, "odd kty": {**RSA, "kty": ["RSA"]},
    "no kty": {"kid": "r1"}, "bad n": {**RSA, "n": "!"}, "odd n": {**RSA, "n": 5},
    "no n": {**RSA, "n": None}, "P-384": jwk(ec_key("", ec.SECP384R1), "r1", crv="P-384"),
    "off the curve": {**EC, "x": EC["y"]}, "secret": {"kty": "oct", "k": "c2VjcmV0", "kid": "r1"},
    "text": "r1", "null": None, "list": [RSA],
    "private": {
        **jwt.get_algorithm_by_name("RS256").to_jwk(rsa_key(), as_dict=True),
        "key_ops": ["sign", "verify"],
        "kid": "r1",
    },
}  # fmt: skip


@pytest.mark.parametrize("what", UNUSABLE)
async def test_one_unusable_key_spoils_none_of_the_others(what):
    """It is skipped; tokens that name it wait for a better one."""
    async with Host(UNUSABLE[what], jwk(rsa_key("2"), "r2")) as host:
        assert await host.code(by(rsa_key("2"), "r2")) is None
        assert await host.code(by(rsa_key("2"))) is None
        assert await host.code(by(rsa_key(), "r1")) == "AUTH_UNAVAILABLE"
        assert await host.code(by(ec_key(), "r1", "ES256")) == "AUTH_UNAVAILABLE"


@pytest.mark.filterwarnings("ignore:The RSA key is 1024 bits")
async def test_short_keys_are_not_used_and_named_once(log):
    """RSA under 2,048 bits can be broken. The operator is told which key it is, not each time."""
    short = short_key()
    async with Host(jwk(short, "short"), jwk(rsa_key(), "r1")) as host:
        assert await host.code(by(rsa_key(), "r1")) is None
        assert await host.code(by(short, "short")) == "AUTH_UNAVAILABLE"
        host.at += 700
        assert await host.code(by(rsa_key(), "r1")) is None
        await eventually(lambda: host.asked >= 2)
    told = [line for line in log.entries if line["event"] == "jwks_key_too_short"]
    assert [line["kid"] for line in told] == ["short"]


@pytest.mark.filterwarnings("ignore:The RSA key is 1024 bits")
async def test_a_set_of_short_keys_only_is_a_failed_fetch(log):
    """The keys of before go on to serve, and the log says what is wrong with the new ones."""
    short = short_key()
    async with Host(jwk(short, "short")) as host:
        assert await host.code(by(short, "short")) == "AUTH_UNAVAILABLE"
        assert host.keys.host_is_away
    assert "jwks_key_too_short" in [line["event"] for line in log.entries]


async def test_a_key_id_may_be_there_twice():
    """Each of its keys is tried."""
    async with Host(jwk(rsa_key(), "k"), jwk(rsa_key("2"), "k"), jwk(ec_key(), "k")) as host:
        assert await host.code(by(rsa_key(), "k")) is None
        assert await host.code(by(rsa_key("2"), "k")) is None
        assert await host.code(by(ec_key(), "k", "ES256")) is None
        assert await host.code(by(rsa_key("3"), "k")) == "TOKEN_INVALID"
