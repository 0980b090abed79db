"""Convert entities to documents and back; pure functions.

`v` is the version of a document's shape.
"""

from collections.abc import Mapping
from typing import Any, Final

from chat.entities import (
    Chat,
    ChatType,
    ExternalRefSetter,
    Message,
    Participant,
    ReplyPreview,
    Revision,
    Role,
    SystemEvent,
    SystemKind,
    User,
    UserAccess,
    Verdict,
)
from chat.identity import UserId, UserKey

SCHEMA_VERSION: Final = 3
Document = dict[str, Any]


def message_to_document(message: Message) -> Document:
    document: Document = {
        "_id": message.id,
        "v": SCHEMA_VERSION,
        "chatId": message.chat_id,
        "seq": message.seq,
        "updatedSeq": message.updated_seq,
        "revision": message.revision,
        "senderId": message.sender_id,
        "senderType": message.sender_type,
        "type": message.type,
        "message": message.message,
        "createdAt": message.created_at,
        "updatedAt": message.updated_at,
    }
    # Absent fields are not written: most messages have none of these, and partial indexes rely on
    # their absence.
    if message.client_message_id is not None:
        document["clientMessageId"] = message.client_message_id
    if message.body_digest is not None:
        document["bodyDigest"] = message.body_digest
    if message.reply_to is not None:
        reply = message.reply_to
        document["replyToId"] = reply.id
        document["replyTo"] = {"senderId": reply.sender_id, "message": reply.message}
    if message.metadata is not None:
        document["metadata"] = message.metadata
    if message.edited_at is not None:
        document["editedAt"] = message.edited_at
    if message.deleted_at is not None:
        document["deletedAt"] = message.deleted_at
        document["deletedBy"] = message.deleted_by
    if message.system is not None:
        document["system"] = _system_to_document(message.system)
    return document


def _system_to_document(event: SystemEvent) -> Document:
    return {
        "kind": event.kind.value,
        "by": event.by,
        "userIds": list(event.user_ids),
        "role": event.role.value if event.role else None,
        "title": event.title,
    }


def _system_from_document(document: Mapping[str, Any]) -> SystemEvent:
    role = document["role"]
    return SystemEvent(
        SystemKind(document["kind"]),
        document["by"],
        tuple(document["userIds"]),
        Role(role) if role else None,
        document["title"],
    )


def message_from_document(document: Mapping[str, Any]) -> Message:
    get = document.get
    reply_to_id = get("replyToId")
    reply = document["replyTo"] if reply_to_id is not None else None
    return Message(
        id=document["_id"],
        chat_id=document["chatId"],
        seq=document["seq"],
        updated_seq=document["updatedSeq"],
        revision=document["revision"],
        sender_id=document["senderId"],
        sender_type=document["senderType"],
        type=document["type"],
        message=document["message"],
        client_message_id=get("clientMessageId"),
        body_digest=get("bodyDigest"),
        reply_to=ReplyPreview(reply_to_id, reply["senderId"], reply["message"])
        if reply_to_id is not None and reply is not None
        else None,
        metadata=get("metadata"),
        created_at=document["createdAt"],
        updated_at=document["updatedAt"],
        edited_at=get("editedAt"),
        deleted_at=get("deletedAt"),
        deleted_by=get("deletedBy"),
        system=_system_from_document(system) if (system := get("system")) else None,
    )


def revision_to_document(chat_id: int, message_id: int, earlier: Revision) -> Document:
    """Convert an earlier text; its `_id` is unique, so that storing it twice makes one document."""
    return {
        "_id": f"{message_id}:{earlier.revision}",
        "v": SCHEMA_VERSION,
        "chatId": chat_id,
        "messageId": message_id,
        "revision": earlier.revision,
        "message": earlier.message,
        "bytes": len(earlier.message.encode()),
        "at": earlier.written_at,
    }


def revision_from_document(document: Mapping[str, Any]) -> Revision:
    return Revision(document["revision"], document["message"], document["at"])


def chat_to_document(chat: Chat, direct_key: str | None) -> Document:
    """Make the whole document of a new chat; later changes write only `chat_settings`."""
    document: Document = {
        "_id": chat.id,
        "v": SCHEMA_VERSION,
        "tenant": chat.tenant,
        "type": chat.type.value,
        "createdBy": chat.created_by,
        "createdAt": chat.created_at,
        "seqReserved": chat.seq_reserved,
        **chat_settings(chat),
    }
    document.update(external_ref_fields(chat))
    if direct_key is not None:
        document["directKey"] = direct_key
    return document


def external_ref_fields(chat: Chat) -> Document:
    """Return the externalRef and who set it; no field without one, as the index needs."""
    if chat.external_ref is None:
        return {}
    setter = chat.external_ref_by
    by = {"userId": setter.user_id, "type": setter.user_type} if setter else None
    return {"externalRef": chat.external_ref, "externalRefBy": by}


def chat_settings(chat: Chat) -> Document:
    """Return the fields of a chat that can change."""
    return {
        "title": chat.title,
        "metadata": chat.metadata,
        "updatedAt": chat.updated_at,
        "updatedSeq": chat.updated_seq,
        "deletedAt": chat.deleted_at,
    }


def chat_from_document(document: Mapping[str, Any]) -> Chat:
    setter = document.get("externalRefBy")
    return Chat(
        id=document["_id"],
        tenant=document.get("tenant", ""),
        type=ChatType(document["type"]),
        title=document["title"],
        external_ref=document.get("externalRef"),
        external_ref_by=ExternalRefSetter(setter["userId"], setter["type"]) if setter else None,
        metadata=document["metadata"],
        created_by=document["createdBy"],
        created_at=document["createdAt"],
        updated_at=document["updatedAt"],
        updated_seq=document["updatedSeq"],
        seq_reserved=document["seqReserved"],
        deleted_at=document["deletedAt"],
        outside_authors=tuple(document.get("outsideAuthors", ())),
    )


def participant_id(chat_id: int, user_id: UserId) -> str:
    """Make a participant's `_id`; it is unique, since no text id is a string of digits."""
    return f"{chat_id}:{user_id}"


def participant_to_document(participant: Participant) -> Document:
    return {
        "_id": participant_id(participant.chat_id, participant.user_id),
        "v": SCHEMA_VERSION,
        "chatId": participant.chat_id,
        "tenant": participant.tenant,
        "userId": participant.user_id,
        "role": participant.role.value,
        "joinedAt": participant.joined_at,
        "joinedSeq": participant.joined_seq,
        "removedAt": participant.removed_at,
        "left": participant.left,
        "updatedSeq": participant.updated_seq,
        "lastReadMessageId": participant.last_read_message_id,
        "lastReadSeq": participant.last_read_seq,
    }


def participant_from_document(document: Mapping[str, Any]) -> Participant:
    return Participant(
        chat_id=document["chatId"],
        tenant=document.get("tenant", ""),
        user_id=document["userId"],
        role=Role(document["role"]),
        joined_at=document["joinedAt"],
        joined_seq=document["joinedSeq"],
        removed_at=document["removedAt"],
        left=document.get("left", False),
        updated_seq=document["updatedSeq"],
        last_read_message_id=document["lastReadMessageId"],
        last_read_seq=document["lastReadSeq"],
    )


def user_from_document(document: Mapping[str, Any]) -> User:
    return User(
        key=UserKey(document["_id"]),
        name=document.get("name"),
        avatar_url=document.get("avatarUrl"),
        last_seen_at=document.get("lastSeenAt"),
    )


def access_to_document(access: UserAccess) -> Document:
    return {
        "_id": access.key,
        "v": SCHEMA_VERSION,
        **_verdict_to_document(access.ordinary),
        "privileged": _verdict_to_document(access.privileged),
    }


def access_from_document(document: Mapping[str, Any]) -> UserAccess:
    # Version 0.1 had one verdict, which held for tokens of every type.
    return UserAccess(
        key=UserKey(document["_id"]),
        ordinary=_verdict_from_document(document),
        privileged=_verdict_from_document(document.get("privileged", document)),
    )


def _verdict_to_document(verdict: Verdict) -> Document:
    return {"blocked": verdict.blocked, "revokedBefore": verdict.revoked_at}


def _verdict_from_document(document: Mapping[str, Any]) -> Verdict:
    return Verdict(blocked=document["blocked"], revoked_at=document["revokedBefore"])
