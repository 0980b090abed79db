"""A send that is repeated with its clientMessageId: once stored, once pushed, the same answer."""

import asyncio
from dataclasses import replace

import pytest

from chat.plugin_api import Plugin, before_message_send, hookimpl
from tests.support.gateway.servers import UNLIMITED, generous, limits
from tests.support.waiting import eventually, turns


async def _stored(chat, chat_id, user_id=1):
    page = await chat.request("GET", f"/chat-messages?chatId={chat_id}&limit=200", user_id)
    return [message["message"] for message in page.data]


async def test_a_repeat_answers_the_original(serve):
    """`duplicate: true` with the very message that was stored; nothing is pushed again."""
    async with serve() as chat:
        chat_id = await chat.create_chat([1])
        ada, tab = await chat.connect(1, join=chat_id), await chat.connect(1)
        body = {
            "chatId": chat_id,
            "content": "once",
            "clientMessageId": "k-1",
            "metadata": {"a": 1},
        }
        first = await ada.call("sendMessage", body)
        second = await tab.call("sendMessage", body)
        third = await chat.request("POST", "/chat-messages", 1, json=body)
        assert (first["duplicate"], second["duplicate"], third.status) == (False, True, 200)
        assert first["data"] == second["data"] == third.data
        assert first["data"]["clientMessageId"] == "k-1"
        await ada.settle()
        assert len(ada.of("newMessage")) == 1
        assert await _stored(chat, chat_id) == ["once"]


async def test_concurrent_twins_get_the_same_answer(serve):
    """Twenty at once, over three sockets: one is new, all name the same message."""
    async with serve(**generous()) as chat:
        chat_id = await chat.create_chat([1])
        tabs = [await chat.connect(1, join=chat_id) for _ in range(3)]
        body = {"chatId": chat_id, "content": "once", "clientMessageId": "k"}
        answers = await asyncio.gather(
            *(tabs[number % 3].call("sendMessage", body) for number in range(20))
        )
        assert len({answer["data"]["id"] for answer in answers}) == 1
        assert sorted(answer["duplicate"] for answer in answers) == [False] + [True] * 19
        await tabs[0].settle()
        assert len(tabs[0].of("newMessage")) == 1


class Slow(Plugin):
    """Takes its time over every message, and changes it."""

    name = "slow"

    def __init__(self):
        super().__init__()
        self.asked = 0
        self.go_on = asyncio.Event()

    @hookimpl(before_message_send, timeout_s=5)
    async def think(self, draft):
        self.asked += 1
        await self.go_on.wait()
        return replace(draft, content=draft.content.upper())


async def test_a_twin_that_comes_while_plugins_think_waits_for_the_first(serve):
    """The plugins are asked once; what they made of it is the answer to both."""
    slow = Slow()
    async with serve(**generous(slow)) as chat:
        chat_id = await chat.create_chat([1])
        one, two = await chat.connect(1), await chat.connect(1)
        body = {"chatId": chat_id, "content": "once", "clientMessageId": "k"}
        sends = [asyncio.create_task(one.call("sendMessage", body))]
        await eventually(lambda: slow.asked)
        sends.append(asyncio.create_task(two.call("sendMessage", body)))
        await turns()  # the task emits before what comes next
        # Answered behind the twin, whose handler has returned by then.
        await two.settle()
        slow.go_on.set()
        answers = await asyncio.gather(*sends)
        assert [answer["data"]["message"] for answer in answers] == ["ONCE", "ONCE"]
        assert slow.asked == 1


@pytest.mark.parametrize(
    "other",
    [{"content": "another"}, {"metadata": {"a": 2}}, {"metadata": None}, {"replyToId": 1}],
)
async def test_another_body_under_the_same_key_is_a_conflict(serve, other):
    """A key stands for one message; a client that uses it for another has a fault."""
    async with serve() as chat:
        chat_id = await chat.create_chat([1])
        ada = await chat.connect(1)
        body = {"chatId": chat_id, "content": "one", "clientMessageId": "k", "metadata": {"a": 1}}
        await ada.call("sendMessage", body)
        answer = await ada.call("sendMessage", {**body, **other})
        assert answer["error"]["code"] == "IDEMPOTENCY_CONFLICT"
        assert answer["error"]["retryable"] is False
        assert await _stored(chat, chat_id) == ["one"]


async def test_conflicts_take_no_number(serve):
    """However often somebody insists, the others see no gap."""
    async with serve() as chat:
        chat_id = await chat.create_chat([1])
        ada = await chat.connect(1)
        body = {"chatId": chat_id, "content": "one", "clientMessageId": "k"}
        first = await ada.call("sendMessage", body)
        sends = [{**body, "content": "two"}] * 3 + [{"chatId": chat_id, "content": "next"}]
        answers = await asyncio.gather(*(ada.call("sendMessage", each) for each in sends))
        codes = [answer.get("error", {}).get("code") for answer in answers]
        assert codes == ["IDEMPOTENCY_CONFLICT"] * 3 + [None]
        assert answers[-1]["data"]["seq"] == first["data"]["seq"] + 1
        assert (await ada.call("sendMessage", body))["duplicate"] is True


async def test_the_key_belongs_to_one_sender_in_one_chat(serve):
    """Others, and the same sender elsewhere, may use the same key."""
    async with serve() as chat:
        first, second = await chat.create_chat([1, 2]), await chat.create_chat([1, 2])
        ada, grace = await chat.connect(1), await chat.connect(2)
        sends = [(ada, first), (ada, second), (grace, first)]
        answers = [
            await client.call(
                "sendMessage", {"chatId": chat_id, "content": "hi", "clientMessageId": "k"}
            )
            for client, chat_id in sends
        ]
        assert [answer["duplicate"] for answer in answers] == [False] * 3


async def test_a_repeat_after_a_restart_answers_the_original(serve):
    """The unique index decides, whatever the server remembers."""
    body = {"content": "once", "clientMessageId": "k", "metadata": {"b": 1, "a": 2}}
    async with serve() as chat:
        chat_id = await chat.create_chat([1])
        ada = await chat.connect(1)
        first = await ada.call("sendMessage", {"chatId": chat_id, **body})
    async with serve() as chat:
        ada = await chat.connect(1, join=chat_id)
        reordered = {**body, "metadata": {"a": 2, "b": 1}}
        second = await ada.call("sendMessage", {"chatId": chat_id, **reordered})
        assert second["data"] == first["data"]
        assert second["duplicate"] is True
        conflict = await ada.call("sendMessage", {"chatId": chat_id, **body, "content": "other"})
        assert conflict["error"]["code"] == "IDEMPOTENCY_CONFLICT"
        fresh = await ada.call("sendMessage", {"chatId": chat_id, "content": "next"})
        assert fresh["data"]["seq"] == first["data"]["seq"] + 1
        await ada.settle()
        assert [each["message"]["message"] for each in ada.of("newMessage")] == ["next"]


async def test_a_key_older_than_the_chats_memory_is_found_after_a_restart(serve):
    """Also one that lies more than a hundred messages back."""
    async with serve(**generous()) as chat:
        chat_id = await chat.create_chat([1])
        ada = await chat.connect(1)
        body = {"chatId": chat_id, "content": "once", "clientMessageId": "k"}
        first = await ada.call("sendMessage", body)
        await asyncio.gather(
            *(ada.call("sendMessage", {"chatId": chat_id, "content": "x"}) for _ in range(120))
        )
    async with serve() as chat:
        ada = await chat.connect(1)
        second = await ada.call("sendMessage", body)
        assert (second["data"], second["duplicate"]) == (first["data"], True)


async def test_a_repeat_passes_the_limits(serve):
    """The answer to a lost ack costs nothing: repeats are known before limits and plugins are
    asked."""
    few = limits(send_per_s=0.001, send_burst=1)
    async with serve(plugin_names=UNLIMITED, plugins=[few]) as chat:
        chat_id = await chat.create_chat([1])
        ada = await chat.connect(1)
        body = {"chatId": chat_id, "content": "once", "clientMessageId": "k"}
        answers = [await ada.call("sendMessage", body) for _ in range(5)]
        assert [answer.get("duplicate") for answer in answers] == [False] + [True] * 4
        refused = await ada.call("sendMessage", {**body, "clientMessageId": "l"})
        assert refused["error"]["code"] == "RATE_LIMITED"


async def test_a_refused_send_does_not_use_up_its_key(serve):
    """What was not stored can be sent again under the same key, with another text even."""
    async with serve() as chat:
        chat_id = await chat.create_chat([1])
        ada = await chat.connect(1)
        body = {"chatId": chat_id, "content": "x", "clientMessageId": "k", "replyToId": 987_654}
        assert (await ada.call("sendMessage", body))["error"]["code"] == "NOT_FOUND"
        answer = await ada.call("sendMessage", {**body, "content": "y", "replyToId": None})
        assert (answer["success"], answer["duplicate"]) == (True, False)


async def test_a_former_member_is_told_nothing_by_a_repeat(serve):
    """Membership is asked first."""
    async with serve() as chat:
        chat_id = await chat.create_chat([1, 2])
        ada = await chat.connect(1)
        body = {"chatId": chat_id, "content": "once", "clientMessageId": "k"}
        await ada.call("sendMessage", body)
        await chat.request("DELETE", f"/chats/{chat_id}/participants/1", "host", "service")
        answer = await ada.call("sendMessage", body)
        assert answer["error"]["code"] == "NOT_PARTICIPANT"
