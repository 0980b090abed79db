"""An answer over MAX_BACKLOG_BYTES would cut the client that asked for it, each time anew."""

import pytest

from tests.support.delivery.chats import DOORS, catch_up, head_of, say
from tests.support.gateway.servers import generous


@pytest.mark.parametrize("door", DOORS)
async def test_a_page_of_long_messages_is_shorter(serve, door):
    """A quarter of MAX_BACKLOG_BYTES is filled, or one message is longer."""
    async with serve(max_backlog_bytes=400_000, **generous()) as chat:
        chat_id = await chat.create_chat([1, 2])
        ada, grace = await chat.connect(1), await chat.connect(2)
        since = await head_of(chat, chat_id)
        sent = await say(grace, chat_id, *["\u00fc" * 10_000] * 12)
        newest = await catch_up(door, chat, ada, chat_id)
        assert (newest["messages"], newest["hasMore"]) == (sent[-4:], False)
        pages = [await catch_up(door, chat, ada, chat_id, since=since)]
        while pages[-1]["hasMore"]:
            last = pages[-1]["toSeq"]
            pages.append(await catch_up(door, chat, ada, chat_id, since=last))
        assert [len(page["messages"]) for page in pages] == [4, 4, 4]
        assert [each for page in pages for each in page["messages"]] == sent
        assert pages[-1]["toSeq"] == await head_of(chat, chat_id)


async def test_an_answer_of_many_pages_is_bounded_as_one(serve):
    """What the first chats take is not there for the last, which is told to ask again."""
    async with serve(max_backlog_bytes=400_000, **generous()) as chat:
        ada = await chat.connect(1)
        cursors = []
        for _ in range(3):
            chat_id = await chat.create_chat([1])
            cursors.append({"chatId": chat_id, "since": await head_of(chat, chat_id)})
            await say(ada, chat_id, *["x" * 10_000] * 8)
        pages = (await ada.call("sync", {"chats": cursors}))["data"]["chats"]
        assert [len(page["messages"]) for page in pages] == [8, 1, 0]
        assert [page["hasMore"] for page in pages] == [False, True, True]
        assert pages[2]["toSeq"] == pages[2]["fromSeq"] == cursors[2]["since"]
        again = [{"chatId": page["chatId"], "since": page["toSeq"]} for page in pages[1:]]
        pages = (await ada.call("sync", {"chats": again}))["data"]["chats"]
        assert [len(page["messages"]) for page in pages] == [7, 2]


async def test_the_people_of_many_big_chats_come_in_several_answers(serve):
    """They count as texts do: a newcomer in a hundred chats of a thousand would be 15 MB, for
    everybody who comes back.
    """
    async with serve(max_backlog_bytes=50_000, **generous()) as chat:
        ada = await chat.connect(1)
        cursors = {}
        for _ in range(4):
            chat_id = await chat.create_chat(range(1, 60))
            cursors[chat_id] = await head_of(chat, chat_id)
            added = await chat.request(
                "POST", f"/chats/{chat_id}/participants", "host", "service", json={"userIds": [60]}
            )
            assert added.status == 201, added.body
        counts = []
        while cursors:
            asked = [{"chatId": chat_id, "since": since} for chat_id, since in cursors.items()]
            pages = (await ada.call("sync", {"chats": asked}))["data"]["chats"]
            counts.append([len(page.get("participants", ())) for page in pages])
            for page in pages:
                cursors[page["chatId"]] = page["toSeq"]
                if not page["hasMore"]:
                    del cursors[page["chatId"]]
        assert counts == [[60, 60, 0, 0], [60, 60]]


async def test_a_page_is_counted_as_it_is_written(serve):
    """A control character takes six bytes, and metadata counts as texts do."""
    async with serve(max_backlog_bytes=1_000_000, **generous()) as chat:
        chat_id = await chat.create_chat([1])
        ada = await chat.connect(1)
        since = await head_of(chat, chat_id)
        for content, metadata in (("x" + "\x01" * 9_999, None), ("x", {"a": "\x01" * 15_000})):
            payload = {"chatId": chat_id, "content": content, "metadata": metadata}
            for _ in range(6):
                assert (await ada.call("sendMessage", payload))["success"]
        page = await catch_up("sync", chat, ada, chat_id, since=since)
        assert (len(page["messages"]), page["hasMore"]) == (4, True)
        page = await catch_up("sync", chat, ada, chat_id, since=since + 6)
        assert (len(page["messages"]), page["hasMore"]) == (2, True)


@pytest.mark.parametrize("epoch", ["of another life", None])
async def test_pages_without_a_cursor_wait_too_where_there_is_far_too_much(serve, epoch):
    """After a reset as at first: what is put off begins at 0, and everything is there in the
    end.
    """
    async with serve(max_backlog_bytes=40_000, **generous()) as chat:
        ada = await chat.connect(1)
        chat_ids = [await chat.create_chat(range(1, 61)) for _ in range(5)]
        for chat_id in chat_ids:
            await say(ada, chat_id, "hello")
        since = {"since": 99} if epoch else {}
        asked = [{"chatId": chat_id, **since} for chat_id in chat_ids]
        answer = (await ada.call("sync", {"chats": asked, "epoch": epoch}))["data"]
        assert [len(page.get("participants", ())) for page in answer["chats"]] == [60, 60, 60, 0, 0]
        assert [page["hasMore"] for page in answer["chats"]] == [False] * 3 + [True] * 2
        assert {page["reset"] for page in answer["chats"]} == {epoch is not None}
        asked = [{"chatId": each["chatId"], "since": each["toSeq"]} for each in answer["chats"][3:]]
        rest = (await ada.call("sync", {"chats": asked, "epoch": answer["epoch"]}))["data"]["chats"]
        assert [len(page["messages"]) for page in rest] == [1, 1]
        assert [len(page["participants"]) for page in rest] == [60, 60]
        assert not any(page["reset"] or page["hasMore"] for page in rest)


async def test_an_overview_names_all_chats_and_leaves_out_what_is_too_much(serve):
    """First the last messages, then metadata, both null; a stranger's groups cannot cut anybody."""
    async with serve(max_backlog_bytes=400_000, **generous()) as chat:
        ada = await chat.connect(1)
        for _ in range(10):
            chat_id = await chat.create_chat([1], metadata={"a": "x" * 15_000})
            await say(ada, chat_id, "x" * 10_000)
        chats = (await ada.call("sync", {}))["data"]["chats"]
        assert [each["lastMessage"] is None for each in chats] == [False] * 4 + [True] * 6
        assert [each["metadata"] is None for each in chats] == [False] * 10
        for _ in range(10):
            await chat.create_chat([1], metadata={"a": "x" * 15_000})
        chats = (await ada.call("sync", {}))["data"]["chats"]
        assert [each["metadata"] is None for each in chats] == [False] * 14 + [True] * 6
