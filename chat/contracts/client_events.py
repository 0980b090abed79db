"""What clients may emit: one request model an event. The table at the end is what the gateway
dispatches by.
"""

from typing import Annotated, Final

from pydantic import AliasChoices, Field, StrictBool, StrictStr

from chat.contracts.base import (
    AnyUserId,
    Content,
    Count,
    Id,
    Key,
    Limit,
    Metadata,
    WireModel,
    at_most,
)


class NoPayload(WireModel):
    """An event without a payload; one that is sent all the same is ignored."""


class Authenticate(WireModel):
    """`token` refreshes the identity in place; without it the ack tells who the socket is.

    `autoJoin` enters the rooms of all the user's chats at once.
    """

    token: StrictStr | None = None
    auto_join: StrictBool = False


class ChatReference(WireModel):
    chat_id: Id


class JoinChat(ChatReference):
    """`since` and `epoch` are the client's cursor; the ack then holds what it missed."""

    since: Count | None = None
    epoch: Annotated[StrictStr, Field(max_length=64)] | None = None
    limit: Limit = 50


class SyncChat(WireModel):
    chat_id: Id
    since: Count | None = None


class Sync(WireModel):
    """Catch up with several chats; without `chats` the overview of all of the caller's."""

    epoch: Annotated[StrictStr, Field(max_length=64)] | None = None
    chats: Annotated[list[SyncChat], Field(fail_fast=True), at_most(100)] | None = None
    limit: Limit = 50


def sync_cursors(payload: Sync) -> list[tuple[int, int | None]] | None:
    """`(chat id, since)` of each chat that is asked for, once: a page a chat is work enough."""
    if payload.chats is None:
        return None
    cursors: dict[int, int | None] = {}
    for each in payload.chats:
        cursors.setdefault(each.chat_id, each.since)
    return list(cursors.items())


class SendMessage(WireModel):
    """`message` is taken for `content`, since that is what comes out."""

    chat_id: Id
    content: Annotated[Content, Field(validation_alias=AliasChoices("content", "message"))]
    client_message_id: Key | None = None
    reply_to_id: Id | None = None
    metadata: Metadata = None


class EditMessage(WireModel):
    message_id: Id
    content: Annotated[Content, Field(validation_alias=AliasChoices("content", "message"))]
    expected_revision: Count | None = None


class MessageReference(WireModel):
    message_id: Id


class Typing(WireModel):
    chat_id: Id
    is_typing: StrictBool


class MarkAsRead(WireModel):
    chat_id: Id
    message_id: Id


class GetPresence(WireModel):
    user_ids: Annotated[list[AnyUserId], Field(fail_fast=True), at_most(200)]


class Event:
    """The names of the client events."""

    AUTHENTICATE: Final = "authenticate"
    JOIN_CHAT: Final = "joinChat"
    LEAVE_CHAT: Final = "leaveChat"
    SEND_MESSAGE: Final = "sendMessage"
    EDIT_MESSAGE: Final = "editMessage"
    DELETE_MESSAGE: Final = "deleteMessage"
    TYPING: Final = "typing"
    MARK_AS_READ: Final = "markAsRead"
    GET_PRESENCE: Final = "getPresence"
    SYNC: Final = "sync"


CLIENT_EVENTS: Final[dict[str, type[WireModel]]] = {
    Event.AUTHENTICATE: Authenticate,
    Event.JOIN_CHAT: JoinChat,
    Event.LEAVE_CHAT: ChatReference,
    Event.SEND_MESSAGE: SendMessage,
    Event.EDIT_MESSAGE: EditMessage,
    Event.DELETE_MESSAGE: MessageReference,
    Event.TYPING: Typing,
    Event.MARK_AS_READ: MarkAsRead,
    Event.GET_PRESENCE: GetPresence,
    Event.SYNC: Sync,
}
"""`ping` is a plugin's; plugins add to what the gateway knows, never to this table."""
