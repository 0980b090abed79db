"""What catch-up costs in a long chat beside a short one: `make bench-delivery`.

Fills chats by writing documents straight into the store, then times the server's own calls over
REST: an append, a page of 50, a catch-up of 200, and 200 chats joined at once. Times are wall-clock
medians of one client, so read the ratios; the growth is what matters. Takes some minutes, most of
them for filling.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pymongo
import pymongo.monitoring
from pymongo import WriteConcern

from chat.repositories.embedded import EmbeddedStore
from chat.testing import RunningChat, running_chat

FILL_BATCH = 2_000
REPEATS = 30


def fill(uri: str, chat_id: int, first_seq: int, count: int, first_id: int) -> None:
    """Write `count` messages of a chat, and raise its reserved numbers over them."""
    client: Any = pymongo.MongoClient(uri, timeoutMS=60_000)
    database = client.get_default_database(write_concern=WriteConcern(w=1, j=False))
    now = datetime.now(UTC)
    for start in range(0, count, FILL_BATCH):
        database.messages.insert_many(
            [
                {
                    "_id": first_id + offset, "v": 1, "chatId": chat_id, "seq": first_seq + offset,
                    "updatedSeq": first_seq + offset, "revision": 1, "senderId": 1 + offset % 2,
                    "senderType": "employee", "type": "text", "message": f"message {offset} " * 6,
                    "createdAt": now, "updatedAt": now,
                }
                for offset in range(start, min(count, start + FILL_BATCH))
            ],
            ordered=False,
        )  # fmt: skip
    last = first_seq + count - 1
    database.chats.update_one({"_id": chat_id}, {"$set": {"seqReserved": last + 1_000}})
    database.counters.update_one({"_id": "messages"}, {"$max": {"next": first_id + count}})
    client.close()


async def median_ms(call: Callable[[], Awaitable[Any]]) -> float:
    """The median of REPEATS calls, after three to warm up."""
    times = []
    for turn in range(REPEATS + 3):
        began = time.perf_counter()
        await call()
        if turn >= 3:
            times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times)


async def measure(chat: RunningChat, chat_id: int, head: int) -> dict[str, float]:
    """Milliseconds of the calls that a client of this chat makes."""

    async def get(path: str) -> None:
        response = await chat.request("GET", path)
        assert response.status == 200, response.body  # noqa: S101  # a figure of a failure is none

    async def append() -> None:
        payload = {"chatId": chat_id, "content": "one more"}
        response = await chat.request("POST", "/chat-messages", json=payload)
        assert response.status == 201, response.body  # noqa: S101

    return {
        "newest page of 50": await median_ms(
            lambda: get(f"/chat-messages?chatId={chat_id}&limit=50")
        ),
        "catch-up of 200": await median_ms(
            lambda: get(f"/chats/{chat_id}/sync?since={max(0, head - 200)}&limit=200")
        ),
        "append": await median_ms(append),
    }


class Queries(pymongo.monitoring.CommandListener):
    """Counts what every client of this process asks of the store."""

    count = 0

    def started(self, event: Any) -> None:
        self.count += event.command_name in ("find", "getMore", "aggregate")

    def succeeded(self, event: Any) -> None: ...

    def failed(self, event: Any) -> None: ...


async def join_many(chat: RunningChat, queries: Queries, count: int) -> tuple[float, int]:
    """Milliseconds and queries of joining `count` chats at once, all of them in memory."""
    for _ in range(count):
        await chat.create_chat([7])
    tab = await chat.connect(7)
    before, began = queries.count, time.perf_counter()
    joined = await tab.call("authenticate", {"autoJoin": True})
    spent_ms = (time.perf_counter() - began) * 1000
    assert len(joined["autoJoinedChats"]) == count  # noqa: S101
    return spent_ms, queries.count - before


async def main(sizes: list[int]) -> None:
    queries = Queries()
    pymongo.monitoring.register(queries)
    with tempfile.TemporaryDirectory(prefix="bench-delivery-") as folder:
        store = EmbeddedStore(Path(folder))
        uri = await store.start()
        try:
            async with running_chat(mongodb_uri=uri, log_level="ERROR", plugin_names=()) as chat:
                chats = {size: await chat.create_chat([1, 2]) for size in sizes}
                joined_ms, asked = await join_many(chat, queries, 200)
            next_id = 10_000_000
            for size, chat_id in chats.items():
                began = time.perf_counter()
                await asyncio.to_thread(fill, uri, chat_id, 10, size, next_id)
                next_id += size + 1_000_000
                print(f"filled {size} in {time.perf_counter() - began:.0f} s", flush=True)  # noqa: T201
            # A new server: it has to find the heads of these chats by itself.
            async with running_chat(mongodb_uri=uri, log_level="ERROR", plugin_names=()) as chat:
                found = {
                    size: await measure(chat, chat_id, size + 9) for size, chat_id in chats.items()
                }
            smallest = found[sizes[0]]
            print("\n| call | " + " | ".join(f"{size} messages" for size in sizes) + " | ratio |")  # noqa: T201
            print("|---" * (len(sizes) + 2) + "|")  # noqa: T201
            for call in smallest:
                cells = " | ".join(f"{found[size][call]:.1f} ms" for size in sizes)
                ratio = found[sizes[-1]][call] / smallest[call]
                print(f"| {call} | {cells} | {ratio:.2f} |")  # noqa: T201
            print(f"\njoining 200 chats at once: {joined_ms:.0f} ms, {asked} queries")  # noqa: T201
        finally:
            await store.stop()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="1000,200000", help="messages in the chats to compare")
    asyncio.run(main([int(size) for size in parser.parse_args().sizes.split(",")]))
