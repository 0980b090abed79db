"""The epoch: one unbroken life of a database, and how a backup that was put back is found out."""

import pytest

from chat.errors import SetupError
from tests.support.delivery.chats import DOORS, all_messages, catch_up, head_of, host, say
from tests.support.delivery.stores import copy_of, database_of, put_back
from tests.support.gateway.servers import generous


async def epoch_of(chat):
    return (await host(chat, "GET", "/admin/stats"))["epoch"]


async def test_the_epoch_stays_over_restarts(serve, tmp_path):
    """As long as the database goes on, however often the server is started, and wherever it is
    asked."""
    seen = set()
    for _ in range(4):
        async with serve(data_dir=tmp_path) as chat:
            ada = await chat.connect(1)
            chat_id = await chat.create_chat([1])
            joined = await ada.call("joinChat", {"chatId": chat_id})
            seen |= {
                (await ada.call("authenticate"))["data"]["epoch"],
                joined["data"]["epoch"],
                (await ada.call("sync", {}))["data"]["epoch"],
                await epoch_of(chat),
            }
    assert len(seen) == 1


async def test_two_databases_have_two_epochs(serve, mongodb_uri, tmp_path):
    """It is random, and says nothing."""
    seen = set()
    for name in ("one", "two"):
        uri = mongodb_uri.replace("/test_", f"/test_{name}_")
        async with serve(mongodb_uri=uri, data_dir=tmp_path / name) as chat:
            seen.add(await epoch_of(chat))
    assert len(seen) == 2
    assert all(len(each) >= 8 for each in seen)


async def live(chat, *texts):
    """Send to the one chat; the messages."""
    ada = await chat.connect(1)
    return await say(ada, 1, *texts)


async def test_a_restored_backup_begins_a_new_epoch(serve, mongodb_uri, tmp_path, log):
    """A database that is behind DATA_DIR was put back: it says so, and clients' cursors are
    reset."""
    async with serve(data_dir=tmp_path, **generous()) as chat:
        await chat.create_chat([1, 2])
        kept = await live(chat, "kept")
        first = await epoch_of(chat)
    backup = await copy_of(mongodb_uri)
    async with serve(data_dir=tmp_path, **generous()) as chat:
        await live(chat, "lost", "lost too")
        head = await head_of(chat, 1)
    await put_back(mongodb_uri, backup)
    async with serve(data_dir=tmp_path, **generous()) as chat:
        second = await epoch_of(chat)
        assert second != first
        assert "database_was_restored" in [line["event"] for line in log.entries]
        assert await all_messages(chat, 1) == kept
        ada = await chat.connect(1)
        await live(chat, "new", "new too", "newer")
        assert await head_of(chat, 1) > head
        for door in DOORS:
            page = await catch_up(door, chat, ada, 1, since=head, epoch=first)
            assert page["reset"] is True
            assert [each["message"] for each in page["messages"]][:2] == ["kept", "new"]
    async with serve(data_dir=tmp_path) as chat:
        assert await epoch_of(chat) == second


async def test_ids_that_were_given_since_the_backup_are_never_given_again(
    serve, mongodb_uri, tmp_path
):
    """The next message and the next chat are 1,000,000 ids ahead: clients know messages by id."""
    async with serve(data_dir=tmp_path, **generous()) as chat:
        chat_id = await chat.create_chat([1])
        (kept,) = await live(chat, "kept")
    backup = await copy_of(mongodb_uri)
    async with serve(data_dir=tmp_path, **generous()) as chat:
        lost = await live(chat, "lost")
        await chat.create_chat([1])
    await put_back(mongodb_uri, backup)
    async with serve(data_dir=tmp_path, **generous()) as chat:
        (new,) = await live(chat, "new")
        assert new["id"] >= kept["id"] + 1_000_000
        assert new["id"] > lost[-1]["id"]
        assert await chat.create_chat([1]) >= chat_id + 1_000_000


async def test_the_meta_document_alone_tells(serve, mongodb_uri, tmp_path):
    """What counts is the counter of starts in the database and in the folder."""
    async with serve(data_dir=tmp_path) as chat:
        first = await epoch_of(chat)
    async with database_of(mongodb_uri) as database:
        older = await database.meta.find_one({"_id": "epoch"})
    async with serve(data_dir=tmp_path) as chat:
        assert await epoch_of(chat) == first
    async with database_of(mongodb_uri) as database:
        await database.meta.replace_one({"_id": "epoch"}, older)
    async with serve(data_dir=tmp_path) as chat:
        assert await epoch_of(chat) != first


async def test_the_same_backup_put_back_twice_is_found_out_twice(serve, mongodb_uri, tmp_path):
    """Three lives, three epochs, and no id is given in two of them."""
    epochs, ids = [], []
    async with serve(data_dir=tmp_path, **generous()) as chat:
        await chat.create_chat([1])
        await live(chat, "kept")
    backup = await copy_of(mongodb_uri)
    for life in range(3):
        async with serve(data_dir=tmp_path, **generous()) as chat:
            epochs.append(await epoch_of(chat))
            ids.append((await live(chat, f"in life {life}"))[0]["id"])
        await put_back(mongodb_uri, backup)
    assert len(set(epochs)) == 3, epochs
    assert len(set(ids)) == 3, ids


async def test_a_backup_of_an_earlier_epoch_is_found_out(serve, mongodb_uri, tmp_path):
    """An older backup, put back after a newer one was, is not taken for the life it was made in."""
    async with serve(data_dir=tmp_path) as chat:
        await chat.create_chat([1])
        first = await epoch_of(chat)
    oldest = await copy_of(mongodb_uri)
    async with serve(data_dir=tmp_path):
        pass
    await put_back(mongodb_uri, oldest)
    async with serve(data_dir=tmp_path) as chat:
        second = await epoch_of(chat)
    newer = await copy_of(mongodb_uri)
    async with serve(data_dir=tmp_path):
        pass
    await put_back(mongodb_uri, oldest)
    async with serve(data_dir=tmp_path) as chat:
        third = await epoch_of(chat)
    await put_back(mongodb_uri, newer)
    async with serve(data_dir=tmp_path) as chat:
        fourth = await epoch_of(chat)
    assert len({first, second, third, fourth}) == 4


@pytest.mark.parametrize(
    "content", [None, "", "nonsense", "[]", '{"epoch": "another", "starts": 9}']
)
async def test_a_folder_that_knows_nothing_of_the_database_keeps_its_epoch(
    serve, tmp_path, content
):
    """A lost, torn or foreign `starts.json` is written anew; it is no sign of a backup."""
    async with serve(data_dir=tmp_path) as chat:
        before = await epoch_of(chat)
    starts = tmp_path / "starts.json"
    if content is None:
        starts.unlink()
    else:
        starts.write_text(content)
    async with serve(data_dir=tmp_path) as chat:
        assert await epoch_of(chat) == before
    assert before in starts.read_text()


async def test_a_data_dir_that_cannot_be_written_stops_the_start(serve, tmp_path):
    """One sentence: without the counter a restored backup would not be noticed."""
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(SetupError, match="DATA_DIR"):
        async with serve(data_dir=tmp_path / "file"):
            pass
