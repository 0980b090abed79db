"""The store answers, but with failures of its own: an outage like any other, which heals."""

import asyncio
import json
from contextlib import asynccontextmanager
from functools import partial
from urllib.parse import quote

import pytest
from pymongo import AsyncMongoClient

from chat.repositories import embedded
from chat.repositories.embedded import EmbeddedStore
from chat.timings import Timings
from tests.faults.test_disk_full import is_ready
from tests.faults.test_server_killed import new_chat
from tests.support.server_process import server_process
from tests.support.small_disk import fill
from tests.support.waiting import eventually

WRITES = ["insert", "update", "findAndModify"]
CODES = {
    "InternalError": 1,
    "Unauthorized": 13,
    "WriteConflict": 112,
    "NotWritablePrimary": 10107,
    "OutOfDiskSpace": 14031,
}


@pytest.fixture(autouse=True)
def failing_on_demand(monkeypatch):
    """Stores take `configureFailPoint`."""
    taking = embedded.OPTIONS | {"enable_test_commands": True}
    monkeypatch.setattr(embedded, "OPTIONS", taking)


@pytest.fixture
def serve(serve):
    """A server that renews its lease often."""
    return partial(serve, timings=Timings(lease_renew_every_s=0.2))


@asynccontextmanager
async def store_in(folder):
    """`(uri, fail)`: `await fail(code, commands)` lets these commands fail until code is None."""
    store = EmbeddedStore(folder)
    uri = await store.start()
    try:
        async with AsyncMongoClient(uri) as client:
            yield uri, failing(client)
    finally:
        await store.stop()


def failing(client):
    async def fail(code, commands=(), mode="alwaysOn"):
        data = {"errorCode": code, "failCommands": list(commands)}
        mode = "off" if code is None else mode
        await client.admin.command("configureFailPoint", "failCommand", mode=mode, data=data)

    return fail


async def texts(chat, chat_id):
    """What is in the chat. The driver drops its connections with every such failure, so that a read
    may have to be repeated: while the answer says "try again".
    """

    async def page():
        answer = await chat.request("GET", f"/chat-messages?chatId={chat_id}", 1)
        assert answer.status == 200 or answer.body["error"]["retryable"]
        return answer if answer.status == 200 else None

    return [each["message"] for each in (await eventually(page)).data]


@pytest.mark.expects_errors
@pytest.mark.parametrize("name", CODES)
async def test_a_store_that_takes_no_write_is_an_outage(serve, tmp_path, name):
    """A write under way is TIMEOUT, the next is STORAGE_UNAVAILABLE, readiness is 503; afterwards
    the first is there once, and all goes on.
    """
    async with store_in(tmp_path) as (uri, fail), serve(mongodb_uri=uri) as chat:
        chat_id = await chat.create_chat([1])
        ada = await chat.connect(1, join=chat_id)
        await ada.call("sendMessage", {"chatId": chat_id, "content": "before"})
        await fail(CODES[name], WRITES)
        payload = {"chatId": chat_id, "content": "in doubt", "clientMessageId": "k1"}
        first = await ada.call("sendMessage", payload)
        assert first["error"]["code"] in {"TIMEOUT", "STORAGE_UNAVAILABLE"}
        for _ in range(3):
            answer = await ada.call("sendMessage", {"chatId": chat_id, "content": "refused"})
            assert answer["error"]["code"] in {"TIMEOUT", "STORAGE_UNAVAILABLE"}
        created = await chat.request("POST", "/chats", "host", "service", json={})
        assert created.code in {"TIMEOUT", "STORAGE_UNAVAILABLE"}
        assert not await is_ready(chat)
        assert (await texts(chat, chat_id))[0] == "before"
        await fail(None)
        await eventually(lambda: is_ready(chat))
        assert (await ada.call("sendMessage", payload))["success"]
        assert (await ada.call("sendMessage", {"chatId": chat_id, "content": "after"}))["success"]
        stored = await texts(chat, chat_id)
        assert [each for each in stored if each != "refused"] == ["before", "in doubt", "after"]


@pytest.mark.expects_errors
@pytest.mark.parametrize("code", [1, 43, 11600])
async def test_a_store_that_cannot_read_is_an_outage(serve, tmp_path, code):
    """STORAGE_UNAVAILABLE for history that is not in memory: InternalError, a lost cursor, a
    shutdown.
    """
    async with store_in(tmp_path) as (uri, fail), serve(mongodb_uri=uri) as chat:
        chat_id = await chat.create_chat([1])
        ada = await chat.connect(1)
        await ada.call("sendMessage", {"chatId": chat_id, "content": "x"})
        await fail(code, ["find"])
        refused = await chat.request("GET", f"/chat-messages?chatId={chat_id}", 1)
        assert (refused.status, refused.code) == (503, "STORAGE_UNAVAILABLE")
        await fail(None)
        assert await texts(chat, chat_id) == ["x"]


@pytest.mark.expects_errors
async def test_a_message_that_the_store_cannot_digest_holds_up_nobody(serve, tmp_path):
    """InternalError for one insert, while other writes go well: that message is INTERNAL_ERROR and
    is not repeated for ever; the next ones are stored.
    """
    async with store_in(tmp_path) as (uri, fail), serve(mongodb_uri=uri) as chat:
        chat_id = await chat.create_chat([1])
        ada = await chat.connect(1)
        await fail(1, ["insert"], {"times": 1})
        refused = await ada.call("sendMessage", {"chatId": chat_id, "content": "poison"})
        assert refused["error"]["code"] == "INTERNAL_ERROR"
        assert (await ada.call("sendMessage", {"chatId": chat_id, "content": "x"}))["success"]
        assert await is_ready(chat)


@pytest.mark.expects_errors
async def test_a_mongodb_whose_disk_is_full_is_an_outage_though_it_takes_small_writes(
    serve, tmp_path
):
    """OutOfDiskSpace for messages alone, while the lease is renewed: never INTERNAL_ERROR."""
    async with store_in(tmp_path) as (uri, fail), serve(mongodb_uri=uri) as chat:
        chat_id = await chat.create_chat([1])
        ada = await chat.connect(1)
        await fail(14031, ["insert"])
        answer = await ada.call("sendMessage", {"chatId": chat_id, "content": "x"})
        assert answer["error"]["code"] == "TIMEOUT"
        assert not await is_ready(chat)
        await fail(None)
        await eventually(lambda: is_ready(chat))
        assert await texts(chat, chat_id) == ["x"]


@pytest.mark.expects_errors
async def test_an_embedded_store_that_keeps_failing_is_started_anew(serve, tmp_path, log):
    """It answers every write with InternalError: the child is ended, and the new one is well."""
    address = f"mongodb://{quote(str(tmp_path / 'store.sock'), safe='')}"

    def events():
        return [line["event"] for line in log.entries]

    async with serve(mongodb_uri=None, data_dir=tmp_path) as chat:
        chat_id = await chat.create_chat([1])
        ada = await chat.connect(1)
        async with AsyncMongoClient(address, directConnection=True) as client:
            await failing(client)(1, WRITES)
        await eventually(lambda: "store_restarted" in events())
        await eventually(lambda: is_ready(chat))
        assert (await ada.call("sendMessage", {"chatId": chat_id, "content": "x"}))["success"]
    assert "store_unwell" in events()


async def test_a_store_in_panic_is_started_anew_when_there_is_room(small_disk):
    """Nobody watches the disk, so that the store runs into its end: no answer is INTERNAL_ERROR,
    the log says why the store cannot be opened again, and it heals without a restart of the server.
    """
    log = small_disk.parent / "log"
    with log.open("wb") as stderr:
        async with server_process(
            small_disk / "data", stderr=stderr, MIN_FREE_DISK_MB="0", LOG_FORMAT="json"
        ) as server:
            chat_id = await new_chat(server)
            codes = set()

            async def send():
                payload = {"chatId": chat_id, "content": "€" * 9_900}
                status, body = await server.request("POST", "/chat-messages", json=payload)
                codes.update([] if status == 201 else [body["error"]["code"]])
                return status == 201

            async def events():
                return [json.loads(line) for line in log.read_text().splitlines()]

            async def restart_failed():
                await asyncio.gather(*(send() for _ in range(20)))
                return [each for each in await events() if each["event"] == "store_restart_failed"]

            assert await send()
            await asyncio.to_thread(fill, small_disk)
            await eventually(restart_failed, 40)
            (small_disk / "fill").unlink()
            await eventually(send)
            assert (await server.request("GET", "/health/ready"))[0] == 200
            assert codes <= {"TIMEOUT", "STORAGE_UNAVAILABLE"}
            told = {each["event"]: each for each in await events()}
            assert "store_panicked" in told
            assert "is full: make room" in told["store_restart_failed"]["reason"]
            assert await server.terminate() == 0
