"""Write what services answer: chats, participants, pages of a catch-up, unread counts."""

from datetime import datetime
from typing import Any

import orjson
from pydantic.alias_generators import to_camel

from chat.contracts.base import iso
from chat.contracts.models import (
    CatchUpModel,
    ChatModel,
    ChatRefusedModel,
    JoinedChatModel,
    ParticipantModel,
    ReadModel,
    SyncedModel,
    UnreadChatsModel,
    UnreadModel,
    chat_to_wire,
    participant_to_wire,
    unread_to_wire,
)
from chat.contracts.pushes import ServerEvent, participant_changed, unread_updated
from chat.entities import Participant
from chat.views import (
    CatchUp,
    CatchUpPage,
    ChatRefused,
    ChatView,
    JoinedChat,
    Json,
    ParticipantView,
    UnreadChats,
    UnreadView,
)


def chat_view_to_wire(view: ChatView) -> ChatModel:
    wire = chat_to_wire(
        view.chat,
        seq=view.seq,
        participant_count=view.participant_count,
        mine=view.mine,
        unread_count=view.unread_count,
        last_message=view.last_message,
    )
    if view.participants is not None:
        wire["participants"] = [participant_view_to_wire(each) for each in view.participants]
    return wire


def participant_view_to_wire(view: ParticipantView) -> ParticipantModel:
    return participant_to_wire(view.participant, view.user)


def unread_view_to_wire(view: UnreadView) -> UnreadModel:
    return unread_to_wire(view.chat_id, view.mine, view.unread_count, view.last_message)


def unread_chats_to_wire(unread: UnreadChats) -> UnreadChatsModel:
    return {"total": unread.total, "chats": unread.chats}


def read_to_wire(participant: Participant) -> ReadModel:
    """Write how far a participant has read."""
    return {
        "userId": participant.user_id,
        "lastReadMessageId": participant.last_read_message_id,
    }


def joined_chat_to_wire(joined: JoinedChat) -> JoinedChatModel:
    mine = joined.mine
    return {
        "chatId": joined.chat_id,
        "epoch": joined.epoch,
        "seq": joined.seq,
        "role": mine.role.value if mine else None,
        "lastReadMessageId": mine.last_read_message_id if mine else None,
        "unreadCount": joined.unread_count,
        "typing": joined.typing,
        "reads": [read_to_wire(each) for each in joined.readers],
        "present": joined.present,
        "sync": catch_up_page_to_wire(joined.page),
    }


def catch_up_page_to_wire(page: CatchUpPage) -> CatchUpModel:
    wire: CatchUpModel = {
        "chatId": page.chat_id,
        "fromSeq": page.from_seq,
        "toSeq": page.to_seq,
        "hasMore": page.has_more,
        "reset": page.reset,
        "messages": page.messages,
    }
    if page.participants is not None:
        wire["participants"] = page.participants
    if page.chat is not None:
        wire["chat"] = page.chat
    return wire


def catch_up_to_wire(answer: CatchUp) -> SyncedModel:
    return {
        "epoch": answer.epoch,
        "serverTime": iso(answer.server_time),
        "chats": [_page_or_refusal(each) for each in answer.chats],
    }


def _page_or_refusal(
    each: CatchUpPage | ChatRefused | Json,
) -> CatchUpModel | ChatRefusedModel | Json:
    if isinstance(each, CatchUpPage):
        return catch_up_page_to_wire(each)
    if isinstance(each, ChatRefused):
        return {"chatId": each.chat_id, "error": each.error.to_wire()}
    return each


def unread_pushed(view: UnreadView, seq: int, at: datetime) -> ServerEvent:
    return unread_updated(unread_view_to_wire(view), seq, at)


def participant_added(view: ParticipantView, count: int, at: datetime) -> ServerEvent:
    """Write `participantAdded`; `count` is the number of participants now."""
    participant = view.participant
    return participant_changed(
        "participantAdded",
        participant.chat_id,
        participant_view_to_wire(view),
        count,
        participant.updated_seq,
        at,
    )


def participant_updated(view: ParticipantView, count: int, at: datetime) -> ServerEvent:
    """Write `participantUpdated`; `count` is the number of participants now."""
    participant = view.participant
    return participant_changed(
        "participantUpdated",
        participant.chat_id,
        participant_view_to_wire(view),
        count,
        participant.updated_seq,
        at,
    )


def detail(field: str, message: str) -> dict[str, str]:
    """Write a detail of an error about a field of the payload, named as in Python."""
    return {"path": path_of(field), "message": message}


def path_of(field: str) -> str:
    return to_camel(field)


def canonical_body(content: str, reply_to_id: int | None, metadata: dict[str, Any] | None) -> bytes:
    """Write the body of a message as one text, whatever the order of keys in its metadata.

    Its digests are stored, so its form must never change.
    """
    body = {"content": content, "replyToId": reply_to_id, "metadata": metadata}
    return orjson.dumps(body, option=orjson.OPT_SORT_KEYS)
