"""GET /chat-messages: pages by exclusive id cursors."""

import asyncio

import pytest

from tests.support.rest.errors import assert_refused, assert_succeeded


@pytest.fixture(scope="module")
def talk(shared):
    """A chat of 25 messages and their ids, oldest first."""
    chat_id = shared.create_chat([1, 2])
    return chat_id, [shared.send(chat_id, 1, f"message {number}") for number in range(25)]


def page_of(shared, chat_id, query=""):
    """The ids on a page, and its `page` object."""
    response = shared.request("GET", f"/chat-messages?chatId={chat_id}{query}", 2)
    data = assert_succeeded(response)
    return [each["id"] for each in data], response.body["page"]


# name -> (query, where `{n}` is the id of message n; the slice of messages; hasBefore; hasAfter)
PAGES = {
    "the newest, without a cursor": ("&limit=10", slice(15, 25), True, False),
    "fifty, without a limit": ("", slice(0, 25), False, False),
    "just all of them": ("&limit=25", slice(0, 25), False, False),
    "one": ("&limit=1", slice(24, 25), True, False),
    "before one in the middle": ("&limit=5&before={12}", slice(7, 12), True, True),
    "before the oldest": ("&limit=5&before={0}", slice(0, 0), False, True),
    "before the second": ("&limit=5&before={1}", slice(0, 1), False, True),
    "before, up to the beginning": ("&limit=5&before={5}", slice(0, 5), False, True),
    "after one in the middle": ("&limit=5&after={12}", slice(13, 18), True, True),
    "after the newest": ("&limit=5&after={24}", slice(0, 0), True, False),
    "after the last but one": ("&limit=5&after={23}", slice(24, 25), True, False),
    "after, up to the end": ("&limit=5&after={19}", slice(20, 25), True, False),
    "after the oldest": ("&limit=5&after={0}", slice(1, 6), True, True),
    "around one in the middle": ("&limit=5&around={12}", slice(10, 15), True, True),
    "around, an even limit": ("&limit=4&around={12}", slice(10, 14), True, True),
    "around, one": ("&limit=1&around={12}", slice(12, 13), True, True),
    "around, two": ("&limit=2&around={12}", slice(11, 13), True, True),
    "around, everything": ("&limit=200&around={12}", slice(0, 25), False, False),
}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_holds_what_its_cursor_says(shared, talk, name):
    """Oldest first, cursors exclusive (`around` includes its message), and it says what lies beyond
    either end.
    """
    chat_id, ids = talk
    query, expected, has_before, has_after = PAGES[name]
    for number, message_id in enumerate(ids):
        query = query.replace(f"{{{number}}}", str(message_id))
    found, page = page_of(shared, chat_id, query)
    wanted = ids[expected]
    assert found == wanted
    assert page == {
        "hasBefore": has_before,
        "hasAfter": has_after,
        "oldestId": wanted[0] if wanted else None,
        "newestId": wanted[-1] if wanted else None,
        "seq": page["seq"],
    }
    newest = shared.request("GET", f"/chat-messages/{ids[-1]}").data
    assert page["seq"] == newest["seq"]


@pytest.mark.parametrize("number", [0, 1, 2, 3, 22, 23, 24])
@pytest.mark.parametrize("limit", [1, 2, 5, 8])
def test_a_page_around_a_message_near_an_end_says_what_lies_beyond(shared, talk, number, limit):
    """One stretch with the message in it, never over the limit, and true about both of its ends."""
    chat_id, ids = talk
    found, page = page_of(shared, chat_id, f"&limit={limit}&around={ids[number]}")
    first, last = ids.index(found[0]), ids.index(found[-1])
    assert found == ids[first : last + 1]
    assert first <= number <= last
    assert limit // 2 <= len(found) <= limit
    assert page["hasBefore"] is (first > 0)
    assert page["hasAfter"] is (last < 24)


@pytest.mark.parametrize("limit", [1, 3, 7, 24, 25, 26])
def test_walking_page_by_page_meets_every_message_once(shared, talk, limit):
    """Back by `before` and on by `after`, the pages join without a gap or an overlap."""
    chat_id, ids = talk
    back, page = page_of(shared, chat_id, f"&limit={limit}")
    while page["hasBefore"]:
        older, page = page_of(shared, chat_id, f"&limit={limit}&before={back[0]}")
        assert older
        back = older + back
    assert back == ids
    on = [ids[0]]
    page = {"hasAfter": True}
    while page["hasAfter"]:
        newer, page = page_of(shared, chat_id, f"&limit={limit}&after={on[-1]}")
        on += newer
    assert on == ids


def test_an_empty_chat_has_an_empty_page(shared):
    """No messages is a page without ids and with nothing on either side."""
    found, page = page_of(shared, shared.create_chat([1, 2]))
    assert found == []
    assert page == {
        "hasBefore": False,
        "hasAfter": False,
        "oldestId": None,
        "newestId": None,
        "seq": 3,
    }


def test_a_tombstone_keeps_its_place_and_is_a_cursor(shared):
    """A deleted message stays on its page with an empty text, and pages can start at it."""
    chat_id = shared.create_chat([1, 2])
    ids = [shared.send(chat_id, 1, f"text {number}") for number in range(3)]
    shared.request("DELETE", f"/chat-messages/{ids[1]}")
    data = shared.request("GET", f"/chat-messages?chatId={chat_id}").data
    assert [each["id"] for each in data] == ids
    assert [each["message"] for each in data] == ["text 0", "", "text 2"]
    assert page_of(shared, chat_id, f"&before={ids[1]}")[0] == ids[:1]
    assert page_of(shared, chat_id, f"&after={ids[1]}")[0] == ids[2:]


@pytest.mark.parametrize("name", ["before", "after", "around"])
def test_a_cursor_that_is_no_message_of_the_chat_is_not_found(shared, talk, name):
    """A message that does not exist and one of another chat answer the same."""
    chat_id, _ = talk
    elsewhere = shared.send(shared.create_chat([1, 2]), 1)
    answers = [
        shared.request("GET", f"/chat-messages?chatId={chat_id}&{name}={message_id}")
        for message_id in (elsewhere, 2**53 - 1)
    ]
    for answer in answers:
        assert_refused(answer, "NOT_FOUND")


BAD_QUERIES = [
    "", "chatId=", "chatId=abc", "chatId=-1", "chatId=0", "chatId=1.0", "chatId=%2B1", "chatId=1e3",
    "chatId=%D9%A1", "chatId=9007199254740992", "chatId=99999999999999999999", "chatId=true",
    "chatId[$gt]=0", "chatId=%7B%22%24gt%22%3A0%7D", "chatId=1&limit=0", "chatId=1&limit=201",
    "chatId=1&limit=-5", "chatId=1&limit=all", "chatId=1&limit=1_0", "chatId=1&limit=",
    "chatId=1&before=x", "chatId=1&after=0", "chatId=1&around=-1", "chatId=1&before=1&after=2",
    "chatId=1&before=1&around=1", "chatId=1&after=1&around=1", "chatId=%FF",
]  # fmt: skip


@pytest.mark.parametrize("query", BAD_QUERIES)
def test_a_query_that_does_not_fit_is_refused(shared, query):
    """Whole numbers of digits only, a limit of 1 to 200, and at most one cursor."""
    response = shared.request("GET", f"/chat-messages?{query}")
    assert_refused(response, "VALIDATION_ERROR")


async def test_pages_are_whole_where_edits_have_made_the_numbers_thin(serve):
    """Edits take numbers too: a page finds its messages however far apart their numbers are."""
    async with serve(plugin_names=()) as chat:
        chat_id = await chat.create_chat([1, 2])
        ids = []
        for number, edits in enumerate((0, 140, 70, 1, 70)):
            body = {"chatId": chat_id, "content": f"message {number}"}
            sent = await chat.request("POST", "/chat-messages", json=body)
            ids.append(sent.data["id"])
            path = f"/chats/{chat_id}"
            changes = [
                chat.request("PATCH", path, "host", "service", json={"title": f"title {n}"})
                for n in range(edits)
            ]
            assert {each.status for each in await asyncio.gather(*changes)} <= {200}

        async def walk(query, limit):
            answer = await chat.request(
                "GET", f"/chat-messages?chatId={chat_id}&limit={limit}{query}"
            )
            assert_succeeded(answer)
            return [each["id"] for each in answer.data], answer.body["page"]

        found, page = await walk("", 2)
        assert (found, page["hasBefore"], page["hasAfter"]) == (ids[3:], True, False)
        found, page = await walk(f"&before={ids[3]}", 2)
        assert (found, page["hasBefore"]) == (ids[1:3], True)
        found, page = await walk(f"&before={ids[1]}", 1)
        assert (found, page["hasBefore"]) == (ids[:1], False)
        found, page = await walk(f"&after={ids[0]}", 1)
        assert (found, page["hasAfter"]) == (ids[1:2], True)
        found, page = await walk(f"&around={ids[2]}", 5)
        assert (found, page["hasBefore"], page["hasAfter"]) == (ids, False, False)
        assert page["seq"] == 3 + 5 + 281
