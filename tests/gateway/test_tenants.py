"""The same user ids in two tenants, at once, on one server: nobody hears of the other one."""

import asyncio
from contextlib import asynccontextmanager
from types import SimpleNamespace

import pytest
import socketio

from chat.plugin_api import (
    MessageDraft,
    MessageEvent,
    MessageReadEvent,
    Plugin,
    Startup,
    after_message_created,
    after_message_read,
    before_message_send,
    hookimpl,
    startup,
)
from tests.support.delivery.chats import gone
from tests.support.gateway.servers import UNLIMITED, cut, generous, limits
from tests.support.waiting import eventually

TENANTS = ("acme", "")
PUSHED = ("newMessage", "userTyping", "userJoined", "userLeft", "unreadUpdated", "presenceChanged")


@asynccontextmanager
async def twins(serve, **settings):
    """A chat of Ada (1) and Grace (2) in each tenant, all of them connected, Ada in the room."""
    async with serve(**{**generous(), **settings}) as chat:
        sides = []
        for tenant in TENANTS:
            chat_id = await chat.create_chat([1, 2], tenant=tenant)
            ada = await chat.connect(1, tenant=tenant, join=chat_id)
            grace = await chat.connect(2, tenant=tenant)
            side = SimpleNamespace(tenant=tenant, chat_id=chat_id, ada=ada, grace=grace)
            sides.append(side)
        await grace.settle()
        for side in sides:
            side.heard = len(side.ada.pushed), len(side.grace.pushed)
        yield chat, *sides


async def nothing_heard(side):
    """Neither of them has been pushed anything since the beginning."""
    for client, before in zip((side.ada, side.grace), side.heard, strict=True):
        await client.settle()
        assert client.pushed[before:] == []


async def test_the_authenticate_ack_says_the_tenant_where_there_is_one(serve):
    """And nothing else on the wire does."""
    async with twins(serve) as (_, acme, nobody):
        user = (await acme.ada.call("authenticate"))["data"]["user"]
        assert (user["id"], user["tenant"]) == (1, "acme")
        assert "tenant" not in (await nobody.ada.call("authenticate"))["data"]["user"]
        answer = await acme.ada.call("sendMessage", {"chatId": acme.chat_id, "content": "hi"})
        assert "acme" not in str(answer)


@pytest.mark.parametrize("token_of", TENANTS)
async def test_a_socket_takes_no_token_of_the_same_user_of_another_tenant(serve, token_of):
    """As that of another user: it ends the socket."""
    async with twins(serve) as (chat, *sides):
        (side,) = [each for each in sides if each.tenant != token_of]
        answer = await side.ada.call("authenticate", {"token": chat.token(1, tenant=token_of)})
        assert answer["error"]["code"] == "TOKEN_INVALID"
        await gone(side.ada)


async def test_messages_counts_and_typing_stay_in_their_tenant(serve):
    """To the rooms, to those outside of them, and to the other sockets of the sender."""
    async with twins(serve) as (_, acme, nobody):
        await acme.ada.call("typing", {"chatId": acme.chat_id, "isTyping": True})
        hello = {"chatId": acme.chat_id, "content": "hello"}
        sent = await acme.ada.call("sendMessage", hello)
        assert (await acme.ada.next("newMessage"))["message"]["message"] == "hello"
        assert (await acme.grace.next("unreadUpdated"))["unreadCount"] == 1
        read = {"chatId": acme.chat_id, "messageId": sent["data"]["id"]}
        assert (await acme.grace.call("markAsRead", read))["success"]
        assert (await acme.ada.next("messageRead"))["userId"] == 2
        await nothing_heard(nobody)


async def test_coming_and_going_stays_in_its_tenant(serve):
    """Presence, rooms, and typing that ends with the last socket of the typist."""
    async with twins(serve, presence_grace_s=0) as (_, acme, nobody):
        await nobody.grace.call("joinChat", {"chatId": nobody.chat_id})
        await nobody.grace.call("typing", {"chatId": nobody.chat_id, "isTyping": True})
        assert (await nobody.ada.next("userTyping"))["isTyping"]
        nobody.heard = len(nobody.ada.pushed), len(nobody.grace.pushed)
        await acme.grace.call("joinChat", {"chatId": acme.chat_id})
        assert (await acme.ada.next("userJoined"))["userId"] == 2
        await acme.grace.call("typing", {"chatId": acme.chat_id, "isTyping": True})
        assert (await acme.ada.next("userTyping"))["isTyping"]
        await cut(acme.grace)
        assert not (await acme.ada.next("userTyping"))["isTyping"]
        assert (await acme.ada.next("userLeft"))["userId"] == 2
        statuses = [(await acme.ada.next("presenceChanged"))["status"] for _ in range(2)]
        assert statuses == ["online", "offline"]
        asked = {"userIds": [2]}
        statuses = [
            (await side.ada.call("getPresence", asked))["data"][0]["status"]
            for side in (acme, nobody)
        ]
        assert statuses == ["offline", "online"]
        typing = (await nobody.ada.call("joinChat", {"chatId": nobody.chat_id}))["data"]["typing"]
        assert typing == [2]
        await nothing_heard(nobody)


@pytest.mark.parametrize("what", ["block", "revoke", "disconnect"])
@pytest.mark.parametrize("by", TENANTS)
async def test_a_decision_about_a_user_is_one_of_one_tenant(serve, what, by):
    """The tenant `''` has no say over others either; a restart changes nothing of it."""
    async with twins(serve) as (chat, *sides):
        (mine,) = [each for each in sides if each.tenant == by]
        (other,) = [each for each in sides if each.tenant != by]
        path = f"/admin/users/2/{what}"
        answer = await chat.request("POST", path, "host", "service", tenant=by)
        assert answer.data["disconnected"] == 1
        await gone(mine.grace)
        assert other.grace.socket.connected
        await nothing_heard(other)
    async with serve(**generous()) as chat:
        await chat.connect(2, tenant=other.tenant)
        if what == "block":
            with pytest.raises(socketio.exceptions.ConnectionError):
                await chat.connect(2, tenant=by)


async def test_a_removal_takes_nobody_of_another_tenant_out_of_a_room(serve):
    """The rooms are those of chats, and the sockets those of a user of the tenant."""
    async with twins(serve) as (chat, acme, nobody):
        for side in (acme, nobody):
            await side.grace.call("joinChat", {"chatId": side.chat_id})
        path = f"/chats/{acme.chat_id}/participants/2"
        assert (await chat.request("DELETE", path, "host", "service", tenant="acme")).status == 200
        assert (await acme.grace.next("removedFromChat"))["chatId"] == acme.chat_id
        hello = {"chatId": nobody.chat_id, "content": "hello"}
        await nobody.ada.call("sendMessage", hello)
        assert (await nobody.grace.next("newMessage"))["chatId"] == nobody.chat_id


async def test_a_name_is_that_of_one_tenants_user(serve):
    """By token and by the host; pushed to the tenant, kept through a restart."""
    async with twins(serve) as (chat, acme, nobody):
        await chat.connect(token=chat.token(1, tenant="acme", name="Ada of Acme"))
        assert (await acme.grace.next("userUpdated"))["user"]["name"] == "Ada of Acme"
        body = {"name": "Grace of Acme"}
        await chat.request("PUT", "/users/2", "host", "service", tenant="acme", json=body)
        assert (await acme.ada.next("userUpdated"))["user"]["name"] == "Ada of Acme"
        assert (await acme.ada.next("userUpdated"))["user"]["name"] == "Grace of Acme"
        await nothing_heard(nobody)
    async with serve(**generous()) as chat:
        for tenant, names in ((("acme", ["Ada of Acme", "Grace of Acme"])), ("", [None, None])):
            found = await chat.request("GET", "/users?ids=1,2", 1, tenant=tenant)
            assert [each["name"] for each in found.data] == names


async def test_limits_of_a_user_are_those_of_one_tenants_user(serve):
    """Of the server and of the rate limits: one tenant uses up nothing of another's."""
    settings = {
        "plugin_names": UNLIMITED,
        "plugins": [limits(send_burst=2, send_per_s=0.001)],
        "max_sockets_per_user": 1,
        "max_lookups_per_s": 0.1,
    }
    async with twins(serve, **settings) as (_, acme, nobody):
        hello = {"chatId": acme.chat_id, "content": "hello"}
        answers = [await acme.ada.call("sendMessage", hello) for _ in range(3)]
        assert answers[2]["error"]["code"] == "RATE_LIMITED"
        hello = {"chatId": nobody.chat_id, "content": "hello"}
        assert (await nobody.ada.call("sendMessage", hello))["success"]
        missing = [
            (await acme.ada.call("joinChat", {"chatId": 10**6 + n}))["error"]["code"]
            for n in range(3)
        ]
        assert missing[2] == "RATE_LIMITED"
        answer = await nobody.ada.call("joinChat", {"chatId": 10**6})
        assert answer["error"]["code"] == "NOT_PARTICIPANT"


class Witness(Plugin):
    """Notes of which tenant the events are, and keeps the server."""

    name = "witness"

    def __init__(self):
        super().__init__()
        self.heard = []

    @hookimpl(startup)
    async def keep(self, event: Startup) -> None:
        self.server = event.server

    @hookimpl(before_message_send)
    async def send(self, draft: MessageDraft) -> None:
        self.heard.append(("before", draft.tenant))

    @hookimpl(after_message_created)
    async def sent(self, event: MessageEvent) -> None:
        self.heard.append(("after", event.tenant))

    @hookimpl(after_message_read)
    async def read(self, event: MessageReadEvent) -> None:
        self.heard.append(("read", event.tenant))


async def test_a_plugin_is_told_the_tenant_and_says_which_one_it_means(serve):
    """`''` where it says nothing."""
    witness = Witness()
    settings = {**generous(witness), "custom_events": ["told"]}
    async with twins(serve, **settings) as (chat, acme, nobody):
        for side in (acme, nobody):
            hello = {"chatId": side.chat_id, "content": "hello"}
            sent = await side.ada.call("sendMessage", hello)
            read = {"chatId": side.chat_id, "messageId": sent["data"]["id"]}
            await side.grace.call("markAsRead", read)
            kinds = ("before", "after", "read")
            await eventually(
                lambda side=side, kinds=kinds: (
                    sorted(witness.heard) == sorted((kind, side.tenant) for kind in kinds)
                )
            )
            witness.heard.clear()
        server = witness.server
        server.push_to_user(2, "told", {"of": "acme"}, tenant="acme")
        server.push_to_user(2, "told", {"of": ""})
        for side in (acme, nobody):
            assert (await side.grace.next("told")) == {"of": side.tenant}
        with pytest.raises(Exception, match="no chat"):
            await server.send_message(acme.chat_id, "hello", sender_id="bot")
        await server.send_message(acme.chat_id, "hello", sender_id="bot", tenant="acme")
        await cut(acme.grace)
        await eventually(lambda: not chat.app.gateway.get_user_sockets(2, tenant="acme"))
        assert server.is_user_online(2)
        assert server.active_users_count() == 3


async def test_lines_of_the_log_say_the_tenant_where_there_is_one(serve, log):
    """Of the access log and of the audit log."""
    async with twins(serve) as (chat, acme, _):
        await acme.ada.call("sendMessage", {"chatId": acme.chat_id, "content": "hello"})
        await chat.request("GET", "/admin/stats", "host", "service", tenant="acme")
        await chat.request("GET", "/admin/stats", "host", "service")
        await eventually(lambda: any(each["event"] == "message_sent" for each in log.entries))
    for name in ("connected", "joined"):
        lines = [each for each in log.entries if each["event"] == name]
        assert {each.get("tenant") for each in lines} == {"acme", None}
    (sent,) = [each for each in log.entries if each["event"] == "message_sent"]
    assert (sent["user_id"], sent["tenant"]) == (1, "acme")
    stats = [each for each in log.entries if each.get("action") == "GET /admin/stats"]
    assert [each.get("tenant") for each in stats] == ["acme", None]


async def test_two_tenants_write_into_their_chats_at_once(serve):
    """Each message once, in its own chat, whatever the clientMessageIds."""
    async with twins(serve) as (_, *sides):
        sends = [
            side.ada.call(
                "sendMessage",
                {"chatId": side.chat_id, "content": side.tenant or "-", "clientMessageId": f"k{n}"},
            )
            for n in range(20)
            for side in sides
        ]
        answers = await asyncio.gather(*sends)
        assert all(each["success"] and not each["duplicate"] for each in answers)
        for side in sides:
            page = await side.grace.call("sync", {"chats": [{"chatId": side.chat_id}]})
            (mine,) = page["data"]["chats"]
            assert [each["message"] for each in mine["messages"]] == [side.tenant or "-"] * 20
