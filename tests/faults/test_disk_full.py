"""The disk is full: writes are refused before the store loses any, reads go on, and it heals."""

import asyncio
import os
from functools import partial

import pytest
from tornado.httpclient import HTTPClientError

from chat.repositories.free_space import FreeSpace
from chat.timings import Timings
from tests.faults.test_server_killed import new_chat
from tests.support.server_process import server_process
from tests.support.small_disk import fill
from tests.support.waiting import eventually

MB = 1_000_000
REFUSED = {"STORAGE_UNAVAILABLE"}


@pytest.fixture
def disk(monkeypatch):
    """`disk.free` is what is free, whatever disk is asked about."""

    class Disk:
        free = 900 * MB

    monkeypatch.setattr("chat.repositories.free_space.free_bytes", lambda _place: Disk.free)
    return Disk


@pytest.fixture
def serve(serve):
    """A server that looks at its disks every 0.05 s."""
    return partial(serve, timings=Timings(disk_look_every_s=0.05))


async def parts_of(chat):
    answer = await chat.request("GET", "/health/ready", None)
    return answer.status, answer.body["parts"]["store"]


async def is_ready(chat):
    return await parts_of(chat) == (200, "ok")


@pytest.mark.expects_errors
async def test_below_the_limit_every_write_is_refused_and_reads_go_on(serve, disk, log):
    """Each write, over each way in, is STORAGE_UNAVAILABLE with a sentence; the log has the figures
    once. With room all goes on, and nothing of what was refused is there.
    """
    async with running_embedded(serve) as chat:
        chat_id = await chat.create_chat([1, 2])
        ada = await chat.connect(1, join=chat_id)
        grace = await chat.connect(2, join=chat_id)
        sent = await ada.call("sendMessage", {"chatId": chat_id, "content": "before"})
        message_id = sent["data"]["id"]
        disk.free = 199 * MB
        for answer in [
            answer async for answer in every_write(chat, ada, grace, chat_id, message_id)
        ]:
            assert answer["error"]["code"] == "STORAGE_UNAVAILABLE", answer
            assert answer["error"]["retryable"] is True
            assert "disk is full" in answer["error"]["message"]
        assert await parts_of(chat) == (503, "disk full")
        page = await chat.request("GET", f"/chat-messages?chatId={chat_id}", 1)
        assert [each["message"] for each in page.data] == ["before"]
        assert (await chat.request("GET", "/chats", 1)).status == 200
        assert (await grace.call("joinChat", {"chatId": chat_id}))["success"]
        disk.free = 201 * MB
        await eventually(lambda: is_ready(chat))
        assert (await ada.call("sendMessage", {"chatId": chat_id, "content": "after"}))["success"]
        page = await chat.request("GET", f"/chat-messages?chatId={chat_id}", 1)
        assert [each["message"] for each in page.data] == ["before", "after"]
    told = [line for line in log.entries if line["event"].startswith("disk_")]
    assert [line["event"] for line in told] == ["disk_full", "disk_has_room"]
    assert (told[0]["free_mb"], told[0]["min_free_mb"]) == (199, 200)


def running_embedded(serve):
    """A server on a store of its own: only that one's disk is watched."""
    return serve(mongodb_uri=None)


async def every_write(chat, ada, grace, chat_id, message_id):
    """The answers to all requests that write."""
    for event, payload in (
        ("sendMessage", {"chatId": chat_id, "content": "x"}),
        ("editMessage", {"messageId": message_id, "content": "x"}),
        ("deleteMessage", {"messageId": message_id}),
    ):
        yield await ada.call(event, payload)
    yield await grace.call("markAsRead", {"chatId": chat_id, "messageId": message_id})
    chat_path = f"/chats/{chat_id}"
    for method, path, body in (
        ("POST", "/chat-messages", {"chatId": chat_id, "content": "x", "senderId": 1}),
        ("POST", "/chats", {"participantIds": [3, 4]}),
        ("PATCH", f"/chat-messages/{message_id}", {"content": "x"}),
        ("DELETE", f"/chat-messages/{message_id}", None),
        ("PATCH", chat_path, {"title": "x"}),
        ("POST", f"{chat_path}/participants", {"userIds": [3]}),
        ("PATCH", f"{chat_path}/participants/2", {"role": "moderator"}),
        ("DELETE", f"{chat_path}/participants/2", None),
        ("DELETE", chat_path, None),
        ("PUT", "/users/2", {"name": "Grace"}),
        ("POST", "/admin/users/2/block", {}),
        ("POST", "/admin/users/2/unblock", {}),
        ("POST", "/admin/users/2/revoke", {}),
    ):
        answer = await chat.request(method, path, "host", "service", json=body)
        assert answer.status == 503, (method, path, answer.body)
        yield answer.body


@pytest.mark.expects_errors
async def test_a_burst_on_a_full_disk_is_refused_with_one_reason(serve, disk):
    """What waited behind a refused write hears the same sentence, and one line is logged."""
    async with running_embedded(serve) as chat:
        chat_id = await chat.create_chat([1])
        ada = await chat.connect(1, join=chat_id)
        disk.free = 0
        payload = {"chatId": chat_id, "content": "x"}
        answers = await asyncio.gather(*(ada.call("sendMessage", payload) for _ in range(8)))
        assert {answer["error"]["code"] for answer in answers} == {"STORAGE_UNAVAILABLE"}
        assert len({answer["error"]["message"] for answer in answers}) == 1


async def test_a_limit_of_zero_is_no_limit(serve, disk):
    """MIN_FREE_DISK_MB=0: the operator watches the disk."""
    disk.free = 0
    async with serve(mongodb_uri=None, min_free_disk_mb=0) as chat:
        chat_id = await chat.create_chat([1])
        ada = await chat.connect(1, join=chat_id)
        assert (await ada.call("sendMessage", {"chatId": chat_id, "content": "x"}))["success"]
        assert await is_ready(chat)


@pytest.mark.expects_errors
async def test_a_full_disk_of_the_log_counts_too(serve, disk, monkeypatch):
    """Where stderr is a file, with a MongoDB elsewhere as well."""
    monkeypatch.setattr("chat.app.log_disk", lambda: [2])
    async with serve() as chat:
        disk.free = 0
        refused = await chat.request("POST", "/chats", "host", "service", json={})
        assert refused.code == "STORAGE_UNAVAILABLE"
        assert await parts_of(chat) == (503, "disk full")


@pytest.mark.expects_errors
async def test_a_server_that_starts_on_a_full_disk_serves_what_it_has(serve, disk, tmp_path):
    """A restart does not take the history away."""
    async with serve(mongodb_uri=None, data_dir=tmp_path) as chat:
        chat_id = await chat.create_chat([1])
        await (await chat.connect(1)).call("sendMessage", {"chatId": chat_id, "content": "old"})
    disk.free = 0
    async with serve(mongodb_uri=None, data_dir=tmp_path) as chat:
        page = await chat.request("GET", f"/chat-messages?chatId={chat_id}", 1)
        assert [each["message"] for each in page.data] == ["old"]
        assert await parts_of(chat) == (503, "disk full")


async def test_no_acknowledged_message_is_lost_on_a_disk_that_fills_up(small_disk):
    """Eight write all the time while somebody takes the last byte, and makes room again: each
    answer is a message or a retryable refusal, it heals without a restart, and after one every
    acknowledged message is there.
    """
    acked, codes = {}, set()
    environment = {"MIN_FREE_DISK_MB": "20", "SHUTDOWN_GRACE_S": "2"}
    over = asyncio.Event()

    async def send_on(server, chat_id, number):
        for count in range(10**6):
            if over.is_set():
                return
            key = f"{number}.{count}"
            text = f"{key} ".ljust(5_000, "x")
            payload = {"chatId": chat_id, "content": text, "clientMessageId": key}
            try:
                status, body = await server.request("POST", "/chat-messages", json=payload)
            except (OSError, HTTPClientError):
                continue
            if status == 201:
                acked[body["data"]["id"]] = text
            else:
                codes.add(body["error"]["code"])
                await asyncio.sleep(0.05)  # as a client: not at once again

    async def ready(server):
        return (await server.request("GET", "/health/ready"))[0] == 200

    async with server_process(small_disk / "data", **environment) as server:
        chat_id = await new_chat(server)
        senders = [asyncio.create_task(send_on(server, chat_id, number)) for number in range(8)]
        await eventually(lambda: len(acked) > 50)
        await asyncio.to_thread(fill, small_disk)
        await eventually(lambda: "STORAGE_UNAVAILABLE" in codes)
        assert not await ready(server)
        os.remove(small_disk / "fill")
        await eventually(lambda: ready(server))
        count = len(acked)
        await eventually(lambda: len(acked) > count + 20)
        over.set()
        await asyncio.gather(*senders)
        assert await server.terminate() == 0
    assert codes <= {"STORAGE_UNAVAILABLE", "TIMEOUT"}
    async with server_process(small_disk / "data", **environment) as server:
        stored = {each["id"]: each["message"] for each in await server.history(chat_id)}
        assert {number: stored.get(number) for number in acked} == acked


def test_a_pipe_is_never_full():
    """Stderr may become one after the start; its file system says that nothing is free."""
    reading, writing = os.pipe()
    try:
        FreeSpace([writing], 200).check()
    finally:
        os.close(reading)
        os.close(writing)
