"""Reading a chat by bounded windows of `seq`, so that a page costs the same at message 10 and at
message 1,000,000.

The embedded store's indexes filter but neither sort nor stop early: an open range with sort and
limit takes seconds in a long chat, a bounded window milliseconds; a real MongoDB is as fast with
either.
"""

from typing import Final

from chat.entities import Message
from chat.ports import MessageRepository

_FIRST_WINDOW: Final = 64
_WIDEST_WINDOW: Final = 8_192


async def read_back(
    messages: MessageRepository, chat_id: int, before_seq: int, limit: int
) -> list[Message]:
    """Up to `limit` messages with `seq < before_seq`, the newest of them, oldest first."""
    found: list[Message] = []
    high, width = before_seq, max(_FIRST_WINDOW, limit)
    while high > 1 and len(found) < limit:
        low = max(1, high - width)
        found = await messages.window(chat_id, low, high) + found
        # Edits and joins take numbers too: where messages are thin, look wider.
        high, width = low, min(width * 2, _WIDEST_WINDOW)
    return found[-limit:]


async def read_on(
    messages: MessageRepository, chat_id: int, after_seq: int, head: int, limit: int
) -> list[Message]:
    """Up to `limit` messages with `after_seq < seq <= head`, the oldest of them, in order."""
    found: list[Message] = []
    low, width = after_seq + 1, max(_FIRST_WINDOW, limit)
    while low <= head and len(found) < limit:
        high = min(head + 1, low + width)
        found += await messages.window(chat_id, low, high)
        low, width = high, min(width * 2, _WIDEST_WINDOW)
    return found[:limit]
