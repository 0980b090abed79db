"""The memory of one active chat: settings, participants, the last number given, and the tail of the
conversation.
"""

from collections import deque
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from chat.entities import Chat, Message, Participant, Role
from chat.identity import Identity, UserId
from chat.services.state_sizes import Scale

TAIL_MESSAGES: Final = 100
RECENT_DELETIONS: Final = 256
"""More than a chat can have while an answer waits for its turn in the journal."""

SERVICE_RANK: Final = Role.OWNER.rank + 1


@dataclass(slots=True)
class TailEntry:
    """What counts and cursors need of one message."""

    id: int
    seq: int
    sender_id: UserId
    deleted: bool


class ChatState:
    """One active chat. `head` is the last number that is committed and pushed; every read is
    bounded by it.
    """

    __slots__ = (
        "__weakref__", "chat", "closed", "crowd", "deleted", "earlier_keys", "head",
        "last_message", "left", "members", "outsiders", "pending", "people_seq", "reserved",
        "scale", "tail", "tail_from", "weighed",
    )  # fmt: skip

    def __init__(
        self, chat: Chat, participants: list[Participant], head: int, tail: list[Message]
    ) -> None:
        self.chat = chat
        self.members: dict[UserId, Participant] = {
            each.user_id: each for each in participants if each.removed_at is None
        }
        # Users whom the chat's history names and who are no participants: those who left, and those
        # who wrote, deleted or made the chat without being in it.
        self.outsiders: set[UserId] = {
            each.user_id for each in participants if each.removed_at is not None
        }
        self.outsiders.update(chat.outside_authors)
        self.outsiders.update(each.sender_id for each in tail)
        self.outsiders.add(chat.created_by)
        self.outsiders.difference_update(self.members)
        # When those went who left by their own doing.
        self.left: dict[UserId, datetime] = {
            each.user_id: each.removed_at
            for each in participants
            if each.left and each.removed_at is not None
        }
        self.head = head
        # Counts the changes of people: a permission that was checked holds while this is the same.
        self.crowd = 0
        # The last number that a coming, going or changing of people took.
        self.people_seq = max((each.updated_seq for each in participants), default=0)
        self.reserved = chat.seq_reserved
        self.pending = 0  # changes in the journal; a state with some is never forgotten
        self.closed = False
        # Its size, as it is counted in the size of all states, while it is among these.
        self.weighed = 0
        self.scale: Scale | None = None
        # The latest messages that were deleted; None until there is one.
        self.deleted: deque[int] | None = None
        self.last_message = tail[-1] if tail else None
        self.tail: deque[TailEntry] = deque(maxlen=TAIL_MESSAGES)
        for message in tail:
            self._append(message)
        # Repeats of what was sent before this server knew the chat; later ones are in
        # MessageService's memory.
        self.earlier_keys: dict[tuple[UserId, str], int] = {
            (each.sender_id, each.client_message_id): each.id
            for each in tail
            if each.client_message_id is not None
        }
        # Every message from this number on is in the tail.
        self.tail_from = tail[0].seq if len(tail) >= TAIL_MESSAGES else 1

    def rank_of(self, identity: Identity) -> int:
        """The caller's rank in this chat; -1 = none. Admins count as moderators everywhere, the
        host as more.
        """
        member = self.members.get(identity.user_id)
        rank = -1 if member is None else member.role.rank
        kind = identity.type
        if kind == "admin":
            return max(rank, Role.MODERATOR.rank)
        return SERVICE_RANK if kind == "service" else rank

    def names(self, user_id: UserId) -> bool:
        """Whether the user is in the chat, or is somebody whom its history names."""
        return user_id in self.members or user_id in self.outsiders

    def created(self, message: Message) -> None:
        """A message was made; its sender has, by writing it, read up to here."""
        if len(self.tail) == TAIL_MESSAGES:
            self.tail_from = self.tail[1].seq
        self._append(message)
        scale = self.scale
        if scale is not None:
            scale.replaced(self, message)
        self.last_message = message

    def changed(self, message: Message) -> None:
        """A message was edited or deleted."""
        last = self.last_message
        if last is not None and last.id == message.id:
            self.last_message = message
        elif last is not None and message.deleted_at is not None:
            # Quotes of a deleted message are wiped in the store, so in here too.
            reply = last.reply_to
            if reply is not None and reply.id == message.id:
                self.last_message = replace(last, reply_to=replace(reply, message=""))
        entry = self.entry(message.id)
        if entry is not None:
            entry.deleted = message.deleted_at is not None
        if message.deleted_at is not None:
            if self.deleted is None:
                self.deleted = deque(maxlen=RECENT_DELETIONS)
            self.deleted.append(message.id)

    def entry(self, message_id: int) -> TailEntry | None:
        """The tail's entry of a message, None when it is older; linear in the tail's 100."""
        for entry in reversed(self.tail):
            if entry.id == message_id:
                return entry
        return None

    def _append(self, message: Message) -> None:
        self.tail.append(
            TailEntry(message.id, message.seq, message.sender_id, message.deleted_at is not None)
        )
