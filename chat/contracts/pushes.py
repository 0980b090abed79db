"""Writes the server events: plain dicts in the field order of their models in `server_events`."""

from datetime import datetime
from typing import Any, Literal, NamedTuple

import orjson

from chat.contracts.base import iso, iso_or_none
from chat.contracts.models import message_json, profile_to_wire
from chat.entities import Message, User
from chat.errors import ChatError
from chat.identity import UserId


class ServerEvent(NamedTuple):
    """A push: the event's name and its payload, ready to be encoded once for everybody."""

    name: str
    payload: dict[str, Any]


def new_message(message: Message) -> ServerEvent:
    return ServerEvent(
        "newMessage",
        {
            "message": message_json(message),
            "chatId": message.chat_id,
            "seq": message.updated_seq,
            "timestamp": iso(message.created_at),
        },
    )


def message_updated(message: Message) -> ServerEvent:
    return ServerEvent(
        "messageUpdated",
        {
            "message": message_json(message),
            "chatId": message.chat_id,
            "seq": message.updated_seq,
            "timestamp": iso(message.updated_at),
        },
    )


def message_deleted(message: Message) -> ServerEvent:
    return ServerEvent(
        "messageDeleted",
        {
            "messageId": message.id,
            "chatId": message.chat_id,
            "seq": message.updated_seq,
            "timestamp": iso(message.updated_at),
        },
    )


def user_typing(chat_id: int, user_id: UserId, is_typing: bool, at: datetime) -> ServerEvent:
    return ServerEvent(
        "userTyping",
        {"chatId": chat_id, "userId": user_id, "isTyping": is_typing, "timestamp": iso(at)},
    )


def message_read(chat_id: int, message_id: int, user_id: UserId, at: datetime) -> ServerEvent:
    return ServerEvent(
        "messageRead",
        {"chatId": chat_id, "messageId": message_id, "userId": user_id, "timestamp": iso(at)},
    )


def user_joined(chat_id: int, user_id: UserId, at: datetime) -> ServerEvent:
    return ServerEvent("userJoined", {"chatId": chat_id, "userId": user_id, "timestamp": iso(at)})


def user_left(chat_id: int, user_id: UserId, at: datetime) -> ServerEvent:
    return ServerEvent("userLeft", {"chatId": chat_id, "userId": user_id, "timestamp": iso(at)})


def unread_updated(unread: dict[str, Any], seq: int, at: datetime) -> ServerEvent:
    """`unread` holds chatId, unreadCount, lastReadMessageId and lastMessage."""
    return ServerEvent("unreadUpdated", {**unread, "seq": seq, "timestamp": iso(at)})


def token_expiring(expires_at: datetime, expires_in_s: int) -> ServerEvent:
    payload = {"expiresAt": iso(expires_at), "expiresIn": expires_in_s}
    return ServerEvent("tokenExpiring", payload)


def session_expired(error: ChatError) -> ServerEvent:
    payload = {"code": error.code.value, "message": error.message}
    return ServerEvent("sessionExpired", payload)


def presence_changed(
    user_id: UserId, *, online: bool, last_seen_at: datetime | None, at: datetime
) -> ServerEvent:
    return ServerEvent(
        "presenceChanged",
        {
            "userId": user_id,
            "status": "online" if online else "offline",
            "lastSeenAt": iso_or_none(last_seen_at),
            "timestamp": iso(at),
        },
    )


def user_updated(user: User, at: datetime) -> ServerEvent:
    return ServerEvent("userUpdated", {"user": profile_to_wire(user), "timestamp": iso(at)})


def chat_changed(
    name: Literal["chatCreated", "chatUpdated"],
    chat_id: int,
    chat: dict[str, Any] | orjson.Fragment,
    seq: int,
    at: datetime,
) -> ServerEvent:
    return ServerEvent(name, {"chat": chat, "chatId": chat_id, "seq": seq, "timestamp": iso(at)})


def chat_deleted(chat_id: int, seq: int, at: datetime) -> ServerEvent:
    return ServerEvent("chatDeleted", {"chatId": chat_id, "seq": seq, "timestamp": iso(at)})


def participant_changed(
    name: Literal["participantAdded", "participantUpdated"],
    chat_id: int,
    participant: dict[str, Any],
    count: int,
    seq: int,
    at: datetime,
) -> ServerEvent:
    payload = {"chatId": chat_id, "participant": participant, "participantCount": count}
    return ServerEvent(name, {**payload, "seq": seq, "timestamp": iso(at)})


def participant_removed(
    chat_id: int, user_id: UserId, count: int, seq: int, at: datetime
) -> ServerEvent:
    payload = {"chatId": chat_id, "participantId": user_id, "participantCount": count}
    return ServerEvent("participantRemoved", {**payload, "seq": seq, "timestamp": iso(at)})


def removed_from_chat(chat_id: int, reason: Literal["removed", "left", "deleted"]) -> ServerEvent:
    return ServerEvent("removedFromChat", {"chatId": chat_id, "reason": reason})


def server_shutdown(retry_after_s: float) -> ServerEvent:
    return ServerEvent("serverShutdown", {"retryAfter": retry_after_s})


def error_event(error: ChatError, event: str | None) -> ServerEvent:
    """`{code, message, retryable, retryAfter?, details?, requestId, event?}`."""
    wire = error.to_wire()
    if event is not None:
        wire["event"] = event
    return ServerEvent("error", wire)
