"""A member who stops reading in the middle of a talk."""

import asyncio

from tests.support.chat_replica import ChatReplica
from tests.support.gateway.servers import generous
from tests.support.gateway.tcp import BareSocket
from tests.support.waiting import eventually

TEXT = "x" * 9_000
IN_FLIGHT = 8
MAX_BACKLOG_BYTES = 500_000
MOST_ROUNDS = 150
"""The kernel takes up to 4 MB for a socket before a byte of it waits in the server."""


async def test_who_does_not_read_is_cut_and_misses_nothing_and_nobody_else_does(serve):
    """MAX_BACKLOG_BYTES: the others get every message in order meanwhile; the one who was cut comes
    back with the number it had, and has everything.
    """
    async with serve(max_backlog_bytes=MAX_BACKLOG_BYTES, **generous()) as chat:
        chat_id = await chat.create_chat([1, 2, 3])
        ada, grace = await chat.connect(1, join=chat_id), await chat.connect(2, join=chat_id)
        slow = await BareSocket.enter(chat, 3, receive_bytes=4_096)
        await slow.send(f'42/chat,1["joinChat",{{"chatId":{chat_id}}}]')
        await slow.read_until(b"43/chat,1[")

        async def say(number):
            body = {"chatId": chat_id, "content": TEXT, "clientMessageId": str(number)}
            return await ada.call("sendMessage", body)

        gateway, said = chat.app.gateway, 0
        for _ in range(MOST_ROUNDS):
            acks = await asyncio.gather(*(say(said + each) for each in range(IN_FLIGHT)))
            assert all(ack["success"] for ack in acks), acks
            said += IN_FLIGHT
            if not gateway.get_user_sockets(3):
                break
        await eventually(lambda: gateway.get_user_sockets(3) == [])

        first = ada.of("newMessage")[0]["seq"]
        back, replica = await chat.connect(3), ChatReplica()
        replica.cursor = first - 1  # what it knew when it came in
        while replica.cursor < first + said - 1 or replica.gap:
            request = {"chatId": chat_id, "since": replica.cursor, "limit": 200}
            replica.apply_page((await back.call("joinChat", request))["data"]["sync"])
        everything = list(range(first, first + said))
        assert sorted(each["seq"] for each in replica.messages.values()) == everything
        for member in (ada, grace):
            await member.settle()
            assert [each["seq"] for each in member.of("newMessage")] == everything
        slow.close()
