"""Seats that the host gives: refreshes, several tokens of a user, removals."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

from chat.plugin_api import (
    MessageDraft,
    Plugin,
    before_message_send,
    hookimpl,
)
from tests.support.delivery.chats import HOST, host, say
from tests.support.gateway.access_host import REF, join, refresh, serving, token
from tests.support.gateway.servers import generous
from tests.support.waiting import eventually


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
