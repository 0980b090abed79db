"""Implements the port Broadcaster: sends events to the room of a chat or a user's sockets."""

from collections.abc import Iterable

from chat.contracts.pushes import ServerEvent
from chat.gateway.engineio.session import Session
from chat.gateway.fanout import Fanout
from chat.gateway.hub import Connection, Hub
from chat.identity import UserKey
from chat.ports import Socket


class SocketBroadcaster:
    def __init__(self, hub: Hub, fanout: Fanout) -> None:
        self._hub = hub
        self._fanout = fanout

    def to_chat(
        self, chat_id: int, event: ServerEvent, *, except_user: UserKey | None = None
    ) -> None:
        skip: list[Session] = []
        if except_user is not None:
            skip = [each.session for each in self._hub.of_user(except_user)]
        self._fanout.to_room(chat_id, event, skip)

    def to_socket(self, socket: Socket, event: ServerEvent) -> None:
        if isinstance(socket, Connection):
            self._fanout.to_session(socket.session, event)

    def to_user(self, key: UserKey, event: ServerEvent, *, outside_chat: int | None = None) -> int:
        return self.to_users((key,), event, outside_chat=outside_chat)

    def to_users(
        self, keys: Iterable[UserKey], event: ServerEvent, *, outside_chat: int | None = None
    ) -> int:
        sessions = [
            each.session
            for key in keys
            for each in self._hub.of_user(key)
            if outside_chat is None or outside_chat not in each.rooms
        ]
        if sessions:
            self._fanout.to_sessions(sessions, event)
        return len(sessions)

    def is_outside(self, chat_id: int, key: UserKey) -> bool:
        return self._hub.is_outside(chat_id, key)

    def disconnect(self, key: UserKey, event: ServerEvent | None) -> int:
        connections = self._hub.of_user(key)
        for connection in connections:
            if event is not None:
                self._fanout.to_session(connection.session, event)
            connection.session.close_soon()
        return len(connections)

    def evict(self, chat_id: int, key: UserKey | None = None) -> None:
        self._hub.evict(chat_id, key)
