"""One rule for a token, wherever it is shown: at connect, in REST, and in `authenticate`."""

import json

import pytest

from tests.support.gateway.tokens import hours, signed
from tests.support.gateway.wire import RawPolling, RawSocket


def spellings(token):
    return [
        token, f"Bearer {token}", f"bearer {token}", f"BEARER   {token}", f" {token}\n",
    ]  # fmt: skip


async def codes(chat, shown, raw):
    """The refusal of the text in a header, the auth object, the query and `authenticate`."""
    header = shown if shown.lower().startswith("bearer") else f"Bearer {shown}"
    header = header.strip()
    rest = await chat.request("GET", "/chats", None, headers={"Authorization": header})
    found = [rest.code]
    for auth, options in (
        ({"token": shown}, {}),
        (None, {"headers": {"Authorization": header}}),
        (None, {"token": shown}),
    ):
        opened = await RawSocket.open(chat, **options)
        answer = await opened.connect(auth)
        await opened.close()
        refused = answer.startswith("44")
        found.append(json.loads(answer.partition(",")[2])["data"]["code"] if refused else None)
    answer = await raw.call("authenticate", {"token": shown})
    return [*found, None if answer["success"] else answer["error"]["code"]]


async def test_each_place_takes_the_same_spellings(serve):
    """Blanks around the token, and `Bearer` in any case in front of it."""
    async with serve() as chat:
        raw = await RawSocket.enter(chat, 1)
        for shown in spellings(chat.token(1)):
            assert await codes(chat, shown, raw) == [None] * 5, shown[:10]


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"exp": hours(-1)}, "TOKEN_EXPIRED"),
        ({"exp": 1}, "TOKEN_EXPIRED"),
        ({"exp": hours(1) + 0.5, "iat": hours(0) - 0.5, "nbf": hours(0) + 20.5}, None),
        ({"nbf": hours(1)}, "TOKEN_INVALID"),
        ({"iat": hours(1)}, "TOKEN_INVALID"),
        ({"exp": 10**400}, "TOKEN_INVALID"),
        ({"jti": 7, "aud": ["x"], "iss": 5, "typ": None}, None),
    ],
)
async def test_each_place_judges_times_and_claims_alike(serve, claims, code):
    """One authenticator, with one leeway, is behind all of them."""
    async with serve() as chat:
        raw = await RawSocket.enter(chat, 1)
        assert await codes(chat, signed(id=1, **claims), raw) == [code] * 5


@pytest.mark.parametrize("shown", ["", " ", "Bearer "])
async def test_a_blank_token_is_none(serve, shown):
    """UNAUTHENTICATED, unless a later place has one; `authenticate` never takes it for nothing."""
    async with serve() as chat:
        raw = await RawSocket.enter(chat, 1)
        assert await codes(chat, shown, raw) == ["UNAUTHENTICATED"] * 5
        both = await RawPolling.open(
            chat, headers={"Authorization": "Bearer "}, token=chat.token(5)
        )
        assert (await both.connect({"token": shown})).startswith("40")
        assert (await both.event('["authenticate"]'))["userId"] == 5


async def test_a_bad_token_in_front_is_not_passed_over(serve):
    """The first place counts, though a later one has a good token."""
    async with serve() as chat:
        for bad in ("nonsense", 0, False, []):
            raw = await RawSocket.open(chat, headers={"Authorization": f"Bearer {chat.token(1)}"})
            answer = await raw.connect({"token": bad})
            assert json.loads(answer.partition(",")[2])["data"]["code"] == "TOKEN_INVALID"
