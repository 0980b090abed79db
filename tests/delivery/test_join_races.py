"""Joining while others write: every change is in the page or pushed, and none is in neither."""

import asyncio
import random

import pytest

from chat.repositories.messages import MongoMessages
from tests.support.delivery.chats import Held, all_messages, catch_up, head_of, host, say
from tests.support.gateway.servers import generous


class Screen:
    """What a client shows that does as the guide says: pages and pushes merged, the cursor behind
    pages."""

    def __init__(self):
        self.messages, self.cursor, self.numbers = {}, 0, set()

    def apply(self, page):
        if page["reset"]:
            self.messages.clear()
        for message in page["messages"]:
            self._merge(message)
        self.cursor = page["toSeq"]

    def push(self, event, payload):
        self.numbers.add(payload["seq"])
        if event == "messageDeleted":
            known = self.messages.get(payload["messageId"])
            if known is not None and known["updatedSeq"] < payload["seq"]:
                gone = {"message": "", "updatedSeq": payload["seq"]}
                self.messages[payload["messageId"]] = {**known, **gone}
        else:
            self._merge(payload["message"])

    def _merge(self, message):
        known = self.messages.get(message["id"])
        if known is None or known["updatedSeq"] < message["updatedSeq"]:
            self.messages[message["id"]] = message

    def texts(self):
        return {each: message["message"] for each, message in self.messages.items()}


PUSHES = ("newMessage", "messageUpdated", "messageDeleted")


def truth(messages):
    return {each["id"]: each["message"] for each in messages}


@pytest.mark.parametrize("seed", range(30))
async def test_what_happens_during_a_join_is_in_the_page_or_pushed(serve, seed):
    """Sends, edits and deletions at the moment of the join, in 30 orders: the screen ends up right,
    and
    the numbers behind the page's are pushed without a hole."""
    dice = random.Random(seed)  # noqa: S311  # the same order for the same seed
    async with serve(**generous()) as chat:
        chat_id = await chat.create_chat([1, 2])
        grace = await chat.connect(2)
        before = await say(grace, chat_id, *(f"before {number}" for number in range(6)))
        screen = Screen()
        ada = await chat.connect(1)
        if dice.random() < 0.5:
            screen.apply(await catch_up("sync", chat, ada, chat_id, since=0))
            await say(grace, chat_id, "missed")
            await ada.settle()

        async def join():
            cursor = {"since": screen.cursor, "limit": 200}
            return await ada.call("joinChat", {"chatId": chat_id, **cursor})

        changes = [
            grace.call("sendMessage", {"chatId": chat_id, "content": str(i)}) for i in range(9)
        ]
        changes += [
            grace.call("editMessage", {"messageId": each["id"], "content": "edited"})
            for each in before[:3]
        ]
        changes += [grace.call("deleteMessage", {"messageId": each["id"]}) for each in before[3:5]]
        dice.shuffle(changes)
        work = [*changes, join()]
        place = dice.randrange(len(work))
        work[place], work[-1] = work[-1], work[place]
        answers = await asyncio.gather(*work)
        assert all(answer["success"] for answer in answers)
        page = answers[place]["data"]["sync"]
        await ada.settle()
        for event, payload in ada.pushed:
            if event in PUSHES:
                screen.push(event, payload)
        numbers = set(screen.numbers)
        screen.apply(page)
        # Once more, as a client that was handed the page first would have done it.
        for event, payload in ada.pushed:
            if event in PUSHES:
                screen.push(event, payload)
        stored = await all_messages(chat, chat_id)
        assert screen.texts() == truth(stored)
        head = await head_of(chat, chat_id)
        assert numbers >= set(range(page["toSeq"] + 1, head + 1))


async def test_a_join_enters_the_room_before_it_reads(serve, monkeypatch):
    """What is sent while the page is read reaches the joining socket as a push."""
    async with serve() as chat:
        chat_id = await chat.create_chat([1, 2])
        ada, grace = await chat.connect(1), await chat.connect(2)
        await say(grace, chat_id, "before")
        held = Held(monkeypatch, MongoMessages, "changed")
        joining = asyncio.ensure_future(ada.call("joinChat", {"chatId": chat_id, "since": 0}))
        await held.reached()
        (during,) = await say(grace, chat_id, "during")
        assert (await ada.next("newMessage"))["message"] == during
        held.go_on.set()
        page = (await joining)["data"]["sync"]
        assert [each["message"] for each in page["messages"]] == ["before"]
        assert page["toSeq"] == during["seq"] - 1


async def test_an_edit_during_the_read_leaves_the_page_for_the_push(serve, monkeypatch):
    """A page holds nothing with a number above its `toSeq`: what changed meanwhile comes with the
    push."""
    async with serve() as chat:
        chat_id = await chat.create_chat([1, 2])
        ada, grace = await chat.connect(1), await chat.connect(2)
        first, second = await say(grace, chat_id, "first", "second")
        held = Held(monkeypatch, MongoMessages, "changed")
        joining = asyncio.ensure_future(ada.call("joinChat", {"chatId": chat_id, "since": 0}))
        await held.reached()
        await grace.call("editMessage", {"messageId": first["id"], "content": "FIRST"})
        held.go_on.set()
        page = (await joining)["data"]["sync"]
        assert page["toSeq"] == second["seq"]
        assert [each["id"] for each in page["messages"]] == [second["id"]]
        updated = await ada.next("messageUpdated")
        assert (updated["seq"], updated["message"]["message"]) == (second["seq"] + 1, "FIRST")


async def test_who_is_removed_while_the_page_is_read_gets_none(serve, monkeypatch):
    """Membership is asked again after the read: NOT_PARTICIPANT, and not in the room."""
    async with serve() as chat:
        chat_id = await chat.create_chat([1, 2])
        ada, grace = await chat.connect(1), await chat.connect(2)
        since = await head_of(chat, chat_id)  # so that the page is of messages alone
        await say(grace, chat_id, "secret")
        held = Held(monkeypatch, MongoMessages, "changed")
        joining = asyncio.ensure_future(ada.call("joinChat", {"chatId": chat_id, "since": since}))
        await held.reached()
        await host(chat, "DELETE", f"/chats/{chat_id}/participants/1")
        held.go_on.set()
        refused = await joining
        assert refused["error"]["code"] == "NOT_PARTICIPANT"
        await say(grace, chat_id, "another secret")
        await ada.settle()
        assert ada.of("newMessage") == []


async def test_a_snapshot_holds_no_message_that_came_after_it(serve, monkeypatch):
    """Without a cursor too: what is sent while the latest messages are read is pushed, not in the
    page."""
    async with serve() as chat:
        chat_id = await chat.create_chat([1, 2])
        ada, grace = await chat.connect(1), await chat.connect(2)
        sent = await say(grace, chat_id, "one", "two")
        held = Held(monkeypatch, MongoMessages, "window")
        joining = asyncio.ensure_future(ada.call("joinChat", {"chatId": chat_id}))
        await held.reached()
        (late,) = await say(grace, chat_id, "late")
        held.go_on.set()
        page = (await joining)["data"]["sync"]
        assert page["messages"] == sent
        assert page["toSeq"] == sent[-1]["seq"]
        assert (await ada.next("newMessage"))["message"] == late


async def test_a_gap_that_a_client_finds_is_closed_by_sync(serve):
    """A socket that missed pushes while it was out of the room asks for what lies in between."""
    async with serve(**generous()) as chat:
        chat_id = await chat.create_chat([1, 2])
        ada, grace = await chat.connect(1), await chat.connect(2)
        joined = await ada.call("joinChat", {"chatId": chat_id})
        cursor = joined["data"]["sync"]["toSeq"]
        await ada.call("leaveChat", {"chatId": chat_id})
        missed = await say(grace, chat_id, "a", "b", "c")
        await ada.call("joinChat", {"chatId": chat_id, "since": cursor + 3})
        (seen,) = await say(grace, chat_id, "d")
        pushed = await ada.next("newMessage")
        assert pushed["seq"] == seen["seq"] > cursor + 1
        page = await catch_up("sync", chat, ada, chat_id, since=cursor)
        assert page["messages"] == [*missed, seen]
