"""The server process runs out of open files, as under a crowd of strangers."""

import asyncio
import json
import os
import resource
from contextlib import asynccontextmanager
from pathlib import Path

from chat.repositories.mongo import WARM_CONNECTIONS
from tests.faults.test_server_killed import new_chat
from tests.support.delivery.crowd import Crowd
from tests.support.server_process import server_process
from tests.support.waiting import eventually

OPEN_FILES = 256
STRANGERS = 260
REQUEST = b"GET /health/live HTTP/1.1\r\nHost: gateway\r\nConnection: close\r\n\r\n"


@asynccontextmanager
async def gateway(tmp_path):
    """`(server, chat id, path of its log)`."""
    log = tmp_path / "log"
    with log.open("wb") as stderr:
        async with server_process(
            tmp_path / "data",
            stderr=stderr,
            open_files=OPEN_FILES,
            LOG_FORMAT="json",
            MAX_SOCKETS_PER_ADDRESS="10000",
            # Fewer at a time than are kept open, on a machine of many cores too.
            MOTOR_MAX_WORKERS=str(WARM_CONNECTIONS // 2),
        ) as server:
            yield server, await new_chat(server), log


def port_of(server):
    return int(server.url.rpartition(":")[2])


async def answer(server):
    """What a newcomer's request is answered with; empty where the connection is closed instead."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port_of(server))
    try:
        writer.write(REQUEST)
        return await reader.read()
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


async def is_let_in(server):
    return (await answer(server)).startswith(b"HTTP/1.1 200 ")


def refusals(log):
    """`(lines, refusals that they tell of)`, those that were not written included."""
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    found = [line for line in lines if line["event"] == "connection_refused"]
    return len(found), len(found) + sum(line.get("suppressed", 0) for line in found)


async def test_strangers_who_take_all_files_are_refused_and_those_who_are_in_chat_on(tmp_path):
    """SPARE_FILES below `ulimit -n`: newcomers get a typed 503 or a closed connection, members go
    on unharmed, a line a second tells it, and who leaves makes room.
    """
    async with gateway(tmp_path) as (server, chat_id, log):
        crowd = Crowd(server.url, [chat_id], [1, 2])
        crowd.start()
        await crowd.acked(20)
        began = asyncio.get_running_loop().time()
        strangers = [
            await asyncio.open_connection("127.0.0.1", port_of(server)) for _ in range(STRANGERS)
        ]

        async def is_told():
            return (await answer(server)).startswith(b"HTTP/1.1 503 ")

        await eventually(is_told)
        head, _, body = (await answer(server)).partition(b"\r\n\r\n")
        assert b"\r\nRetry-After: 5" in head
        error = json.loads(body)["error"]
        assert (error["code"], error["retryable"]) == ("RATE_LIMITED", True)
        await crowd.acked(200)
        lines, refused = refusals(log)
        assert lines <= asyncio.get_running_loop().time() - began + 2
        assert lines <= refused
        for _, writer in strangers:
            writer.close()
        await eventually(lambda: is_let_in(server))
        await crowd.finish()
        assert crowd.codes == set()
        assert crowd.unanswered == 0
        assert all(send.acked for send in crowd.story.sends)
        assert len(crowd.story.pushed) == 2, "somebody had to connect again"
        await crowd.close()


async def test_without_a_single_file_newcomers_wait_and_the_loop_does_not_spin(tmp_path):
    """Where even accept() fails, it is tried again a second later; the newcomer gets in as soon as
    there are files again, and nobody else has noticed.
    """
    async with gateway(tmp_path) as (server, chat_id, log):
        crowd = Crowd(server.url, [chat_id], [1, 2])
        crowd.start()
        await crowd.acked(20)
        pid = server.process.pid
        await eventually(lambda: sockets_of_the_store(server) > WARM_CONNECTIONS)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (open_files(pid), OPEN_FILES))
        began = asyncio.get_running_loop().time()
        newcomer = asyncio.create_task(answer(server))
        await eventually(lambda: refusals(log)[0] >= 2)
        await crowd.acked(50)
        tries = refusals(log)[1]
        assert tries <= asyncio.get_running_loop().time() - began + 2
        assert not newcomer.done()
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (OPEN_FILES, OPEN_FILES))
        assert (await asyncio.wait_for(newcomer, 10)).startswith(b"HTTP/1.1 200 ")
        await crowd.finish()
        assert crowd.codes == set()
        assert crowd.unanswered == 0
        await crowd.close()


def open_files(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def sockets_of_the_store(server):
    """How many sockets the store's process has: those to the server, and one that listens."""
    pid = server.process.pid
    [store] = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    files = Path(f"/proc/{store}/fd").iterdir()
    return sum(os.readlink(each).startswith("socket:") for each in files)
