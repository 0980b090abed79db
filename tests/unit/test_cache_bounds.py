"""Caches are bounded by what they hold: a thousand small things, or a few large ones."""

import asyncio
from types import SimpleNamespace

from chat.entities import Participant, Role, User
from chat.hooks import notices
from chat.hooks.manager import PluginManager
from chat.hooks.specs import after_message_created
from chat.services import people, presence
from chat.services.chat_states import ChatStates
from chat.services.people import People
from chat.services.presence import PresenceService
from chat.services.state_sizes import size_of
from tests.plugins.test_notices import hearing, message, turns
from tests.support.virtual_time import run
from tests.unit.test_memories import NOW, _message, _state


def states_of(most_bytes):
    return ChatStates(None, None, None, lambda _: None, most_bytes=most_bytes)


def seated(chat_id, count):
    state = _state(chat_id)
    for user_id in range(2, count + 1):
        participant = Participant(
            chat_id=chat_id,
            tenant="",
            user_id=user_id,
            role=Role.MEMBER,
            joined_at=NOW,
            updated_seq=0,
        )
        state.added(participant)
    return state


def counted(states):
    return sum(size_of(each) for each in states._states.values())


def test_chats_of_many_people_are_fewer_in_memory():
    """The latest that fit, by the people in them; what was forgotten is not counted."""
    states = states_of(1_000_000)
    for chat_id in range(1, 21):
        states.put(seated(chat_id, 1_000))
    assert list(states._states) == [18, 19, 20]
    assert states._scale.total == counted(states) < 1_000_000
    for chat_id in range(101, 601):
        states.put(seated(chat_id, 2))
    assert 300 < len(states._states) < 400
    assert states._scale.total == counted(states)
    assert len(states._chats_of) == 2


def test_a_chat_that_grows_counts_for_more():
    """By the people who come, and by a long last message; for less when they go."""
    states = states_of(10**9)
    state = seated(1, 2)
    states.put(state)
    before = states._scale.total
    for user_id in range(10, 110):
        seat = Participant(
            chat_id=1, tenant="", user_id=user_id, role=Role.MEMBER, joined_at=NOW, updated_seq=0
        )
        states.set_member(state, seat)
    assert states._scale.total == counted(states) >= before + 100 * 300
    grown = states._scale.total
    long = _message(1, 1)
    long.message = "x" * 100_000
    state.created(long)
    assert states._scale.total > grown + 100_000
    state.created(_message(2, 1))
    assert states._scale.total < grown + 1_000
    states.drop(state)
    assert states._scale.total == 0
    state.created(long)
    assert states._scale.total == 0


def test_a_chat_larger_than_all_the_room_is_kept_while_it_is_used():
    """It is forgotten when the next one comes."""
    states = states_of(10_000)
    states.put(seated(1, 1_000))
    assert list(states._states) == [1]
    states.put(seated(2, 2))
    assert list(states._states) == [2]


def test_profiles_with_long_addresses_are_fewer_in_memory(monkeypatch):
    """Bounded in bytes too; a profile that is told anew counts once."""
    monkeypatch.setattr(people, "MAX_KNOWN_BYTES", 100_000)
    known = People(None, None, lambda _: None)
    for user_id in range(100):
        for _ in range(2):
            known._keep(User(key=user_id, name="x", avatar_url="y" * 2_000))
    assert 30 < len(known._known) < 50
    assert known.known(99) is not None
    for user_id in range(100, 200):
        known._keep(User(key=user_id))
    assert len(known._known) > 100
    assert known._known_bytes == sum(map(people._size, known._known.values()))


async def test_notices_of_long_messages_are_bounded_in_bytes(monkeypatch):
    """A plugin that hangs does not keep all that was said in memory."""
    monkeypatch.setattr(notices, "MAX_WAITING_BYTES", 100_000)
    gate, heard = asyncio.Event(), []

    async def wait(event):
        await gate.wait()
        heard.append(event.message.id)

    def long(number):
        event = message(number)
        event.message.message = "x" * 10_000
        return event

    manager = PluginManager([hearing("slow", wait)])
    manager.notify_soon(after_message_created, message(0))
    await turns()
    for number in range(1, 41):
        manager.notify_soon(after_message_created, long(number))
    queue = manager.queues["slow"]
    assert queue.waiting <= 12
    assert queue.dropped == 41 - queue.waiting
    gate.set()
    await manager.drain()
    assert heard[-1] == 40
    assert queue._bytes == 0


def test_when_users_were_last_here_is_bounded(monkeypatch):
    """The latest are in memory; of others the store knows."""
    monkeypatch.setattr(presence, "MAX_LAST_SEEN", 3)

    async def come_and_go():
        service = PresenceService(
            whereabouts=SimpleNamespace(users=set),
            states=SimpleNamespace(loaded_chats_of=lambda _: []),
            people=SimpleNamespace(saw=lambda *_: None),
            broadcaster=None,
            clock=SimpleNamespace(now=lambda: NOW),
            grace_s=1,
        )
        for user_id in (1, 2, 3, 4, 2, 5):
            service.connected(user_id)
            service.disconnected(user_id)
        service.stop()
        return list(service._last_seen)

    assert run(come_and_go()) == [4, 2, 5]
