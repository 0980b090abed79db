"""The hub: who is connected with which sockets, and which sockets are in which chat's room.

The hub is in memory and synchronous. No other module stores who is connected, or in which room.
"""

from collections.abc import KeysView
from dataclasses import dataclass, field

from chat.gateway.inbox import Inbox
from chat.gateway.socketio.session import ClientSession
from chat.identity import Identity, UserKey


@dataclass(slots=True, eq=False)
class Connection:
    """The record of one authenticated socket; `session` is the Engine.IO session below it."""

    socket_id: str
    session: ClientSession
    identity: Identity
    remote_ip: str
    connected_at: float
    hub: "Hub"
    inbox: "Inbox[Connection]" = field(default_factory=Inbox)
    rooms: set[int] = field(default_factory=set)
    closed: bool = False
    # The slot of the connection's token in the Wheel of token_expiry.py.
    token_slot: int = 0

    def enter(self, chat_id: int) -> bool:
        """Enter the chat's room; returns whether this is the user's first socket there."""
        return self.hub.enter(self, chat_id)

    def leave(self, chat_id: int) -> bool:
        """Leave the chat's room; returns whether this was the user's last socket there."""
        return self.hub.leave(self, chat_id)


class _Room:
    """The sockets in one chat's room."""

    __slots__ = ("members", "sessions")

    def __init__(self) -> None:
        # In the order in which they entered.
        self.members: dict[Connection, ClientSession] = {}
        # The sessions of all members, collected for the first push after a change.
        self.sessions: list[ClientSession] | None = None


class Hub:
    """The registry of connections, users and rooms."""

    def __init__(self) -> None:
        self._by_session: dict[str, Connection] = {}
        # A plain dict for each user: a room of python-socketio costs 0.6 kB even with one member.
        self._by_user: dict[UserKey, dict[Connection, None]] = {}
        self._rooms: dict[int, _Room] = {}

    def __len__(self) -> int:
        """Count the sockets."""
        return len(self._by_session)

    # ---- connections and users

    def add(self, connection: Connection) -> bool:
        """Add a connection; returns whether it is the user's first."""
        self._by_session[connection.session.sid] = connection
        key = connection.identity.key
        sockets = self._by_user.get(key)
        if sockets is None:
            self._by_user[key] = {connection: None}
            return True
        sockets[connection] = None
        return False

    def remove(self, connection: Connection) -> bool:
        """Remove a connection that has left its rooms; returns whether it was the user's last."""
        self._by_session.pop(connection.session.sid, None)
        key = connection.identity.key
        sockets = self._by_user.get(key, {})
        sockets.pop(connection, None)
        if sockets:
            return False
        return self._by_user.pop(key, None) is not None

    def get(self, session_id: str) -> Connection | None:
        return self._by_session.get(session_id)

    def all(self) -> list[Connection]:
        return list(self._by_session.values())

    def of_user(self, key: UserKey) -> list[Connection]:
        """Return all connections of one user, the oldest first."""
        return list(self._by_user.get(key, ()))

    def count_of(self, key: UserKey) -> int:
        return len(self._by_user.get(key, ()))

    def users(self) -> KeysView[UserKey]:
        """Return the users with at least one socket."""
        return self._by_user.keys()

    # ---- rooms

    def enter(self, connection: Connection, chat_id: int) -> bool:
        """Put a connection into a room; returns whether it is the user's first there."""
        is_first = not self.is_in_room(chat_id, connection.identity.key)
        connection.rooms.add(chat_id)
        room = self._rooms.get(chat_id)
        if room is None:
            room = self._rooms[chat_id] = _Room()
        room.members[connection] = connection.session
        room.sessions = None
        return is_first

    def leave(self, connection: Connection, chat_id: int) -> bool:
        """Take a connection out of a room; returns whether it was the user's last there."""
        connection.rooms.remove(chat_id)
        room = self._rooms[chat_id]
        del room.members[connection]
        room.sessions = None
        if not room.members:
            del self._rooms[chat_id]
        return not self.is_in_room(chat_id, connection.identity.key)

    def evict(self, chat_id: int, key: UserKey | None = None) -> None:
        """Take a user's connections out of a room, or all connections if `key` is None."""
        for connection in self.in_room(chat_id):
            if key in (None, connection.identity.key):
                self.leave(connection, chat_id)

    def in_room(self, chat_id: int) -> list[Connection]:
        room = self._rooms.get(chat_id)
        return [] if room is None else list(room.members)

    def sessions_in(self, chat_id: int) -> list[ClientSession]:
        """Return the sessions of a room, as the same list until somebody enters or leaves."""
        room = self._rooms.get(chat_id)
        if room is None:
            return []
        if room.sessions is None:
            room.sessions = list(room.members.values())
        return room.sessions

    def users_in(self, chat_id: int, limit: int) -> list[UserKey]:
        """Return up to `limit` users in a room, each once, in the order in which they entered.

        However many sockets are in the room, this looks at no more than these users may have.
        """
        room = self._rooms.get(chat_id)
        users: dict[UserKey, None] = {}
        for connection in () if room is None else room.members:
            users[connection.identity.key] = None
            if len(users) >= limit:
                break
        return list(users)

    def is_in_room(self, chat_id: int, key: UserKey) -> bool:
        return any(chat_id in each.rooms for each in self._by_user.get(key, ()))

    def is_outside(self, chat_id: int, key: UserKey) -> bool:
        """Whether the user has a socket that is not in the room."""
        return any(chat_id not in each.rooms for each in self._by_user.get(key, ()))
