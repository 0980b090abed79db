"""Messages, chats, participants and users as clients receive them, each with its writer.

Each type is a TypedDict with two uses: mypy checks the writer with it, and pydantic checks values
with it in `chat.testing` and in the tests, which also check the order of the fields. The
writers build plain dicts, since one message is written once for a whole room and a `model_dump`
costs three times as much.
"""

from datetime import datetime
from typing import Annotated, Any, Literal, NotRequired

import orjson

# On Python 3.11 pydantic reads only this TypedDict.
from typing_extensions import TypedDict

from chat.contracts.base import (
    AnyUserId,
    Count,
    Id,
    RoleName,
    Timestamp,
    checked_as,
    iso,
    iso_or_none,
)
from chat.contracts.lines import SystemModel, system_to_wire
from chat.entities import Chat, Message, Participant, Revision, User
from chat.errors import ErrorModel
from chat.identity import Identity, UserId

Role = Annotated[str, checked_as(RoleName)]
Status = Literal["online", "offline"]


class ReplyPreviewModel(TypedDict):
    """The beginning of the message that another one answers."""

    id: Id
    senderId: AnyUserId
    message: str


class MessageModel(TypedDict):
    """A message.

    A client sends `content` and receives `message`. A deleted message keeps its place, with an
    empty text. `system` is there where `type` is `system`: the server wrote it.
    """

    id: Id
    chatId: Id
    seq: Count
    updatedSeq: Count
    revision: Count
    senderId: AnyUserId
    senderType: str
    type: str
    message: str
    clientMessageId: str | None
    replyToId: Id | None
    replyTo: ReplyPreviewModel | None
    metadata: dict[str, Any] | None
    createdAt: Timestamp
    updatedAt: Timestamp
    editedAt: Timestamp | None
    deletedAt: Timestamp | None
    deletedBy: AnyUserId | None
    system: NotRequired[SystemModel]


MessageJson = Annotated[orjson.Fragment, checked_as(MessageModel)]
"""A MessageModel that is already encoded."""


class ParticipantModel(TypedDict):
    """A user in a chat."""

    userId: AnyUserId
    role: Role
    name: str | None
    avatarUrl: str | None
    joinedAt: Timestamp
    lastReadMessageId: Id | None


ParticipantJson = Annotated[orjson.Fragment, checked_as(ParticipantModel)]
ParticipantItem = Annotated[ParticipantModel | orjson.Fragment, checked_as(ParticipantModel)]


class ChatModel(TypedDict):
    """A chat as one of its participants sees it.

    `participants` is there in answers about one chat, in direct chats, and in `chatCreated`, which
    has the first 50 of them.
    """

    id: Id
    type: Annotated[str, checked_as(Literal["direct", "group"])]
    title: str | None
    externalRef: str | None
    metadata: dict[str, Any] | None
    createdBy: AnyUserId
    createdAt: Timestamp
    updatedAt: Timestamp
    seq: Count
    participantCount: Count
    role: Role | None
    unreadCount: Count
    lastReadMessageId: Id | None
    lastMessage: MessageModel | None
    participants: NotRequired[list[ParticipantItem]]


ChatJson = Annotated[orjson.Fragment, checked_as(ChatModel)]
ChatItem = Annotated[ChatModel | orjson.Fragment, checked_as(ChatModel)]


class ChatSettingsModel(TypedDict):
    """The part of a chat that is the same for every participant."""

    title: str | None
    externalRef: str | None
    metadata: dict[str, Any] | None


class RevisionModel(TypedDict):
    """An earlier text of a message; `timestamp` is when it was written."""

    revision: Count
    message: str
    timestamp: Timestamp


RevisionJson = Annotated[orjson.Fragment, checked_as(RevisionModel)]


class CatchUpModel(TypedDict):
    """A page of what changed in a chat after a cursor; `hasMore` = ask again with `toSeq`.

    `participants` (all of them) and `chat` are there when they changed.
    """

    chatId: Id
    fromSeq: Count
    toSeq: Count
    hasMore: bool
    reset: bool
    messages: list[MessageJson]
    participants: NotRequired[Annotated[orjson.Fragment, checked_as(list[ParticipantModel])]]
    chat: NotRequired[ChatJson]


class ChatRefusedModel(TypedDict):
    """In place of the page of a chat that the caller may not read."""

    chatId: Id
    error: ErrorModel


class SyncedModel(TypedDict):
    """Pages of the chats that were asked for; a list of all chats where none were."""

    epoch: str
    serverTime: Timestamp
    chats: list[CatchUpModel | ChatRefusedModel | ChatJson]


class UnreadModel(TypedDict):
    """The unread messages of one participant in a chat."""

    chatId: Id
    unreadCount: Count
    lastReadMessageId: Id | None
    lastMessage: MessageJson | None


class UnreadChatsModel(TypedDict):
    """The chats that have unread messages, and how many these are together."""

    total: Count
    chats: list[Annotated[orjson.Fragment, checked_as(UnreadModel)]]


class ReadModel(TypedDict):
    """How far a participant has read."""

    userId: AnyUserId
    lastReadMessageId: Id | None


class ReadCursorModel(TypedDict):
    """How far the caller has read a chat."""

    chatId: Id
    lastReadMessageId: Id | None
    unreadCount: Count


class JoinedChatModel(TypedDict):
    """A chat as a socket finds it that joins; `role` is null for an admin outside of it."""

    chatId: Id
    epoch: str
    seq: Count
    role: Role | None
    lastReadMessageId: Id | None
    unreadCount: Count
    typing: list[AnyUserId]
    reads: list[ReadModel]
    present: list[AnyUserId]
    sync: CatchUpModel


class UserModel(TypedDict):
    """The caller, as their token says; `tenant` is there if it names one."""

    id: AnyUserId
    role: str | None
    type: str
    department: str | None
    permissions: list[str]
    name: str | None
    avatarUrl: str | None
    tenant: NotRequired[str]


class ProfileModel(TypedDict):
    """The part of a user that others see."""

    id: AnyUserId
    name: str | None
    avatarUrl: str | None


class PresenceModel(TypedDict):
    """Whether a user is online, and when their last socket closed."""

    userId: AnyUserId
    status: Status
    lastSeenAt: Timestamp | None


def message_to_wire(message: Message) -> MessageModel:
    """Write a message; takes 3 us."""
    reply = message.reply_to
    created_at = iso(message.created_at)
    wire: MessageModel = {
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
    if message.system is not None:
        wire["system"] = system_to_wire(message.system)
    return wire


def message_json(message: Message) -> orjson.Fragment:
    """Encode a message.

    The push and the ack of a message are written one after the other, so the last message is kept:
    it is encoded once for both.
    """
    global _last_json  # one slot of memory
    last, encoded = _last_json
    if message is not last:
        encoded = orjson.Fragment(orjson.dumps(message_to_wire(message)))
        _last_json = (message, encoded)
    return encoded


_last_json: tuple[Message | None, orjson.Fragment] = (None, orjson.Fragment(b"null"))


def revision_to_wire(earlier: Revision) -> RevisionModel:
    return {
        "revision": earlier.revision,
        "message": earlier.message,
        "timestamp": iso(earlier.written_at),
    }


def participant_to_wire(participant: Participant, user: User | None) -> ParticipantModel:
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
) -> ChatModel:
    """Write a chat without its `participants`."""
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


def chat_settings_to_wire(chat: Chat) -> ChatSettingsModel:
    return {"title": chat.title, "externalRef": chat.external_ref, "metadata": chat.metadata}


def identity_to_wire(identity: Identity) -> UserModel:
    """Write what a token said, without the token."""
    user: UserModel = {
        "id": identity.user_id,
        "role": identity.role,
        "type": identity.type,
        "department": identity.department,
        "permissions": list(identity.permissions),
        "name": identity.name,
        "avatarUrl": identity.avatar_url,
    }
    if identity.tenant:
        user["tenant"] = identity.tenant
    return user


def profile_to_wire(user: User) -> ProfileModel:
    return {"id": user.id, "name": user.name, "avatarUrl": user.avatar_url}


def presence_to_wire(user_id: UserId, online: bool, last_seen_at: datetime | None) -> PresenceModel:
    return {
        "userId": user_id,
        "status": "online" if online else "offline",
        "lastSeenAt": iso_or_none(last_seen_at),
    }


def unread_to_wire(
    chat_id: int, mine: Participant, unread_count: int, last_message: Message | None
) -> UnreadModel:
    return {
        "chatId": chat_id,
        "unreadCount": unread_count,
        "lastReadMessageId": mine.last_read_message_id,
        # Encoded once for all participants of a chat.
        "lastMessage": message_json(last_message) if last_message else None,
    }


def read_cursor_to_wire(
    chat_id: int, last_read_message_id: int | None, unread_count: int
) -> ReadCursorModel:
    return {
        "chatId": chat_id,
        "lastReadMessageId": last_read_message_id,
        "unreadCount": unread_count,
    }
