"""The entries of the journal, and their answers."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final, Generic, NamedTuple, TypeVar

from chat.entities import Message
from chat.services.chat_states import ChatState
from chat.services.journal.outcome import Outcome

RETRY_FIRST_S: Final = 0.1
RETRY_MAX_S: Final = 2.0

T = TypeVar("T")


class Sent(NamedTuple):
    """A stored message.

    `duplicate` = the message was stored under this clientMessageId before; nothing was pushed.
    """

    message: Message
    duplicate: bool


@dataclass(slots=True, eq=False)
class Append(ABC):
    """A new message, complete but for its id and number; `done` is settled after `commit`."""

    state: ChatState
    message: Message
    done: Outcome[Sent]
    settled: bool = field(default=False, init=False)

    @abstractmethod
    def check(self) -> None:
        """Raise where the sender may not send it any more; called right before it is numbered."""

    @abstractmethod
    def commit(self, message: Message) -> None:
        """Apply a message that is stored to memory, and push it.

        It is nearly always this entry's own message. After a restart it may be another one that the
        store had under the same number.
        """


@dataclass(slots=True, eq=False)
class Change(Generic[T]):
    """Another change of one document; `write(seq)` must be safe to repeat with the same number.

    `check` and `commit` are as in Append. A check that `write` repeats must not refuse its own
    earlier write. `line` tells of the change: it gets its id and the next number before `write`,
    which stores it in the changed document too, and goes to `commit_line`.
    """

    state: ChatState
    check: Callable[[], None]
    write: Callable[[int], Awaitable[T]]
    commit: Callable[[T], None]
    done: asyncio.Future[T]
    line: Message | None = None
    commit_line: Callable[[ChatState, Message], None] | None = None
    seq: int = 0
    settled: bool = False


class Doubt:
    """Whether one write is being repeated, and the pause before its next try."""

    def __init__(self) -> None:
        self._pause_s = 0.0

    def __bool__(self) -> bool:
        return self._pause_s > 0

    def next_pause_s(self) -> float:
        self._pause_s = min(self._pause_s * 2, RETRY_MAX_S) or RETRY_FIRST_S
        return self._pause_s


def settle(entry: Append | Change[Any]) -> bool:
    """Settle an entry, so that its chat may be forgotten; False if it was settled before."""
    if entry.settled:
        return False
    entry.settled = True
    entry.state.settled()
    return True
