"""The process that floods a server, for benchmarks/floods.py.

It takes an Attack as JSON, floods for as long as that says, and prints how much it sent and how
often it was cut.
"""

import asyncio
import itertools
import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

SOCKETS: Final = 20
WINDOW: Final = 50
"""Events of a socket that wait for their acks: more than MAX_WAITING_EVENTS would only end it."""

RETRY_S: Final = 0.2
PEOPLE: Final = 999
FIRST_PERSON: Final = 5_000


@dataclass(frozen=True, slots=True)
class Attack:
    """What the process that attacks is told."""

    flood: str
    port: int
    tokens: list[str]
    chat_id: int
    seconds: float


def _events(flood: str, chat_id: int) -> Iterator[tuple[str, Any]]:
    """The events of one socket, without an end."""
    for number in itertools.count():
        missing = 10**9 + number
        yield {
            "joinChat of 200 in the room": ("joinChat", {"chatId": chat_id, "limit": 200}),
            "sync": ("sync", {}),
            "joinChat of missing chats": ("joinChat", {"chatId": missing}),
            "typing in missing chats": ("typing", {"chatId": missing, "isTyping": True}),
            "sendMessage to missing chats": ("sendMessage", {"chatId": missing, "content": "x"}),
            "sendMessage repeated": (
                "sendMessage", {"chatId": chat_id, "content": "again", "clientMessageId": "same"},
            ),
            "typing: false": ("typing", {"chatId": chat_id, "isTyping": False}),
            "getPresence of 200": (
                "getPresence", {"userIds": [missing * 1000 + each for each in range(200)]},
            ),
            "invalid events": ("sendMessage", {"chatId": "x", "content": 5}),
            "unknown events": ("nothing", {}),
        }[flood]  # fmt: skip


def _requests(flood: str, chat_id: int) -> Iterator[tuple[str, bytes]]:
    """Method and path, and the body, of one connection's requests."""
    if flood == "GET /chats":
        yield from itertools.repeat((flood, b""))
    if flood == "GET /chat-messages of 200":
        yield from itertools.repeat((f"GET /chat-messages?chatId={chat_id}&limit=200", b""))
    if flood == "POST /chats of bad ids":
        bad = json.dumps({"participantIds": [[]] * 9_900}).encode()
        yield from itertools.repeat(("POST /chats", bad))
    people = json.dumps({"participantIds": list(range(FIRST_PERSON, FIRST_PERSON + PEOPLE))})
    yield from itertools.repeat(("POST /chats", people.encode()), 30)


EVENT_FLOODS: Final = (
    "joinChat of 200 in the room", "sync", "joinChat of missing chats", "typing in missing chats",
    "sendMessage to missing chats", "sendMessage repeated", "typing: false", "getPresence of 200",
    "invalid events", "unknown events",
)  # fmt: skip
REST_FLOODS: Final = {
    "GET /chats": SOCKETS, "GET /chat-messages of 200": SOCKETS,
    "POST /chats of bad ids": SOCKETS, "POST /chats of 999 people": 1,
}  # fmt: skip
"""With the connections of a user; the latter is one after the other."""

FLOODS: Final = (*EVENT_FLOODS, *REST_FLOODS)


class Wire:
    """A websocket to /chat by hand: masked with zeros, which changes nothing and costs nothing."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def open(cls, port: int, token: str) -> "Wire":
        """Connected to the namespace; ConnectionError where it was refused."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(
            b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        wire = cls(reader, writer)
        try:
            await wire.until(b'0{"sid"')
            wire.send("40/chat," + json.dumps({"token": token}))
            await wire.until(b"40/chat,")
        except BaseException:
            writer.close()
            raise
        return wire

    async def until(self, text: bytes) -> bytes:
        """Read until the text has come; what was read."""
        async with asyncio.timeout(10):
            found = b""
            while text not in found:
                found += await self.read()
        return found

    async def read(self) -> bytes:
        """What comes next, whole frames or not; pings are answered."""
        data = await self.reader.read(262_144)
        if not data:
            raise ConnectionError("closed")
        if b"\x81\x012" in data:
            self.send("3")
        return data

    def send(self, *texts: str) -> None:
        self.writer.write(b"".join(_frame(each.encode()) for each in texts))


def _frame(payload: bytes) -> bytes:
    size = len(payload)
    head = bytes((0x81, 0x80 | size)) if size < 126 else b"\x81\xfe" + size.to_bytes(2, "big")
    return head + b"\0\0\0\0" + payload


async def _flood_by_socket(attack: Attack, token: str, until: float, count: dict[str, int]) -> None:
    events = _events(attack.flood, attack.chat_id)
    while time.monotonic() < until:
        try:
            wire = await Wire.open(attack.port, token)
            if "in the room" in attack.flood:
                wire.send(f'42/chat,0["joinChat",{{"chatId":{attack.chat_id}}}]')
                await wire.until(b"43/chat,0[")
            while time.monotonic() < until:
                batch = [next(events) for _ in range(WINDOW)]
                wire.send(*(f"42/chat,1{json.dumps(each)}" for each in batch))
                count["sent"] += WINDOW
                answered = 0
                while answered < WINDOW and time.monotonic() < until:
                    async with asyncio.timeout(2):
                        answered += (await wire.read()).count(b"43/chat,1[")
            wire.writer.close()
        except (OSError, TimeoutError):
            count["cut"] += 1
            await asyncio.sleep(RETRY_S)


async def _flood_by_requests(
    attack: Attack, token: str, until: float, count: dict[str, int]
) -> None:
    requests = _requests(attack.flood, attack.chat_id)
    while time.monotonic() < until:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", attack.port)
            while time.monotonic() < until:
                line, body = next(requests, ("", b""))
                if not line:
                    return
                head = (
                    f"{line} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
                    f"Authorization: Bearer {token}\r\nContent-Length: {len(body)}\r\n\r\n"
                )
                writer.write(head.encode() + body)
                await answer_of(reader)
                count["sent"] += 1
            writer.close()
        except (OSError, asyncio.IncompleteReadError):
            count["cut"] += 1
            await asyncio.sleep(RETRY_S)


async def answer_of(reader: asyncio.StreamReader) -> int:
    """The status of the next answer, which is read to its end."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
    await reader.readexactly(int(length or b"0"))
    return int(head.split(b" ", 2)[1])


async def attack_now(attack: Attack) -> dict[str, int]:
    """Flood for as long as asked; how much was sent, and how often a socket was cut."""
    until = time.monotonic() + attack.seconds
    count = {"sent": 0, "cut": 0}
    by_socket = attack.flood in EVENT_FLOODS
    run: Callable[..., Any] = _flood_by_socket if by_socket else _flood_by_requests
    each = SOCKETS if by_socket else REST_FLOODS[attack.flood]
    tokens = [token for token in attack.tokens for _ in range(each)]
    await asyncio.gather(*(run(attack, token, until, count) for token in tokens))
    return count


if __name__ == "__main__":
    done = asyncio.run(attack_now(Attack(**json.loads(sys.argv[1]))))
    sys.stdout.write(json.dumps(done))
