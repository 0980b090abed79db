"""Who is connected with which sockets, and which chats' rooms each socket has entered."""

from dataclasses import dataclass, field

from chat.gateway.engineio.session import ChatSession
from chat.gateway.inbox import Inbox
from chat.identity import Identity, UserId


@dataclass(slots=True, eq=False)
class Connection:
    """One authenticated socket. `session` is the Engine.IO session below it."""

    socket_id: str
    session: ChatSession
    identity: Identity
    remote_ip: str
    connected_at: float
    inbox: Inbox = field(default_factory=Inbox)
    rooms: set[int] = field(default_factory=set)
    closed: bool = False
    # The second in which the token's life is looked at next; see token_life.
    token_due: int = 0

    @property
    def session_id(self) -> str:
        return str(self.session.sid)


class Connections:
    """The registry of authenticated sockets. All in memory, all synchronous."""

    def __init__(self) -> None:
        self._by_socket: dict[str, Connection] = {}
        # A plain dict a user: a room of python-socketio's costs 0.6 kB even with one member.
        self._by_user: dict[UserId, dict[str, Connection]] = {}

    def add(self, connection: Connection) -> None:
        self._by_socket[connection.socket_id] = connection
        self._by_user.setdefault(connection.identity.user_id, {})[connection.socket_id] = connection

    def remove(self, connection: Connection) -> None:
        connection.closed = True
        self._by_socket.pop(connection.socket_id, None)
        user_id = connection.identity.user_id
        sockets = self._by_user.get(user_id)
        if sockets is not None:
            sockets.pop(connection.socket_id, None)
            if not sockets:
                del self._by_user[user_id]

    def get(self, socket_id: str) -> Connection | None:
        return self._by_socket.get(socket_id)

    def of_user(self, user_id: UserId) -> list[Connection]:
        """All sockets of one user, the oldest first."""
        return list(self._by_user.get(user_id, {}).values())

    def count_of(self, user_id: UserId) -> int:
        return len(self._by_user.get(user_id, ()))

    def all(self) -> list[Connection]:
        return list(self._by_socket.values())

    def active_users_count(self) -> int:
        return len(self._by_user)

    def __len__(self) -> int:
        return len(self._by_socket)
