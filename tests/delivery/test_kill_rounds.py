"""Clients send without pause while the store is frozen, or the server or the store is killed; then
all is checked.

One round with a frozen store by default. `ROUNDS=5` adds five of each kill.
"""

import asyncio
import os
import signal

import pytest

from tests.support.delivery.checker import faults
from tests.support.delivery.crowd import Crowd
from tests.support.server_process import processes_with, server_process
from tests.support.waiting import eventually

USERS = [1, 2, 3, 4]
FROZEN_S = 10
"""The fault itself, longer than a lease is good for: nothing tells when it has lasted enough."""
ROUNDS = int(os.environ.get("ROUNDS", "0"))
KILLS = [f"kill the {who}, round {n}" for n in range(1, ROUNDS + 1) for who in ("server", "store")]


async def new_chats(server, count):
    found = []
    for _ in range(count):
        body = {"type": "group", "participantIds": USERS}
        _, answer = await server.request("POST", "/chats", "host", body)
        found.append(answer["data"]["id"])
    return found


async def stored_in(server, chat_ids):
    return {chat_id: await server.history(chat_id) for chat_id in chat_ids}


def store_of(folder):
    (pid,) = processes_with(f" {folder}/store ")
    return pid


async def freeze(server, folder, crowd):
    """The store stands still for longer than a lease is good for, with writes on their way to
    it."""
    pid = store_of(folder)
    os.kill(pid, signal.SIGSTOP)
    try:
        await asyncio.sleep(FROZEN_S)
    finally:
        os.kill(pid, signal.SIGCONT)
    await crowd.acked(60)
    assert "TIMEOUT" in crowd.codes, crowd.codes
    assert "STORAGE_UNAVAILABLE" in crowd.codes, crowd.codes
    assert crowd.codes <= {"TIMEOUT", "STORAGE_UNAVAILABLE"}
    assert crowd.unanswered == 0


async def kill_store(server, folder, crowd):
    """The server starts it again by itself."""
    before = store_of(folder)
    os.kill(before, signal.SIGKILL)
    await eventually(lambda: processes_with(f" {folder}/store ") not in ([], [before]))
    await crowd.acked(60)


@pytest.mark.parametrize("fault", ["freeze the store", *KILLS])
async def test_every_promise_holds_through(tmp_path, fault):
    """Acked = stored once, refused = not stored, nothing else stored, every order and number
    right."""
    async with server_process(tmp_path, LOG_LEVEL="ERROR") as server:
        chat_ids = await new_chats(server, 3)
        crowd = Crowd(server.url, chat_ids, USERS)
        try:
            crowd.start()
            await crowd.acked(60)
            if "server" in fault:
                server.kill()
                await server.process.wait()
                port = int(server.url.rpartition(":")[2])
                async with server_process(tmp_path, port, LOG_LEVEL="ERROR") as second:
                    await crowd.acked(60)
                    await crowd.finish()
                    stored = await stored_in(second, chat_ids)
            else:
                await (kill_store if "kill" in fault else freeze)(server, tmp_path, crowd)
                await crowd.finish()
                stored = await stored_in(server, chat_ids)
        finally:
            await crowd.close()
    assert faults(crowd.story, stored) == []
    assert crowd.undeclared == []
