"""Nobody reads the server's log, or it cannot be written: the chat does not notice."""

import asyncio
import contextlib
import json
import os

import pytest

from tests.faults.test_server_killed import new_chat, send_until_gone
from tests.support.server_process import processes_with, server_process
from tests.support.waiting import eventually

BUSY = {"LOG_LEVEL": "DEBUG", "LOG_FORMAT": "json"}
MANY = 60


@contextlib.contextmanager
def unread_log(kind):
    """A file for stderr, and what makes it break once the server runs."""
    if kind == "full disk":
        with open("/dev/full", "wb", buffering=0) as full:
            yield full, lambda: None
        return
    read, write = os.pipe()
    if kind == "nobody reads":
        # All but full already, so that a few lines fill it.
        os.set_blocking(write, False)
        with contextlib.suppress(BlockingIOError):
            while os.write(write, b"x" * 1_000):
                pass
        os.read(read, 8_192)
        os.set_blocking(write, True)
    closed = []

    def leave():
        if kind == "reader gone" and not closed:
            closed.append(True)
            os.close(read)

    try:
        with open(write, "wb", buffering=0) as stderr:
            yield stderr, leave
    finally:
        if not closed:
            os.close(read)


KINDS = pytest.mark.parametrize("kind", ["reader gone", "nobody reads", "full disk"])


async def lines_lost(server):
    _, body = await server.request("GET", "/admin/stats", "host")
    return body["data"]["logLinesLost"]


@KINDS
async def test_messages_are_acked_and_the_server_ends_with_zero(tmp_path, mongodb_uri, kind):
    """Under load, with a line or more a message; what could not be logged is counted in
    /admin/stats. SIGTERM ends the server as ever.
    """
    acked: dict[str, int] = {}
    with unread_log(kind) as (stderr, leave):
        async with server_process(
            tmp_path, stderr=stderr, MONGODB_URI=mongodb_uri, **BUSY
        ) as server:
            chat_id = await new_chat(server)
            leave()
            senders = [
                asyncio.ensure_future(send_until_gone(server, chat_id, acked)) for _ in range(4)
            ]
            await eventually(lambda: len(acked) > MANY)
            status, _ = await server.request("GET", "/health/ready")
            assert status == 200
            if kind != "nobody reads":  # the queue has room for all of these
                assert await lines_lost(server) > 0
            assert await server.terminate() == 0
            await asyncio.gather(*senders)


@pytest.mark.parametrize("kind", ["reader gone", "full disk"])
async def test_a_store_that_dies_is_started_again(tmp_path, kind):
    """What watches the store logs its death, and goes on whatever becomes of the line."""
    with unread_log(kind) as (stderr, leave):
        async with server_process(tmp_path, stderr=stderr, **BUSY) as server:
            chat_id = await new_chat(server)
            leave()
            before = processes_with(str(tmp_path / "store"))
            for pid in before:
                os.kill(pid, 9)

            async def is_back():
                message = {"chatId": chat_id, "content": "again"}
                status, _ = await server.request("POST", "/chat-messages", json=message)
                now = processes_with(str(tmp_path / "store"))
                return status == 201 and not set(before) & set(now)

            await eventually(is_back, 40)
            assert await server.terminate() == 0


async def test_a_reader_that_comes_back_is_told_what_was_lost(tmp_path, mongodb_uri):
    """`log_lines_lost` with the number, then the log goes on: here the pipe is emptied at last."""
    acked: dict[str, int] = {}
    with unread_log("nobody reads") as (stderr, _):
        async with server_process(
            tmp_path, stderr=stderr, MONGODB_URI=mongodb_uri, **BUSY
        ) as server:
            chat_id = await new_chat(server)
            senders = [
                asyncio.ensure_future(send_until_gone(server, chat_id, acked)) for _ in range(4)
            ]
            await eventually(lambda: len(acked) > MANY)
            assert await lines_lost(server) == 0
            reader = os.open(f"/proc/self/fd/{stderr.fileno()}", os.O_RDONLY | os.O_NONBLOCK)
            found = b""

            def comes():
                nonlocal found
                with contextlib.suppress(BlockingIOError):
                    found += os.read(reader, 1 << 20)
                return found.count(b"message_sent") > MANY

            await eventually(comes)
            os.close(reader)
            lines = found.lstrip(b"x").splitlines()[1:-1]
            assert all(json.loads(line)["event"] for line in lines)
            for each in senders:
                each.cancel()
