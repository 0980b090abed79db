"""The hub's answers to who is where, beside a plain list of who is where."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from chat.gateway.hub import Connection, Hub
from chat.identity import Identity, UserKey, tenant_of, user_id_of, user_key

USERS = (user_key("", 1), user_key("", 2), user_key("acme", 1))
CHATS = (10, 20)
NEVER = datetime(2100, 1, 1, tzinfo=UTC)

user = st.sampled_from(USERS)
chat = st.sampled_from(CHATS)
nth = st.integers(0, 5)
act = st.one_of(
    st.tuples(st.just("come"), user, nth),
    st.tuples(st.just("enter"), chat, nth),
    st.tuples(st.just("enter"), chat, nth),
    st.tuples(st.just("leave"), chat, nth),
    st.tuples(st.just("go"), chat, nth),
    st.tuples(st.just("evict"), chat, st.none() | user),
)


class Beside:
    """A hub, and a list of `(connection, rooms)` in the order of their coming."""

    def __init__(self) -> None:
        self.hub = Hub()
        self.here: list[tuple[Connection, dict[int, int]]] = []
        self._count = 0

    def users_in(self, chat_id: int | None) -> list[Any]:
        return [
            each.identity.key for each, rooms in self.here if chat_id is None or chat_id in rooms
        ]

    def come(self, key: UserKey) -> None:
        self._count += 1
        session: Any = SimpleNamespace(sid=f"s{self._count}")
        identity = Identity(
            tenant=tenant_of(key), user_id=user_id_of(key), type="employee", expires_at=NEVER
        )
        connection = Connection(f"socket{self._count}", session, identity, "", 0.0, self.hub)
        assert self.hub.add(connection) == (key not in self.users_in(None))
        self.here.append((connection, {}))

    def enter(self, chat_id: int, connection: Connection, rooms: dict[int, int]) -> None:
        if chat_id in rooms:
            return
        is_first = connection.identity.key not in self.users_in(chat_id)
        assert connection.enter(chat_id) == is_first
        self._count += 1
        rooms[chat_id] = self._count

    def leave(self, chat_id: int, connection: Connection, rooms: dict[int, int]) -> None:
        if chat_id in rooms:
            del rooms[chat_id]
            is_last = connection.identity.key not in self.users_in(chat_id)
            assert connection.leave(chat_id) == is_last

    def go(self, connection: Connection, rooms: dict[int, int]) -> None:
        for chat_id in list(rooms):
            self.leave(chat_id, connection, rooms)
        self.here = [each for each in self.here if each[0] is not connection]
        is_last = connection.identity.key not in self.users_in(None)
        assert self.hub.remove(connection) == is_last

    def evict(self, chat_id: int, key: UserKey | None) -> None:
        self.hub.evict(chat_id, key)
        for connection, rooms in self.here:
            if key in (None, connection.identity.key):
                rooms.pop(chat_id, None)

    def act(self, what: str, first: Any, second: Any) -> None:
        if what == "come":
            self.come(first)
        elif what == "evict":
            self.evict(first, second)
        elif self.here:
            connection, rooms = self.here[second % len(self.here)]
            if what == "enter":
                self.enter(first, connection, rooms)
            elif what == "leave":
                self.leave(first, connection, rooms)
            else:
                self.go(connection, rooms)

    def compare(self) -> None:
        assert self.hub.all() == [each for each, _ in self.here]
        assert self.hub.users() == set(self.users_in(None))
        for connection, rooms in self.here:
            assert self.hub.get(connection.session.sid) is connection
            assert connection.rooms == rooms.keys()
        for chat_id in CHATS:
            inside = [(rooms[chat_id], each) for each, rooms in self.here if chat_id in rooms]
            inside.sort(key=lambda each: each[0])
            assert self.hub.in_room(chat_id) == [each for _, each in inside]
            sessions = self.hub.sessions_in(chat_id)
            assert sessions == [each.session for _, each in inside]
            users = list(dict.fromkeys(each.identity.key for _, each in inside))
            for limit in (1, 2, 100):
                assert self.hub.users_in(chat_id, limit) == users[:limit]
            assert not sessions or self.hub.sessions_in(chat_id) is sessions
            for key in USERS:
                assert self.hub.is_in_room(chat_id, key) == (key in self.users_in(chat_id))
                outside = self.users_in(None).count(key) > self.users_in(chat_id).count(key)
                assert self.hub.is_outside(chat_id, key) == outside


@settings(max_examples=200, deadline=None)
@given(st.lists(act, max_size=30))
def test_the_hub_knows_who_is_where(acts) -> None:
    """Who is first in and last out, by room and by user; nothing of those who are gone is kept."""
    beside = Beside()
    for each in acts:
        beside.act(*each)
        beside.compare()
    for connection, rooms in list(beside.here):
        beside.go(connection, rooms)
    hub = beside.hub
    assert (hub._by_session, hub._by_user, hub._rooms) == ({}, {}, {})
