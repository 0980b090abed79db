"""The things a client receives: message, participant, chat, user; and the functions that write
them.

The functions build plain dicts in the field order of the models, since one message is written once
for a whole room and a `model_dump` costs three times as much; tests hold every dict that leaves
against its model.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

import orjson

from chat.contracts.base import AnyUserId, Count, Id, WireModel, iso, iso_or_none
from chat.entities import Chat, Message, Participant, Revision, User
from chat.identity import Identity, UserId


class ReplyPreviewModel(WireModel):
    id: Id
    sender_id: AnyUserId
    message: str


class MessageModel(WireModel):
    """A message. `content` goes in, `message` comes out; a deleted one keeps its place with an
    empty text.
    """

    id: Id
    chat_id: Id
    seq: Count
    updated_seq: Count
    revision: Count
    sender_id: AnyUserId
    sender_type: str
    type: str
    message: str
    client_message_id: str | None
    reply_to_id: Id | None
    reply_to: ReplyPreviewModel | None
    metadata: dict[str, Any] | None
    created_at: str
    updated_at: str
    edited_at: str | None
    deleted_at: str | None
    deleted_by: AnyUserId | None


class ParticipantModel(WireModel):
    user_id: AnyUserId
    role: Literal["owner", "moderator", "member", "readonly"]
    name: str | None
    avatar_url: str | None
    joined_at: str
    last_read_message_id: Id | None


class ChatModel(WireModel):
    """A chat as one of its participants sees it. `participants` only in answers about one chat, in
    direct chats, and, the first 50 of them, in `chatCreated`.
    """

    id: Id
    type: Literal["direct", "group"]
    title: str | None
    external_ref: str | None
    metadata: dict[str, Any] | None
    created_by: AnyUserId
    created_at: str
    updated_at: str
    seq: Count
    participant_count: Count
    participants: list[ParticipantModel] | None = None
    role: Literal["owner", "moderator", "member", "readonly"] | None
    unread_count: Count
    last_read_message_id: Id | None
    last_message: MessageModel | None


class RevisionModel(WireModel):
    """An earlier text of a message; `timestamp` is when it was written."""

    revision: Count
    message: str
    timestamp: str


class CatchUpModel(WireModel):
    """A page of what changed in a chat after a cursor; `hasMore` = ask again with `toSeq`.

    `participants` (all of them) and `chat` are there when they changed.
    """

    chat_id: Id
    from_seq: Count
    to_seq: Count
    has_more: bool
    reset: bool
    messages: list[MessageModel]
    participants: list[ParticipantModel] | None = None
    chat: ChatModel | None = None


class UserModel(WireModel):
    id: AnyUserId
    role: str | None
    type: str
    department: str | None
    permissions: list[str]
    name: str | None
    avatar_url: str | None


class ProfileModel(WireModel):
    """What others see of a user."""

    id: AnyUserId
    name: str | None
    avatar_url: str | None


class PresenceModel(WireModel):
    user_id: AnyUserId
    status: Literal["online", "offline"]
    last_seen_at: str | None


def message_to_wire(message: Message) -> dict[str, Any]:
    """The dict of MessageModel; 3 us."""
    reply = message.reply_to
    created_at = iso(message.created_at)
    return {
        "id": message.id,
        "chatId": message.chat_id,
        "seq": message.seq,
        "updatedSeq": message.updated_seq,
        "revision": message.revision,
        "senderId": message.sender_id,
        "senderType": message.sender_type,
        "type": message.type,
        "message": message.message,
        "clientMessageId": message.client_message_id,
        "replyToId": None if reply is None else reply.id,
        "replyTo": None
        if reply is None
        else {"id": reply.id, "senderId": reply.sender_id, "message": reply.message},
        "metadata": message.metadata,
        "createdAt": created_at,
        "updatedAt": created_at
        if message.updated_at is message.created_at
        else iso(message.updated_at),
        "editedAt": None if message.edited_at is None else iso(message.edited_at),
        "deletedAt": None if message.deleted_at is None else iso(message.deleted_at),
        "deletedBy": message.deleted_by,
    }


def message_json(message: Message) -> orjson.Fragment:
    """The same as JSON. Push and ack of a message are written one after the other, so the last one
    is kept: it is encoded once for both.
    """
    global _last_json  # one slot of memory
    last, encoded = _last_json
    if message is not last:
        encoded = orjson.Fragment(orjson.dumps(message_to_wire(message)))
        _last_json = (message, encoded)
    return encoded


_last_json: tuple[Message | None, orjson.Fragment] = (None, orjson.Fragment(b"null"))


def revision_to_wire(earlier: Revision) -> dict[str, Any]:
    """The dict of RevisionModel."""
    return {
        "revision": earlier.revision,
        "message": earlier.message,
        "timestamp": iso(earlier.written_at),
    }


def participant_to_wire(participant: Participant, user: User | None) -> dict[str, Any]:
    """The dict of ParticipantModel."""
    return {
        "userId": participant.user_id,
        "role": participant.role.value,
        "name": user.name if user else None,
        "avatarUrl": user.avatar_url if user else None,
        "joinedAt": iso(participant.joined_at),
        "lastReadMessageId": participant.last_read_message_id,
    }


def chat_to_wire(
    chat: Chat,
    *,
    seq: int,
    participant_count: int,
    mine: Participant | None,
    unread_count: int,
    last_message: Message | None,
) -> dict[str, Any]:
    """The dict of ChatModel without `participants`, which `with_participants` adds."""
    return {
        "id": chat.id,
        "type": chat.type.value,
        "title": chat.title,
        "externalRef": chat.external_ref,
        "metadata": chat.metadata,
        "createdBy": chat.created_by,
        "createdAt": iso(chat.created_at),
        "updatedAt": iso(chat.updated_at),
        "seq": seq,
        "participantCount": participant_count,
        "role": mine.role.value if mine else None,
        "unreadCount": unread_count,
        "lastReadMessageId": mine.last_read_message_id if mine else None,
        "lastMessage": message_to_wire(last_message) if last_message else None,
    }


def participants_to_wire(
    participants: Sequence[Participant], users: Mapping[UserId, User]
) -> list[dict[str, Any]]:
    """The list of ParticipantModel dicts, in the order given."""
    return [participant_to_wire(each, users.get(each.user_id)) for each in participants]


def identity_to_wire(identity: Identity) -> dict[str, Any]:
    """The dict of UserModel: what the token said, without the token."""
    return {
        "id": identity.user_id,
        "role": identity.role,
        "type": identity.type,
        "department": identity.department,
        "permissions": list(identity.permissions),
        "name": identity.name,
        "avatarUrl": identity.avatar_url,
    }


def profile_to_wire(user: User) -> dict[str, Any]:
    """The dict of ProfileModel."""
    return {"id": user.id, "name": user.name, "avatarUrl": user.avatar_url}


def presence_to_wire(
    user_id: UserId, online: bool, last_seen_at: datetime | None
) -> dict[str, Any]:
    """The dict of PresenceModel."""
    return {
        "userId": user_id,
        "status": "online" if online else "offline",
        "lastSeenAt": iso_or_none(last_seen_at),
    }


def unread_to_wire(
    chat_id: int, mine: Participant, unread_count: int, last_message: Message | None
) -> dict[str, Any]:
    """`{chatId, unreadCount, lastReadMessageId, lastMessage}` of one participant."""
    return {
        "chatId": chat_id,
        "unreadCount": unread_count,
        "lastReadMessageId": mine.last_read_message_id,
        # Encoded once for all participants of a chat.
        "lastMessage": message_json(last_message) if last_message else None,
    }
