"""The answers of services, as plain values; `contracts.view_writers` writes them.

Where an answer has a limit in bytes, the parts of its lists are encoded already: their sizes decide
how many fit.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import orjson

from chat.entities import Chat, Message, Participant, User
from chat.errors import ChatError
from chat.identity import UserId

Json = orjson.Fragment
"""Something that contracts have encoded."""


@dataclass(frozen=True, slots=True)
class ParticipantView:
    participant: Participant
    user: User | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatView:
    """A chat as one user sees it; `mine` is None for an admin or service outside of it."""

    chat: Chat
    seq: int
    participant_count: int
    mine: Participant | None
    unread_count: int
    last_message: Message | None
    participants: Sequence[ParticipantView] | None = None

    def without_last_message(self) -> "ChatView":
        return replace(self, last_message=None)

    def without_metadata(self) -> "ChatView":
        return replace(self, chat=replace(self.chat, metadata=None))


@dataclass(frozen=True, slots=True)
class UnreadView:
    """The unread messages of a participant in one chat."""

    chat_id: int
    mine: Participant
    unread_count: int
    last_message: Message | None

    def without_last_message(self) -> "UnreadView":
        return replace(self, last_message=None)

    def without_metadata(self) -> "UnreadView":
        return self


@dataclass(frozen=True, slots=True)
class UnreadChats:
    """Unread messages of all chats of a user; `chats` are UnreadViews of those that have some."""

    total: int
    chats: list[Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class CatchUpPage:
    """The changes of a chat in `(from_seq, to_seq]`; `has_more` = ask again from `to_seq`.

    `reset` = the cursor is of another epoch or ahead of the server: the client drops what it has of
    the chat. `participants` and `chat` are there if they changed.
    """

    chat_id: int
    from_seq: int
    to_seq: int
    has_more: bool
    reset: bool
    messages: list[Json]
    participants: Json | None = None
    chat: Json | None = None


@dataclass(frozen=True, slots=True)
class ChatRefused:
    """In place of the page of a chat that the caller may not read."""

    chat_id: int
    error: ChatError


@dataclass(frozen=True, slots=True)
class CatchUp:
    """Pages of the chats that were asked for, or a list of all chats, each encoded."""

    epoch: str
    server_time: datetime
    chats: Sequence[CatchUpPage | ChatRefused | Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinedChat:
    """The state of a chat that a socket joins; `mine` is None for an admin outside of it.

    `readers` are the participants who have read something, `present` users in the room.
    """

    chat_id: int
    epoch: str
    seq: int
    mine: Participant | None
    unread_count: int
    typing: list[UserId]
    readers: list[Participant]
    present: list[UserId]
    page: CatchUpPage
