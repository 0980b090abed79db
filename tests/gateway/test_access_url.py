"""ACCESS_URL and the hook `resolve_seat`: the host is asked for seats that no token gives."""

import asyncio
import base64
import hmac
import json
import time
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler

from chat.access_url import key_of
from chat.errors import SetupError
from chat.plugin_api import (
    MessageDraft,
    Plugin,
    Seat,
    SeatQuestion,
    before_message_send,
    hookimpl,
    resolve_seat,
)
from chat.settings import load_settings
from tests.support.delivery.chats import HOST, host, say
from tests.support.gateway.servers import generous
from tests.support.gateway.tokens import signed
from tests.support.waiting import eventually

SECRET = "the-secret-of-the-access-url-that-is-long"  # it guards nothing
REF = "order:1001"


class Host:
    """The host's side: `answer` is `(status, body)`, by default a seat as a member."""

    def __init__(self):
        self.answer = (200, {"role": "member"})
        self.headers = {}
        self.asked = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.url = ""

    @property
    def settings(self):
        return {"access_url": self.url, "access_secret": SECRET}


@asynccontextmanager
async def serving():
    """A host that listens."""
    the_host = Host()

    class Access(RequestHandler):
        async def post(self):
            the_host.asked.append((dict(self.request.headers), self.request.body))
            status, body = the_host.answer
            await the_host.gate.wait()
            self.set_status(status)
            for name, value in the_host.headers.items():
                self.set_header(name, value)
            self.finish(body if isinstance(body, bytes) else json.dumps(body))

    server = HTTPServer(Application([("/access", Access)]))
    sockets = bind_sockets(0, "127.0.0.1")
    server.add_sockets(sockets)
    the_host.url = f"http://127.0.0.1:{sockets[0].getsockname()[1]}/access"
    try:
        yield the_host
    finally:
        the_host.gate.set()
        server.stop()
        await server.close_all_connections()


def token(user_id=1, valid_s=3600, **claims):
    return signed(**{"id": user_id, "type": "customer", "exp": time.time() + valid_s, **claims})


async def join(client, ref=REF):
    return await client.call("joinChat", {"externalRef": ref})


async def refresh(chat, ref=REF):
    return await chat.request("POST", "/admin/seats/refresh", *HOST, json={"externalRef": ref})


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


async def test_a_refresh_asks_again_at_once(serve):
    """Those who lost their seat are out; those who keep it stay, with the role that it has now."""
    async with serving() as crm, serve(**{**generous(), **crm.settings}) as chat:
        ada, bob = await chat.connect(token=token(1)), await chat.connect(token=token(2))
        chat_id = (await join(ada))["data"]["chatId"]
        crm.answer = (200, {"role": "moderator"})
        await join(bob)
        crm.answer = (200, {"role": "readonly"})
        assert (await refresh(chat)).data == {"asked": 2, "ended": 0}
        sent = await ada.call("sendMessage", {"chatId": chat_id, "content": "hello"})
        assert sent["error"]["code"] == "FORBIDDEN"
        crm.answer = (403, {})
        assert (await refresh(chat)).data == {"asked": 2, "ended": 2}
        for each in (ada, bob):
            assert await each.next("removedFromChat") == {"chatId": chat_id, "reason": "expired"}
        assert (await refresh(chat)).data == {"asked": 0, "ended": 0}
        assert (await refresh(chat, "order:none")).data == {"asked": 0, "ended": 0}


async def test_a_refresh_that_cannot_ask_says_so_and_ends_nothing(serve):
    """The host tries again; until then its last word holds."""
    async with serving() as crm, serve(**crm.settings) as chat:
        ada = await chat.connect(token=token())
        await join(ada)
        crm.answer = (500, {})
        answer = await refresh(chat)
        assert (answer.status, answer.code) == (503, "AUTH_UNAVAILABLE")
        await ada.settle()
        assert ada.of("removedFromChat") == []


async def test_an_answer_from_before_a_refresh_does_not_seat(serve):
    """A yes that the host has taken back meanwhile: the server asks once more."""
    async with serving() as crm, serve(**crm.settings) as chat:
        crm.gate.clear()
        ada = await chat.connect(token=token())
        joining = asyncio.ensure_future(join(ada))
        await eventually(lambda: len(crm.asked) == 1)
        crm.answer = (403, {})
        assert (await refresh(chat)).status == 200
        crm.gate.set()
        assert (await joining)["error"]["code"] == "NOT_FOUND"
        assert len(crm.asked) == 2


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


class Hold(Plugin):
    """Holds messages until `go_on` is set."""

    name = "hold"

    def __init__(self):
        super().__init__()
        self.asked, self.go_on = asyncio.Event(), asyncio.Event()

    @hookimpl(before_message_send, timeout_s=20)
    async def hold(self, draft: MessageDraft) -> None:
        self.asked.set()
        await self.go_on.wait()


async def test_a_message_that_waits_loses_with_the_refresh(serve):
    """Its author's seat is asked for again in the step that gives it its number."""
    hold = Hold()
    async with serving() as crm, serve(**{**generous(hold), **crm.settings}) as chat:
        ada = await chat.connect(token=token())
        chat_id = (await join(ada))["data"]["chatId"]
        sent = {"chatId": chat_id, "content": "held"}
        sending = asyncio.ensure_future(ada.call("sendMessage", sent))
        await asyncio.wait_for(hold.asked.wait(), 5)
        crm.answer = (403, {})
        assert (await refresh(chat)).data == {"asked": 1, "ended": 1}
        hold.go_on.set()
        assert (await sending)["error"]["code"] == "NOT_PARTICIPANT"


async def test_an_answer_from_before_a_later_refresh_gives_nothing_back(serve):
    """Two refreshes overlap: the seat that the later one ended does not come back."""
    async with serving() as crm, serve(**{**generous(), **crm.settings}) as chat:
        ada = await chat.connect(token=token())
        chat_id = (await join(ada))["data"]["chatId"]
        slow = crm.gate = asyncio.Event()
        first = asyncio.ensure_future(refresh(chat))
        await eventually(lambda: len(crm.asked) == 2)
        crm.gate = asyncio.Event()
        crm.gate.set()
        crm.answer = (403, {})
        assert (await refresh(chat)).data == {"asked": 1, "ended": 1}
        slow.set()
        assert (await first).data == {"asked": 1, "ended": 1}
        joined = await ada.call("joinChat", {"chatId": chat_id})
        assert joined["error"]["code"] == "NOT_PARTICIPANT"


async def test_refreshes_of_another_tenant_disturb_nobody(serve):
    """Three of them while a user asks; neither do those of another record."""
    async with serving() as crm, serve(**{**generous(), **crm.settings}) as chat:
        ada = await chat.connect(token=token())
        crm.gate.clear()
        joining = asyncio.ensure_future(join(ada))
        await eventually(lambda: len(crm.asked) == 1)
        for tenant, ref in (("acme", REF), ("", "order:2"), ("acme", "order:2")):
            asked = {"json": {"externalRef": ref}, "tenant": tenant}
            answer = await chat.request("POST", "/admin/seats/refresh", 9, "admin", **asked)
            assert answer.status == 200
        crm.gate.set()
        assert (await joining)["success"]
        assert len(crm.asked) == 1


async def test_tokens_of_two_roles_have_a_seat_each(serve):
    """The second takes nothing from the first, and keeps no socket of it past its end."""
    async with serving() as crm, serve(**{**generous(), **crm.settings}) as chat:
        soon = datetime.now(UTC) + timedelta(seconds=1.5)
        crm.answer = (200, {"role": "member", "until": soon.isoformat()})
        vip = await chat.connect(token=token(role="vip"))
        chat_id = (await join(vip))["data"]["chatId"]
        crm.answer = (200, {"role": "readonly"})
        guest = await chat.connect(token=token(role="guest"))
        assert (await join(guest))["data"]["role"] == "readonly"
        await say(vip, chat_id, "as a member still")
        assert await vip.next("removedFromChat") == {"chatId": chat_id, "reason": "expired"}
        await host(chat, "POST", "/chat-messages", json={"chatId": chat_id, "content": "later"})
        await vip.settle()
        assert [each["message"]["message"] for each in vip.of("newMessage")] == [
            "as a member still"
        ]
        assert len(crm.asked) == 2
        assert (await refresh(chat)).data == {"asked": 1, "ended": 0}


async def test_whom_a_moderator_removed_pays_for_asking_in_vain(serve):
    """The host would give a seat each time; the limit is that of any look-up without a result."""
    async with (
        serving() as crm,
        serve(plugin_names=[], max_lookups_per_s=0.5, **crm.settings) as chat,
    ):
        ada = await chat.connect(token=token())
        chat_id = (await join(ada))["data"]["chatId"]
        await host(chat, "DELETE", f"/chats/{chat_id}/participants/1")
        codes = [(await join(ada))["error"]["code"] for _ in range(8)]
        assert codes.count("NOT_FOUND") == 5
        assert codes[-1] == "RATE_LIMITED"
        assert len(crm.asked) == 1 + 5


async def test_refreshes_leave_room_for_those_who_join(serve):
    """However many run: no admin keeps the host busy for everybody."""
    async with serving() as crm, serve(**{**generous(), **crm.settings}) as chat:
        for user_id in range(1, 10):
            bearer = {"Authorization": f"Bearer {token(user_id)}"}
            sought = {"json": {"externalRef": REF}, "headers": bearer}
            assert (await chat.request("POST", "/chats/join", None, **sought)).status == 200
        crm.gate.clear()
        crm.asked.clear()
        refreshing = [asyncio.ensure_future(refresh(chat)) for _ in range(3)]
        bob = await chat.connect(token=token(10))
        joining = asyncio.ensure_future(join(bob))
        await eventually(lambda: len(crm.asked) == 8 + 1)
        await (await chat.connect(token=token(11))).settle()
        assert len(crm.asked) == 8 + 1
        crm.gate.set()
        assert (await joining)["success"]
        assert {each.status for each in await asyncio.gather(*refreshing)} == {200}


async def test_a_moderator_removes_whoever_only_reads_over_rest(serve):
    """Such a user is in no room and has written nothing; the seat is known all the same."""
    async with serving() as crm, serve(**{**generous(), **crm.settings}) as chat:
        await join(await chat.connect(token=token(2)))  # makes the chat, which names its maker
        bearer = {"headers": {"Authorization": f"Bearer {token()}"}}
        sought = {"json": {"externalRef": REF}, **bearer}
        chat_id = (await chat.request("POST", "/chats/join", None, **sought)).data["id"]
        await host(chat, "DELETE", f"/chats/{chat_id}/participants/1")
        page = await chat.request("GET", f"/chat-messages?chatId={chat_id}", None, **bearer)
        again = await chat.request("POST", "/chats/join", None, **sought)
        assert (page.code, again.code) == ("NOT_PARTICIPANT", "NOT_FOUND")
        answer = await chat.request("DELETE", f"/chats/{chat_id}/participants/3", *HOST)
        assert answer.code == "NOT_FOUND"


async def test_a_host_that_hangs_is_there_for_others_than_one_user(serve):
    """A user's questions wait for each other, and take no place from somebody else's."""
    async with serving() as crm, serve(**{**generous(), **crm.settings}) as chat:
        crm.gate.clear()
        tabs = [await chat.connect(token=token()) for _ in range(7)]
        joins = [
            asyncio.ensure_future(join(each, f"order:{number}")) for number, each in enumerate(tabs)
        ]
        await eventually(lambda: len(crm.asked) == 4)
        bob = await chat.connect(token=token(2))
        joining = asyncio.ensure_future(join(bob))
        await eventually(lambda: len(crm.asked) == 5)
        assert json.loads(crm.asked[-1][1])["user"]["id"] == 2
        crm.gate.set()
        assert all(each["success"] for each in await asyncio.gather(joining, *joins))
