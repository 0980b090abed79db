"""What a client that was away is told: the latest state of everything that changed after its
cursor."""

import pytest

from tests.support.delivery.chats import DOORS, all_messages, catch_up, head_of, host, say
from tests.support.gateway.servers import generous


@pytest.mark.parametrize("door", DOORS)
async def test_a_cursor_at_the_head_gets_an_empty_page(serve, door):
    """Who has seen everything is told nothing, by each of the four doors."""
    async with serve() as chat:
        chat_id = await chat.create_chat([1, 2])
        ada = await chat.connect(1)
        await say(ada, chat_id, "one", "two")
        head = await head_of(chat, chat_id)
        assert await catch_up(door, chat, ada, chat_id, since=head) == {
            "chatId": chat_id,
            "fromSeq": head,
            "toSeq": head,
            "hasMore": False,
            "reset": False,
            "messages": [],
        }


@pytest.mark.parametrize("door", DOORS)
async def test_what_was_missed_comes_once_as_it_is_now(serve, door):
    """New, edited and deleted messages come once each, as they are now, in the order of their
    changes."""
    async with serve(**generous()) as chat:
        chat_id = await chat.create_chat([1, 2])
        ada, grace = await chat.connect(1), await chat.connect(2)
        old = await say(grace, chat_id, "stays", "is edited", "is deleted")
        since = await head_of(chat, chat_id)
        new = await say(grace, chat_id, "new", "new and edited", "new and deleted")
        for text in ("edited once", "edited twice"):
            await grace.call("editMessage", {"messageId": old[1]["id"], "content": text})
        await grace.call("deleteMessage", {"messageId": old[2]["id"]})
        await grace.call("editMessage", {"messageId": new[1]["id"], "content": "both"})
        await grace.call("deleteMessage", {"messageId": new[2]["id"]})
        page = await catch_up(door, chat, ada, chat_id, since=since)
        expected = [new[0]["id"], old[1]["id"], old[2]["id"], new[1]["id"], new[2]["id"]]
        assert [each["id"] for each in page["messages"]] == expected
        texts = [each["message"] for each in page["messages"]]
        assert texts == ["new", "edited twice", "", "both", ""]
        truth = {each["id"]: each for each in await all_messages(chat, chat_id)}
        assert page["messages"] == [truth[each] for each in expected]
        order = [each["updatedSeq"] for each in page["messages"]]
        assert order == sorted(set(order))
        assert (page["fromSeq"], page["toSeq"]) == (since, await head_of(chat, chat_id))
        assert "participants" not in page
        assert "chat" not in page


@pytest.mark.parametrize("door", DOORS)
async def test_pages_follow_each_other_without_hole_or_overlap(serve, door):
    """`toSeq` of one page is `since` of the next, until `hasMore` is false; each has `limit`
    messages."""
    async with serve(**generous()) as chat:
        chat_id = await chat.create_chat([1, 2])
        ada, grace = await chat.connect(1), await chat.connect(2)
        since = await head_of(chat, chat_id)
        sent = await say(grace, chat_id, *(str(number) for number in range(23)))
        pages = [await catch_up(door, chat, ada, chat_id, since=since, limit=5)]
        while pages[-1]["hasMore"]:
            assert len(pages[-1]["messages"]) == 5
            last = pages[-1]["toSeq"]
            pages.append(await catch_up(door, chat, ada, chat_id, since=last, limit=5))
            assert pages[-1]["fromSeq"] == last
        assert [len(page["messages"]) for page in pages] == [5, 5, 5, 5, 3]
        assert [each for page in pages for each in page["messages"]] == sent
        assert pages[-1]["toSeq"] == await head_of(chat, chat_id)


async def test_a_page_that_is_exactly_full_says_that_nothing_is_left(serve):
    """`hasMore` speaks of messages that are there, not of a page that is full."""
    async with serve(**generous()) as chat:
        chat_id = await chat.create_chat([1])
        ada = await chat.connect(1)
        since = await head_of(chat, chat_id)
        await say(ada, chat_id, *"abcde")
        page = await catch_up("sync", chat, ada, chat_id, since=since, limit=5)
        assert (len(page["messages"]), page["hasMore"]) == (5, False)
        assert page["toSeq"] == await head_of(chat, chat_id)


async def test_a_gap_longer_than_any_window_is_read_to_its_end(serve, monkeypatch):
    """A stretch of numbers that no message has any more, wider than a read, ends no catch-up
    early."""
    monkeypatch.setattr("chat.services.history._FIRST_WINDOW", 8)
    async with serve(**generous()) as chat:
        chat_id = await chat.create_chat([1])
        ada = await chat.connect(1)
        first, second = await say(ada, chat_id, "first", "second")
        for number in range(30):
            edit = {"messageId": second["id"], "content": f"edit {number}"}
            assert (await ada.call("editMessage", edit))["success"]
        later = await say(ada, chat_id, *(str(number) for number in range(30)))
        cursor, found, more = 0, [], True
        while more:
            page = await catch_up("sync", chat, ada, chat_id, since=cursor, limit=7)
            found += page["messages"]
            cursor, more = page["toSeq"], page["hasMore"]
        wanted = [first["id"], second["id"], *(each["id"] for each in later)]
        assert [each["id"] for each in found] == wanted
        assert found[1]["revision"] == 31


CHANGES = {
    "added": ("POST", "participants", {"userIds": [7]}),
    "promoted": ("PATCH", "participants/2", {"role": "moderator"}),
    "removed": ("DELETE", "participants/2", None),
}


@pytest.mark.parametrize("change", CHANGES)
async def test_people_come_with_the_page_exactly_when_they_changed(serve, change):
    """`participants`, all of them, for a cursor before the change; absent for one behind it."""
    async with serve() as chat:
        chat_id = await chat.create_chat([1, 2])
        ada = await chat.connect(1)
        before = await head_of(chat, chat_id)
        method, path, body = CHANGES[change]
        await host(chat, method, f"/chats/{chat_id}/{path}", body)
        await say(ada, chat_id, "later")
        for since in range(before + 2):
            page = await catch_up("sync", chat, ada, chat_id, since=since)
            assert ("participants" in page) == (since <= before), since
            if "participants" in page:
                now = await host(chat, "GET", f"/chats/{chat_id}/participants")
                assert page["participants"] == now
            assert ("chat" in page) == (since < 1)


async def test_settings_come_with_the_page_exactly_when_they_changed(serve):
    """`chat`, as in `GET /chats`, for a cursor before the change; absent for one behind it."""
    async with serve() as chat:
        chat_id = await chat.create_chat([1, 2])
        ada = await chat.connect(1)
        before = await head_of(chat, chat_id)
        await host(chat, "PATCH", f"/chats/{chat_id}", {"title": "Orders"})
        for since in (before - 1, before):
            page = await catch_up("sync", chat, ada, chat_id, since=since)
            assert page["chat"] == (await chat.request("GET", "/chats", 1)).data[0]
            assert page["chat"]["title"] == "Orders"
        page = await catch_up("sync", chat, ada, chat_id, since=before + 1)
        assert "chat" not in page


async def test_reading_changes_nothing_that_is_caught_up_with(serve):
    """Typing, read marks, joins and leaves take no number and come in no page."""
    async with serve() as chat:
        chat_id = await chat.create_chat([1, 2])
        ada, grace = await chat.connect(1), await chat.connect(2)
        (message,) = await say(grace, chat_id, "hi")
        head = await head_of(chat, chat_id)
        await ada.call("joinChat", {"chatId": chat_id})
        await ada.call("markAsRead", {"chatId": chat_id, "messageId": message["id"]})
        await ada.call("typing", {"chatId": chat_id, "isTyping": True})
        await ada.call("leaveChat", {"chatId": chat_id})
        page = await catch_up("sync", chat, ada, chat_id, since=head)
        assert (page["messages"], page["toSeq"]) == ([], head)
        assert "participants" not in page


@pytest.mark.parametrize("door", DOORS)
async def test_without_a_cursor_the_latest_fifty_come(serve, door):
    """A client that is new here gets the end of the chat, oldest first, the people and the
    settings."""
    async with serve(**generous()) as chat:
        chat_id = await chat.create_chat([1, 2])
        ada = await chat.connect(1)
        sent = await say(ada, chat_id, *(str(number) for number in range(60)))
        page = await catch_up(door, chat, ada, chat_id)
        assert page["messages"] == sent[-50:]
        assert (page["reset"], page["hasMore"]) == (False, False)
        assert page["toSeq"] == await head_of(chat, chat_id)
        assert [each["userId"] for each in page["participants"]] == [1, 2]
        assert page["chat"]["id"] == chat_id
        fewer = await catch_up(door, chat, ada, chat_id, limit=7)
        assert fewer["messages"] == sent[-7:]


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("why", ["ahead", "far ahead", "another epoch", "an empty epoch"])
async def test_a_cursor_of_another_life_is_reset_with_a_snapshot(serve, door, why):
    """A cursor ahead of the server or of another epoch gets `reset: true` and what there is."""
    async with serve() as chat:
        chat_id = await chat.create_chat([1, 2])
        ada = await chat.connect(1)
        sent = await say(ada, chat_id, "one", "two")
        head = await head_of(chat, chat_id)
        cursor = {
            "ahead": {"since": head + 1},
            "far ahead": {"since": 2**53 - 1},
            "another epoch": {"since": head, "epoch": "0123456789abcdef"},
            "an empty epoch": {"since": head, "epoch": ""},
        }[why]
        page = await catch_up(door, chat, ada, chat_id, **cursor)
        assert (page["reset"], page["hasMore"], page["fromSeq"]) == (True, False, 0)
        assert page["messages"] == sent
        assert page["toSeq"] == head
        assert [each["userId"] for each in page["participants"]] == [1, 2]
        assert page["chat"]["id"] == chat_id


@pytest.mark.parametrize("door", DOORS)
async def test_a_cursor_of_this_epoch_is_not_reset(serve, door):
    """The epoch of the `authenticate` ack, handed back, is the one of the page."""
    async with serve() as chat:
        chat_id = await chat.create_chat([1, 2])
        ada = await chat.connect(1)
        await say(ada, chat_id, "one")
        epoch = (await ada.call("authenticate"))["data"]["epoch"]
        page = await catch_up(door, chat, ada, chat_id, since=0, epoch=epoch)
        assert page["reset"] is False
        assert len(page["messages"]) == 1


async def test_a_restart_changes_no_page(serve):
    """Every page is made of what is stored: a new process answers the same ones, in the same
    epoch."""
    pages = []
    for life in range(2):
        async with serve(**generous()) as chat:
            ada = await chat.connect(1)
            if life == 0:
                chat_id = await chat.create_chat([1, 2])
                sent = await say(ada, chat_id, *"abcdef")
                await ada.call("editMessage", {"messageId": sent[1]["id"], "content": "B"})
                await ada.call("deleteMessage", {"messageId": sent[2]["id"]})
                await host(chat, "DELETE", f"/chats/{chat_id}/participants/2")
            head = await head_of(chat, chat_id)
            pages.append(
                [
                    await catch_up("GET", chat, ada, chat_id, since=since, limit=3)
                    for since in range(head + 1)
                ]
            )
    assert pages[0] == pages[1]
