"""The answers of REST routes that succeed, each with its writer.

Where a list is bounded in bytes, its items are encoded already.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Annotated

import orjson
from typing_extensions import TypedDict

from chat.contracts.acks import Ack
from chat.contracts.base import AnyUserId, Count, Id, checked_as
from chat.contracts.models import (
    CatchUpModel,
    ChatItem,
    ChatModel,
    MessageJson,
    MessageModel,
    ParticipantJson,
    ParticipantModel,
    ProfileModel,
    ReadModel,
    RevisionJson,
    UnreadChatsModel,
    message_to_wire,
    participant_to_wire,
    profile_to_wire,
)
from chat.contracts.view_writers import (
    catch_up_page_to_wire,
    chat_view_to_wire,
    read_to_wire,
    unread_chats_to_wire,
)
from chat.entities import Message, Participant, User
from chat.identity import UserId
from chat.views import CatchUpPage, ChatView, Json, UnreadChats

# Messages.


class MessageAnswer(Ack):
    data: MessageModel


class SentMessageAnswer(MessageAnswer):
    """`duplicate`: this clientMessageId had been stored before."""

    duplicate: bool


class MessagesPage(TypedDict):
    """Whether there are more messages, and the number of the chat's last change."""

    hasBefore: bool
    hasAfter: bool
    oldestId: Id | None
    newestId: Id | None
    seq: Count


class MessagesAnswer(Ack):
    data: list[MessageJson]
    page: MessagesPage


class HistoryPage(TypedDict):
    """Whether there are earlier texts, and the `before` that asks for them."""

    hasBefore: bool
    oldestRevision: Count | None


class HistoryAnswer(Ack):
    data: list[RevisionJson]
    page: HistoryPage


def one_message(message: Message) -> MessageAnswer:
    return {"success": True, "data": message_to_wire(message)}


def sent_message(message: Message, duplicate: bool) -> SentMessageAnswer:
    return {"success": True, "data": message_to_wire(message), "duplicate": duplicate}


def page_of_messages(
    encoded: list[Json], found: Sequence[Message], *, has_before: bool, has_after: bool, seq: int
) -> MessagesAnswer:
    return {
        "success": True,
        "data": encoded,
        "page": {
            "hasBefore": has_before,
            "hasAfter": has_after,
            "oldestId": found[0].id if found else None,
            "newestId": found[-1].id if found else None,
            "seq": seq,
        },
    }


def page_of_revisions(
    encoded: list[Json], *, has_before: bool, oldest_revision: int | None
) -> HistoryAnswer:
    page: HistoryPage = {"hasBefore": has_before, "oldestRevision": oldest_revision}
    return {"success": True, "data": encoded, "page": page}


# Chats.


class CursorPage(TypedDict):
    """The `cursor` that asks for the next page; null: this was the last one."""

    nextCursor: str | None


class ChatAnswer(Ack):
    data: ChatModel


class ChatsAnswer(Ack):
    data: Sequence[ChatItem]
    page: CursorPage


class DeletedChatModel(TypedDict):
    chatId: Id


class DeletedChatAnswer(Ack):
    data: DeletedChatModel


class ReadsAnswer(Ack):
    data: list[ReadModel]


class UnreadAnswer(Ack):
    data: UnreadChatsModel


class ChatCatchUpModel(CatchUpModel):
    """The page of one chat, and the epoch."""

    epoch: str


class CatchUpAnswer(Ack):
    data: ChatCatchUpModel


def one_chat(view: ChatView, participants: Iterable[Json]) -> ChatAnswer:
    """Write a chat with those of its participants that fit, encoded."""
    settings = chat_view_to_wire(replace(view, participants=None))
    return {"success": True, "data": {**settings, "participants": [*participants]}}


def chats_of_ref(views: Sequence[ChatView]) -> ChatsAnswer:
    found = [chat_view_to_wire(each) for each in views]
    return {"success": True, "data": found, "page": {"nextCursor": None}}


def page_of_chats(encoded: list[Json], next_cursor: str | None) -> ChatsAnswer:
    return {"success": True, "data": encoded, "page": {"nextCursor": next_cursor}}


def chat_reference(chat_id: int) -> DeletedChatAnswer:
    return {"success": True, "data": {"chatId": chat_id}}


def reads(readers: Iterable[Participant]) -> ReadsAnswer:
    return {"success": True, "data": [read_to_wire(each) for each in readers]}


def unread_chats(unread: UnreadChats) -> UnreadAnswer:
    return {"success": True, "data": unread_chats_to_wire(unread)}


def caught_up(page: CatchUpPage, epoch: str) -> CatchUpAnswer:
    return {"success": True, "data": {**catch_up_page_to_wire(page), "epoch": epoch}}


# Participants.


class ParticipantsAnswer(Ack):
    data: list[ParticipantJson]
    page: CursorPage


class AddedParticipantsAnswer(Ack):
    """All that were named, whether new or not."""

    data: list[ParticipantModel]


class ParticipantAnswer(Ack):
    data: ParticipantModel


class ParticipantReferenceModel(TypedDict):
    chatId: Id
    participantId: AnyUserId


class ParticipantReferenceAnswer(Ack):
    data: ParticipantReferenceModel


def page_of_participants(encoded: list[Json], next_cursor: str | None) -> ParticipantsAnswer:
    return {"success": True, "data": encoded, "page": {"nextCursor": next_cursor}}


def added_participants(added: Iterable[tuple[Participant, User | None]]) -> AddedParticipantsAnswer:
    return {"success": True, "data": [participant_to_wire(*each) for each in added]}


def one_participant(participant: Participant, user: User | None) -> ParticipantAnswer:
    return {"success": True, "data": participant_to_wire(participant, user)}


def participant_reference(chat_id: int, user_id: UserId) -> ParticipantReferenceAnswer:
    return {"success": True, "data": {"chatId": chat_id, "participantId": user_id}}


# Users.


class MorePage(TypedDict):
    """Whether the answer ended before the ids that were asked for."""

    hasMore: bool


class UsersAnswer(Ack):
    data: list[Annotated[orjson.Fragment, checked_as(ProfileModel)]]
    page: MorePage


class UserAnswer(Ack):
    data: ProfileModel


def page_of_users(encoded: list[Json], *, has_more: bool) -> UsersAnswer:
    return {"success": True, "data": encoded, "page": {"hasMore": has_more}}


def one_user(user: User) -> UserAnswer:
    return {"success": True, "data": profile_to_wire(user)}
