"""ACCESS_URL and the hook `resolve_seat`: the host is asked for seats that no token gives."""

import asyncio
import base64
import hmac
import json
import time
from datetime import UTC, datetime, timedelta

import pytest

from chat.access_url import key_of
from chat.errors import SetupError
from chat.plugin_api import (
    Plugin,
    Seat,
    SeatQuestion,
    hookimpl,
    resolve_seat,
)
from chat.settings import load_settings
from tests.support.delivery.chats import host, say
from tests.support.gateway.access_host import REF, SECRET, join, serving, token
from tests.support.gateway.servers import generous
from tests.support.waiting import eventually


async def test_the_host_is_asked_and_its_answer_seats(serve):
    """Who asks for what, signed as Standard Webhooks has it; a title for the chat that is made."""
    async with serving() as crm, serve(**crm.settings) as chat:
        crm.answer = (200, {"role": "readonly", "title": "Order 1001", "more": "is ignored"})
        ada = await chat.connect(token=token(role="vip"))
        joined = await join(ada)
        assert joined["data"]["role"] == "readonly"
        chat_id = joined["data"]["chatId"]
        assert (await host(chat, "GET", f"/chats/{chat_id}"))["title"] == "Order 1001"
        ((headers, body),) = crm.asked
        assert json.loads(body) == {
            "externalRef": REF,
            "user": {"id": 1, "type": "customer", "role": "vip", "tenant": ""},
        }
        signed_text = f"{headers['Webhook-Id']}.{headers['Webhook-Timestamp']}.".encode() + body
        mac = hmac.digest(SECRET.encode(), signed_text, "sha256")
        assert headers["Webhook-Signature"] == f"v1,{base64.b64encode(mac).decode()}"
        assert abs(int(headers["Webhook-Timestamp"]) - time.time()) < 30


async def test_a_seat_that_was_given_is_not_asked_for_again(serve):
    """It holds for the user, by id and by externalRef, over REST and on every socket."""
    async with serving() as crm, serve(**crm.settings) as chat:
        bearer = {"Authorization": f"Bearer {token()}"}
        made = await chat.request(
            "POST", "/chats/join", None, json={"externalRef": REF}, headers=bearer
        )
        assert made.data["role"] == "member"
        page = await chat.request(
            "GET", f"/chat-messages?chatId={made.data['id']}", None, headers=bearer
        )
        assert page.status == 200
        ada = await chat.connect(token=token())
        assert (await join(ada))["success"]
        assert len(crm.asked) == 1


@pytest.mark.parametrize("status", [403, 404])
async def test_a_no_is_not_found(serve, status):
    """As for a chat that is not there; and the next join asks again."""
    async with serving() as crm, serve(**crm.settings) as chat:
        crm.answer = (status, {"why": "not yours"})
        ada = await chat.connect(token=token())
        assert (await join(ada))["error"]["code"] == "NOT_FOUND"
        assert await host(chat, "GET", f"/chats?externalRef={REF}") == []
        crm.answer = (200, {"role": "member"})
        assert (await join(ada))["success"]


NO_ANSWERS = {
    "a crash": (500, {}),
    "a refusal of its own": (401, {}),
    "nothing": (204, b""),
    "a redirect": (302, b""),
    "no JSON": (200, b"yes"),
    "no role": (200, {}),
    "an owner": (200, {"role": "owner"}),
    "a role of its own": (200, {"role": "supervisor"}),
    "another tenant's role": (200, {"role": "member", "tenant": "acme"}),
    "a moment without a zone": (200, {"role": "member", "until": "2099-01-01T00:00:00"}),
    "a long answer": (200, {"role": "member", "more": "x" * 20_000}),
}


@pytest.mark.parametrize("answer", NO_ANSWERS.values(), ids=NO_ANSWERS)
async def test_what_is_no_answer_opens_nothing_and_is_retryable(serve, answer):
    """AUTH_UNAVAILABLE with a time to wait, and no chat is made."""
    async with serving() as crm, serve(**crm.settings) as chat:
        crm.answer = answer
        crm.headers = {"Location": crm.url} if answer[0] == 302 else {}
        ada = await chat.connect(token=token())
        error = (await join(ada))["error"]
        assert (error["code"], error["retryable"]) == ("AUTH_UNAVAILABLE", True)
        assert error["retryAfter"] > 0
        assert await host(chat, "GET", f"/chats?externalRef={REF}") == []
        assert len(crm.asked) == 1


async def test_a_host_that_hangs_is_waited_for_two_seconds(serve):
    """Then it is as away as one that is down; others are served meanwhile."""
    async with serving() as crm, serve(**crm.settings) as chat:
        crm.gate.clear()
        chat_id = await chat.create_chat([2])
        ada, bob = await chat.connect(token=token()), await chat.connect(2, join=chat_id)
        began = time.monotonic()
        joining = asyncio.ensure_future(join(ada))
        await say(bob, chat_id, "meanwhile")
        assert (await joining)["error"]["code"] == "AUTH_UNAVAILABLE"
        assert 1.5 < time.monotonic() - began < 6


async def test_a_host_that_is_down_is_away(serve):
    """Nothing listens there."""
    async with serving() as crm:
        settings = crm.settings
    async with serve(**settings) as chat:
        ada = await chat.connect(token=token())
        assert (await join(ada))["error"]["code"] == "AUTH_UNAVAILABLE"


async def test_those_who_wait_for_the_same_answer_ask_once(serve):
    """Twenty tabs of a user are one question."""
    async with serving() as crm, serve(**{**generous(), **crm.settings}) as chat:
        crm.gate.clear()
        tabs = [await chat.connect(token=token()) for _ in range(5)]
        joins = [asyncio.ensure_future(join(each)) for each in tabs]
        await eventually(lambda: len(crm.asked) == 1)
        crm.gate.set()
        answers = await asyncio.gather(*joins)
        assert len({each["data"]["chatId"] for each in answers}) == 1
        assert len(crm.asked) == 1


async def test_a_seat_with_until_ends_then(serve):
    """`removedFromChat` with `expired`; the token lives on, and the next join asks again."""
    async with serving() as crm, serve(**crm.settings) as chat:
        until = (datetime.now(UTC) + timedelta(seconds=1)).isoformat()
        crm.answer = (200, {"role": "member", "until": until})
        ada = await chat.connect(token=token())
        chat_id = (await join(ada))["data"]["chatId"]
        assert await ada.next("removedFromChat") == {"chatId": chat_id, "reason": "expired"}
        sent = await ada.call("sendMessage", {"chatId": chat_id, "content": "hello"})
        assert sent["error"]["code"] == "NOT_PARTICIPANT"
        crm.answer = (403, {})
        assert (await join(ada))["error"]["code"] == "NOT_FOUND"


async def test_a_seat_without_until_ends_with_the_token(serve):
    """And goes on with a renewed one of the same type and role, without another question."""
    async with serving() as crm, serve(**crm.settings) as chat:
        ada = await chat.connect(token=token(valid_s=2))
        chat_id = (await join(ada))["data"]["chatId"]
        assert (await ada.call("authenticate", {"token": token(valid_s=4)}))["success"]
        await asyncio.sleep(2.2)  # past the end of the first token
        sent = await ada.call("sendMessage", {"chatId": chat_id, "content": "hello"})
        assert sent["success"], sent
        assert len(crm.asked) == 1
        assert await ada.next("removedFromChat") == {"chatId": chat_id, "reason": "expired"}


async def test_a_token_of_another_role_has_to_ask_for_itself(serve):
    """The host said yes to the first role."""
    async with serving() as crm, serve(**crm.settings) as chat:
        ada = await chat.connect(token=token(role="vip"))
        chat_id = (await join(ada))["data"]["chatId"]
        assert (await ada.call("authenticate", {"token": token(role="guest")}))["success"]
        assert await ada.next("removedFromChat") == {"chatId": chat_id, "reason": "expired"}
        crm.answer = (403, {})
        assert (await join(ada))["error"]["code"] == "NOT_FOUND"


class Desk(Plugin):
    """Answers what `answer` is; `slow` keeps it waiting."""

    name = "desk"

    def __init__(self, answer, *, slow=False):
        super().__init__()
        self.answer, self.slow, self.asked = answer, slow, []

    @hookimpl(resolve_seat, timeout_s=0.2)
    async def seat(self, question: SeatQuestion) -> Seat | None:
        self.asked.append((question.identity.user_id, question.external_ref))
        if self.slow:
            await asyncio.Event().wait()
        return self.answer


async def test_a_plugin_gives_a_seat_before_the_host_is_asked(serve):
    """The first answer holds; None leaves the question to the next one."""
    desk = Desk(Seat(role="moderator", title="Order"))
    async with serving() as crm, serve(plugins=[desk], **crm.settings) as chat:
        ada = await chat.connect(token=token())
        assert (await join(ada))["data"]["role"] == "moderator"
        assert (desk.asked, crm.asked) == ([(1, REF)], [])
        desk.answer = None
        bob = await chat.connect(token=token(2))
        assert (await join(bob))["data"]["role"] == "member"
        assert len(crm.asked) == 1


@pytest.mark.expects_errors
@pytest.mark.parametrize("desk", [Desk(None, slow=True), Desk("member"), Desk(Seat(role="owner"))])
async def test_a_plugin_that_fails_opens_nothing_and_is_retryable(serve, desk):
    """PLUGIN_ERROR, and no chat is made."""
    async with serve(plugins=[desk]) as chat:
        ada = await chat.connect(token=token())
        error = (await join(ada))["error"]
        assert (error["code"], error["retryable"]) == ("PLUGIN_ERROR", True)
        assert await host(chat, "GET", f"/chats?externalRef={REF}") == []


async def test_a_claim_needs_no_question(serve):
    """The token has said it already."""
    desk = Desk(None)
    async with serve(plugins=[desk]) as chat:
        ada = await chat.connect(token=token(seats={REF: "member"}))
        assert (await join(ada))["success"]
        assert desk.asked == []


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"access_url": "https://crm.example.com/access"}, "ACCESS_SECRET"),
        ({"access_url": "http://crm.example.com/access", "access_secret": SECRET}, "https"),
        ({"access_url": "crm.example.com", "access_secret": SECRET}, "ACCESS_URL"),
        ({"access_url": "https://crm.example.com", "access_secret": "short"}, "ACCESS_SECRET"),
    ],
)
def test_an_access_url_that_is_not_safe_is_refused_at_the_start(settings, word):
    """Without a secret, over http to another machine, or no address at all."""
    with pytest.raises(SetupError, match=word):
        load_settings(jwt_secret=SECRET, **settings)


def test_a_secret_is_spelt_as_standard_webhooks_has_it_or_plain():
    """`whsec_` and base64 stand for the bytes."""
    assert key_of("whsec_" + base64.b64encode(b"k" * 32).decode()) == b"k" * 32
    assert key_of("plain") == b"plain"
    assert key_of("whsec_!") == b"whsec_!"
