"""`GET /chat-messages/:id/history`: the earlier texts of a message."""

from tests.support.delivery.chats import HOST, host, say
from tests.support.gateway.servers import generous


async def edit(client, message_id, *texts):
    for text in texts:
        answer = await client.call("editMessage", {"messageId": message_id, "content": text})
        assert answer["success"], answer


async def history(chat, message_id, user_id=1):
    response = await chat.request("GET", f"/chat-messages/{message_id}/history", user_id)
    assert response.status == 200, response.body
    return response.data


async def test_earlier_texts_come_oldest_first(serve):
    """`{revision, message, timestamp}` of each but the present one; a message never edited has
    none."""
    async with serve(**generous()) as chat:
        chat_id = await chat.create_chat([1, 2])
        ada = await chat.connect(1)
        (message,) = await say(ada, chat_id, "one")
        assert await history(chat, message["id"], 2) == []
        await edit(ada, message["id"], "two", "three")
        now = (await chat.request("GET", f"/chat-messages/{message['id']}", 2)).data
        earlier = await history(chat, message["id"], 2)
        assert [(each["revision"], each["message"]) for each in earlier] == [(1, "one"), (2, "two")]
        assert earlier[0]["timestamp"] == message["createdAt"]
        assert earlier[0]["timestamp"] <= earlier[1]["timestamp"] <= now["updatedAt"]
        assert (now["revision"], now["message"]) == (3, "three")


async def test_fifty_are_kept(serve):
    """Of more the oldest go."""
    async with serve(**generous()) as chat:
        chat_id = await chat.create_chat([1])
        ada = await chat.connect(1)
        (message,) = await say(ada, chat_id, "text 1")
        await edit(ada, message["id"], *(f"text {number}" for number in range(2, 56)))
        earlier = await history(chat, message["id"])
        assert [each["revision"] for each in earlier] == list(range(5, 55))
        assert [each["message"] for each in earlier] == [f"text {each}" for each in range(5, 55)]


async def test_a_deleted_message_has_none(serve):
    """Deleting wipes the earlier texts too."""
    async with serve(**generous()) as chat:
        chat_id = await chat.create_chat([1, 2])
        ada = await chat.connect(1)
        (message,) = await say(ada, chat_id, "secret")
        await edit(ada, message["id"], "less so")
        await ada.call("deleteMessage", {"messageId": message["id"]})
        assert await history(chat, message["id"], 2) == []


async def test_a_message_of_others_has_none_to_see(serve):
    """NOT_FOUND for strangers and former members, as for a message that does not exist."""
    async with serve() as chat:
        chat_id = await chat.create_chat([1, 2])
        ada = await chat.connect(1)
        (message,) = await say(ada, chat_id, "one")
        await edit(ada, message["id"], "two")
        await host(chat, "DELETE", f"/chats/{chat_id}/participants/2")
        for user_id, message_id in ((3, message["id"]), (2, message["id"]), (1, 2**40)):
            path = f"/chat-messages/{message_id}/history"
            refused = await chat.request("GET", path, user_id)
            assert (refused.status, refused.code) == (404, "NOT_FOUND")
        assert (
            len((await chat.request("GET", f"/chat-messages/{message['id']}/history", *HOST)).data)
            == 1
        )
