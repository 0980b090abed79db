"""The store dies or freezes under a running server."""

import os
import signal
import time

import pytest

from chat.repositories.embedded import EmbeddedStore
from tests.support.waiting import eventually

ANSWER_WITHIN_S = 5.5
UNKNOWN_OR_AWAY = {"TIMEOUT", "STORAGE_UNAVAILABLE"}


async def ready(chat):
    return (await chat.request("GET", "/health/ready", None)).status == 200


async def history(chat, chat_id):
    """Of a store that is back; a read may still meet a connection of before, and is repeated."""

    async def page():
        answer = await chat.request("GET", f"/chat-messages?chatId={chat_id}&limit=200")
        assert answer.status == 200 or answer.body["error"]["retryable"]
        return answer if answer.status == 200 else None

    return (await eventually(page)).data


@pytest.mark.expects_errors
async def test_a_store_that_dies_is_refused_in_time_and_heals_by_itself(serve, tmp_path):
    """kill -9 of the store: typed errors within 5 s, no false success, and then all goes on."""
    store = EmbeddedStore(tmp_path)
    uri = await store.start()
    try:
        async with serve(mongodb_uri=uri) as chat:
            chat_id = await chat.create_chat([1, 2])
            ada = await chat.connect(1, join=chat_id)
            acked = [await ada.call("sendMessage", {"chatId": chat_id, "content": "before"})]
            os.kill(store.pid, signal.SIGKILL)
            began = time.monotonic()
            answer = await ada.call("sendMessage", {"chatId": chat_id, "content": "during"})
            assert time.monotonic() - began < ANSWER_WITHIN_S
            if answer["success"]:
                acked.append(answer)
            else:
                assert answer["error"]["code"] in UNKNOWN_OR_AWAY
                assert answer["error"]["retryable"] is True
            await eventually(lambda: ready(chat))
            after = await ada.call("sendMessage", {"chatId": chat_id, "content": "after"})
            acked.append(after)
            stored = [message["id"] for message in await history(chat, chat_id)]
            assert len(stored) == len(set(stored))
            assert {answer["data"]["id"] for answer in acked} <= set(stored)
    finally:
        await store.stop()


async def test_a_frozen_store_is_storage_unavailable_within_five_seconds(serve, tmp_path):
    """SIGSTOP of the store: the write in doubt is TIMEOUT, the next STORAGE_UNAVAILABLE, ready is
    503; thawed, the write in doubt is there at most once and numbers have no hole."""
    store = EmbeddedStore(tmp_path)
    uri = await store.start()
    frozen = store.pid
    try:
        async with serve(mongodb_uri=uri) as chat:
            chat_id = await chat.create_chat([1, 2])
            ada = await chat.connect(1, join=chat_id)
            grace = await chat.connect(2, join=chat_id)
            await ada.call("sendMessage", {"chatId": chat_id, "content": "before"})
            os.kill(frozen, signal.SIGSTOP)
            began = time.monotonic()
            payload = {"chatId": chat_id, "content": "in doubt", "clientMessageId": "k1"}
            doubted = await ada.call("sendMessage", payload)
            assert doubted["error"]["code"] == "TIMEOUT"
            refused = await grace.call("sendMessage", {"chatId": chat_id, "content": "refused"})
            assert refused["error"]["code"] == "STORAGE_UNAVAILABLE"
            assert time.monotonic() - began < ANSWER_WITHIN_S
            health = await chat.request("GET", "/health/ready", None)
            assert health.status == 503
            assert health.body["parts"]["store"] == "unreachable"
            assert (await ada.call("ping"))["pong"] > 0
            os.kill(frozen, signal.SIGCONT)
            await eventually(lambda: ready(chat))
            again = await ada.call("sendMessage", payload)
            assert again["success"], again
            after = await grace.call("sendMessage", {"chatId": chat_id, "content": "after"})
            assert after["success"], after
            texts = [message["message"] for message in await history(chat, chat_id)]
            assert texts == ["before", "in doubt", "after"]
            await grace.settle()
            pushed = [each["message"]["message"] for each in grace.of("newMessage")]
            assert pushed == texts
            seqs = [each["seq"] for each in grace.of("newMessage")]
            assert seqs == list(range(seqs[0], seqs[0] + 3))
    finally:
        os.kill(frozen, signal.SIGCONT)
        await store.stop()
