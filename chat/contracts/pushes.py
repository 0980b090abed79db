"""The events that the server pushes, each with the function that writes it.

A payload is a TypedDict: mypy checks its writer with it; `chat.testing` and the tests check real
pushes against it. A writer takes 0.5 us, the time of its dict literal, and a new message with all
of its JSON 3.9 us. The payload is encoded once for all receivers.

The names and fields of the first six events are those of the client guide. `seq` is the
number of the change in its chat.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final, Literal, NamedTuple

import orjson
from pydantic import Field
from typing_extensions import TypedDict

from chat.contracts.base import AnyUserId, Count, Id, Timestamp, checked_as, iso, iso_or_none
from chat.contracts.models import (
    ChatModel,
    ChatSettingsModel,
    MessageJson,
    ParticipantModel,
    PresenceModel,
    ProfileModel,
    UnreadModel,
    chat_settings_to_wire,
    message_json,
    profile_to_wire,
)
from chat.entities import Chat, Message, User
from chat.errors import ChatError, ErrorModel
from chat.identity import UserId


class ServerEvent(NamedTuple):
    """A push: the event's name, and its payload, which is encoded once for all receivers."""

    name: str
    payload: Mapping[str, Any]


class NewMessage(TypedDict):
    """To the room: the server stored a message."""

    message: MessageJson
    chatId: Id
    seq: Count
    timestamp: Timestamp


def new_message(message: Message) -> ServerEvent:
    payload: NewMessage = {
        "message": message_json(message),
        "chatId": message.chat_id,
        "seq": message.updated_seq,
        "timestamp": iso(message.created_at),
    }
    return ServerEvent("newMessage", payload)


class MessageUpdated(NewMessage):
    """To the room: a message was edited."""


def message_updated(message: Message) -> ServerEvent:
    payload: MessageUpdated = {
        "message": message_json(message),
        "chatId": message.chat_id,
        "seq": message.updated_seq,
        "timestamp": iso(message.updated_at),
    }
    return ServerEvent("messageUpdated", payload)


class MessageDeleted(TypedDict):
    """To the room: a message became a tombstone."""

    messageId: Id
    chatId: Id
    seq: Count
    timestamp: Timestamp


def message_deleted(message: Message) -> ServerEvent:
    payload: MessageDeleted = {
        "messageId": message.id,
        "chatId": message.chat_id,
        "seq": message.updated_seq,
        "timestamp": iso(message.updated_at),
    }
    return ServerEvent("messageDeleted", payload)


class UserTyping(TypedDict):
    """To the others in the room: a user types, or has stopped."""

    chatId: Id
    userId: AnyUserId
    isTyping: bool
    timestamp: Timestamp


def user_typing(chat_id: int, user_id: UserId, is_typing: bool, at: datetime) -> ServerEvent:
    payload: UserTyping = {
        "chatId": chat_id,
        "userId": user_id,
        "isTyping": is_typing,
        "timestamp": iso(at),
    }
    return ServerEvent("userTyping", payload)


class MessageRead(TypedDict):
    """To the others in the room: a read cursor moved."""

    chatId: Id
    messageId: Id
    userId: AnyUserId
    timestamp: Timestamp


def message_read(chat_id: int, message_id: int, user_id: UserId, at: datetime) -> ServerEvent:
    payload: MessageRead = {
        "chatId": chat_id,
        "messageId": message_id,
        "userId": user_id,
        "timestamp": iso(at),
    }
    return ServerEvent("messageRead", payload)


class UserJoined(TypedDict):
    """To the others in the room: a user's first socket entered it."""

    chatId: Id
    userId: AnyUserId
    timestamp: Timestamp


def user_joined(chat_id: int, user_id: UserId, at: datetime) -> ServerEvent:
    payload: UserJoined = {"chatId": chat_id, "userId": user_id, "timestamp": iso(at)}
    return ServerEvent("userJoined", payload)


class UserLeft(UserJoined):
    """To the others in the room: a user's last socket left it."""


def user_left(chat_id: int, user_id: UserId, at: datetime) -> ServerEvent:
    payload: UserLeft = {"chatId": chat_id, "userId": user_id, "timestamp": iso(at)}
    return ServerEvent("userLeft", payload)


class UnreadUpdated(UnreadModel):
    """To a user who has read, and to those outside the room when a message is sent."""

    seq: Count
    timestamp: Timestamp


def unread_updated(unread: UnreadModel, seq: int, at: datetime) -> ServerEvent:
    payload: UnreadUpdated = {**unread, "seq": seq, "timestamp": iso(at)}
    return ServerEvent("unreadUpdated", payload)


class PresenceChanged(PresenceModel):
    """To the users who share a chat with a user: that user came online, or went offline."""

    timestamp: Timestamp


def presence_changed(
    user_id: UserId, *, online: bool, last_seen_at: datetime | None, at: datetime
) -> ServerEvent:
    payload: PresenceChanged = {
        "userId": user_id,
        "status": "online" if online else "offline",
        "lastSeenAt": iso_or_none(last_seen_at),
        "timestamp": iso(at),
    }
    return ServerEvent("presenceChanged", payload)


class UserUpdated(TypedDict):
    """To a user, and to all who share a chat with them: their name or picture changed."""

    user: ProfileModel
    timestamp: Timestamp


def user_updated(user: User, at: datetime) -> ServerEvent:
    payload: UserUpdated = {"user": profile_to_wire(user), "timestamp": iso(at)}
    return ServerEvent("userUpdated", payload)


class ChatCreated(TypedDict):
    """To every participant of a new chat.

    `chat` is as that participant sees it at that moment, with the first 50 of its participants.
    """

    chat: ChatModel
    chatId: Id
    seq: Count
    timestamp: Timestamp


def chat_created(chat: ChatModel) -> ServerEvent:
    payload: ChatCreated = {
        "chat": chat,
        "chatId": chat["id"],
        "seq": chat["seq"],
        "timestamp": chat["createdAt"],
    }
    return ServerEvent("chatCreated", payload)


class ChatUpdated(TypedDict):
    """To the participants of a chat: its settings changed."""

    chat: Annotated[orjson.Fragment, checked_as(ChatSettingsModel)]
    chatId: Id
    seq: Count
    timestamp: Timestamp


def chat_updated(chat: Chat) -> ServerEvent:
    payload: ChatUpdated = {
        # Encoded once, here: the event is encoded twice, for the room and for those outside it.
        "chat": orjson.Fragment(orjson.dumps(chat_settings_to_wire(chat))),
        "chatId": chat.id,
        "seq": chat.updated_seq,
        "timestamp": iso(chat.updated_at),
    }
    return ServerEvent("chatUpdated", payload)


class ChatDeleted(TypedDict):
    """To the room: the chat is deleted."""

    chatId: Id
    seq: Count
    timestamp: Timestamp


def chat_deleted(chat_id: int, seq: int, at: datetime) -> ServerEvent:
    payload: ChatDeleted = {"chatId": chat_id, "seq": seq, "timestamp": iso(at)}
    return ServerEvent("chatDeleted", payload)


class ParticipantAdded(TypedDict):
    """To the room, and to the user who was added."""

    chatId: Id
    participant: ParticipantModel
    participantCount: Count
    seq: Count
    timestamp: Timestamp


class ParticipantUpdated(ParticipantAdded):
    """To the room: a participant's role changed."""


def participant_changed(
    name: Literal["participantAdded", "participantUpdated"],
    chat_id: int,
    participant: ParticipantModel,
    count: int,
    seq: int,
    at: datetime,
) -> ServerEvent:
    payload: ParticipantAdded | ParticipantUpdated = {
        "chatId": chat_id,
        "participant": participant,
        "participantCount": count,
        "seq": seq,
        "timestamp": iso(at),
    }
    return ServerEvent(name, payload)


class ParticipantRemoved(TypedDict):
    """To the room: a participant was removed, or has left the chat."""

    chatId: Id
    participantId: AnyUserId
    participantCount: Count
    seq: Count
    timestamp: Timestamp


def participant_removed(
    chat_id: int, user_id: UserId, count: int, seq: int, at: datetime
) -> ServerEvent:
    payload: ParticipantRemoved = {
        "chatId": chat_id,
        "participantId": user_id,
        "participantCount": count,
        "seq": seq,
        "timestamp": iso(at),
    }
    return ServerEvent("participantRemoved", payload)


RemovalReason = Annotated[
    Literal["removed", "left", "deleted", "expired"],
    # Later versions may have more reasons.
    Field(json_schema_extra={"x-open": True}),
]


class RemovedFromChat(TypedDict):
    """To a user who is no longer in a chat."""

    chatId: Id
    reason: RemovalReason


def removed_from_chat(chat_id: int, reason: RemovalReason) -> ServerEvent:
    payload: RemovedFromChat = {"chatId": chat_id, "reason": reason}
    return ServerEvent("removedFromChat", payload)


class TokenExpiring(TypedDict):
    """To a socket whose token has `expiresIn` seconds left: send `authenticate` with a new one."""

    expiresAt: Timestamp
    expiresIn: Count


def token_expiring(expires_at: datetime, expires_in_s: int) -> ServerEvent:
    payload: TokenExpiring = {"expiresAt": iso(expires_at), "expiresIn": expires_in_s}
    return ServerEvent("tokenExpiring", payload)


class SessionExpired(TypedDict):
    """To a socket, as its last push before the server closes the transport."""

    code: Annotated[str, checked_as(Literal["TOKEN_EXPIRED", "TOKEN_REVOKED", "USER_BLOCKED"])]
    message: str


def session_expired(error: ChatError) -> ServerEvent:
    payload: SessionExpired = {"code": error.code.value, "message": error.message}
    return ServerEvent("sessionExpired", payload)


class ServerShutdown(TypedDict):
    """To every socket: the server is about to restart."""

    retryAfter: float


def server_shutdown(retry_after_s: float) -> ServerEvent:
    payload: ServerShutdown = {"retryAfter": retry_after_s}
    return ServerEvent("serverShutdown", payload)


class Error(ErrorModel):
    """To a socket whose event was refused and had asked for no ack."""


def error_event(error: ChatError, event: str | None) -> ServerEvent:
    payload: Error = error.to_wire()
    if event is not None:
        payload["event"] = event
    return ServerEvent("error", payload)


SERVER_EVENTS: Final[dict[str, type[Any]]] = {
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
"""The type of each event's payload."""
