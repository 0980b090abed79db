"""No REST answer is longer than a quarter of MAX_BACKLOG_BYTES, and no paging client loses a thing
by that.
"""

import asyncio

import pytest

from chat.repositories.messages import MongoMessages
from tests.delivery.test_earlier_texts import edit
from tests.support.delivery.chats import HOST, host, say
from tests.support.gateway.servers import generous
from tests.support.waiting import eventually

SMALL = {"max_backlog_bytes": 200_000}
MOST = 50_000


async def pages(chat, path, following, user_id=1):
    """Every page of a list; `following` makes the query of the next one from a page, or None."""
    found, query = [], ""
    while query is not None:
        response = await chat.request("GET", path + query, user_id)
        assert response.status == 200, response.body
        found.append(response.body)
        query = following(response.body["page"])
        assert len(found) < 100
    return found


def sizes(found):
    return [len(str(page["data"])) for page in found]


async def conversation(chat, texts, readers=(1, 2)):
    chat_id = await chat.create_chat(list(readers))
    ada = await chat.connect(1)
    return chat_id, [each["id"] for each in await say(ada, chat_id, *texts)]


async def test_the_history_of_long_messages_comes_in_shorter_pages(serve):
    """Backwards and forwards; `hasBefore` and `hasAfter` say that there is more."""
    async with serve(**SMALL, **generous()) as chat:
        chat_id, ids = await conversation(chat, [str(number) * 9_000 for number in range(8)])
        path = f"/chat-messages?chatId={chat_id}&limit=200"
        back = await pages(
            chat, path, lambda page: f"&before={page['oldestId']}" if page["hasBefore"] else None
        )
        assert [each["id"] for page in reversed(back) for each in page["data"]] == ids
        assert max(sizes(back)) < MOST
        assert len(back) > 1
        on = await pages(
            chat,
            path,
            lambda page: f"&after={page['newestId']}" if page["hasAfter"] else None,
        )
        first = await chat.request("GET", f"{path}&after={ids[0]}", 1)
        assert (first.body["page"]["hasBefore"], first.body["page"]["hasAfter"]) == (True, True)
        assert [each["id"] for each in first.data] == ids[1:6]
        assert on[0]["page"]["hasAfter"] is False


async def test_a_page_around_a_message_keeps_its_middle(serve):
    """What does not fit is left out at the ends, and said so."""
    async with serve(**SMALL, **generous()) as chat:
        chat_id, ids = await conversation(chat, [str(number) * 9_000 for number in range(9)])
        path = f"/chat-messages?chatId={chat_id}&limit=200&around={ids[4]}"
        answer = (await chat.request("GET", path, 1)).body
        shown = [each["id"] for each in answer["data"]]
        assert shown == ids[2:7]
        assert (answer["page"]["hasBefore"], answer["page"]["hasAfter"]) == (True, True)


async def test_one_message_over_the_budget_is_a_page(serve):
    """Or a client would never get past it."""
    async with serve(max_backlog_bytes=40_000, **generous()) as chat:
        chat_id, ids = await conversation(chat, ["x" * 10_000, "y" * 10_000, "z" * 10_000])
        path = f"/chat-messages?chatId={chat_id}"
        back = await pages(
            chat, path, lambda page: f"&before={page['oldestId']}" if page["hasBefore"] else None
        )
        assert [[each["id"] for each in page["data"]] for page in back[:3]] == [
            [each] for each in reversed(ids)
        ]


async def test_the_earlier_texts_of_a_message_come_in_pages(serve):
    """The newest page first, each oldest first; `before` is `oldestRevision` of the page before."""
    async with serve(**SMALL, **generous()) as chat:
        _, (message_id,) = await conversation(chat, ["0" * 9_000])
        await edit(await chat.connect(1), message_id, *(str(n) * 9_000 for n in range(1, 10)))
        path = f"/chat-messages/{message_id}/history"

        def older(page):
            return f"?before={page['oldestRevision']}" if page["hasBefore"] else None

        found = await pages(chat, path, older)
        numbers = [each["revision"] for page in reversed(found) for each in page["data"]]
        assert numbers == list(range(1, 10))
        assert max(sizes(found)) < MOST
        assert len(found) > 1
        two = (await chat.request("GET", f"{path}?limit=2", 1)).body
        assert [each["revision"] for each in two["data"]] == [8, 9]
        assert two["page"] == {"hasBefore": True, "oldestRevision": 8}


async def test_chats_with_long_last_messages_come_in_shorter_pages(serve):
    """`nextCursor` goes on behind the last one that fitted."""
    async with serve(**SMALL, **generous()) as chat:
        ada = await chat.connect(1)
        ids = [await chat.create_chat([1]) for _ in range(9)]
        await asyncio.gather(*(say(ada, each, "x" * 9_000) for each in ids))
        found = await pages(
            chat,
            "/chats",
            lambda page: f"?cursor={page['nextCursor']}" if page["nextCursor"] else None,
        )
        assert sorted(each["id"] for page in found for each in page["data"]) == ids
        assert max(sizes(found)) < MOST
        assert len(found) > 1


async def test_what_is_unread_names_all_chats(serve):
    """Those for which there is no room come without their last message."""
    async with serve(**SMALL, **generous()) as chat:
        ada = await chat.connect(1)
        ids = [await chat.create_chat([1, 2]) for _ in range(9)]
        await asyncio.gather(*(say(ada, each, "x" * 9_000) for each in ids))
        unread = (await chat.request("GET", "/me/unread", 2)).data
        assert unread["total"] == 9
        assert sorted(each["chatId"] for each in unread["chats"]) == ids
        assert sum(each["lastMessage"] is not None for each in unread["chats"]) == 6


async def test_participants_with_long_names_come_in_pages(serve):
    """And a chat that is asked for comes with as many as fit; `participantCount` counts all."""
    async with serve(**SMALL, **generous()) as chat:
        people = list(range(1, 61))
        chat_id = await chat.create_chat(people)
        for each in people:
            profile = {"name": f"{each}", "avatarUrl": "https://example.com/" + "x" * 1_900}
            await host(chat, "PUT", f"/users/{each}", profile)
        path = f"/chats/{chat_id}/participants"
        found = await pages(
            chat, path, lambda page: f"?cursor={page['nextCursor']}" if page["nextCursor"] else None
        )
        assert [each["userId"] for page in found for each in page["data"]] == people
        assert max(sizes(found)) < MOST
        shown = (await chat.request("GET", f"/chats/{chat_id}", 1)).data
        assert shown["participantCount"] == 60
        assert shown["participants"] == found[0]["data"]
        users = (await chat.request("GET", f"/users?ids={','.join(map(str, people))}", *HOST)).body
        assert users["page"] == {"hasMore": True}
        assert [each["id"] for each in users["data"]] == people[: len(users["data"])]


@pytest.mark.parametrize("cursor", ["x", "-1", "1.5"])
async def test_a_cursor_of_participants_that_was_never_given_is_refused(serve, cursor):
    """VALIDATION_ERROR that names it."""
    async with serve(**generous()) as chat:
        chat_id = await chat.create_chat([1])
        refused = await chat.request("GET", f"/chats/{chat_id}/participants?cursor={cursor}", 1)
        assert (refused.status, refused.code) == (400, "VALIDATION_ERROR")


async def test_pages_of_one_user_are_read_two_at_a_time(serve, monkeypatch):
    """Sixty at once would be sixty times what one holds in memory; others do not wait for them."""
    async with serve(**generous()) as chat:
        chat_id, _ = await conversation(chat, ["x"])
        running, most, go_on = 0, 0, asyncio.Event()
        window = MongoMessages.window

        async def slow(self, *args):
            nonlocal running, most
            running += 1
            most = max(most, running)
            await go_on.wait()
            running -= 1
            return await window(self, *args)

        monkeypatch.setattr(MongoMessages, "window", slow)
        path = f"/chat-messages?chatId={chat_id}"
        asked = [asyncio.ensure_future(chat.request("GET", path, 1)) for _ in range(6)]
        other = asyncio.ensure_future(chat.request("GET", path, 2))
        await eventually(lambda: running == 3)
        assert (await chat.request("GET", "/me/unread", 1)).status == 200
        assert most == 3
        go_on.set()
        answers = await asyncio.gather(*asked, other)
        assert [each.status for each in answers] == [200] * 7
        assert most == 3
