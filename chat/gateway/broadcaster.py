"""The Broadcaster port on Socket.IO: chats and users become rooms and sockets here."""

from collections.abc import Iterable

from chat.contracts.pushes import ServerEvent
from chat.gateway.chat_server import ChatServer
from chat.gateway.engineio.session import ChatSession
from chat.gateway.fanout import Fanout
from chat.gateway.hub import Connections
from chat.gateway.room_names import NAMESPACE, chat_room
from chat.identity import UserId


class SocketBroadcaster:
    def __init__(self, server: ChatServer, connections: Connections, fanout: Fanout) -> None:
        self._server = server
        self._manager = server.manager
        self._connections = connections
        self._fanout = fanout

    def to_chat(
        self, chat_id: int, event: ServerEvent, *, except_user: UserId | None = None
    ) -> None:
        skip: list[ChatSession] = []
        if except_user is not None:
            skip = [each.session for each in self._connections.of_user(except_user)]
        self._fanout.to_room(chat_room(chat_id), event.name, event.payload, skip)

    def to_user(
        self, user_id: UserId, event: ServerEvent, *, outside_chat: int | None = None
    ) -> int:
        return self.to_users((user_id,), event, outside_chat=outside_chat)

    def to_users(
        self, user_ids: Iterable[UserId], event: ServerEvent, *, outside_chat: int | None = None
    ) -> int:
        sessions = [
            each.session
            for user_id in user_ids
            for each in self._connections.of_user(user_id)
            if outside_chat is None or outside_chat not in each.rooms
        ]
        if sessions:
            self._fanout.to_sessions(sessions, event.name, event.payload)
        return len(sessions)

    def is_outside(self, chat_id: int, user_id: UserId) -> bool:
        return any(chat_id not in each.rooms for each in self._connections.of_user(user_id))

    def disconnect(self, user_id: UserId, event: ServerEvent | None) -> int:
        connections = self._connections.of_user(user_id)
        for connection in connections:
            if event is not None:
                self._fanout.to_session(connection.session, event.name, event.payload)
            self._server.close_session(connection.session_id)
        return len(connections)

    def evict(self, chat_id: int, user_id: UserId | None = None) -> None:
        room = chat_room(chat_id)
        for socket_id, _ in list(self._manager.get_participants(NAMESPACE, room)):
            connection = self._connections.get(socket_id)
            if connection is None or user_id not in (None, connection.identity.user_id):
                continue
            connection.rooms.discard(chat_id)
            self._manager.basic_leave_room(socket_id, NAMESPACE, room)
