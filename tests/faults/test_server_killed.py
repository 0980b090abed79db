"""The server process is killed or stopped while it works."""

import asyncio
import uuid

from tornado.httpclient import HTTPClientError

from tests.support.server_process import processes_with, server_process
from tests.support.waiting import eventually


async def send_until_gone(server, chat_id, acked):
    """Send one message after the other, noting those that were acked, until the server dies."""
    while True:
        text = uuid.uuid4().hex
        try:
            status, body = await server.request(
                "POST", "/chat-messages", json={"chatId": chat_id, "content": text}
            )
        except (OSError, HTTPClientError):
            return
        if status != 201:
            return
        acked[text] = body["data"]["id"]


async def new_chat(server):
    _, body = await server.request(
        "POST", "/chats", "host", {"type": "group", "participantIds": [1, 2]}
    )
    return body["data"]["id"]


async def test_a_killed_server_leaves_no_store_and_loses_no_acked_message(tmp_path):
    """kill -9: the store process goes too, and the next start has every acked message, once."""
    acked: dict[str, int] = {}
    async with server_process(tmp_path) as server:
        chat_id = await new_chat(server)
        assert processes_with(str(tmp_path))
        senders = [asyncio.ensure_future(send_until_gone(server, chat_id, acked)) for _ in range(8)]
        await eventually(lambda: len(acked) > 40)
        server.kill()
        await asyncio.gather(*senders)
        await eventually(lambda: not processes_with(str(tmp_path)))
    async with server_process(tmp_path) as server:
        stored = await server.history(chat_id)
        ids = {message["message"]: message["id"] for message in stored}
        assert len(ids) == len(stored)
        assert {text: ids.get(text) for text in acked} == acked
        seqs = [message["seq"] for message in stored]
        assert seqs == list(range(seqs[0], seqs[0] + len(seqs)))


async def test_a_terminated_server_answers_what_runs_and_ends_with_zero(tmp_path):
    """SIGTERM: exit code 0, every acked message there, none of the others."""
    acked: dict[str, int] = {}
    async with server_process(tmp_path) as server:
        chat_id = await new_chat(server)
        senders = [asyncio.ensure_future(send_until_gone(server, chat_id, acked)) for _ in range(8)]
        await eventually(lambda: len(acked) > 40)
        assert await server.terminate() == 0
        await asyncio.gather(*senders)
    async with server_process(tmp_path) as server:
        assert {each["message"]: each["id"] for each in await server.history(chat_id)} == acked


async def test_what_was_said_is_there_after_a_restart(tmp_path):
    """Messages, edits, deletions, titles, roles and read marks survive; ids and numbers go on."""
    async with server_process(tmp_path) as server:
        chat_id = await new_chat(server)
        sent = []
        for text in ("one", "two", "three"):
            payload = {"chatId": chat_id, "content": text}
            _, body = await server.request("POST", "/chat-messages", json=payload)
            sent.append(body["data"]["id"])
        await server.request("PATCH", f"/chat-messages/{sent[0]}", json={"content": "uno"})
        await server.request("DELETE", f"/chat-messages/{sent[1]}")
        await server.request("POST", f"/chats/{chat_id}/read", 2, {"messageId": sent[0]})
        await server.request("PATCH", f"/chats/{chat_id}", "host", {"title": "Orders"})
        before = await server.history(chat_id)
        assert await server.terminate() == 0
    async with server_process(tmp_path) as server:
        assert await server.history(chat_id) == before
        _, chat = await server.request("GET", f"/chats/{chat_id}", 2)
        assert chat["data"]["title"] == "Orders"
        assert chat["data"]["lastReadMessageId"] == sent[0]
        assert chat["data"]["unreadCount"] == 1
        payload = {"chatId": chat_id, "content": "four"}
        _, body = await server.request("POST", "/chat-messages", json=payload)
        assert body["data"]["id"] > max(sent)
        assert body["data"]["seq"] == chat["data"]["seq"] + 1
