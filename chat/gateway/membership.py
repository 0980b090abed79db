"""Sockets entering and leaving the rooms of chats."""

import socketio

from chat.contracts.pushes import removed_from_chat
from chat.errors import ChatError, ErrorCode
from chat.gateway.fanout import Fanout
from chat.gateway.hub import Connection, Connections
from chat.gateway.room_names import NAMESPACE, chat_room
from chat.hooks.events import RoomChange
from chat.hooks.manager import PluginManager
from chat.hooks.specs import after_join, after_leave, before_join
from chat.identity import Identity
from chat.services.chat_states import ChatState
from chat.services.domain import Domain


class RoomKeeper:
    def __init__(
        self,
        server: socketio.AsyncServer,
        fanout: Fanout,
        connections: Connections,
        domain: Domain,
        hooks: PluginManager,
        max_rooms: int,
    ) -> None:
        self._manager = server.manager
        self._fanout = fanout
        self._connections = connections
        self._domain = domain
        self._hooks = hooks
        self._max_rooms = max_rooms

    async def enter(
        self, connection: Connection, chat_id: int, *, automatic: bool = False
    ) -> ChatState:
        """Put the socket into the chat's room, once. NOT_PARTICIPANT, FORBIDDEN."""
        identity = connection.identity
        state = await self._domain.states.require(chat_id, identity)
        if chat_id in connection.rooms:
            return state
        if len(connection.rooms) >= self._max_rooms:
            limit = f"at most {self._max_rooms} chats a socket"
            raise ChatError(ErrorCode.FORBIDDEN, limit)
        change = RoomChange(identity=identity, chat_id=chat_id, automatic=automatic)
        await self._hooks.filter(before_join, change)
        # Asked again after the plugins: the user may have been removed, the socket may be gone.
        self._domain.states.check(state, identity)
        if connection.closed:
            return state
        connection.rooms.add(chat_id)
        self._manager.basic_enter_room(connection.socket_id, NAMESPACE, chat_room(chat_id))
        self._domain.attendance.entered(chat_id, identity.user_id)
        self._hooks.notify_soon(after_join, change)
        return state

    async def enter_all(self, connection: Connection) -> list[int]:
        """Put the socket into the rooms of all its user's chats, as many as it may; their ids.

        One query, once the chats are in memory.
        """
        user_id = connection.identity.user_id
        entered: list[int] = []
        for chat_id in await self._domain.chats.ids_of(user_id):
            if len(connection.rooms) >= self._max_rooms and chat_id not in connection.rooms:
                break
            try:
                await self.enter(connection, chat_id, automatic=True)
            except ChatError as error:
                if error.kind.retryable:
                    raise
                continue  # removed meanwhile, or a plugin keeps this socket out
            entered.append(chat_id)
        return entered

    async def leave(self, connection: Connection, chat_id: int) -> None:
        """Take the socket out of the chat's room; fine when it is not in there. NOT_PARTICIPANT."""
        await self._domain.states.require(chat_id, connection.identity)
        if chat_id in connection.rooms:
            self._take_out(connection, chat_id, lost=False)

    async def take_identity(self, connection: Connection, fresh: Identity) -> None:
        """Give the socket its user's new identity. One that is no admin's any more leaves the rooms
        of the chats that the user has no seat in, with `removedFromChat`.

        Others leave no room: who loses a seat is taken out of the room then.
        """
        states: dict[int, ChatState | None] = {}
        if connection.identity.is_privileged and not fresh.is_privileged:
            for chat_id in list(connection.rooms):
                states[chat_id] = await self._domain.states.get(chat_id)
        connection.identity = fresh
        for chat_id, state in states.items():
            if chat_id in connection.rooms and (state is None or state.rank_of(fresh) < 0):
                self._take_out(connection, chat_id, lost=False)
                event = removed_from_chat(chat_id, "removed")
                self._fanout.to_session(connection.session, event.name, event.payload)

    def drop(self, connection: Connection, *, lost: bool) -> None:
        """The socket is gone: out of all its rooms."""
        for chat_id in list(connection.rooms):
            self._take_out(connection, chat_id, lost=lost)

    def _take_out(self, connection: Connection, chat_id: int, *, lost: bool) -> None:
        identity = connection.identity
        connection.rooms.discard(chat_id)
        self._manager.basic_leave_room(connection.socket_id, NAMESPACE, chat_room(chat_id))
        if not any(chat_id in other.rooms for other in self._connections.of_user(identity.user_id)):
            self._domain.typing.ended(chat_id, identity.user_id)
        self._domain.attendance.left(chat_id, identity.user_id, lost=lost)
        self._hooks.notify_soon(after_leave, RoomChange(identity=identity, chat_id=chat_id))
