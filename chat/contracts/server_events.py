"""What the server pushes: a model for each event. `pushes` writes them.

The names and fields of the first six are those of the client guide. `seq` is the chat's number of
the change.
"""

from typing import Any, Final, Literal

from chat.contracts.base import AnyUserId, Count, Id, WireModel
from chat.contracts.models import ChatModel, MessageModel, ParticipantModel, ProfileModel


class NewMessage(WireModel):
    message: MessageModel
    chat_id: Id
    seq: Count
    timestamp: str


class MessageUpdated(NewMessage):
    pass


class MessageDeleted(WireModel):
    message_id: Id
    chat_id: Id
    seq: Count
    timestamp: str


class UserTyping(WireModel):
    chat_id: Id
    user_id: AnyUserId
    is_typing: bool
    timestamp: str


class MessageRead(WireModel):
    chat_id: Id
    message_id: Id
    user_id: AnyUserId
    timestamp: str


class UserJoined(WireModel):
    chat_id: Id
    user_id: AnyUserId
    timestamp: str


class UserLeft(UserJoined):
    pass


class UnreadUpdated(WireModel):
    """To a user who has read, and to those outside the room when a message comes."""

    chat_id: Id
    unread_count: Count
    last_read_message_id: Id | None
    last_message: MessageModel | None
    seq: Count
    timestamp: str


class PresenceChanged(WireModel):
    user_id: AnyUserId
    status: Literal["online", "offline"]
    last_seen_at: str | None
    timestamp: str


class UserUpdated(WireModel):
    user: ProfileModel
    timestamp: str


class ChatCreated(WireModel):
    """To every participant of a new chat; `chat` is as that participant sees it at that moment,
    with the first 50 of its participants.
    """

    chat: ChatModel
    chat_id: Id
    seq: Count
    timestamp: str


class ChatUpdated(WireModel):
    """`chat` holds the settings only: what is the same for everybody."""

    chat: dict[str, Any]
    chat_id: Id
    seq: Count
    timestamp: str


class ChatDeleted(WireModel):
    chat_id: Id
    seq: Count
    timestamp: str


class ParticipantAdded(WireModel):
    chat_id: Id
    participant: ParticipantModel
    participant_count: Count
    seq: Count
    timestamp: str


class ParticipantUpdated(ParticipantAdded):
    pass


class ParticipantRemoved(WireModel):
    chat_id: Id
    participant_id: AnyUserId
    participant_count: Count
    seq: Count
    timestamp: str


class RemovedFromChat(WireModel):
    chat_id: Id
    reason: Literal["removed", "left", "deleted"]


class TokenExpiring(WireModel):
    """The token has `expiresIn` seconds left: send `authenticate {token}` with a new one."""

    expires_at: str
    expires_in: Count


class SessionExpired(WireModel):
    """The last that a socket hears before its transport is closed."""

    code: Literal["TOKEN_EXPIRED", "TOKEN_REVOKED", "USER_BLOCKED"]
    message: str


class ServerShutdown(WireModel):
    retry_after: float


class Error(WireModel):
    """Pushed for an event that was refused and had asked for no ack."""

    code: str
    message: str
    retryable: bool
    event: str | None = None
    retry_after: float | None = None


SERVER_EVENTS: Final[dict[str, type[WireModel]]] = {
    "newMessage": NewMessage,
    "messageUpdated": MessageUpdated,
    "messageDeleted": MessageDeleted,
    "userTyping": UserTyping,
    "messageRead": MessageRead,
    "userJoined": UserJoined,
    "userLeft": UserLeft,
    "unreadUpdated": UnreadUpdated,
    "presenceChanged": PresenceChanged,
    "userUpdated": UserUpdated,
    "tokenExpiring": TokenExpiring,
    "sessionExpired": SessionExpired,
    "chatCreated": ChatCreated,
    "chatUpdated": ChatUpdated,
    "chatDeleted": ChatDeleted,
    "participantAdded": ParticipantAdded,
    "participantUpdated": ParticipantUpdated,
    "participantRemoved": ParticipantRemoved,
    "removedFromChat": RemovedFromChat,
    "serverShutdown": ServerShutdown,
    "error": Error,
}
