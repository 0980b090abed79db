"""The promise of authority, tried with whatever order of things chance comes up with.

Two tenants do the same at once, in chats of users of the same ids; in both only one chat fits into
memory.

20 runs in `make test`; `make property` does 200.
"""

import asyncio
import os

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from chat.plugin_api import MessageDraft, Plugin, before_message_send, hookimpl
from chat.testing import running_chat
from tests.support.delivery.chats import HOST, all_messages, gone, head_of
from tests.support.gateway.servers import generous
from tests.support.heard import Heard

RUNS = int(os.environ.get("PROPERTY_RUNS", "50")) * 2 // 5
USERS = (1, 2, 3)
TENANTS = ("", "acme")
CHATS = (0, 1)

user = st.sampled_from(USERS)
place = st.sampled_from(CHATS)
action = st.one_of(
    st.tuples(st.sampled_from(["socket", "rest", "socket"]), user, place),
    st.tuples(st.sampled_from(["remove", "add", "join", "look"]), user, place),
    st.tuples(st.sampled_from(["block", "unblock", "refresh", "come"]), user, place),
)
# Each action is waited for, or left to run beside those that follow.
story = st.lists(st.tuples(action, st.booleans()), min_size=4, max_size=30)


class Slow(Plugin):
    """Thinks every second message over, while others go on."""

    name = "slow"

    @hookimpl(before_message_send, timeout_s=5)
    async def think(self, draft: MessageDraft) -> None:
        if int(draft.content) % 2 == 0:
            await asyncio.sleep(0.15)  # a slow plugin is the case, not a wait


class Story:
    """One run: two chats of a tenant, one in memory at most; who was out of what, and from when to
    when.
    """

    def __init__(self, chat, tenant, chats):
        self.chat = chat
        self.tenant = tenant
        self.chats = chats
        self.tabs = {}
        self.lost = {}  # tab: set when its connection is gone
        self.texts = iter(range(1_000_000))
        self.silent = []  # (user, chat, from, to): numbers that none of the user's messages has
        self.out = {}  # (user, chat): the last number when that was answered
        self.deciding = {(kind, each): asyncio.Lock() for kind in "bm" for each in USERS}
        self.violations = []

    async def act(self, kind, user_id, place):
        await getattr(self, kind)(user_id, self.chats[place])

    async def host(self, method, path, body=None):
        return await self.chat.request(method, path, *HOST, tenant=self.tenant, json=body)

    async def come(self, user_id, _chat_id):
        """A socket that hears of nothing once its user is out."""
        tab = self.tabs.get(user_id)
        if tab is not None and tab.socket.connected:
            return
        try:
            tab = await self.chat.connect(user_id, tenant=self.tenant)
        except Exception:  # noqa: BLE001  # blocked
            return

        def received(event, payload):
            chat_id = (payload or {}).get("chatId")
            silent = (user_id, chat_id) in self.deaf or chat_id not in (None, *self.chats)
            if silent and event in ("newMessage", "userTyping", "participantAdded"):
                self.violations.append((user_id, event, payload))

        tab.pushed = Heard(received)
        self.lost[tab] = asyncio.Event()

        async def end(*_):
            self.lost[tab].set()

        tab.socket.on("disconnect", end, namespace="/chat")
        self.tabs[user_id] = tab

    deaf: set = set()  # noqa: RUF012  # made anew by each run

    async def call(self, user_id, event, payload):
        tab = self.tabs.get(user_id)
        if tab is None or not tab.socket.connected:
            return None
        call = asyncio.ensure_future(tab.call(event, payload))
        lost = asyncio.ensure_future(self.lost[tab].wait())
        try:
            await asyncio.wait([call, lost], return_when=asyncio.FIRST_COMPLETED)
            return call.result() if call.done() else None
        except Exception:  # noqa: BLE001  # cut in the middle
            return None
        finally:
            for each in (call, lost):
                each.cancel()

    async def socket(self, user_id, chat_id):
        content = str(next(self.texts))
        await self.call(user_id, "sendMessage", {"chatId": chat_id, "content": content})

    async def rest(self, user_id, chat_id):
        body = {"chatId": chat_id, "content": str(next(self.texts))}
        await self.chat.request("POST", "/chat-messages", user_id, tenant=self.tenant, json=body)

    async def join(self, user_id, chat_id):
        await self.call(user_id, "joinChat", {"chatId": chat_id})

    async def refresh(self, user_id, _chat_id):
        await self.call(
            user_id, "authenticate", {"token": self.chat.token(user_id, tenant=self.tenant)}
        )

    async def look(self, _user_id, chat_id):
        """Load the one chat, so that the other one is forgotten."""
        await self.host("GET", f"/chats/{chat_id}")

    async def remove(self, user_id, chat_id):
        async with self.deciding["m", user_id]:
            answer = await self.host("DELETE", f"/chats/{chat_id}/participants/{user_id}")
            if answer.status == 200:
                # The removal has a number of its own, which no message has.
                self.out[user_id, chat_id] = await head_of(self.chat, chat_id, self.tenant) - 1
                await self.call(user_id, "authenticate", None)
                self.deaf.add((user_id, chat_id))

    async def add(self, user_id, chat_id):
        async with self.deciding["m", user_id]:
            self.end(user_id, chat_id, await head_of(self.chat, chat_id, self.tenant))
            body = {"userIds": [user_id]}
            await self.host("POST", f"/chats/{chat_id}/participants", body)

    def end(self, user_id, chat_id, head):
        self.deaf.discard((user_id, chat_id))
        since = self.out.pop((user_id, chat_id), None)
        if since is not None:
            self.silent.append((user_id, chat_id, since, head))

    async def block(self, user_id, _chat_id):
        async with self.deciding["b", user_id]:
            await self.host("POST", f"/admin/users/{user_id}/block", {})
            for chat_id in self.chats:
                self.out[f"b{user_id}", chat_id] = await head_of(self.chat, chat_id, self.tenant)
            await self.bury(user_id)

    async def unblock(self, user_id, _chat_id):
        async with self.deciding["b", user_id]:
            for chat_id in self.chats:
                since = self.out.pop((f"b{user_id}", chat_id), None)
                if since is not None:
                    upto = await head_of(self.chat, chat_id, self.tenant)
                    self.silent.append((user_id, chat_id, since, upto))
            await self.host("POST", f"/admin/users/{user_id}/unblock", {})

    async def bury(self, user_id):
        tab = self.tabs.pop(user_id, None)
        if tab is not None:
            await gone(tab)

    async def check(self):
        for user_id in USERS:
            await self.unblock(user_id, 0)
            for chat_id in self.chats:
                self.end(user_id, chat_id, await head_of(self.chat, chat_id, self.tenant))
        assert self.violations == []
        for chat_id in self.chats:
            messages = await all_messages(self.chat, chat_id, self.tenant)
            numbers = [each["seq"] for each in messages]
            assert len(set(numbers)) == len(numbers)
            for user_id, where, since, upto in self.silent:
                said = [each["seq"] for each in messages if each["senderId"] == user_id]
                if where == chat_id:
                    assert [seq for seq in said if since < seq <= upto] == []


async def run(chat, steps):
    await asyncio.gather(*(tell(chat, tenant, steps) for tenant in TENANTS))


async def tell(chat, tenant, steps):
    told = Story(chat, tenant, [await chat.create_chat(USERS, tenant=tenant) for _ in CHATS])
    told.deaf = set()
    for user_id in USERS:
        await told.come(user_id, 0)
        for place in CHATS:
            await told.act("join", user_id, place)
    running = []
    for (kind, who, place), wait in steps:
        doing = asyncio.ensure_future(told.act(kind, who, place))
        running.append(doing)
        if wait:
            await doing
    await asyncio.gather(*running)
    await told.check()
    for tab in told.tabs.values():
        if tab.socket.connected:
            await tab.close()


def _held(what):
    """A story of a message that a plugin holds while its author loses the right to it."""
    looks = [(("look", 1, 1), True)] * 5
    return [(("rest", 1, 0), False), *looks, ((what, 1, 0), True), *looks]


def test_nothing_reaches_anybody_after_the_answer_that_took_it_away(mongodb_uri, monkeypatch):
    """Whatever sends, joins, removals, blocks and refreshes and in whatever order, with one of two
    chats out of memory: who is removed hears nothing more, and neither who is removed nor who is
    blocked gets a number; no number is given twice.
    """
    monkeypatch.setattr("chat.services.chat_states.MAX_STATES", 1)
    loop = asyncio.new_event_loop()
    server = running_chat(mongodb_uri=mongodb_uri, **generous(Slow()))
    chat = loop.run_until_complete(server.__aenter__())
    try:

        @settings(
            max_examples=RUNS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            database=None,
        )
        @example(steps=_held("remove"))
        @example(steps=_held("block"))
        @given(steps=story)
        def check(steps):
            loop.run_until_complete(run(chat, steps))

        check()
    finally:
        loop.run_until_complete(server.__aexit__(None, None, None))
        loop.close()
