"""An answer over MAX_BACKLOG_BYTES would cut the client that asked for it, each time anew."""

import pytest

from tests.support.delivery_chats import DOORS, catch_up, head_of, say
from tests.support.gateway_servers import generous


@pytest.mark.parametrize("door", DOORS)
async def test_a_page_of_long_messages_is_shorter(serve, door):
    """A quarter of MAX_BACKLOG_BYTES is filled with texts, or with one message that is longer."""
    async with serve(max_backlog_bytes=400_000, **generous()) as chat:
        chat_id = await chat.create_chat([1, 2])
        ada, grace = await chat.connect(1), await chat.connect(2)
        since = await head_of(chat, chat_id)
        sent = await say(grace, chat_id, *["\u00fc" * 10_000] * 12)
        newest = await catch_up(door, chat, ada, chat_id)
        assert (newest["messages"], newest["hasMore"]) == (sent[-5:], False)
        pages = [await catch_up(door, chat, ada, chat_id, since=since)]
        while pages[-1]["hasMore"]:
            last = pages[-1]["toSeq"]
            pages.append(await catch_up(door, chat, ada, chat_id, since=last))
        assert [len(page["messages"]) for page in pages] == [5, 5, 2]
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
        assert [len(page["messages"]) for page in pages] == [8, 2, 0]
        assert [page["hasMore"] for page in pages] == [False, True, True]
        assert pages[2]["toSeq"] == pages[2]["fromSeq"] == cursors[2]["since"]
        again = [{"chatId": page["chatId"], "since": page["toSeq"]} for page in pages[1:]]
        pages = (await ada.call("sync", {"chats": again}))["data"]["chats"]
        assert [len(page["messages"]) for page in pages] == [6, 4]


async def test_the_people_of_many_big_chats_come_in_several_answers(serve):
    """They count as texts do: a newcomer in a hundred chats of a thousand would be 15 MB, for
    everybody who comes back.
    """
    async with serve(max_backlog_bytes=80_000, **generous()) as chat:
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
