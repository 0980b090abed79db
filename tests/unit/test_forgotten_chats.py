"""The memory of missing chats, where the chat itself is not in memory any more."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from chat.entities import Chat, ChatType, Participant, Role
from chat.errors import ChatError
from chat.identity import Identity
from chat.services.chat_states import ChatState, ChatStates
from tests.support.pace import no_limits

NOW = datetime(2025, 10, 9, tzinfo=UTC)


def person(user_id, kind="employee"):
    return Identity(user_id=user_id, type=kind, expires_at=NOW + timedelta(days=1))


class Store:
    """Chats and their people, and no messages."""

    def __init__(self):
        self.chats = {}
        self.people = {}

    def make(self, chat_id, *user_ids):
        chat = Chat(
            id=chat_id, tenant="", type=ChatType.GROUP, title=None, external_ref=None,
            metadata=None, created_by=1, created_at=NOW, updated_at=NOW, updated_seq=1,
            seq_reserved=1,
        )  # fmt: skip
        seats = [
            Participant(
                chat_id=chat_id,
                tenant="",
                user_id=each,
                role=Role.MEMBER,
                joined_at=NOW,
                updated_seq=1,
            )
            for each in user_ids
        ]
        self.chats[chat_id], self.people[chat_id] = chat, seats
        return ChatState(chat, seats, 1, [])

    async def find(self, chat_id):
        return self.chats.get(chat_id)

    async def participants(self, chat_id):
        return self.people[chat_id]

    async def is_participant(self, chat_id, key):
        return any(each.key == key for each in self.people.get(chat_id, ()))

    async def is_of_tenant(self, chat_id, tenant):
        return chat_id in self.chats and self.chats[chat_id].tenant == tenant

    async def due_line(self, *_):
        return None

    async def window(self, *_):
        return []

    async def last_updated_seq(self, *_):
        return 0


@pytest.fixture
def store():
    return Store()


@pytest.fixture
def states(store):
    """The memory has room for one chat."""
    return ChatStates(store, store, no_limits(), lambda _identity: None, most_bytes=0)


async def refused(states, chat_id, who):
    with pytest.raises(ChatError):
        await states.require(chat_id, who)


@pytest.mark.parametrize("who", [person(1), person(7, "admin"), person("host", "service")])
async def test_a_chat_that_was_made_and_forgotten_is_not_hidden(store, states, who):
    """It was asked for just before it was made."""
    await refused(states, 5, who)
    states.put(store.make(5, 1))
    states.put(store.make(6, 1))
    assert states.loaded(5) is None
    assert (await states.require(5, who)).chat.id == 5


async def test_somebody_who_was_added_to_a_chat_that_is_forgotten_is_not_kept_out(store, states):
    """He asked for it just before."""
    state = store.make(5, 1)
    states.put(state)
    await refused(states, 5, person(2))
    seat = replace(store.people[5][0], user_id=2, updated_seq=2)
    store.people[5].append(seat)
    states.set_member(state, seat)
    del state
    states.put(store.make(6, 1))
    assert states.loaded(5) is None
    assert (await states.require(5, person(2))).chat.id == 5
