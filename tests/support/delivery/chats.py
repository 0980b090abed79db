"""What tests of delivery share: catch-up by every door, many sends, work that is held back, refused
connects."""

import asyncio
import json
from typing import Any
from urllib.parse import urlencode

from chat.testing import ChatClient, RunningChat
from tests.support.gateway.wire import RawPolling, RawSocket
from tests.support.waiting import WITHIN_S, eventually

HOST = ("host", "service")
DOORS = ("joinChat", "sync", "GET", "POST")
"""The four ways to a page of catch-up."""


class Held:
    """A coroutine method that waits at its beginning until `go_on` is set; for races made to
    happen."""

    def __init__(self, monkeypatch: Any, owner: Any, name: str) -> None:
        self.begun, self.go_on = asyncio.Event(), asyncio.Event()
        original = getattr(owner, name)

        async def held(*args: Any, **kwargs: Any) -> Any:
            self.begun.set()
            await self.go_on.wait()
            return await original(*args, **kwargs)

        monkeypatch.setattr(owner, name, held)

    async def reached(self) -> None:
        await asyncio.wait_for(self.begun.wait(), WITHIN_S)


async def ask(
    door: str, chat: RunningChat, client: ChatClient, chat_id: int, user_id: Any = 1, **cursor: Any
) -> dict[str, Any]:
    """The whole answer of a door to `since`, `epoch` and `limit`, as it came."""
    named = {"chatId": chat_id, **{k: v for k, v in cursor.items() if k == "since"}}
    rest = {name: value for name, value in cursor.items() if name != "since"}
    if door == "joinChat":
        return await client.call("joinChat", {**named, **rest})
    if door == "sync":
        return await client.call("sync", {"chats": [named], **rest})
    if door == "POST":
        return (await chat.request("POST", "/sync", user_id, json={"chats": [named], **rest})).body
    query = f"?{urlencode(cursor)}" if cursor else ""
    return (await chat.request("GET", f"/chats/{chat_id}/sync{query}", user_id)).body


def page_of(door: str, answer: dict[str, Any]) -> dict[str, Any]:
    """The page in a door's answer, or the error in its place."""
    if not answer["success"]:
        return {"error": answer["error"]}
    data = answer["data"]
    if door == "joinChat":
        return dict(data["sync"])
    if door == "GET":
        return {name: value for name, value in data.items() if name != "epoch"}
    return dict(data["chats"][0])


async def catch_up(
    door: str, chat: RunningChat, client: ChatClient, chat_id: int, user_id: Any = 1, **cursor: Any
) -> dict[str, Any]:
    """`page_of` what the door answers."""
    return page_of(door, await ask(door, chat, client, chat_id, user_id, **cursor))


async def say(client: ChatClient, chat_id: int, *texts: str) -> list[dict[str, Any]]:
    """Send these, without waiting in between; the messages as acknowledged."""
    sends = [client.call("sendMessage", {"chatId": chat_id, "content": text}) for text in texts]
    answers = await asyncio.gather(*sends)
    refused = next((answer for answer in answers if not answer["success"]), None)
    assert refused is None, refused
    return [answer["data"] for answer in answers]


async def head_of(chat: RunningChat, chat_id: int, tenant: str = "") -> int:
    """The last number of the chat."""
    answer = await chat.request("GET", f"/chats/{chat_id}", *HOST, tenant=tenant)
    return int(answer.data["seq"])


async def all_messages(chat: RunningChat, chat_id: int, tenant: str = "") -> list[dict[str, Any]]:
    """The whole chat as REST tells it, oldest first."""
    found: list[dict[str, Any]] = []
    before = ""
    while True:
        path = f"/chat-messages?chatId={chat_id}&limit=200{before}"
        page = (await chat.request("GET", path, *HOST, tenant=tenant)).body
        found = page["data"] + found
        if not page["page"]["hasBefore"]:
            return found
        before = f"&before={page['page']['oldestId']}"


async def host(chat: RunningChat, method: str, path: str, json: Any = None) -> Any:
    """One call of the host application that has to succeed; its data."""
    response = await chat.request(method, path, *HOST, json=json)
    assert response.status in (200, 201), response.body
    return response.data


async def gone(client: ChatClient, within_s: float = WITHIN_S) -> None:
    """Return when the client has seen its transport closed by the server."""
    await eventually(lambda: not client.socket.connected, within_s)
    # python-engineio 4.15's client would let its writer wait for half a minute.
    engine = client.socket.eio
    if engine.queue is not None:
        await engine.queue.put(None)
    await asyncio.wait_for(engine.wait(), WITHIN_S)


async def connect_refusal(chat: RunningChat, token: str | None) -> dict[str, Any] | None:
    """The `data` of the CONNECT_ERROR with which a token is sent away; None when it is let in."""
    raw = await RawSocket.open(chat)
    try:
        frame = await raw.connect({"token": token} if token is not None else None)
    finally:
        await raw.close()
    if not frame.startswith("44/chat,"):
        return None
    refused = json.loads(frame.removeprefix("44/chat,"))
    return dict(refused["data"])


async def rest_code(chat: RunningChat, token: str) -> str | None:
    """The error code of a REST call with that token, None for a success."""
    response = await chat.request(
        "GET", "/chats", None, headers={"Authorization": f"Bearer {token}"}
    )
    return response.code


async def sent_away(chat: RunningChat, token: str) -> bool:
    """Whether the token's transport is closed without a CONNECT_ERROR, at both transports."""
    for transport in (RawSocket, RawPolling):
        raw = await transport.open(chat)
        packet = "40/chat," + json.dumps({"token": token})
        await (raw.post(packet) if transport is RawPolling else raw.send(packet))
        await raw.until_end()
        if any(str(frame).startswith(("40", "44")) for frame in raw.frames):
            return False
    return True
