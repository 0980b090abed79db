"""The events that clients may emit: a model for the payload of each."""

from typing import Annotated, Final

from pydantic import Field, StrictBool, StrictStr, model_validator

from chat.contracts.base import (
    DEFAULT_PAGE,
    MAX_USERS_ASKED,
    AnyUserId,
    Content,
    Count,
    ExternalRef,
    Id,
    Key,
    Metadata,
    PageLimit,
    RequestModel,
    at_most,
)

MAX_CHATS_OF_A_SYNC: Final = 100

Epoch = Annotated[StrictStr, Field(max_length=64)]


class Authenticate(RequestModel):
    """With `token`, refresh the socket's identity; without it, ask who the socket is.

    `autoJoin` enters the rooms of all chats of the user at once.
    """

    token: StrictStr | None = None
    auto_join: StrictBool = False


class ChatReference(RequestModel):
    chat_id: Id


class JoinChat(RequestModel):
    """Join a chat; with the client's cursor, `since` and `epoch`, the ack holds what it missed.

    By its id, or by its externalRef, which makes the chat where the host gives the user a seat.
    """

    chat_id: Id | None = None
    external_ref: ExternalRef | None = None
    since: Count | None = None
    epoch: Epoch | None = None
    limit: PageLimit = DEFAULT_PAGE

    @model_validator(mode="after")
    def _names_one_chat(self) -> "JoinChat":
        if (self.chat_id is None) == (self.external_ref is None):
            raise ValueError("give a chatId or an externalRef, one of the two")
        return self


class CatchUpWithChat(ChatReference):
    """`GET /chats/:id/sync`: what a client with that cursor has missed."""

    since: Count | None = None
    epoch: Epoch | None = None
    limit: PageLimit = DEFAULT_PAGE


class SyncChat(RequestModel):
    chat_id: Id
    since: Count | None = None


class Sync(RequestModel):
    """Catch up with several chats; without `chats`, get the overview of all the caller's chats."""

    epoch: Epoch | None = None
    chats: Annotated[list[SyncChat], Field(fail_fast=True), at_most(MAX_CHATS_OF_A_SYNC)] | None = (
        None
    )
    limit: PageLimit = DEFAULT_PAGE


def sync_cursors(payload: Sync) -> list[tuple[int, int | None]] | None:
    """List `(chat id, since)` of the chats that are asked for, each chat once."""
    if payload.chats is None:
        return None
    cursors: dict[int, int | None] = {}
    for each in payload.chats:
        cursors.setdefault(each.chat_id, each.since)
    return list(cursors.items())


class SendMessage(RequestModel):
    chat_id: Id
    content: Content
    client_message_id: Key | None = None
    reply_to_id: Id | None = None
    metadata: Metadata = None


class EditMessage(RequestModel):
    message_id: Id
    content: Content
    expected_revision: Count | None = None


class MessageReference(RequestModel):
    message_id: Id


class Typing(RequestModel):
    chat_id: Id
    is_typing: StrictBool


class MarkAsRead(RequestModel):
    chat_id: Id
    message_id: Id


class GetPresence(RequestModel):
    user_ids: Annotated[list[AnyUserId], Field(fail_fast=True), at_most(MAX_USERS_ASKED)]


NAMESPACE: Final = "/chat"
"""The Socket.IO namespace of all events."""


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
