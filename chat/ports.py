"""What the services need of the world, as protocols: the store, the sockets, the time, and what
plugins get.

The implementations live on higher floors (repositories, gateway) and are handed in by the
composition root. Every repository method raises StoreUnavailableError when nothing was written
(DiskFullError where a disk is full), OutcomeUnknownError when a write may have been.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Any, Protocol

from chat.contracts.pushes import ServerEvent
from chat.entities import Chat, Message, Participant, Revision, User, UserAccess
from chat.identity import UserId


class Clock(Protocol):
    def now(self) -> datetime:
        """The wall clock in UTC, cut to milliseconds, as it is stored and sent."""

    def monotonic(self) -> float:
        """Seconds that only grow; for deadlines."""


class Conflict(Enum):
    """Which unique index refused a message."""

    ID = "the message is already there"
    CLIENT_MESSAGE_ID = "the sender has used this clientMessageId in this chat"
    SEQUENCE = "the number is taken"


class MessageRepository(Protocol):
    async def insert(self, messages: Sequence[Message]) -> dict[int, Conflict]:
        """Store the messages in one write; returns, by place in the list, those that a unique index
        refused.
        """

    async def find(self, message_id: int) -> Message | None: ...

    async def find_by_client_message_id(
        self, chat_id: int, sender_id: UserId, client_message_id: str
    ) -> Message | None: ...

    async def window(self, chat_id: int, low: int, high: int) -> list[Message]:
        """The messages with `low <= seq < high`, oldest first. Cost: the window's width, never the
        chat's length.
        """

    async def brief_window(self, chat_id: int, low: int, high: int) -> list[Message]:
        """The same without texts, metadata and quotes, for counting."""

    async def changed(self, chat_id: int, low: int, high: int) -> list[Message]:
        """The messages with `low <= updatedSeq < high`, in that order; tombstones included."""

    async def last_updated_seq(self, chat_id: int, low: int, high: int) -> int:
        """The highest `updatedSeq` with `low <= updatedSeq < high`, 0 where there is none."""

    async def update(self, message: Message, *, seen: Message) -> bool:
        """Replace the message where it still is what was `seen`; False = someone was faster.

        The text that was seen is kept among the earlier revisions. Where the message is deleted,
        all of these go, and its text in the quotes of its answers, as by `wipe`.

        Safe to repeat: True as well when this very update is what is stored.
        """

    async def revisions(self, message: Message) -> list[Revision]:
        """The earlier texts of a message, the oldest first: the latest 50, of up to 256 kB."""

    async def wipe(self, chat_id: int, message_id: int) -> None:
        """Remove what a deleted message has left elsewhere: earlier texts, and quotes in its
        answers. A start finishes what is broken off.
        """


class ChatRepository(Protocol):
    async def insert(
        self, chat: Chat, participants: Sequence[Participant], direct_key: str | None
    ) -> bool:
        """Store a new chat; False when its direct pair or externalRef has one already (nothing is
        stored).
        """

    async def find(self, chat_id: int) -> Chat | None: ...

    async def find_direct(self, direct_key: str) -> int | None: ...

    async def find_by_external_ref(self, external_ref: str) -> int | None: ...

    async def update(self, chat: Chat) -> bool:
        """Write the settings with their `updated_seq`; safe to repeat.

        False when another chat has the externalRef (nothing is stored).
        """

    async def external_refs(self, count: int) -> list[str | None]:
        """The externalRef of up to `count` chats, whichever; None for a chat without one."""

    async def vacate(self, chat_id: int, user_ids: Sequence[UserId], at: datetime) -> None:
        """Mark the participants of a deleted chat as removed; safe to repeat."""

    async def wipe(self, chat_id: int) -> None:
        """Remove the earlier texts of all messages of a deleted chat. A start finishes what is
        broken off.
        """

    async def reserve_seq(self, chat_id: int, up_to: int) -> None:
        """Allow numbers up to `up_to` to be given; must be durable before the first of them is."""

    async def add_outside_author(self, chat_id: int, user_id: UserId) -> None:
        """Note that somebody who is no participant writes into the chat; safe to repeat."""

    async def participants(self, chat_id: int) -> list[Participant]:
        """All of the chat, those removed included: their changes carry numbers too."""

    async def is_participant(self, chat_id: int, user_id: UserId) -> bool:
        """Whether the user is in the chat; the same work whether there is such a chat or not."""

    async def memberships(self, user_id: UserId) -> list[int]:
        """Ids of the chats in which the user is."""

    async def put_participant(self, participant: Participant) -> None:
        """Write one participant whole; safe to repeat."""

    async def set_reads(self, cursors: Mapping[tuple[int, UserId], tuple[int, int]]) -> None:
        """Move read cursors, `{(chat_id, user_id): (message_id, seq)}`, forward; never back."""


class UserRepository(Protocol):
    async def find_many(self, user_ids: Sequence[UserId]) -> dict[UserId, User]: ...

    async def put_profiles(self, users: Sequence[User]) -> None:
        """Write names and pictures; leaves `last_seen_at` alone."""

    async def set_last_seen(self, moments: Mapping[UserId, datetime]) -> None: ...


class AccessRepository(Protocol):
    async def all(self) -> list[UserAccess]:
        """Everybody about whom something was decided; few, so all at once."""

    async def put(self, access: UserAccess) -> None: ...


class IdRepository(Protocol):
    async def reserve(self, sequence: str, count: int) -> int:
        """The first of `count` ids that nobody else will be given; durable before it returns."""


class Store(Protocol):
    """The store as a whole."""

    @property
    def messages(self) -> MessageRepository: ...

    @property
    def chats(self) -> ChatRepository: ...

    @property
    def users(self) -> UserRepository: ...

    @property
    def access(self) -> AccessRepository: ...

    @property
    def ids(self) -> IdRepository: ...

    @property
    def epoch(self) -> str:
        """Names one unbroken life of the database; a restored backup has another."""

    async def open(self, data_dir: Path) -> None:
        """Make it ready for use; SetupError in one sentence where that fails."""

    async def close(self) -> None: ...

    async def ping(self) -> None:
        """Return within a second when the store takes writes, else raise StoreUnavailableError, or
        DiskFullError.
        """


class Broadcaster(Protocol):
    """Pushes to sockets. Synchronous: pushes leave in the order of the calls."""

    def to_chat(
        self, chat_id: int, event: ServerEvent, *, except_user: UserId | None = None
    ) -> None:
        """To every socket in the chat's room, leaving out all sockets of `except_user`."""

    def to_user(
        self, user_id: UserId, event: ServerEvent, *, outside_chat: int | None = None
    ) -> int:
        """Push to every socket of the user; with `outside_chat` to those that are not in its room.

        Returns the number of these sockets.
        """

    def to_users(
        self, user_ids: Iterable[UserId], event: ServerEvent, *, outside_chat: int | None = None
    ) -> int:
        """The same for many users: the event is encoded once, and written in bounded turns."""

    def is_outside(self, chat_id: int, user_id: UserId) -> bool:
        """Whether the user has a socket that is not in the chat's room."""

    def disconnect(self, user_id: UserId, event: ServerEvent | None) -> int:
        """Push a last word, if any, and end all sockets of the user; how many there were."""

    def evict(self, chat_id: int, user_id: UserId | None = None) -> None:
        """Take the user's sockets (None: everybody's) out of the chat's room, in silence."""


class ServerApi(Protocol):
    """What a plugin may do with the running server; it gets this at startup."""

    async def send_message(
        self,
        chat_id: int,
        content: str,
        *,
        sender_id: UserId,
        sender_type: str = "bot",
        metadata: Mapping[str, Any] | None = None,
        client_message_id: str | None = None,
    ) -> Message:
        """Send into any chat, as if by `sender_id`: stored, then pushed. Raises ChatError."""

    def push_to_user(self, user_id: UserId, event: str, payload: dict[str, Any]) -> None:
        """Push an event of the plugin's own to all sockets of a user."""

    def push_to_chat(self, chat_id: int, event: str, payload: dict[str, Any]) -> None:
        """Push an event of the plugin's own to everybody in the chat's room."""

    def is_user_online(self, user_id: UserId) -> bool: ...

    def active_users_count(self) -> int: ...

    async def readiness(self) -> dict[str, str]:
        """`{part: "ok"}`, or what is wrong with the part in a word; asks the store, so up to a
        second.
        """
