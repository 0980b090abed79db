"""The Broadcaster port on Socket.IO: chats and users become rooms and sockets here."""

from collections.abc import Iterable

from chat.contracts.pushes import ServerEvent
from chat.gateway.engineio.session import Session
from chat.gateway.fanout import Fanout
from chat.gateway.hub import Hub
from chat.identity import UserId


class SocketBroadcaster:
    def __init__(self, hub: Hub, fanout: Fanout) -> None:
        self._hub = hub
        self._fanout = fanout

    def to_chat(
        self, chat_id: int, event: ServerEvent, *, except_user: UserId | None = None
    ) -> None:
        skip: list[Session] = []
        if except_user is not None:
            skip = [each.session for each in self._hub.of_user(except_user)]
        self._fanout.to_room(chat_id, event, skip)

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
            for each in self._hub.of_user(user_id)
            if outside_chat is None or outside_chat not in each.rooms
        ]
        if sessions:
            self._fanout.to_sessions(sessions, event)
        return len(sessions)

    def is_outside(self, chat_id: int, user_id: UserId) -> bool:
        return self._hub.is_outside(chat_id, user_id)

    def disconnect(self, user_id: UserId, event: ServerEvent | None) -> int:
        connections = self._hub.of_user(user_id)
        for connection in connections:
            if event is not None:
                self._fanout.to_session(connection.session, event)
            connection.session.close_soon()
        return len(connections)

    def evict(self, chat_id: int, user_id: UserId | None = None) -> None:
        self._hub.evict(chat_id, user_id)
