"""Where the earlier texts of messages lie in the store, and that none stays behind or gets lost."""

import asyncio

import pytest

from chat.errors import StoreUnavailableError
from chat.repositories import revisions as store
from chat.repositories.documents import SCHEMA_VERSION
from chat.repositories.messages import MongoMessages
from chat.repositories.revisions import MongoRevisions
from chat.testing import running_chat
from tests.delivery.test_earlier_texts import edit, history
from tests.support.delivery.chats import host, say
from tests.support.delivery.stores import database_of
from tests.support.gateway.servers import generous


async def all_of(uri, collection):
    async with database_of(uri) as database:
        return [each async for each in database[collection].find()]


async def a_message(chat, *texts):
    """A message of Ada's with these texts, one after the other; her client, the chat, its id."""
    chat_id = await chat.create_chat([1, 2])
    ada = await chat.connect(1)
    (message,) = await say(ada, chat_id, texts[0])
    await edit(ada, message["id"], *texts[1:])
    return ada, chat_id, message["id"]


async def test_an_edit_writes_no_earlier_text_into_the_message(serve, mongodb_uri):
    """A page reads messages, and none of what they said before."""
    async with serve(**generous()) as chat:
        _, chat_id, message_id = await a_message(chat, "one", "two", "three")
        (document,) = await all_of(mongodb_uri, "messages")
        assert "revisions" not in document
        assert "one" not in str(document)
        kept = await all_of(mongodb_uri, "revisions")
        assert [(each["_id"], each["chatId"], each["message"]) for each in kept] == [
            (f"{message_id}:1", chat_id, "one"),
            (f"{message_id}:2", chat_id, "two"),
        ]


async def test_the_earlier_texts_of_a_message_are_bounded_in_bytes(serve, mongodb_uri, monkeypatch):
    """The oldest go; the latest one stays, whatever its size."""
    monkeypatch.setattr(store, "MAX_REVISION_BYTES", 10_000)
    async with serve(**generous()) as chat:
        ada, _, message_id = await a_message(chat, *(str(each) * 4_000 for each in range(1, 6)))
        assert [each["revision"] for each in await history(chat, message_id)] == [3, 4]
        await edit(ada, message_id, "ü" * 9_000, "short")
        assert [each["revision"] for each in await history(chat, message_id)] == [6]
        assert [each["revision"] for each in await all_of(mongodb_uri, "revisions")] == [6]


async def test_a_server_killed_within_an_edit_loses_and_doubles_nothing(
    serve, mongodb_uri, monkeypatch
):
    """The earlier text is stored first, and shown only once the message has its new one."""
    async with serve(**generous()) as chat:
        ada, _, message_id = await a_message(chat, "one", "two")
        with monkeypatch.context() as patch:
            # Nothing after the first write happens.
            keep = MongoRevisions.keep

            async def keep_and_die(self, seen):
                await keep(self, seen)
                raise StoreUnavailableError

            patch.setattr(MongoRevisions, "keep", keep_and_die)
            answer = await ada.call("editMessage", {"messageId": message_id, "content": "three"})
            assert answer["error"]["code"] == "STORAGE_UNAVAILABLE"
    assert len(await all_of(mongodb_uri, "revisions")) == 2
    async with serve(**generous()) as chat:
        now = (await chat.request("GET", f"/chat-messages/{message_id}", 1)).data
        assert (now["revision"], now["message"]) == (2, "two")
        assert [each["message"] for each in await history(chat, message_id)] == ["one"]
        await edit(await chat.connect(1), message_id, "four")
        shown = await history(chat, message_id)
        assert [(each["revision"], each["message"]) for each in shown] == [(1, "one"), (2, "two")]


async def test_a_deleted_message_leaves_no_text_in_the_store(serve, mongodb_uri):
    """Neither its own nor earlier ones, nor quotes; and no note of the deletion."""
    async with serve(**generous()) as chat:
        ada, chat_id, message_id = await a_message(chat, "secret 1", "secret 2")
        reply = {"chatId": chat_id, "content": "what?", "replyToId": message_id}
        assert (await ada.call("sendMessage", reply))["success"]
        assert (await ada.call("deleteMessage", {"messageId": message_id}))["success"]
        for collection in ("messages", "revisions", "wipes"):
            assert "secret" not in str(await all_of(mongodb_uri, collection))
        assert await all_of(mongodb_uri, "wipes") == []


async def test_a_server_killed_within_a_deletion_finishes_it_at_the_next_start(
    serve, mongodb_uri, monkeypatch
):
    """The tombstone was written, and earlier texts and quotes were still there."""
    async with serve(**generous()) as chat:
        ada, chat_id, message_id = await a_message(chat, "secret 1", "secret 2")
        reply = {"chatId": chat_id, "content": "what?", "replyToId": message_id}
        assert (await ada.call("sendMessage", reply))["success"]
        with monkeypatch.context() as patch:
            reached = asyncio.Event()

            async def stuck(*_):
                reached.set()
                await asyncio.Event().wait()

            patch.setattr(MongoMessages, "wipe", stuck)
            deletion = asyncio.ensure_future(
                chat.request("DELETE", f"/chat-messages/{message_id}", 1)
            )
            await asyncio.wait_for(reached.wait(), 5)
            chat.app.domain.journal._flusher.cancel()
        deletion.cancel()
    assert "secret" in str(await all_of(mongodb_uri, "revisions"))
    async with serve(**generous()) as chat:
        gone = (await chat.request("GET", f"/chat-messages/{message_id}", 1)).data
        assert gone["deletedAt"] is not None
        assert await history(chat, message_id) == []
    for collection in ("messages", "revisions", "wipes"):
        assert "secret" not in str(await all_of(mongodb_uri, collection))
    assert await all_of(mongodb_uri, "wipes") == []


async def test_a_deletion_that_was_noted_and_not_stored_is_none(serve, mongodb_uri, monkeypatch):
    """The message stands, with what it said before, and can be deleted again."""
    async with serve(**generous()) as chat:
        ada, _, message_id = await a_message(chat, "one", "two")
    async with database_of(mongodb_uri) as database:
        note = {"_id": f"message:{message_id}", "v": 2, "kind": "message", "id": message_id}
        await database.wipes.insert_one(note)
    async with serve(**generous()) as chat:
        assert [each["message"] for each in await history(chat, message_id)] == ["one"]
        ada = await chat.connect(1)
        assert (await ada.call("deleteMessage", {"messageId": message_id}))["success"]
    assert await all_of(mongodb_uri, "revisions") == await all_of(mongodb_uri, "wipes") == []


@pytest.mark.parametrize("killed", [False, True])
async def test_a_deleted_chat_leaves_no_earlier_texts(serve, mongodb_uri, monkeypatch, killed):
    """At once, or at the next start where the server was killed right after the deletion."""
    async with serve(**generous()) as chat:
        _, chat_id, _ = await a_message(chat, "one", "two")
        _, _, other = await a_message(chat, "three", "four")

        async def die(*_):
            raise StoreUnavailableError

        if killed:
            monkeypatch.setattr(MongoRevisions, "wipe_chat", die)
        await host(chat, "DELETE", f"/chats/{chat_id}")
        assert len(await all_of(mongodb_uri, "wipes")) == killed
    monkeypatch.undo()
    if killed:
        async with running_chat(mongodb_uri=mongodb_uri):
            pass
    (kept,) = await all_of(mongodb_uri, "revisions")
    assert kept["messageId"] == other
    assert await all_of(mongodb_uri, "wipes") == []


# ---- the data of version 1


async def as_version_1(uri, earlier):
    """Put the earlier texts into the documents of their messages, as version 1 had them."""
    async with database_of(uri) as database:
        await database.revisions.drop()
        await database.meta.update_one({"_id": "schema"}, {"$set": {"version": 1}})
        for message_id, texts in earlier.items():
            message = await database.messages.find_one({"_id": message_id})
            kept = [
                {"revision": number, "message": text, "at": message["createdAt"]}
                for number, text in texts
            ]
            change = {"revisions": kept, "revision": texts[-1][0] + 1, "v": 1}
            await database.messages.update_one({"_id": message_id}, {"$set": change})


async def test_the_earlier_texts_of_version_1_are_moved_out_and_shown(serve, mongodb_uri):
    """Those within the bounds, with their numbers; then the data is of the present version."""
    async with serve(**generous()) as chat:
        _, _, few = await a_message(chat, "now", "edited")
        _, _, many = await a_message(chat, "now", "edited")
        _, gone, last = await a_message(chat, "now", "edited")
        _, _, plain = await a_message(chat, "now")
        await host(chat, "DELETE", f"/chats/{gone}")
    long = [(number, str(number % 10) * 40_000) for number in range(31, 51)]
    old = {few: [(1, "one"), (2, "two")], many: long, last: [(1, "of a deleted chat")]}
    await as_version_1(mongodb_uri, old)
    async with serve(**generous()) as chat:
        shown = await history(chat, few)
        assert [(each["revision"], each["message"]) for each in shown] == old[few]
        shown = await history(chat, many)
        assert [(each["revision"], each["message"]) for each in shown] == long[-6:]
        assert await history(chat, plain) == []
        await edit(await chat.connect(1), few, "later")
        assert [each["revision"] for each in await history(chat, few)] == [1, 2, 3]
    assert all("revisions" not in each for each in await all_of(mongodb_uri, "messages"))
    assert "of a deleted chat" not in str(await all_of(mongodb_uri, "revisions"))
    (schema,) = [each for each in await all_of(mongodb_uri, "meta") if each["_id"] == "schema"]
    assert schema["version"] == SCHEMA_VERSION


async def test_a_migration_that_was_killed_goes_on_at_the_next_start(
    serve, mongodb_uri, monkeypatch
):
    """After any number of moved messages, and between the two writes of one."""
    async with serve(**generous()) as chat:
        ids = [(await a_message(chat, "now", "edited"))[2] for _ in range(3)]
    await as_version_1(mongodb_uri, {each: [(1, f"one of {each}")] for each in ids})
    async with database_of(mongodb_uri) as database:
        # The second one was stored in its new place, and not yet taken out of its old one.
        stored = {"_id": f"{ids[1]}:1", "v": 2, "chatId": 2, "messageId": ids[1], "revision": 1}
        await database.revisions.insert_one({**stored, "message": "x", "bytes": 1, "at": None})
    move = MongoRevisions.move_out

    async def move_two(self, message_id):
        if message_id == ids[2]:
            raise StoreUnavailableError
        await move(self, message_id)

    with monkeypatch.context() as patch:
        patch.setattr(MongoRevisions, "move_out", move_two)
        with pytest.raises(Exception, match="write to the store"):
            async with serve(**generous()):
                pass
    (schema,) = [each for each in await all_of(mongodb_uri, "meta") if each["_id"] == "schema"]
    assert schema["version"] == 1
    async with serve(**generous()) as chat:
        for each in ids:
            assert [one["message"] for one in await history(chat, each)] == [f"one of {each}"]
