"""The parts of a chat, as plain values that all layers share.

They know no payloads, no documents of the store and no rules.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from chat.identity import UserId, UserKey, user_id_of, user_key


class ChatType(StrEnum):
    DIRECT = "direct"
    GROUP = "group"


class Role(StrEnum):
    """A participant's role in one chat, in the order of what it may do.

    A higher `rank` may do more; compare ranks, never names.
    """

    rank: int

    OWNER = "owner"
    MODERATOR = "moderator"
    MEMBER = "member"
    READONLY = "readonly"


# Ranks are attributes: every event asks for one, and a property would look it up in a table.
for _rank, _role in enumerate(reversed(Role)):
    _role.rank = _rank


class SystemKind(StrEnum):
    """The kinds of changes that messages of type `system` tell."""

    PARTICIPANTS_ADDED = "participantsAdded"
    PARTICIPANT_REMOVED = "participantRemoved"
    PARTICIPANT_LEFT = "participantLeft"
    ROLE_CHANGED = "roleChanged"
    TITLE_CHANGED = "titleChanged"


@dataclass(frozen=True, slots=True)
class SystemEvent:
    """A change of a chat, by whom, and of whom; `role` and `title` are the new ones."""

    kind: SystemKind
    by: UserId
    user_ids: tuple[UserId, ...]
    role: Role | None = None
    title: str | None = None


@dataclass(frozen=True, slots=True)
class ReplyPreview:
    """The beginning of the message that is answered, as it was when the answer was sent."""

    id: int
    sender_id: UserId
    message: str


@dataclass(slots=True, kw_only=True)
class Message:
    """One message. `seq` is its place in the chat, `updated_seq` that of its latest change.

    Only the journal changes it, when it gives the numbers. Making one takes 0.8 us; frozen, it
    would take 1.9 us.
    """

    id: int
    chat_id: int
    seq: int
    updated_seq: int
    revision: int
    sender_id: UserId
    sender_type: str
    message: str
    client_message_id: str | None
    reply_to: ReplyPreview | None
    metadata: dict[str, Any] | None
    created_at: datetime
    updated_at: datetime
    edited_at: datetime | None = None
    deleted_at: datetime | None = None
    deleted_by: UserId | None = None
    type: str = "text"
    # The digest of what the client sent under its clientMessageId, where a hook or an edit has
    # changed the message since. It tells a retry from a conflict.
    body_digest: str | None = None
    # Set in messages of type `system`, which the server writes.
    system: SystemEvent | None = None

    @property
    def is_silent(self) -> bool:
        """Whether it is never unread: deleted, or a line of the timeline."""
        return self.deleted_at is not None or self.type == "system"


@dataclass(frozen=True, slots=True)
class Revision:
    """An earlier text of a message, and the moment at which it was written."""

    revision: int
    message: str
    written_at: datetime


@dataclass(slots=True, kw_only=True)
class Participant:
    """A user in a chat; `removed_at` is set where the user is no longer in it.

    `left` tells a user who left from one who was removed. Only `read_up_to` changes it in place.
    """

    chat_id: int
    tenant: str
    user_id: UserId
    role: Role
    joined_at: datetime
    updated_seq: int
    # The chat's number when the user was added. Participants are sorted by it, so their order never
    # changes.
    joined_seq: int = 0
    removed_at: datetime | None = None
    left: bool = False
    last_read_message_id: int | None = None
    last_read_seq: int = 0

    @property
    def key(self) -> UserKey:
        return user_key(self.tenant, self.user_id)

    def read_up_to(self, message_id: int, seq: int) -> None:
        """Note that the participant sent a message, and so has read up to there.

        Changes the participant in place, since a copy would cost 2 us a message.
        """
        self.last_read_message_id = message_id
        self.last_read_seq = seq


@dataclass(frozen=True, slots=True)
class ExternalRefSetter:
    """The user whose token gave a chat its externalRef."""

    user_id: UserId
    user_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chat:
    """The settings of a chat, whose users are all of one `tenant`.

    `seq_reserved` is the highest number that may have been given so far. `outside_authors` are
    users who sent or deleted a message in the chat without being participants.
    `external_ref_by` is None where there is no reference, or one that version 0.1 has stored.
    """

    id: int
    tenant: str
    type: ChatType
    title: str | None
    external_ref: str | None
    metadata: dict[str, Any] | None
    created_by: UserId
    created_at: datetime
    updated_at: datetime
    updated_seq: int
    seq_reserved: int
    deleted_at: datetime | None = None
    outside_authors: tuple[UserId, ...] = ()
    external_ref_by: ExternalRefSetter | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """A seat that the host gives in the chat of an externalRef.

    `role` is moderator, member or readonly; `title` is for a chat that is made for it; without
    `until`, the seat ends with the token.
    """

    role: str
    title: str | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """The stored part of a user: a name and a picture to show, and when they were last online."""

    key: UserKey
    name: str | None = None
    avatar_url: str | None = None
    last_seen_at: datetime | None = None

    @property
    def id(self) -> UserId:
        return user_id_of(self.key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The tokens that are refused: all of them, or those issued up to a moment."""

    blocked: bool = False
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UserAccess:
    """The verdicts on a user's tokens; `privileged` is for those of type admin and service."""

    key: UserKey
    ordinary: Verdict = Verdict()
    privileged: Verdict = Verdict()
