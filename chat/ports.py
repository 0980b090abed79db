"""The protocols between the services and the world: the store, the sockets, the time, the plugins.

Higher layers implement them (repositories, gateway), and `chat.app` passes the implementations in.
Every method of a repository raises StoreUnavailableError where nothing was written (DiskFullError
where a disk is full), and OutcomeUnknownError where a write may have happened.
"""

from collections.abc import Iterable, KeysView, Mapping, Sequence
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Any, Protocol

from chat.contracts.pushes import ServerEvent
from chat.entities import Chat, Message, Participant, Revision, Seat, User, UserAccess
from chat.identity import Identity, UserId, UserKey


class Clock(Protocol):
    def now(self) -> datetime:
        """Return the time in UTC, cut to milliseconds, as it is stored and sent."""

    def monotonic(self) -> float:
        """Return seconds that only grow; for deadlines."""


class Conflict(Enum):
    """The unique index that refused a message."""

    ID = "the message is already there"
    CLIENT_MESSAGE_ID = "the sender has used this clientMessageId in this chat"
    SEQUENCE = "the number is taken"


class MessageRepository(Protocol):
    async def insert(self, messages: Sequence[Message]) -> dict[int, Conflict]:
        """Store the messages in one write.

        Returns those that a unique index refused, by their place in the list.
        """

    async def find(self, message_id: int) -> Message | None: ...

    async def find_by_client_message_id(
        self, chat_id: int, sender_id: UserId, client_message_id: str
    ) -> Message | None: ...

    async def window(self, chat_id: int, low: int, high: int) -> list[Message]:
        """Read the messages with `low <= seq < high`, oldest first.

        The cost is that of the window's width, never of the chat's length.
        """

    async def brief_window(self, chat_id: int, low: int, high: int) -> list[Message]:
        """Read a window without texts, metadata and quotes, for counting."""

    async def changed(self, chat_id: int, low: int, high: int) -> list[Message]:
        """Read the messages with `low <= updatedSeq < high`, in that order, tombstones included."""

    async def last_updated_seq(self, chat_id: int, low: int, high: int) -> int:
        """Find the highest `updatedSeq` with `low <= updatedSeq < high`; 0 where there is none."""

    async def update(self, message: Message, *, seen: Message) -> bool:
        """Replace the message where it still is what was `seen`; False = another change was faster.

        Keeps the text of `seen` among the earlier revisions. If `message` is deleted, removes all
        earlier revisions, and the quotes of its text in answers, as `wipe` does.

        Safe to repeat: returns True, too, if this very update is stored already.
        """

    async def revisions(self, message: Message) -> list[Revision]:
        """Read the earlier texts of a message, oldest first: the latest 50, up to 256 kB."""

    async def wipe(self, chat_id: int, message_id: int) -> None:
        """Remove the earlier texts of a deleted message, and its quotes in answers.

        If a crash interrupts this, the next start finishes it.
        """


class ChatRepository(Protocol):
    async def insert(
        self, chat: Chat, participants: Sequence[Participant], direct_key: str | None
    ) -> bool:
        """Store a new chat.

        Returns False, and stores nothing, if the tenant has a chat of that direct pair or
        externalRef already.
        """

    async def find(self, chat_id: int) -> Chat | None: ...

    async def find_direct(self, tenant: str, direct_key: str) -> int | None: ...

    async def find_by_external_ref(self, tenant: str, external_ref: str) -> int | None: ...

    async def update(self, chat: Chat, line: Message | None = None) -> bool:
        """Write the settings with their `updated_seq`, and the line that is to follow.

        Safe to repeat. Returns False, and stores nothing, if another chat of the tenant has the
        externalRef.
        """

    async def external_refs(self, count: int) -> list[str | None]:
        """Read the externalRefs of any chats, at most `count`; None for a chat without one."""

    async def vacate(self, chat_id: int, user_ids: Sequence[UserId], at: datetime) -> None:
        """Mark the participants of a deleted chat as removed; safe to repeat."""

    async def wipe(self, chat_id: int) -> None:
        """Remove the earlier texts of all messages of a deleted chat.

        If a crash interrupts this, the next start finishes it.
        """

    async def reserve_seq(self, chat_id: int, up_to: int) -> None:
        """Allow numbers up to `up_to`; durable before the first of them is given."""

    async def add_outside_author(self, chat_id: int, user_id: UserId) -> None:
        """Note that a user who is no participant sends into the chat; safe to repeat."""

    async def participants(self, chat_id: int) -> list[Participant]:
        """Read all participants, those removed included: their changes have numbers too."""

    async def is_participant(self, chat_id: int, key: UserKey) -> bool:
        """Tell whether the user is in the chat; as much work whether the chat exists or not."""

    async def is_of_tenant(self, chat_id: int, tenant: str) -> bool:
        """Tell whether the chat is of the tenant; as much work whether it exists or not."""

    async def memberships(self, key: UserKey) -> list[int]:
        """Read the ids of the chats in which the user is."""

    async def put_participant(self, participant: Participant, line: Message | None = None) -> None:
        """Write all fields of one participant, and the line that is to follow; safe to repeat."""

    async def due_line(self, chat_id: int, seq: int) -> Message | None:
        """Read the line that is to follow the change of that number, None if there is none."""

    async def set_reads(self, cursors: Mapping[tuple[int, UserId], tuple[int, int]]) -> None:
        """Move read cursors, `{(chat_id, user_id): (message_id, seq)}`, forward; never back."""


class UserRepository(Protocol):
    async def find_many(self, keys: Sequence[UserKey]) -> dict[UserKey, User]: ...

    async def put_profiles(self, users: Sequence[User]) -> None:
        """Write names and pictures, but not `last_seen_at`."""

    async def set_last_seen(self, moments: Mapping[UserKey, datetime]) -> None: ...


class AccessRepository(Protocol):
    async def all(self) -> list[UserAccess]:
        """Read all users about whom something was decided; they are few."""

    async def put(self, access: UserAccess) -> None: ...


class IdRepository(Protocol):
    async def reserve(self, sequence: str, count: int) -> int:
        """Reserve `count` ids, durably, and return the first of them."""


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
        """Name one unbroken life of the database; a restored backup has another."""

    async def open(self, data_dir: Path) -> None:
        """Make the store ready for use; SetupError in one sentence where that fails."""

    async def close(self) -> None: ...

    async def ping(self) -> None:
        """Return within a second where the store takes writes.

        Raises StoreUnavailableError or DiskFullError otherwise.
        """


class Whereabouts(Protocol):
    """The connected users, and the chats whose rooms they are in."""

    def users(self) -> KeysView[UserKey]:
        """Return the users with at least one socket."""

    def is_in_room(self, chat_id: int, key: UserKey) -> bool:
        """Whether a socket of the user is in the chat's room."""

    def in_room(self, chat_id: int) -> Sequence["Socket"]:
        """Return the sockets in the chat's room."""

    def of_user(self, key: UserKey) -> Sequence["Socket"]:
        """Return the sockets of the user."""

    def users_in(self, chat_id: int, limit: int) -> list[UserKey]:
        """Return up to `limit` users with a socket in the chat's room, each once."""


class SeatSource(Protocol):
    """The host application, which decides who has a seat in which chat."""

    async def seat(self, identity: Identity, external_ref: str) -> Seat | None:
        """Ask the host; None = no seat. AUTH_UNAVAILABLE where it gives no usable answer."""


class Socket(Protocol):
    """One socket of a user; `rooms` are the chats whose rooms it is in."""

    identity: Identity
    rooms: set[int]
    closed: bool

    def enter(self, chat_id: int) -> bool:
        """Enter the chat's room; returns whether it is its user's first socket there."""

    def leave(self, chat_id: int) -> bool:
        """Leave the chat's room; returns whether it was its user's last socket there."""


class Broadcaster(Protocol):
    """Pushes to sockets, synchronously: pushes leave in the order of the calls."""

    def to_chat(
        self, chat_id: int, event: ServerEvent, *, except_user: UserKey | None = None
    ) -> None:
        """Push to every socket in the chat's room except those of `except_user`."""

    def to_socket(self, socket: Socket, event: ServerEvent) -> None:
        """Push to one socket."""

    def to_user(self, key: UserKey, event: ServerEvent, *, outside_chat: int | None = None) -> int:
        """Push to every socket of the user; with `outside_chat`, to those outside its room.

        Returns the number of these sockets.
        """

    def to_users(
        self, keys: Iterable[UserKey], event: ServerEvent, *, outside_chat: int | None = None
    ) -> int:
        """Push to many users: the event is encoded once, and written in bounded turns."""

    def is_outside(self, chat_id: int, key: UserKey) -> bool:
        """Tell whether the user has a socket outside the chat's room."""

    def disconnect(self, key: UserKey, event: ServerEvent | None) -> int:
        """End all sockets of the user, after a last push if there is one; return their number."""

    def evict(self, chat_id: int, key: UserKey | None = None) -> None:
        """Take the user's sockets (None: all sockets) out of the chat's room, without a push."""


class ServerApi(Protocol):
    """The running server, as far as a plugin may use it; plugins get it at startup.

    Users and chats are of the `tenant` that a call names. A chat of another tenant is NOT_FOUND.
    """

    async def send_message(
        self,
        chat_id: int,
        content: str,
        *,
        sender_id: UserId,
        sender_type: str = "bot",
        metadata: Mapping[str, Any] | None = None,
        client_message_id: str | None = None,
        tenant: str = "",
    ) -> Message:
        """Send into any chat in the name of `sender_id`: store, then push. Raises ChatError."""

    def push_to_user(
        self, user_id: UserId, event: str, payload: dict[str, Any], *, tenant: str = ""
    ) -> None:
        """Push an event of the plugin to all sockets of a user."""

    def push_to_chat(self, chat_id: int, event: str, payload: dict[str, Any]) -> None:
        """Push an event of the plugin to all sockets in the chat's room."""

    def is_user_online(self, user_id: UserId, *, tenant: str = "") -> bool: ...

    def active_users_count(self) -> int:
        """Count the users with a socket, those of all tenants."""

    async def readiness(self) -> dict[str, str]:
        """Return `"ok"` for each part of the server, or a word for what is wrong with it.

        Asks the store, so it may take a second.
        """
