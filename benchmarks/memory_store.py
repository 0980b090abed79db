"""A store that is none: chats and people in dicts, messages accepted and forgotten.

For measuring the wire alone; nothing of it is durable, so the product has no such thing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from chat.entities import Chat, Message, Participant, Revision, User, UserAccess
from chat.identity import UserId, UserKey
from chat.ports import Conflict


class NoMessages:
    async def insert(self, _messages: Sequence[Message]) -> dict[int, Conflict]:
        return {}

    async def find(self, _message_id: int) -> Message | None:
        return None

    async def find_by_client_message_id(
        self, _chat_id: int, _sender_id: UserId, _client_message_id: str
    ) -> Message | None:
        return None

    async def window(self, _chat_id: int, _low: int, _high: int) -> list[Message]:
        return []

    async def brief_window(self, _chat_id: int, _low: int, _high: int) -> list[Message]:
        return []

    async def changed(self, _chat_id: int, _low: int, _high: int) -> list[Message]:
        return []

    async def last_updated_seq(self, _chat_id: int, _low: int, _high: int) -> int:
        return 0

    async def update(self, _message: Message, *, seen: Message) -> bool:
        return False

    async def revisions(self, _message: Message) -> list[Revision]:
        return []

    async def wipe(self, _chat_id: int, _message_id: int) -> None:
        pass


class MemoryChats:
    def __init__(self) -> None:
        self._chats: dict[int, Chat] = {}
        self._people: dict[int, dict[UserId, Participant]] = {}
        self._chats_of: dict[UserKey, tuple[int, ...]] = {}

    async def insert(
        self, chat: Chat, participants: Sequence[Participant], _direct_key: str | None
    ) -> bool:
        self._chats[chat.id] = chat
        for each in participants:
            await self.put_participant(each)
        return True

    async def find(self, chat_id: int) -> Chat | None:
        return self._chats.get(chat_id)

    async def find_direct(self, _tenant: str, _direct_key: str) -> int | None:
        return None

    async def find_by_external_ref(self, _tenant: str, _external_ref: str) -> int | None:
        return None

    async def update(self, chat: Chat, line: Message | None = None) -> bool:
        self._chats[chat.id] = chat
        return True

    async def vacate(self, chat_id: int, user_ids: Sequence[UserId], at: datetime) -> None:
        for user_id in user_ids:
            await self.put_participant(replace(self._people[chat_id][user_id], removed_at=at))

    async def wipe(self, _chat_id: int) -> None:
        pass

    async def reserve_seq(self, chat_id: int, up_to: int) -> None:
        self._chats[chat_id] = replace(self._chats[chat_id], seq_reserved=up_to)

    async def add_outside_author(self, _chat_id: int, _user_id: UserId) -> None:
        pass

    async def participants(self, chat_id: int) -> list[Participant]:
        return list(self._people.get(chat_id, {}).values())

    async def is_participant(self, chat_id: int, key: UserKey) -> bool:
        return chat_id in self._chats_of.get(key, ())

    async def is_of_tenant(self, chat_id: int, tenant: str) -> bool:
        chat = self._chats.get(chat_id)
        return chat is not None and chat.tenant == tenant

    async def memberships(self, key: UserKey) -> list[int]:
        return sorted(self._chats_of.get(key, ()))

    async def put_participant(self, participant: Participant, line: Message | None = None) -> None:
        chat_id, key = participant.chat_id, participant.key
        self._people.setdefault(chat_id, {})[participant.user_id] = participant
        chats = tuple(each for each in self._chats_of.get(key, ()) if each != chat_id)
        if participant.removed_at is None:
            chats = (*chats, chat_id)
        self._chats_of[key] = chats

    async def due_line(self, _chat_id: int, _seq: int) -> Message | None:
        return None

    async def set_reads(self, cursors: Mapping[tuple[int, UserId], tuple[int, int]]) -> None:
        for (chat_id, user_id), (message_id, seq) in cursors.items():
            people = self._people[chat_id]
            people[user_id] = replace(
                people[user_id], last_read_message_id=message_id, last_read_seq=seq
            )


class NoUsers:
    async def find_many(self, _keys: Sequence[UserKey]) -> dict[UserKey, User]:
        return {}

    async def put_profiles(self, _users: Sequence[User]) -> None:
        pass

    async def set_last_seen(self, _moments: Mapping[UserKey, datetime]) -> None:
        pass


class NoAccess:
    async def all(self) -> list[UserAccess]:
        return []

    async def put(self, _access: UserAccess) -> None:
        pass


class MemoryIds:
    def __init__(self) -> None:
        self._next: dict[str, int] = {}

    async def reserve(self, sequence: str, count: int) -> int:
        first = self._next.get(sequence, 1)
        self._next[sequence] = first + count
        return first


class MemoryStore:
    """All repositories; see chat.ports.Store."""

    epoch = "none"

    def __init__(self) -> None:
        self.messages = NoMessages()
        self.chats = MemoryChats()
        self.users = NoUsers()
        self.access = NoAccess()
        self.ids = MemoryIds()

    async def open(self, data_dir: Path) -> None:
        pass

    async def close(self) -> None:
        pass

    async def ping(self) -> None:
        pass
