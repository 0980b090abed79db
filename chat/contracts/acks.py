"""The acks of client events that succeed, each with its writer.

A refused event gets the RefusalModel of `chat.errors` instead.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Literal, NotRequired

from typing_extensions import TypedDict

from chat import __version__
from chat.contracts.base import AnyUserId, Count, Id, Timestamp, iso
from chat.contracts.features import PROTOCOL
from chat.contracts.models import (
    JoinedChatModel,
    MessageJson,
    PresenceModel,
    ReadCursorModel,
    SyncedModel,
    UserModel,
    identity_to_wire,
    message_json,
    presence_to_wire,
    read_cursor_to_wire,
)
from chat.contracts.view_writers import catch_up_to_wire, joined_chat_to_wire
from chat.entities import Message
from chat.identity import Identity, UserId
from chat.views import CatchUp, JoinedChat


class Ack(TypedDict):
    """The event was handled."""

    success: Literal[True]


class LimitsModel(TypedDict):
    """The limits of this server that a client should know."""

    maxContentChars: Count
    maxPayloadBytes: Count
    maxRoomsPerSocket: Count
    maxParticipants: Count


class SessionModel(TypedDict):
    """The identity of the socket, and what this server can do."""

    protocol: Count
    features: list[str]
    server: str
    user: UserModel
    expiresAt: Timestamp
    serverTime: Timestamp
    epoch: str
    limits: LimitsModel


class AuthenticateAck(Ack):
    """The socket's identity; `autoJoinedChats` only where that was asked for."""

    message: str
    userId: AnyUserId
    socketId: str
    autoJoinedChats: NotRequired[list[Id]]
    data: SessionModel


class JoinChatAck(Ack):
    message: str
    data: JoinedChatModel


class LeaveChatAck(Ack):
    message: str


class MessageAck(Ack):
    data: MessageJson


class SendMessageAck(MessageAck):
    """The stored message; `duplicate`: it had been stored before, and was not pushed now."""

    duplicate: bool


class MarkAsReadAck(Ack):
    data: ReadCursorModel


class SyncAck(Ack):
    data: SyncedModel


class GetPresenceAck(Ack):
    """In the order asked."""

    data: list[PresenceModel]


OK: Ack = {"success": True}
"""The ack without data; never change it, since it is shared."""


def limits_to_wire(
    *,
    max_content_chars: int,
    max_payload_bytes: int,
    max_rooms_per_socket: int,
    max_participants: int,
) -> LimitsModel:
    return {
        "maxContentChars": max_content_chars,
        "maxPayloadBytes": max_payload_bytes,
        "maxRoomsPerSocket": max_rooms_per_socket,
        "maxParticipants": max_participants,
    }


def authenticated(
    identity: Identity,
    socket_id: str,
    joined: list[int] | None,
    *,
    server_time: datetime,
    epoch: str,
    limits: LimitsModel,
    features: list[str],
) -> AuthenticateAck:
    """Write the ack of `authenticate`; `joined` is None where no chat was to be joined."""
    ack: AuthenticateAck = {
        "success": True,
        "message": "Authenticated successfully",
        "userId": identity.user_id,
        "socketId": socket_id,
        "data": {
            "protocol": PROTOCOL,
            "features": features,
            "server": __version__,
            "user": identity_to_wire(identity),
            "expiresAt": iso(identity.expires_at),
            "serverTime": iso(server_time),
            "epoch": epoch,
            "limits": limits,
        },
    }
    if joined is not None:
        ack["autoJoinedChats"] = joined
    return ack


def joined_chat(joined: JoinedChat) -> JoinChatAck:
    return {
        "success": True,
        "message": f"Joined chat {joined.chat_id}",
        "data": joined_chat_to_wire(joined),
    }


def left_chat(chat_id: int) -> LeaveChatAck:
    return {"success": True, "message": f"Left chat {chat_id}"}


def sent(message: Message, duplicate: bool) -> SendMessageAck:
    return {"success": True, "data": message_json(message), "duplicate": duplicate}


def changed(message: Message) -> MessageAck:
    """Write the ack of `editMessage` and `deleteMessage`."""
    return {"success": True, "data": message_json(message)}


def marked_read(chat_id: int, last_read_message_id: int | None, unread_count: int) -> MarkAsReadAck:
    return {
        "success": True,
        "data": read_cursor_to_wire(chat_id, last_read_message_id, unread_count),
    }


def synced(answer: CatchUp) -> SyncAck:
    return {"success": True, "data": catch_up_to_wire(answer)}


def present(
    found: Iterable[tuple[UserId, bool, datetime | None]],
) -> GetPresenceAck:
    return {"success": True, "data": [presence_to_wire(*each) for each in found]}
