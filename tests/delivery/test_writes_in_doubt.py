"""Writes whose outcome the server did not learn, and the repeats of their senders."""

import pytest

from chat.timings import Timings
from tests.support.delivery.chats import all_messages, head_of, say
from tests.support.delivery.proxy import proxy_to
from tests.support.delivery.stores import by_way_of, socket_of
from tests.support.gateway.servers import generous
from tests.support.waiting import eventually


@pytest.mark.parametrize("lost", ["deaf", "mute"])
async def test_a_repeat_of_a_write_in_doubt_takes_no_number(serve, mongodb_uri, lost):
    """TIMEOUT, then the store is back: the repeat, among other sends, is the message of the first
    time, and the numbers have no hole. So it is whether the write or its answer was lost."""
    async with (
        proxy_to(socket_of(mongodb_uri)) as proxy,
        serve(
            mongodb_uri=by_way_of(mongodb_uri, proxy.port),
            timings=Timings(store_timeout_s=0.7),
            **generous(),
        ) as chat,
    ):
        chat_id = await chat.create_chat([1, 2])
        ada, grace = await chat.connect(1), await chat.connect(2, join=chat_id)
        await say(ada, chat_id, "before")
        head = await head_of(chat, chat_id)
        setattr(proxy, lost, True)
        body = {"chatId": chat_id, "content": "in doubt", "clientMessageId": "k"}
        answer = await ada.call("sendMessage", body)
        assert answer["error"]["code"] == "TIMEOUT"
        setattr(proxy, lost, False)
        proxy.cut()
        await eventually(lambda: not chat.app.domain.journal.in_doubt, 15)
        # The first occupies the disk, so that the others are written together.
        await ada.emit("sendMessage", {"chatId": chat_id, "content": "first"})
        await ada.emit("sendMessage", body)
        await say(ada, chat_id, "second", "third")
        again = await ada.call("sendMessage", body)
        stored = await all_messages(chat, chat_id)
        texts = ["before", "in doubt", "first", "second", "third"]
        assert [each["message"] for each in stored] == texts
        assert (again["data"], again["duplicate"]) == (stored[1], True)
        assert [each["seq"] for each in stored] == list(range(head, head + 5))
        await grace.settle()
        assert [each["message"] for each in grace.of("newMessage")] == stored
