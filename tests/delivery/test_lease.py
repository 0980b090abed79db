"""One server at a time on a database: who is refused, who takes over, and who has to end."""

import asyncio
import os
import subprocess
from datetime import UTC, datetime, timedelta

import pytest

from chat.errors import SetupError
from chat.timings import Timings
from tests.support.delivery.chats import say
from tests.support.delivery.proxy import proxy_to
from tests.support.delivery.stores import (
    by_way_of,
    database_of,
    holder,
    lease_in,
    put_lease,
    refused_start,
    renewing,
    socket_of,
    this_machine,
)
from tests.support.server_process import server_process
from tests.support.waiting import eventually

NOBODY = 2**22 + 1
"""A process id that no Linux gives."""


async def test_a_second_server_is_refused_in_one_sentence(tmp_path, mongodb_uri):
    """It says who has the database and ends with 1; the first one never notices."""
    async with server_process(tmp_path / "one", MONGODB_URI=mongodb_uri) as first:
        code, said = await refused_start(tmp_path / "two", MONGODB_URI=mongodb_uri)
        assert code == 1
        waited, sentence = said.splitlines()
        assert "lease_waited_for" in waited
        assert sentence.startswith("chatgateway: ")
        assert f"pid {first.process.pid}" in sentence
        assert "Traceback" not in said
        status, _ = await first.request("POST", "/chats", "host", {"participantIds": [1]})
        assert status == 201
        assert await first.terminate() == 0
    assert await lease_in(mongodb_uri) is None
    async with server_process(tmp_path / "two", MONGODB_URI=mongodb_uri) as second:
        assert await second.terminate() == 0


async def test_a_killed_server_is_followed_at_once(tmp_path, mongodb_uri):
    """kill -9 and start: the lease of a dead process of this machine counts for nothing."""
    async with server_process(tmp_path, MONGODB_URI=mongodb_uri) as first:
        _, body = await first.request("POST", "/chats", "host", {"participantIds": [1]})
        first.kill()
        await first.process.wait()
        left = await lease_in(mongodb_uri)
        assert left["until"] > datetime.now(UTC)
        async with server_process(tmp_path, MONGODB_URI=mongodb_uri) as second:
            status, _ = await second.request("GET", f"/chats/{body['data']['id']}")
            assert status == 200
            assert (await lease_in(mongodb_uri))["pid"] == second.process.pid


IN_A_CONTAINER = ("unshare", "--pid", "--fork", "--mount-proc", "--kill-child")


def may_make_containers():
    return (
        subprocess.run([*IN_A_CONTAINER, "true"], check=False, capture_output=True).returncode == 0
    )


async def test_process_1_of_another_container_is_not_taken_for_oneself(tmp_path, mongodb_uri):
    """Two containers have the host name and the pid of their servers in common: the second server
    sees the first one renew, and ends.
    """
    if not may_make_containers():
        pytest.skip("this system lets the test make no PID namespace")
    uri = {"MONGODB_URI": mongodb_uri}
    async with server_process(tmp_path / "one", wrapped_in=IN_A_CONTAINER, **uri) as first:
        held = await lease_in(mongodb_uri)
        assert held["pid"] == 1
        code, said = await refused_start(tmp_path / "two", wrapped_in=IN_A_CONTAINER, **uri)
        assert code == 1
        assert "in use by the server with pid 1" in said
        assert (await lease_in(mongodb_uri))["owner"] == held["owner"]
        assert (await first.request("POST", "/chats", "host", {"participantIds": [1]}))[0] == 201


SHORT = Timings(lease_valid_s=0.5, lease_drift_s=0.1, lease_renew_every_s=0.1)
"""A lease that runs out in the time of a test."""

OFTEN = Timings(lease_renew_every_s=0.1)

PAST, FUTURE = (datetime.now(UTC) + timedelta(days=days) for days in (-1, 1))
OUTWAITED = {
    "another machine": {"pid": NOBODY},
    "another machine, whose clock is a day late": {"until": PAST},
    "another machine, whose clock is a day early": {"until": FUTURE},
    "this machine before it was started anew": {**this_machine(), "boot": "before", "pid": NOBODY},
    "another container of this machine": {**this_machine(), "namespace": "pid:[1]", "pid": NOBODY},
    "a process of this machine that is no server": {**this_machine(), "pid": os.getppid()},
    "a server of version 0.1.0": {"renewals": None, "namespace": None},
}


def lease_of(where):
    fields = holder(**OUTWAITED[where])
    return {name: value for name, value in fields.items() if value is not None}


@pytest.mark.parametrize("where", OUTWAITED)
async def test_a_holder_that_renews_no_more_is_followed(serve, mongodb_uri, log, where):
    """Its lease has run out when the successor saw no renewal for as long as it is good, whatever
    clocks and process ids say; the log tells for how long the successor waits.
    """
    await put_lease(mongodb_uri, lease_of(where))
    async with serve(timings=SHORT) as chat:
        chat_id = await chat.create_chat([1])
        await say(await chat.connect(1), chat_id, "hi")
        assert (await lease_in(mongodb_uri))["owner"] != "somebody-else"
    (line,) = [line for line in log.entries if line["event"] == "lease_waited_for"]
    assert line["for_s"] == pytest.approx(0.6)


@pytest.mark.parametrize("where", OUTWAITED)
async def test_a_holder_that_renews_is_left_in_peace(serve, mongodb_uri, where):
    """The newcomer ends with a sentence that names the holder, whatever clocks and pids say."""
    await put_lease(mongodb_uri, lease_of(where))
    async with renewing(mongodb_uri):
        with pytest.raises(SetupError, match="in use by the server with pid"):
            async with serve(timings=SHORT):
                pass
    assert (await lease_in(mongodb_uri))["owner"] == "somebody-else"


@pytest.mark.parametrize("pid", [NOBODY, os.getpid()], ids=["nobody", "this process"])
async def test_a_holder_whose_process_is_gone_is_followed_at_once(serve, mongodb_uri, log, pid):
    """On the same boot of the same machine, in the same PID namespace, a pid says that; one's own
    is that of somebody before.
    """
    await put_lease(mongodb_uri, holder(**this_machine(), pid=pid))
    async with serve():
        assert (await lease_in(mongodb_uri))["owner"] != "somebody-else"
    assert "lease_waited_for" not in [line["event"] for line in log.entries]


async def test_two_that_start_at_once_are_one_server(tmp_path, mongodb_uri):
    """Of two that find no holder, one is let in, and the other ends with a sentence."""
    refused = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        starts = [
            group.create_task(started_or_refused(tmp_path / str(number), mongodb_uri, refused))
            for number in range(2)
        ]
    assert sorted(start.result() for start in starts) == ["refused", "served"]


async def started_or_refused(folder, uri, refused):
    """What became of a server; one that runs does so until the other was refused."""
    try:
        async with server_process(folder, MONGODB_URI=uri) as server:
            await asyncio.wait_for(refused.wait(), 15)
            return "served" if await server.terminate() == 0 else "failed"
    except IndexError:  # it ended without the greeting that names its address
        refused.set()
        return "refused"


async def test_the_lease_is_renewed_and_given_back(serve, mongodb_uri):
    """A running server counts its renewals; one that stops leaves nothing to wait for."""
    async with serve(timings=OFTEN):
        first = seen = await lease_in(mongodb_uri)
        while seen["renewals"] == first["renewals"]:
            seen = await lease_in(mongodb_uri)
        assert seen["until"] > first["until"]
    assert await lease_in(mongodb_uri) is None


async def test_a_server_whose_lease_was_taken_ends_with_one(tmp_path, mongodb_uri):
    """It finds out when it renews, says so and stops; the new holder's lease is left alone."""
    async with server_process(tmp_path, MONGODB_URI=mongodb_uri) as server:
        await put_lease(mongodb_uri, holder())
        assert await asyncio.wait_for(server.process.wait(), 10) == 1
    assert (await lease_in(mongodb_uri))["owner"] == "somebody-else"


@pytest.mark.expects_errors
async def test_a_server_that_lost_its_lease_refuses_to_write(serve, mongodb_uri):
    """STORAGE_UNAVAILABLE, a retryable one, and nothing of it in the store; reads go on."""
    async with serve(timings=OFTEN) as chat:
        chat_id = await chat.create_chat([1])
        ada = await chat.connect(1)
        (message,) = await say(ada, chat_id, "before")
        await put_lease(mongodb_uri, holder())
        await asyncio.wait_for(chat.app.lost.wait(), 5)
        for event, payload in (
            ("sendMessage", {"chatId": chat_id, "content": "after"}),
            ("editMessage", {"messageId": message["id"], "content": "after"}),
            ("deleteMessage", {"messageId": message["id"]}),
        ):
            answer = await ada.call(event, payload)
            assert answer["error"]["code"] == "STORAGE_UNAVAILABLE", event
            assert answer["error"]["retryable"] is True
        path = f"/chats/{chat_id}"
        refused = await chat.request("PATCH", path, "host", "service", json={"title": "after"})
        assert refused.code == "STORAGE_UNAVAILABLE"
        page = await chat.request("GET", f"/chat-messages?chatId={chat_id}", 1)
        assert page.data == [message]
    async with database_of(mongodb_uri) as database:
        assert [each["message"] async for each in database.messages.find()] == ["before"]


@pytest.mark.expects_errors
async def test_a_server_past_its_lease_asks_before_it_writes(serve, mongodb_uri):
    """One that was stopped for longer than its lease is good for finds it taken before it harms."""

    async def has_run_out():
        return (await lease_in(mongodb_uri))["until"] < datetime.now(UTC)

    async with serve(timings=Timings(lease_renew_every_s=60, lease_valid_s=0.2)) as chat:
        chat_id = await chat.create_chat([1])
        ada = await chat.connect(1)
        await say(ada, chat_id, "one")
        await eventually(has_run_out)
        await say(ada, chat_id, "two")  # it had run out, nobody had taken it: renewed
        await eventually(has_run_out)
        await put_lease(mongodb_uri, holder())
        answer = await ada.call("sendMessage", {"chatId": chat_id, "content": "three"})
        assert answer["error"]["code"] == "STORAGE_UNAVAILABLE"
        assert chat.app.lost.is_set()
    async with database_of(mongodb_uri) as database:
        stored = [each["message"] async for each in database.messages.find()]
        assert sorted(stored) == ["one", "two"]


@pytest.mark.expects_errors
async def test_a_write_in_doubt_is_not_repeated_on_a_database_of_another(serve, mongodb_uri):
    """Cut off from the store past its lease, a server asks before it repeats what it had begun."""
    timings = Timings(lease_renew_every_s=60, lease_valid_s=1.0, store_timeout_s=0.7)

    async def has_run_out():
        return (await lease_in(mongodb_uri))["until"] < datetime.now(UTC)

    async with (
        proxy_to(socket_of(mongodb_uri)) as proxy,
        serve(mongodb_uri=by_way_of(mongodb_uri, proxy.port), timings=timings) as chat,
    ):
        chat_id = await chat.create_chat([1])
        ada = await chat.connect(1)
        await say(ada, chat_id, "before")
        proxy.deaf = True
        answer = await ada.call("sendMessage", {"chatId": chat_id, "content": "in doubt"})
        assert answer["error"]["code"] == "TIMEOUT"
        await eventually(has_run_out)
        await put_lease(mongodb_uri, holder())
        proxy.cut()
        proxy.deaf = False
        journal, lost = chat.app.domain.journal, chat.app.lost
        await eventually(lambda: lost.is_set() or not journal.in_doubt, 15)
        async with database_of(mongodb_uri) as database:
            stored = [each["message"] async for each in database.messages.find()]
        assert stored == ["before"]
        assert lost.is_set()


@pytest.mark.expects_errors
async def test_a_server_that_lost_its_lease_makes_no_chat(serve, mongodb_uri):
    """Every durable write asks, those that take no number of a chat too."""
    async with serve(timings=OFTEN) as chat:
        await chat.create_chat([1], externalRef="first")
        await put_lease(mongodb_uri, holder())
        await asyncio.wait_for(chat.app.lost.wait(), 5)
        body = {"participantIds": [1], "externalRef": "second"}
        refused = await chat.request("POST", "/chats", "host", "service", json=body)
        assert refused.code == "STORAGE_UNAVAILABLE"
        blocked = await chat.request("POST", "/admin/users/1/block", "host", "service", json={})
        assert blocked.code == "STORAGE_UNAVAILABLE"
    async with database_of(mongodb_uri) as database:
        assert [each["externalRef"] async for each in database.chats.find()] == ["first"]
