"""How much memory the states of chats take, so that they are bounded by what they hold."""

from collections.abc import Sized
from sys import getsizeof
from typing import Final, Protocol

from chat.entities import Chat, Message

STATE_BYTES: Final = 2_000
MEMBER_BYTES: Final = 300
"""A participant, with its entries in the members and in the index of the user's chats."""

TAIL_ENTRY_BYTES: Final = 150
KEY_BYTES: Final = 250
METADATA_BYTES: Final = 16_000


class Scale:
    """The rough size in bytes of all states on the scale. A ChatState puts itself on it."""

    __slots__ = ("total",)

    def __init__(self) -> None:
        self.total = 0


class Weighed(Protocol):
    """The part of a ChatState that its size is counted by."""

    @property
    def chat(self) -> Chat: ...

    @property
    def last_message(self) -> Message | None: ...

    @property
    def members(self) -> Sized: ...

    @property
    def outsiders(self) -> Sized: ...

    @property
    def tail_length(self) -> int: ...

    @property
    def earlier_keys(self) -> Sized: ...


def size_of(state: Weighed) -> int:
    last = state.last_message
    metadata = (state.chat.metadata is not None) + (last is not None and last.metadata is not None)
    return (
        STATE_BYTES
        + MEMBER_BYTES * (len(state.members) + len(state.outsiders))
        + TAIL_ENTRY_BYTES * state.tail_length
        + KEY_BYTES * len(state.earlier_keys)
        + METADATA_BYTES * metadata
        + text_size(last)
    )


def text_size(message: Message | None) -> int:
    return 0 if message is None else getsizeof(message.message)
