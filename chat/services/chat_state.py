"""The memory of one active chat: settings, participants, the last number, the latest messages."""

from collections import deque
from collections.abc import Mapping, Set
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, cast

from chat.entities import Chat, ChatType, Message, Participant, Role
from chat.identity import Identity, UserId, UserKey, user_key
from chat.services.grants import Grant, Holder, role_granted
from chat.services.state_sizes import Scale, size_of, text_size

TAIL_MESSAGES: Final = 100
RECENT_DELETIONS: Final = 256
"""More than a chat can have while an answer waits for its turn in the journal."""

SERVICE_RANK: Final = Role.OWNER.rank + 1


@dataclass(slots=True)
class TailEntry:
    """The part of a message that counts and cursors need."""

    id: int
    seq: int
    sender_id: UserId
    # Deleted, or a line of the timeline: it is never unread.
    is_silent: bool


class ChatState:
    """One active chat. Other classes read it, and change it by methods named after what happened.

    The journal calls `queued`, `reserved_up_to`, `committed` and `settled`. A change's
    `commit` calls `created` and the other methods that change content: it runs after the write,
    so that memory never has more than the disk.
    """

    __slots__ = (
        "__weakref__", "_barred", "_chat", "_closed", "_deleted", "_earlier_keys", "_head",
        "_last_message", "_left", "_members", "_members_version", "_outsiders",
        "_participants_seq", "_pending", "_reserved", "_scale", "_tail", "_tail_from",
        "_tenant", "_weight", "granted",
    )  # fmt: skip

    def __init__(
        self, chat: Chat, participants: list[Participant], head: int, tail: list[Message]
    ) -> None:
        self._chat = chat
        self._tenant = chat.tenant
        self._members: dict[UserId, Participant] = {
            each.user_id: each for each in participants if each.removed_at is None
        }
        self._outsiders: set[UserId] = {
            each.user_id for each in participants if each.removed_at is not None
        }
        self._outsiders.update(chat.outside_authors)
        self._outsiders.update(each.sender_id for each in tail)
        self._outsiders.add(chat.created_by)
        self._outsiders.difference_update(self._members)
        self._left: dict[UserId, datetime] = {
            each.user_id: each.removed_at
            for each in participants
            if each.left and each.removed_at is not None
        }
        self._barred: set[UserId] = {
            each.user_id for each in participants if each.removed_at is not None and not each.left
        }
        # Seats that the host gave when it was asked; a state loaded anew gets them too.
        self.granted: Mapping[Holder, Grant] | None = None
        self._head = head
        self._members_version = 0
        self._participants_seq = max((each.updated_seq for each in participants), default=0)
        self._reserved = chat.seq_reserved
        self._pending = 0
        self._closed = False
        self._weight = 0
        self._scale: Scale | None = None
        # None until a message is deleted.
        self._deleted: deque[int] | None = None
        self._last_message = tail[-1] if tail else None
        self._tail: deque[TailEntry] = deque(maxlen=TAIL_MESSAGES)
        for message in tail:
            self._append(message)
        self._earlier_keys: dict[tuple[UserId, str], int] = {
            (each.sender_id, each.client_message_id): each.id
            for each in tail
            if each.client_message_id is not None
        }
        # Every message from this number on is in the tail.
        self._tail_from = tail[0].seq if len(tail) >= TAIL_MESSAGES else 1

    # ---- what others read

    @property
    def chat(self) -> Chat:
        return self._chat

    @property
    def members(self) -> Mapping[UserId, Participant]:
        return self._members

    @property
    def members_version(self) -> int:
        """Version of the member list: a checked permission holds until this number changes."""
        return self._members_version

    @property
    def outsiders(self) -> Set[UserId]:
        """Users whom the chat's history names and who are no participants.

        Former participants, and those who wrote, deleted or made the chat without being in it.
        """
        return self._outsiders

    @property
    def head(self) -> int:
        """The last number that is committed and pushed; every read is bounded by it."""
        return self._head

    @property
    def reserved(self) -> int:
        """The highest number that the store has reserved for the chat."""
        return self._reserved

    @property
    def pending(self) -> int:
        """Count of changes in the journal; a state that has any is never forgotten."""
        return self._pending

    @property
    def participants_seq(self) -> int:
        """The last number that a change of participants took."""
        return self._participants_seq

    @property
    def closed(self) -> bool:
        """Whether the chat is deleted."""
        return self._closed

    @property
    def last_message(self) -> Message | None:
        return self._last_message

    @property
    def earlier_keys(self) -> Mapping[tuple[UserId, str], int]:
        """Ids of messages by sender and clientMessageId, for repeats of what the tail had at load.

        RecentSends knows the later ones.
        """
        return self._earlier_keys

    @property
    def tail_from(self) -> int:
        """Every message from this number on is counted by `count_unread`."""
        return self._tail_from

    @property
    def tail_length(self) -> int:
        return len(self._tail)

    def rank_of(self, identity: Identity) -> int:
        """The caller's rank in this chat; -1 = none.

        Admins count as moderators in all chats of their tenant, the host as more.
        """
        if identity.tenant != self._tenant:
            return -1
        member = self._members.get(identity.user_id)
        rank = -1 if member is None else member.role.rank
        kind = identity.type
        if kind == "admin":
            return max(rank, Role.MODERATOR.rank)
        if kind == "service":
            return SERVICE_RANK
        # Nearly everybody: 0.03 us.
        if identity.seats is None and not self.granted:
            return rank
        seat = self.seat_of(identity)
        if seat is None:
            return rank
        return seat.rank if rank < 0 else min(rank, seat.rank)

    def seat_of(self, identity: Identity) -> Role | None:
        """The role that the caller's token or the host gives here; None = no seat.

        A user whom a moderator has removed has no seat until somebody adds the user again.
        """
        ref, user_id = self._chat.external_ref, identity.user_id
        if (
            ref is None
            or self._tenant != identity.tenant
            or self._chat.type is ChatType.DIRECT
            or user_id in self._barred
        ):
            return None
        if identity.seats is not None:
            claimed = identity.seats.role_in(ref)
            if claimed is not None:
                return Role(claimed)
        return role_granted(self.granted, identity, ref)

    def mine_of(self, identity: Identity) -> Participant | None:
        """The caller as a participant with the role that holds now; None = not in the chat.

        A caller who only has a seat is not in `members`, and has read nothing.
        """
        if self._tenant != identity.tenant:
            return None
        member = self._members.get(identity.user_id)
        seat = None if identity.is_privileged else self.seat_of(identity)
        if seat is None:
            return member
        if member is not None:
            return replace(member, role=seat) if seat.rank < member.role.rank else member
        return Participant(
            chat_id=self._chat.id,
            tenant=self._tenant,
            user_id=identity.user_id,
            role=seat,
            joined_at=self._chat.created_at,
            updated_seq=0,
        )

    def is_barred(self, user_id: UserId) -> bool:
        """Whether a moderator has removed the user, and nobody has added the user since."""
        return user_id in self._barred

    def key_of(self, user_id: UserId) -> UserKey:
        """The key of a user of the chat's tenant."""
        if self._tenant:
            return user_key(self._tenant, user_id)
        return user_id  # type: ignore[return-value]  # as user_key says it, in half the time

    def member_keys(self) -> Set[UserKey]:
        """The keys of all participants."""
        if not self._tenant:
            return cast("Set[UserKey]", self._members.keys())
        return {user_key(self._tenant, each) for each in self._members}

    def names(self, user_id: UserId) -> bool:
        """Whether the user is in the chat, or is somebody whom its history names."""
        return user_id in self._members or user_id in self._outsiders

    def left_at(self, user_id: UserId) -> datetime | None:
        """When a former participant left of their own accord."""
        return self._left.get(user_id)

    def has_deleted(self, message_id: int) -> bool:
        """Whether the message is among the latest that were deleted."""
        return self._deleted is not None and message_id in self._deleted

    def entry(self, message_id: int) -> TailEntry | None:
        """The tail's entry of a message, None when it is older; searches up to 100 entries."""
        for entry in reversed(self._tail):
            if entry.id == message_id:
                return entry
        return None

    def count_unread(self, user_id: UserId, cursor: int) -> int:
        """Messages of the tail after the cursor that are not the user's own and not silent."""
        return sum(
            entry.seq > cursor and entry.sender_id != user_id and not entry.is_silent
            for entry in self._tail
        )

    # ---- numbers

    def queued(self) -> None:
        """Count a change that was put into the journal."""
        self._pending += 1

    def settled(self) -> None:
        """Stop counting a change of the journal: its outcome is known."""
        self._pending -= 1

    def reserved_up_to(self, seq: int) -> None:
        """Note that the store has reserved numbers up to here."""
        self._reserved = seq

    def committed(self, seq: int) -> None:
        """Move the head to a number that is stored, right before its change is applied here."""
        self._head = seq

    def renumbered(self, head: int) -> None:
        """Move the head to what the store says, after it refused a number as taken."""
        self._head = head

    # ---- content

    def created(self, message: Message) -> bool:
        """Append a new message; True = its sender is a participant, and has read up to it.

        Nobody has by a line of the timeline.
        """
        self.told(message)
        member = self._members.get(message.sender_id)
        if member is None or message.system is not None:
            return False
        member.read_up_to(message.id, message.seq)
        return True

    def told(self, message: Message) -> None:
        """Append a new message that moves no cursor."""
        if len(self._tail) == TAIL_MESSAGES:
            self._tail_from = self._tail[1].seq
        self._append(message)
        if self._scale is not None:
            grown = text_size(message) - text_size(self._last_message)
            self._weight += grown
            self._scale.total += grown
        self._last_message = message

    def changed(self, message: Message) -> None:
        """Replace a message that was edited or deleted."""
        last = self._last_message
        if last is not None and last.id == message.id:
            self._last_message = message
        elif last is not None and message.deleted_at is not None:
            # The store has wiped quotes of a deleted message.
            reply = last.reply_to
            if reply is not None and reply.id == message.id:
                self._last_message = replace(last, reply_to=replace(reply, message=""))
        entry = self.entry(message.id)
        if entry is not None:
            entry.is_silent = message.is_silent
        if message.deleted_at is not None:
            if self._deleted is None:
                self._deleted = deque(maxlen=RECENT_DELETIONS)
            self._deleted.append(message.id)

    def configured(self, chat: Chat) -> None:
        """Replace the settings."""
        self._chat = chat

    # ---- participants

    def added(self, participant: Participant) -> None:
        """Add a participant, or replace one whose role has changed."""
        self._count_change(participant)
        user_id = participant.user_id
        self._members[user_id] = participant
        self._outsiders.discard(user_id)
        self._barred.discard(user_id)
        self._left.pop(user_id, None)

    def removed(self, participant: Participant) -> None:
        """Take out a participant who left or was removed."""
        self._count_change(participant)
        user_id = participant.user_id
        self._members.pop(user_id, None)
        self._outsiders.add(user_id)
        if participant.left and participant.removed_at is not None:
            self._left[user_id] = participant.removed_at
        else:
            self._barred.add(user_id)

    def reseated(self, granted: Mapping[Holder, Grant]) -> None:
        """Note the seats that the host gives now; changes that wait are checked again."""
        self.granted = granted
        self._members_version += 1

    def read(self, mine: Participant, message_id: int, seq: int) -> Participant:
        """Move a participant's cursor; returns the new value, which later reads do not change."""
        mine = replace(mine, last_read_message_id=message_id, last_read_seq=seq)
        self._members[mine.user_id] = mine
        return mine

    def named(self, user_id: UserId) -> None:
        """Note an author who is no participant."""
        self._outsiders.add(user_id)

    # ---- the state as a whole

    def dropped(self) -> None:
        """Close the state of a chat that is deleted, for all who hold it."""
        self._closed = True
        self._members_version += 1

    def weigh(self, scale: Scale) -> None:
        """Count the state's size on the scale, in place of what it counted for before."""
        size = size_of(self)
        scale.total += size - self._weight
        self._weight, self._scale = size, scale

    def unweigh(self) -> None:
        """Take the state's size off the scale; safe to repeat."""
        if self._scale is not None:
            self._scale.total -= self._weight
        self._weight, self._scale = 0, None

    def _count_change(self, participant: Participant) -> None:
        self._members_version += 1
        self._participants_seq = max(self._participants_seq, participant.updated_seq)

    def _append(self, message: Message) -> None:
        self._tail.append(TailEntry(message.id, message.seq, message.sender_id, message.is_silent))
