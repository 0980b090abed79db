"""Sending messages over the socket."""


async def test_a_message_is_acked_and_pushed_to_everybody_in_the_room(serve):
    """The sender's ack and every member's push carry the same stored message."""
    async with serve() as chat:
        chat_id = await chat.create_chat([1, 2])
        ada = await chat.connect(1, join=chat_id)
        grace = await chat.connect(2, join=chat_id)
        ack = await ada.call("sendMessage", {"chatId": chat_id, "content": "Hello, world!"})
        assert ack["success"] is True
        assert ack["data"]["message"] == "Hello, world!"
        for client in (ada, grace):
            pushed = await client.next("newMessage")
            assert pushed["message"] == ack["data"]
            assert pushed["chatId"] == chat_id
