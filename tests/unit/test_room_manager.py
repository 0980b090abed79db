"""The room manager's indexes, beside the room manager of python-socketio."""

import itertools
from types import SimpleNamespace
from typing import Any

import socketio
from hypothesis import given, settings
from hypothesis import strategies as st

from chat.gateway.socketio.rooms import RoomManager

SPACES = ("/chat", "/custom")
ROOMS = ("a", "b", 3)

space = st.sampled_from(SPACES)
room = st.sampled_from(ROOMS)
member = st.integers(0, 5)
act = st.one_of(
    st.tuples(st.just("come"), space, st.just(0), room),
    st.tuples(st.just("enter"), space, member, room),
    st.tuples(st.just("enter"), space, member, room),
    st.tuples(st.just("leave"), space, member, room),
    st.tuples(st.just("close"), space, st.just(0), room),
    st.tuples(st.just("go"), space, member, room),
    st.tuples(st.just("ask"), space, member, room),
)


def _server(sessions: dict[str, str]) -> Any:
    ids = map("socket{}".format, itertools.count())
    eio = SimpleNamespace(generate_id=lambda: next(ids), sockets=sessions)
    return SimpleNamespace(eio=eio, packet_class=SimpleNamespace(json=None))


def _done(work: Any) -> Any:
    """What a coroutine that waits for nothing returns."""
    try:
        work.send(None)
    except StopIteration as done:
        return done.value
    raise AssertionError(work)


class Beside:
    """Both managers, told the same."""

    def __init__(self) -> None:
        self.sessions: dict[str, str] = {}
        self.ours, self.theirs = RoomManager(), socketio.AsyncManager()
        for manager in (self.ours, self.theirs):
            manager.set_server(_server(self.sessions))
        self.sockets: dict[str, list[str]] = {each: [] for each in SPACES}

    def come(self, space: str) -> None:
        session_id = f"session{len(self.sessions)}"
        self.sessions[session_id] = f"the {session_id}"
        found = {_done(each.connect(session_id, space)) for each in (self.ours, self.theirs)}
        self.sockets[space] += found
        assert len(found) == 1

    def act(self, what: str, space: str, nth: int, room: Any) -> None:
        sockets = self.sockets[space]
        if what == "come":
            self.come(space)
        elif what == "close":
            # What close_room does, without its wait.
            for manager in (self.ours, self.theirs):
                for socket_id, _ in list(manager.get_participants(space, room)):
                    manager.basic_leave_room(socket_id, space, room)
        elif sockets:
            socket_id = sockets[nth % len(sockets)]
            for manager in (self.ours, self.theirs):
                if what == "enter":
                    manager.basic_enter_room(socket_id, space, room)
                elif what == "leave":
                    manager.basic_leave_room(socket_id, space, room)
                elif what == "go":
                    manager.basic_disconnect(socket_id, space)
            if what == "go":
                sockets.remove(socket_id)
            self.compare(space, socket_id)

    def compare(self, space: str, socket_id: str) -> None:
        sockets = self.sockets[space]
        asked = [None, *ROOMS, "nobody", socket_id, ["a", "b"], [*sockets, "a"], [socket_id, 3]]
        for each in asked:
            theirs = dict(self.theirs.get_participants(space, each))
            assert dict(self.ours.get_participants(space, each)) == theirs
        assert set(self.ours.get_rooms(socket_id, space)) == set(
            self.theirs.get_rooms(socket_id, space) or ()
        )
        assert self.ours.is_connected(socket_id, space) == self.theirs.is_connected(
            socket_id, space
        )


@settings(max_examples=200, deadline=None)
@given(st.lists(act, max_size=30))
def test_who_is_in_which_room_is_what_python_socketio_says(acts) -> None:
    """Whoever comes and goes, and whatever was asked before: by room, by socket and by list."""
    beside = Beside()
    for space in SPACES:
        beside.come(space)
        beside.come(space)
    for each in acts:
        beside.act(*each)
    for space, sockets in beside.sockets.items():
        for socket_id in list(sockets):
            beside.compare(space, socket_id)
            beside.act("go", space, 0, "a")
    assert beside.ours._rooms_of == {}
