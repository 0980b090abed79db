"""A store in memory whose answers a test decides: for failures that a real one cannot be made to
have.

It keeps the unique indexes of the real one, and holds the journal to its word: every number and id
that is written was reserved before.
"""

import asyncio
import itertools
from collections import deque
from datetime import UTC, datetime

from chat.entities import Chat, ChatType, Message, Participant, Role
from chat.ports import Conflict

MOMENT = datetime(2025, 10, 9, 12, 0, 0, tzinfo=UTC)


class FakeMessages:
    """`mishaps` are taken by the next inserts: (how many of its documents land, what is raised
    then).
    """

    def __init__(self, chats, ids):
        self.stored = {}
        self.inserts = []
        self.mishaps = deque()
        self._chats, self._ids = chats, ids

    async def insert(self, messages):
        self.inserts.append(list(messages))
        await asyncio.sleep(0)  # a turn of the loop, as every write takes
        for each in messages:
            assert each.seq <= self._chats.reserved[each.chat_id], "the number was not reserved"
            assert each.id < self._ids.next["messages"], "the id was not reserved"
        if self.mishaps:
            landing, error = self.mishaps.popleft()
            for each in messages[:landing]:
                self.put(each)
            raise error
        refused = {}
        for place, each in enumerate(messages):
            conflict = self._conflict(each)
            if conflict is None:
                self.put(each)
            else:
                refused[place] = conflict
        return refused

    def put(self, message):
        self.stored[message.id] = message

    def _conflict(self, new):
        for each in self.stored.values():
            if each.id == new.id:
                return Conflict.ID
            if each.chat_id != new.chat_id:
                continue
            if new.seq in (each.seq, each.updated_seq):
                return Conflict.SEQUENCE
            key = (each.sender_id, each.client_message_id)
            if key[1] is not None and key == (new.sender_id, new.client_message_id):
                return Conflict.CLIENT_MESSAGE_ID
        return None

    async def find(self, message_id):
        return self.stored.get(message_id)

    async def find_by_client_message_id(self, chat_id, sender_id, client_message_id):
        for each in self.stored.values():
            if (each.chat_id, each.sender_id, each.client_message_id) == (
                chat_id,
                sender_id,
                client_message_id,
            ):
                return each
        return None

    async def window(self, chat_id, low, high):
        found = [e for e in self.stored.values() if e.chat_id == chat_id and low <= e.seq < high]
        return sorted(found, key=lambda each: each.seq)

    brief_window = window

    async def last_updated_seq(self, chat_id, low, high):
        numbers = [e.updated_seq for e in self.stored.values() if e.chat_id == chat_id]
        return max((each for each in numbers if low <= each < high), default=0)


class FakeChats:
    def __init__(self):
        self.reserved = {}
        self.error = None

    async def reserve_seq(self, chat_id, up_to):
        if self.error is not None:
            raise self.error
        self.reserved[chat_id] = up_to

    async def participants(self, chat_id):
        return [seat(chat_id)]


class FakeIds:
    def __init__(self):
        self.next = {"messages": 1}
        self.error = None

    async def reserve(self, sequence, count):
        if self.error is not None:
            raise self.error
        first = self.next[sequence]
        self.next[sequence] += count
        return first


_chat_ids = itertools.count(1)


def new_chat(chats, reserved=1_000):
    """A chat of one person; its own change is number 1 and theirs is 2."""
    chat = Chat(
        id=next(_chat_ids), tenant="", type=ChatType.GROUP, title=None, external_ref=None,
        metadata=None,
        created_by=1, created_at=MOMENT, updated_at=MOMENT, updated_seq=1, seq_reserved=reserved,
    )  # fmt: skip
    chats.reserved[chat.id] = reserved
    return chat


def seat(chat_id):
    return Participant(
        chat_id=chat_id, tenant="", user_id=1, role=Role.MEMBER, joined_at=MOMENT, updated_seq=2
    )


def draft(chat_id, text="hello", key=None, **fields):
    """A message as the journal is handed it: without id and number."""
    values = {
        "id": 0, "chat_id": chat_id, "seq": 0, "updated_seq": 0, "revision": 1, "sender_id": 1,
        "sender_type": "employee", "message": text, "client_message_id": key, "reply_to": None,
        "metadata": None, "created_at": MOMENT, "updated_at": MOMENT,
        "body_digest": text if key else None, **fields,
    }  # fmt: skip
    return Message(**values)
