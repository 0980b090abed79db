"""The promise of seats, tried with whatever order of things chance comes up with.

20 runs in `make test`; `make property` does 200.
"""

import asyncio
import itertools
import os

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from chat.testing import running_chat
from tests.support.delivery.chats import HOST, all_messages
from tests.support.gateway.servers import generous
from tests.support.gateway.tokens import signed
from tests.support.heard import Heard

RUNS = int(os.environ.get("PROPERTY_RUNS", "50")) * 2 // 5
USERS = (1, 2)
PLACES = (0, 1)
_numbers = itertools.count(1)

user = st.sampled_from(USERS)
place = st.sampled_from(PLACES)
kind = st.sampled_from(["give", "lower", "take", "join", "say", "post", "shout", "remove"])
# Each action is waited for, or left to run beside those that follow.
story = st.lists(st.tuples(kind, user, place, st.booleans()), min_size=4, max_size=30)


class Story:
    """One run: two records; what each user's token gives, and where each user must hear nothing."""

    def __init__(self, chat):
        self.chat = chat
        self.refs = [f"record:{next(_numbers)}" for _ in PLACES]
        self.ids = {}
        self.tabs = {}
        self.seats = {user_id: {} for user_id in USERS}
        self.changing = {user_id: asyncio.Lock() for user_id in USERS}
        self.out = {(user_id, ref) for user_id in USERS for ref in self.refs}
        self.barred = set()
        self.violations = []
        self.texts = itertools.count()

    async def open(self):
        for user_id in USERS:
            tab = await self.chat.connect(token=self.token(user_id))
            tab.pushed = Heard(lambda event, payload, who=user_id: self.heard(who, event, payload))
            self.tabs[user_id] = tab

    def token(self, user_id):
        return signed(id=user_id, type="employee", seats=self.seats[user_id])

    def heard(self, user_id, event, payload):
        ref = next((ref for ref, each in self.ids.items() if each == payload.get("chatId")), None)
        if event == "newMessage" and (user_id, ref) in self.out:
            self.violations.append((user_id, event, payload))

    async def renew(self, user_id, ref, role):
        async with self.changing[user_id]:
            if role is not None and (user_id, ref) not in self.barred:
                self.out.discard((user_id, ref))
            seats = {name: each for name, each in self.seats[user_id].items() if name != ref}
            self.seats[user_id] = seats | ({ref: role} if role else {})
            token = self.token(user_id)
            answer = await self.tabs[user_id].call("authenticate", {"token": token})
            assert answer["success"], answer
            if role is None:
                self.out.add((user_id, ref))

    async def give(self, user_id, ref):
        await self.renew(user_id, ref, "member")

    async def lower(self, user_id, ref):
        await self.renew(user_id, ref, "readonly")

    async def take(self, user_id, ref):
        await self.renew(user_id, ref, None)

    async def join(self, user_id, ref):
        await self.entering(user_id, ref, self.tabs[user_id].call("joinChat", {"externalRef": ref}))

    async def entering(self, user_id, ref, calling):
        async with self.changing[user_id]:
            may = (user_id, ref) not in self.out and ref in self.seats[user_id]
            answer = await calling
            if not answer["success"]:
                assert answer["error"]["code"] in ("NOT_FOUND", "NOT_PARTICIPANT"), answer
                assert not may or (user_id, ref) in self.barred
                return
            assert may
            assert self.ids.setdefault(ref, answer["data"]["chatId"]) == answer["data"]["chatId"]

    async def say(self, user_id, ref):
        await self.send(user_id, ref, self.by_socket)

    async def post(self, user_id, ref):
        await self.send(user_id, ref, self.by_rest)

    async def send(self, user_id, ref, way):
        if ref not in self.ids:
            return
        async with self.changing[user_id]:
            role = self.seats[user_id].get(ref) if (user_id, ref) not in self.out else None
            body = {"chatId": self.ids[ref], "content": str(next(self.texts))}
            answer = await way(user_id, body)
            if answer["success"]:
                assert role == "member", (user_id, ref, role)
            elif (user_id, ref) not in self.barred:
                expected = "FORBIDDEN" if role == "readonly" else "NOT_PARTICIPANT"
                assert (role, answer["error"]["code"]) != ("member", "NOT_PARTICIPANT")
                assert answer["error"]["code"] == expected

    async def by_socket(self, user_id, body):
        return await self.tabs[user_id].call("sendMessage", body)

    async def by_rest(self, user_id, body):
        headers = {"Authorization": f"Bearer {self.token(user_id)}"}
        answer = await self.chat.request("POST", "/chat-messages", None, json=body, headers=headers)
        return answer.body

    async def shout(self, _user_id, ref):
        if ref in self.ids:
            body = {"chatId": self.ids[ref], "content": "to all"}
            answer = await self.chat.request("POST", "/chat-messages", *HOST, json=body)
            assert answer.status == 201, answer.body

    async def remove(self, user_id, ref):
        if ref not in self.ids:
            return
        async with self.changing[user_id]:
            path = f"/chats/{self.ids[ref]}/participants/{user_id}"
            answer = await self.chat.request("DELETE", path, *HOST)
            if answer.status == 200:
                self.barred.add((user_id, ref))
                await self.tabs[user_id].settle()
                self.out.add((user_id, ref))

    async def check(self):
        assert self.violations == []
        for chat_id in self.ids.values():
            seen = (await self.chat.request("GET", f"/chats/{chat_id}", *HOST)).data
            assert seen["participantCount"] == 0
            numbers = [each["seq"] for each in await all_messages(self.chat, chat_id)]
            assert len(set(numbers)) == len(numbers)


async def run(chat, steps):
    told = Story(chat)
    await told.open()
    running = []
    for what, user_id, where, wait in steps:
        doing = asyncio.ensure_future(getattr(told, what)(user_id, told.refs[where]))
        running.append(doing)
        if wait:
            await doing
    await asyncio.gather(*running)
    await told.check()
    for tab in told.tabs.values():
        await tab.close()


SAT_AND_LOST = [
    ("give", 1, 0, True), ("join", 1, 0, True), ("say", 1, 0, True),
    ("take", 1, 0, True), ("shout", 1, 0, True), ("say", 1, 0, True), ("join", 1, 0, True),
]  # fmt: skip


def test_nobody_sits_without_a_seat_and_everybody_with_one(mongodb_uri, monkeypatch):
    """Whatever tokens give and take and in whatever order, with one of two chats out of memory:
    who has lost a seat hears and says nothing more, who has one is let in; nobody becomes a
    participant, and a record has one chat.
    """
    monkeypatch.setattr("chat.services.chat_states.MAX_STATES", 1)
    loop = asyncio.new_event_loop()
    unlimited = {**generous(), "max_chats_made_per_hour": 10**6}
    server = running_chat(mongodb_uri=mongodb_uri, **unlimited)
    chat = loop.run_until_complete(server.__aenter__())
    try:

        @settings(
            max_examples=RUNS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            database=None,
        )
        @example(steps=SAT_AND_LOST)
        @given(steps=story)
        def check(steps):
            loop.run_until_complete(run(chat, steps))

        check()
    finally:
        loop.run_until_complete(server.__aexit__(None, None, None))
        loop.close()
