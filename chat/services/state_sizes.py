"""How much memory the states of chats take, so that these are bounded by what they hold."""

from collections.abc import Sized
from sys import getsizeof
from typing import Final, Protocol

from chat.entities import Chat, Message

STATE_BYTES: Final = 2_000
MEMBER_BYTES: Final = 300
"""A participant, their places in the members and among the chats of the user."""

TAIL_ENTRY_BYTES: Final = 150
KEY_BYTES: Final = 250
METADATA_BYTES: Final = 16_000


class Weighed(Protocol):
    """A ChatState. `weighed` is what it counts for while it is on a scale."""

    chat: Chat
    last_message: Message | None
    weighed: int
    scale: "Scale | None"

    @property
    def members(self) -> Sized: ...

    @property
    def outsiders(self) -> Sized: ...

    @property
    def tail(self) -> Sized: ...

    @property
    def earlier_keys(self) -> Sized: ...


class Scale:
    """About how many bytes all states on it take."""

    __slots__ = ("total",)

    def __init__(self) -> None:
        self.total = 0

    def weigh(self, state: Weighed) -> None:
        """Count a state, in place of what it counted for before."""
        size = size_of(state)
        self.total += size - state.weighed
        state.weighed, state.scale = size, self

    def leave(self, state: Weighed) -> None:
        """Count it no more; safe to repeat."""
        self.total -= state.weighed
        state.weighed, state.scale = 0, None

    def replaced(self, state: Weighed, message: Message) -> None:
        """Count a message in place of the last one."""
        last = state.last_message
        grown = getsizeof(message.message) - (getsizeof(last.message) if last else 0)
        state.weighed += grown
        self.total += grown


def size_of(state: Weighed) -> int:
    last = state.last_message
    metadata = (state.chat.metadata is not None) + (last is not None and last.metadata is not None)
    return (
        STATE_BYTES
        + MEMBER_BYTES * (len(state.members) + len(state.outsiders))
        + TAIL_ENTRY_BYTES * len(state.tail)
        + KEY_BYTES * len(state.earlier_keys)
        + METADATA_BYTES * metadata
        + (getsizeof(last.message) if last is not None else 0)
    )
