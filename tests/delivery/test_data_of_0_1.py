"""A DATA_DIR that version 0.1.1 has written: all of it is there after the upgrade, however often
the server is killed on the way.
"""

import asyncio
import contextlib
import json
import os
import sys
import tarfile
from pathlib import Path

import pytest

from chat.errors import SetupError
from chat.repositories.documents import SCHEMA_VERSION
from chat.repositories.embedded import EmbeddedStore
from chat.testing import running_chat
from tests.support.delivery.stores import database_of
from tests.support.gateway.servers import generous
from tests.support.server_process import ROOT, SECRET
from tests.support.stores import running

FIXTURE = Path(__file__).parent / "fixtures" / "data_of_0_1.tar.xz"
DYING = Path(__file__).parents[1] / "support" / "delivery" / "dying_server.py"
PLACES = [
    ("document 1", "document 2"),
    ("document 8", "document 9"),
    ("index 1", "index 2"),
    ("version",),
]
"""Before the first write, between those of participants and of their chats, and later: the places
of one run each, which is as many starts as a slow machine does in a test's time.
"""

BLOCKED, REVOKED = 6, 7
HOST = ("host", "service")


@pytest.fixture
def folder(tmp_path):
    """A fresh copy of the folder; beside it said.json, the answers of 0.1.1."""
    with tarfile.open(FIXTURE) as archive:
        archive.extractall(tmp_path, filter="data")
    return tmp_path / "data"


def part_of(now, then):
    """The part of an answer that 0.1 had too: later versions add fields."""
    if isinstance(then, dict):
        return {name: part_of(now[name], then[name]) for name in then}
    if isinstance(then, list):
        assert len(now) == len(then)
        return [part_of(*each) for each in zip(now, then, strict=True)]
    return now


async def check_all_is_there(chat, folder):
    """Each answer is the one that 0.1.1 gave; unique keys hold."""
    said = json.loads((folder.parent / "said.json").read_text())
    assert len(said) > 200
    for asked, then in said.items():
        user_id, call = json.loads(asked)
        who = HOST if user_id == "host" else (user_id,)
        answer = await chat.request(*call.split(" "), *who)
        now = answer.body.get("data") if answer.code is None else answer.code
        assert part_of(now, then) == then, asked
    for body, status in (
        ({"externalRef": "order:1", "participantIds": [2]}, 200),
        ({"type": "direct", "participantIds": [1, 2]}, 200),
        ({"type": "direct", "participantIds": ["a|b", "ada"]}, 200),
        ({"externalRef": "order:19"}, 201),  # of a deleted chat
    ):
        answer = await chat.request("POST", "/chats", *HOST, json=body)
        assert answer.status == status, (body, answer.body)
    (one,) = (await chat.request("GET", "/chats?externalRef=order:1", *HOST)).data
    body = {"chatId": one["id"], "content": "hello 1", "clientMessageId": "key-0"}
    answer = await chat.request("POST", "/chat-messages", 2, json=body)
    assert (answer.status, answer.body["duplicate"]) == (200, True)
    assert (await chat.request("GET", "/chats", BLOCKED)).code == "USER_BLOCKED"
    old = {"Authorization": f"Bearer {chat.token(REVOKED)}"}
    assert (await chat.request("GET", "/chats", None, headers=old)).status == 200
    # The same reference and pair in a tenant are new ones.
    for body in ({"externalRef": "order:1"}, {"type": "direct", "participantIds": [1, 2]}):
        answer = await chat.request("POST", "/chats", *HOST, tenant="acme", json=body)
        assert answer.status == 201


async def check_the_store_is_migrated(folder):
    store = EmbeddedStore(folder)
    async with running(store) as client:
        database = client.get_default_database("chatgateway")
        (schema,) = await database.meta.find({"_id": "schema"}).to_list(None)
        assert schema["version"] == SCHEMA_VERSION
        for collection in ("chats", "participants"):
            assert await database[collection].count_documents({"tenant": {"$exists": False}}) == 0
            indexes = await database[collection].index_information()
            assert indexes.keys().isdisjoint({"direct_key", "external_ref", "user"})


async def test_a_folder_of_0_1_opens_with_all_that_is_in_it(folder):
    """Chats, people, messages, edits, reads, names, references, blocks; and is migrated then."""
    async with running_chat(data_dir=folder, **generous()) as chat:
        await check_all_is_there(chat, folder)
    await check_the_store_is_migrated(folder)


async def die(folder, place):
    """Start a server that dies at that place of the migration."""
    environment = {
        **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
        "PORT": "0", "DATA_DIR": str(folder), "JWT_SECRET": SECRET,
    }  # fmt: skip
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(DYING), place, "serve", env=environment, cwd=ROOT,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        out, err = await asyncio.wait_for(process.communicate(), 30)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
    assert process.returncode == -9, (out, err)
    return err.decode()


@pytest.mark.parametrize("places", PLACES, ids=" ".join)
async def test_a_migration_that_is_killed_goes_on_at_the_next_start(folder, places):
    """SIGKILL at one place after the other, each start on what the one before has left."""
    for place in places:
        assert "migration_begins" in await die(folder, place)
    async with running_chat(data_dir=folder, **generous()) as chat:
        await check_all_is_there(chat, folder)
    await check_the_store_is_migrated(folder)


async def test_an_older_server_refuses_newer_data_in_a_sentence(serve, mongodb_uri):
    """It says both versions, and touches nothing."""
    async with serve(**generous()):
        pass
    async with database_of(mongodb_uri) as database:
        newer = {"$set": {"version": SCHEMA_VERSION + 1}}
        await database.meta.update_one({"_id": "schema"}, newer)
    said = f"the data is of version {SCHEMA_VERSION + 1}, this server knows {SCHEMA_VERSION}"
    with pytest.raises(SetupError, match=said):
        async with serve(**generous()):
            pass
