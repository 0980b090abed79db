"""Sends whose acks never arrive, and that are sent again; and many at once from one socket."""

import asyncio
import json

import pytest

from tests.support.delivery.chats import all_messages, head_of, say
from tests.support.delivery.proxy import proxy_to
from tests.support.gateway.servers import generous
from tests.support.gateway.wire import RawSocket
from tests.support.waiting import eventually

SOCKETS = 50
A_SOCKET = 10


def body(chat_id, number):
    return {"chatId": chat_id, "content": f"text {number}", "clientMessageId": f"key-{number}"}


async def write(raw, chat_id, numbers):
    """Write the frames of these sends; nothing is read."""
    for number in numbers:
        await raw.send(f'42/chat,{number}["sendMessage",{json.dumps(body(chat_id, number))}]')


async def send_all_again(chat, chat_id):
    """All 500 over one good socket; the answers by number."""
    ada = await chat.connect(1)
    sends = [ada.call("sendMessage", body(chat_id, each)) for each in range(SOCKETS * A_SOCKET)]
    answers = await asyncio.gather(*sends)
    assert all(answer["success"] for answer in answers)
    return answers


def assert_stored_once(stored, answers):
    """Every text once, under the id that its sender was told, numbered without a hole."""
    by_key = {message["clientMessageId"]: message for message in stored}
    assert len(stored) == len(by_key) == SOCKETS * A_SOCKET
    for number, answer in enumerate(answers):
        assert by_key[f"key-{number}"] == answer["data"]
        assert answer["data"]["message"] == f"text {number}"
    seqs = [message["seq"] for message in stored]
    assert seqs == list(range(seqs[0], seqs[0] + len(seqs)))


async def test_five_hundred_sends_whose_acks_were_lost_are_stored_once(serve):
    """The server stored them, and its acks went nowhere: the repeats get the ids of the first
    time."""
    async with serve(**generous()) as chat, proxy_to(chat.app.port) as proxy:
        chat_id = await chat.create_chat([1, 2])
        grace = await chat.connect(2, join=chat_id)
        for first in range(0, SOCKETS * A_SOCKET, A_SOCKET):
            proxy.mute = False
            raw = await RawSocket.enter(proxy.in_front_of(chat), 1)
            proxy.mute = True
            wanted = first + A_SOCKET
            await write(raw, chat_id, range(first, wanted))
            await eventually(lambda wanted=wanted: len(grace.of("newMessage")) >= wanted)
            assert not [frame for frame in raw.frames if frame.startswith("43/chat,")]
            proxy.cut()
            await raw.close()
        answers = await send_all_again(chat, chat_id)
        assert all(answer["duplicate"] for answer in answers)
        stored = await all_messages(chat, chat_id)
        assert_stored_once(stored, answers)
        pushed = [each["message"] for each in grace.of("newMessage")]
        assert pushed == stored


async def test_five_hundred_sends_cut_off_anywhere_are_stored_once(serve):
    """Cut right after the frames were written, stored or not: after the repeats each is there
    once."""
    async with serve(**generous()) as chat, proxy_to(chat.app.port) as proxy:
        chat_id = await chat.create_chat([1, 2])
        grace = await chat.connect(2, join=chat_id)
        for first in range(0, SOCKETS * A_SOCKET, A_SOCKET):
            raw = await RawSocket.enter(proxy.in_front_of(chat), 1)
            so_far = len(grace.of("newMessage"))
            await write(raw, chat_id, range(first, first + A_SOCKET))
            if first % 20:  # every other socket lives until something is stored
                await eventually(lambda seen=so_far: len(grace.of("newMessage")) > seen)
            proxy.cut()
            await raw.close()
        answers = await send_all_again(chat, chat_id)
        again = await send_all_again(chat, chat_id)
        assert [each["data"] for each in again] == [each["data"] for each in answers]
        assert all(each["duplicate"] for each in again)
        stored = await all_messages(chat, chat_id)
        assert_stored_once(stored, answers)
        await grace.settle()
        assert [each["message"] for each in grace.of("newMessage")] == stored


async def test_two_hundred_pipelined_sends_arrive_in_order_everywhere(serve):
    """What one socket sends without waiting is stored, acked, pushed and read in the order it was
    sent."""
    async with serve(**generous()) as chat:
        chat_id = await chat.create_chat([1, 2, 3])
        ada = await chat.connect(1, join=chat_id)
        members = [ada, await chat.connect(2, join=chat_id), await chat.connect(3, join=chat_id)]
        head = await head_of(chat, chat_id)
        texts = [f"number {number}" for number in range(200)]
        acked = await say(ada, chat_id, *texts)
        assert [each["message"] for each in acked] == texts
        assert [each["seq"] for each in acked] == list(range(head + 1, head + 201))
        for client in members:
            await client.settle()
            assert [each["message"] for each in client.of("newMessage")] == acked
            assert [each["seq"] for each in client.of("newMessage")] == [
                each["seq"] for each in acked
            ]
        assert await all_messages(chat, chat_id) == acked
        ids = [each["id"] for each in acked]
        assert ids == sorted(ids)


@pytest.mark.parametrize("senders", [4])
async def test_every_member_sees_the_same_order_of_what_many_send_at_once(serve, senders):
    """One order for all: that of `seq`, whoever sends and whoever watches."""
    async with serve(**generous()) as chat:
        people = list(range(1, senders + 1))
        chat_id = await chat.create_chat(people)
        clients = [await chat.connect(each, join=chat_id) for each in people]
        texts = [[f"{user} says {number}" for number in range(40)] for user in people]
        sends = [say(clients[i], chat_id, *texts[i]) for i in range(senders)]
        await asyncio.gather(*sends)
        stored = await all_messages(chat, chat_id)
        for client in clients:
            await client.settle()
            assert [each["message"] for each in client.of("newMessage")] == stored
        for user, said in zip(people, texts, strict=True):
            assert [each["message"] for each in stored if each["senderId"] == user] == said
