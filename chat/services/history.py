"""Reads of a chat by bounded windows of `seq`, whose cost does not grow with the chat.

The embedded store's indexes filter but neither sort nor stop early: an open range with sort and
limit takes seconds in a long chat, a bounded window milliseconds; a real MongoDB is as fast with
either. The first window is small and shows how long the messages are, so that no more is read than
fits into an answer of `most_bytes`.
"""

from collections.abc import Iterable
from typing import Final

import orjson

from chat.entities import Message
from chat.ports import MessageRepository

_FIRST_WINDOW: Final = 64
_WIDEST_WINDOW: Final = 8_192
PLENTY: Final = 1 << 40


async def read_back(
    messages: MessageRepository,
    chat_id: int,
    before_seq: int,
    limit: int,
    most_bytes: int = PLENTY,
    *,
    brief: bool = False,
) -> list[Message]:
    """Up to `limit` messages with `seq < before_seq`: the newest of them, the oldest first.

    Fewer if these fill `most_bytes`. With `brief`, without their texts.
    """
    read = messages.brief_window if brief else messages.window
    found: list[Message] = []
    high, width, left = before_seq, _FIRST_WINDOW, most_bytes
    while high > 1 and len(found) < limit and left > 0:
        low = max(1, high - width)
        window = await read(chat_id, low, high)
        found = window + found
        left -= text_bytes(window)
        high, width = low, _next_width(width, window, left)
    return found[-limit:]


async def read_on(
    messages: MessageRepository,
    chat_id: int,
    after_seq: int,
    head: int,
    limit: int,
    most_bytes: int = PLENTY,
) -> list[Message]:
    """Up to `limit` messages with `after_seq < seq <= head`: the oldest of them, in order.

    Fewer if these fill `most_bytes`.
    """
    found: list[Message] = []
    low, width, left = after_seq + 1, _FIRST_WINDOW, most_bytes
    while low <= head and len(found) < limit and left > 0:
        high = min(head + 1, low + width)
        window = await messages.window(chat_id, low, high)
        found += window
        left -= text_bytes(window)
        low, width = high, _next_width(width, window, left)
    return found[:limit]


async def read_changes(
    messages: MessageRepository,
    chat_id: int,
    since: int,
    head: int,
    limit: int,
    most_bytes: int = PLENTY,
) -> tuple[list[Message], int]:
    """Up to `limit` messages changed in `(since, head]`, in the order of their changes.

    Fewer if these fill `most_bytes`. The second value is the number up to which these are all.
    """
    found: list[Message] = []
    low, width, left = since + 1, _FIRST_WINDOW, most_bytes
    while low <= head and len(found) <= limit and left > 0:
        high = min(head + 1, low + width)
        window = await messages.changed(chat_id, low, high)
        found += window
        left -= text_bytes(window)
        low, width = high, _next_width(width, window, left)
    if len(found) > limit:
        return found[:limit], found[limit - 1].updated_seq
    return found, low - 1


def text_bytes(messages: Iterable[Message]) -> int:
    """How many bytes the messages take in an answer at least."""
    return sum(
        len(each.message) + (len(orjson.dumps(each.metadata)) if each.metadata else 0)
        for each in messages
    )


def _next_width(width: int, window: list[Message], left: int) -> int:
    """Twice the width, since edits and joins take numbers too; no more than has room."""
    wide = min(width * 2, _WIDEST_WINDOW)
    taken = text_bytes(window)
    if not taken:
        return wide
    return max(1, min(wide, left * width // taken))
