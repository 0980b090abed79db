"""The promise of delivery, tried with whatever order of things chance comes up with.

Two tenants do the same at once, in chats of users of the same ids.

50 runs in `make test`; `make property` does 500.
"""

import asyncio
import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chat.testing import running_chat
from tests.support.chat_replica import ChatReplica
from tests.support.gateway.servers import NO_CORE_LIMITS
from tests.support.heard import Heard

RUNS = int(os.environ.get("PROPERTY_RUNS", "50"))
USERS = (1, 2, 3)
TENANTS = ("", "acme")
TABS = [(user, tab) for user in USERS for tab in (0, 1)]
NUMBERED = {
    "newMessage", "messageUpdated", "messageDeleted", "participantAdded", "participantUpdated",
    "participantRemoved", "chatUpdated",
}  # fmt: skip

tab = st.integers(0, len(TABS) - 1)
nth = st.integers(0, 9)
user = st.sampled_from(USERS)
action = st.one_of(
    st.tuples(st.just("send"), tab, st.just(0)),
    st.tuples(st.just("send"), tab, st.just(0)),
    st.tuples(st.just("edit"), tab, nth),
    st.tuples(st.just("delete"), tab, nth),
    st.tuples(st.just("join"), tab, st.just(0)),
    st.tuples(st.just("leave"), tab, st.just(0)),
    st.tuples(st.just("remove"), user, st.just(0)),
    st.tuples(st.just("add"), user, st.just(0)),
    st.tuples(st.just("title"), st.just(0), nth),
)
# Each action is waited for, or left to run beside those that follow.
story = st.lists(st.tuples(action, st.booleans()), min_size=1, max_size=40)


class Tab:
    """A socket with its record of one chat: pages asked for and pushes received, as they came."""

    def __init__(self, client, user_id):
        self.client = client
        self.user_id = user_id
        self.foreign = 0
        self.strays = []
        self.chat_id = 0
        self.record = []
        self.live = ChatReplica()
        client.pushed = Heard(self.received)

    def received(self, event, payload):
        if (payload or {}).get("chatId") == self.foreign:
            self.strays.append((event, payload))
        if event in NUMBERED and payload["chatId"] == self.chat_id:
            self.record.append((event, payload))
            self.live.apply_event(event, payload)

    def begin(self, chat_id, foreign):
        self.chat_id, self.record, self.live = chat_id, [], ChatReplica()
        self.foreign = foreign

    def page(self, page):
        self.record.append(("page", page))
        self.live.apply_page(page)

    async def join(self):
        cursor = {} if self.live.cursor is None else {"since": self.live.cursor}
        answer = await self.client.call("joinChat", {"chatId": self.chat_id, "limit": 3, **cursor})
        if answer["success"] and not self.live.gap:
            self.page(answer["data"]["sync"])


class Story:
    """One run: a fresh chat of a tenant, and actions on it by six tabs."""

    def __init__(self, chat, tenant, tabs, chat_id):
        self.chat = chat
        self.tenant = tenant
        self.tabs = tabs
        self.chat_id = chat_id
        self.sent = []
        self.texts = iter(range(1_000_000))

    async def act(self, kind, who, number):
        if kind in ("send", "edit", "delete", "join", "leave"):
            await getattr(self, kind)(self.tabs[who], number)
        elif kind == "title":
            await self.host("PATCH", "", {"title": f"title {number}"})
        elif kind == "add":
            await self.host("POST", "/participants", {"userIds": [who]})
        else:
            await self.host("DELETE", f"/participants/{who}", None)

    async def host(self, method, path, body):
        path = f"/chats/{self.chat_id}{path}"
        await self.chat.request(method, path, "host", "service", tenant=self.tenant, json=body)

    async def send(self, sender, _):
        payload = {"chatId": self.chat_id, "content": f"text {next(self.texts)}"}
        answer = await sender.client.call("sendMessage", payload)
        if answer["success"]:
            self.sent.append(answer["data"]["id"])

    async def edit(self, sender, number):
        if self.sent:
            message_id = self.sent[number % len(self.sent)]
            payload = {"messageId": message_id, "content": f"text {next(self.texts)}"}
            await sender.client.call("editMessage", payload)

    async def delete(self, sender, number):
        if self.sent:
            message_id = self.sent[number % len(self.sent)]
            await sender.client.call("deleteMessage", {"messageId": message_id})

    async def join(self, joiner, _):
        await joiner.join()

    async def leave(self, leaver, _):
        await leaver.client.call("leaveChat", {"chatId": self.chat_id})


async def catch_up(one, replica):
    """Ask for pages of two until there are no more."""
    more = True
    while more:
        asked = {"chatId": one.chat_id}
        if replica.cursor is not None:
            asked["since"] = replica.cursor
        limit = 2 if replica.cursor is not None else 200
        answer = await one.client.call("sync", {"chats": [asked], "limit": limit})
        page = answer["data"]["chats"][0]
        if "error" in page:
            return page["error"]["code"]
        replica.apply_page(page)
        more = page["hasMore"]
    return None


async def run(chat, tabs_of, steps, cut):
    chat_ids = {tenant: await chat.create_chat(USERS, tenant=tenant) for tenant in TENANTS}
    for tenant, other in zip(TENANTS, reversed(TENANTS), strict=True):
        for one in tabs_of[tenant]:
            one.begin(chat_ids[tenant], chat_ids[other])
            await one.join()
    await asyncio.gather(
        *(tell(chat, each, tabs_of[each], chat_ids[each], steps, cut) for each in TENANTS)
    )
    for tabs in tabs_of.values():
        assert [each for one in tabs for each in one.strays] == []


async def tell(chat, tenant, tabs, chat_id, steps, cut):
    told = Story(chat, tenant, tabs, chat_id)
    running = []
    for (kind, who, number), wait in steps:
        doing = asyncio.ensure_future(told.act(kind, who, number))
        running.append(doing)
        if wait:
            await doing
    await asyncio.gather(*running)
    for one in tabs:
        await one.client.settle()
    members = await chat.request(
        "GET", f"/chats/{chat_id}/participants", "host", "service", tenant=tenant
    )
    seated = {each["userId"] for each in members.data}
    for one in tabs:
        fresh = ChatReplica()
        refused = await catch_up(one, fresh)
        if one.user_id not in seated:
            assert refused == "NOT_PARTICIPANT"
            continue
        assert refused is None
        for length in {0, round(cut * len(one.record)), len(one.record)}:
            replica = ChatReplica()
            for name, payload in one.record[:length]:
                if name == "page":
                    replica.apply_page(payload)
                else:
                    replica.apply_event(name, payload)
            assert await catch_up(one, replica) is None
            assert replica.shown() == fresh.shown()
        await one.client.call("leaveChat", {"chatId": chat_id})


@pytest.mark.parametrize("timeline", [False, True])
def test_any_prefix_of_live_events_plus_sync_equals_a_fresh_load(mongodb_uri, timeline):
    """Whatever sends, edits, deletions, joins, leaves, removals and in whatever order: a client
    that has seen any part of it and then catches up shows what one that loads anew shows.
    """
    loop = asyncio.new_event_loop()
    server = running_chat(
        mongodb_uri=mongodb_uri,
        plugin_names=("plugins.ping",),
        typing_ttl_s=0.5,
        timeline=timeline,
        **NO_CORE_LIMITS,
    )
    chat = loop.run_until_complete(server.__aenter__())
    try:
        tabs = {
            tenant: [
                Tab(loop.run_until_complete(chat.connect(user_id, tenant=tenant)), user_id)
                for user_id, _ in TABS
            ]
            for tenant in TENANTS
        }

        @settings(
            max_examples=RUNS, deadline=None, suppress_health_check=list(HealthCheck), database=None
        )
        @given(steps=story, cut=st.floats(0, 1))
        def check(steps, cut):
            loop.run_until_complete(run(chat, tabs, steps, cut))

        check()
    finally:
        loop.run_until_complete(server.__aexit__(None, None, None))
        loop.close()
