"""Sockets entering and leaving the rooms of chats: permission, plugins, limits, and the pushes."""

from dataclasses import dataclass, replace

from chat.contracts.pushes import RemovalReason, removed_from_chat
from chat.errors import ChatError, ErrorCode
from chat.hooks.events import RoomChange
from chat.hooks.manager import PluginManager
from chat.hooks.specs import after_join, after_leave, before_join
from chat.identity import Identity
from chat.ports import Broadcaster, Socket, Whereabouts
from chat.services.catch_up import CatchUpService, Cursor
from chat.services.chat_states import ChatState, ChatStates
from chat.services.chats import ChatService
from chat.services.pace import Pace
from chat.services.presence import Attendance
from chat.services.reads import ReadService
from chat.services.seats import SeatService
from chat.services.typing import TypingService
from chat.views import JoinedChat


@dataclass(slots=True, eq=False, kw_only=True)
class RoomService:
    """`max_rooms` bounds the rooms of one socket."""

    states: ChatStates
    chats: ChatService
    seats: SeatService
    sockets: Whereabouts
    broadcaster: Broadcaster
    pace: Pace
    attendance: Attendance
    typing: TypingService
    reads: ReadService
    catch_up: CatchUpService
    hooks: PluginManager
    max_rooms: int

    async def join(self, socket: Socket, chat_id: int, cursor: Cursor, limit: int) -> JoinedChat:
        """Enter the chat's room, then read a page: what happens in between is pushed.

        Raises NOT_PARTICIPANT, FORBIDDEN.
        """
        # Charged even if the socket is in the room already: the answer is a page each time.
        self.pace.take_page(socket.identity)
        return await self._join(socket, chat_id, cursor, limit)

    async def _join(self, socket: Socket, chat_id: int, cursor: Cursor, limit: int) -> JoinedChat:
        state = await self._enter(socket, chat_id)
        mine = state.members.get(socket.identity.user_id)
        unread = await self.reads.unread_count(state, mine)
        mine = state.mine_of(socket.identity)
        missed = await self.catch_up.page(socket.identity, chat_id, cursor, limit)
        return JoinedChat(
            chat_id=chat_id,
            epoch=self.catch_up.epoch,
            seq=state.head,
            mine=mine,
            unread_count=unread,
            typing=self.typing.typing_in(chat_id),
            readers=self.reads.cursors(state),
            present=self.attendance.present(chat_id),
            page=missed,
        )

    async def join_ref(
        self, socket: Socket, external_ref: str, cursor: Cursor, limit: int
    ) -> JoinedChat:
        """Enter the room of the chat of an externalRef, made where the host gives a seat there.

        Raises NOT_FOUND.
        """
        self.pace.take_page(socket.identity)
        state = await self.seats.open(socket.identity, external_ref)
        return await self._join(socket, state.chat.id, cursor, limit)

    async def enter_all(self, socket: Socket) -> list[int]:
        """Put the socket into the rooms of its user's chats, as many as it may; returns their ids.

        One query, once the chats are in memory.
        """
        entered: list[int] = []
        for chat_id in await self.chats.ids_of(socket.identity.key):
            if len(socket.rooms) >= self.max_rooms and chat_id not in socket.rooms:
                break
            try:
                await self._enter(socket, chat_id, automatic=True)
            except ChatError as error:
                if error.kind.retryable:
                    raise
                continue  # removed meanwhile, or a plugin keeps this socket out
            entered.append(chat_id)
        return entered

    async def leave(self, socket: Socket, chat_id: int) -> None:
        """Take the socket out of the chat's room, if it is in there. NOT_PARTICIPANT."""
        await self.states.require(chat_id, socket.identity)
        if chat_id in socket.rooms:
            self._leave(socket, chat_id, lost=False)

    async def renew(self, socket: Socket, fresh: Identity) -> None:
        """Give the socket its user's new identity.

        The socket leaves the rooms in which that identity has no place. A former admin leaves the
        rooms of chats in which the user is no participant, a user with a seat the rooms where the
        new token gives none. Nobody else loses a room here: a participant who is removed leaves the
        room at once.
        """
        old = socket.identity
        demoted = old.is_privileged and not fresh.is_privileged
        states: dict[int, ChatState | None] = {}
        if demoted or old.seats is not None or self.states.grants.has(old.key):
            for chat_id in list(socket.rooms):
                states[chat_id] = await self.states.get(chat_id)
        if old.seats is not None:
            # A socket keeps one object, so what waits under the earlier token gets the new seats.
            old.seats.become(fresh.seats)
            fresh = replace(fresh, seats=old.seats)
        socket.identity = fresh
        self.seats.renewed(fresh)
        for chat_id, state in states.items():
            if state is None or state.rank_of(fresh) < 0:
                self._put_out(socket, chat_id, "removed" if demoted else "expired")

    async def end_seats(self, socket: Socket) -> None:
        """Take the socket out of the rooms in which it has a seat: its token has expired."""
        identity = socket.identity
        user_id = identity.user_id
        if identity.is_privileged or (
            identity.seats is None and not self.states.grants.has(identity.key)
        ):
            return
        if identity.seats is not None:
            identity.seats.become(None)
        loaded = {each: self.states.loaded(each) for each in socket.rooms}
        # Chats in memory first, at once: nothing is pushed to the room of any other chat.
        for chat_id in sorted(loaded, key=lambda each: loaded[each] is None):
            state = loaded[chat_id] or await self.states.get(chat_id)
            if socket.identity is not identity:
                return  # renewed meanwhile
            if state is not None and user_id not in state.members:
                self._put_out(socket, chat_id, "expired")

    def seats_changed(self, state: ChatState) -> None:
        """Take the sockets out of the chat's room that have no place there any more."""
        for socket in self.sockets.in_room(state.chat.id):
            if state.rank_of(socket.identity) < 0:
                self._put_out(socket, state.chat.id, "expired")

    def _put_out(self, socket: Socket, chat_id: int, reason: RemovalReason) -> None:
        if chat_id in socket.rooms:
            self._leave(socket, chat_id, lost=False)
            self.broadcaster.to_socket(socket, removed_from_chat(chat_id, reason))

    def leave_all(self, socket: Socket, *, lost: bool) -> None:
        """Take a socket that is gone out of all its rooms; `lost` = its connection broke."""
        for chat_id in list(socket.rooms):
            self._leave(socket, chat_id, lost=lost)

    async def _enter(self, socket: Socket, chat_id: int, *, automatic: bool = False) -> ChatState:
        """Put the socket into the chat's room, once. NOT_PARTICIPANT, FORBIDDEN."""
        identity = socket.identity
        state = await self.states.require(chat_id, identity)
        if chat_id in socket.rooms:
            return state
        if len(socket.rooms) >= self.max_rooms:
            limit = f"at most {self.max_rooms} chats a socket"
            raise ChatError(ErrorCode.FORBIDDEN, limit)
        change = RoomChange(identity=identity, chat_id=chat_id, automatic=automatic)
        await self.hooks.filter(before_join, change)
        # Checked again after the plugins: the user may have been removed, the socket may be gone.
        self.states.check(state, identity)
        if socket.closed:
            return state
        if socket.enter(chat_id):
            self.attendance.entered(chat_id, identity.key)
        self.hooks.notify_soon(after_join, change)
        return state

    def _leave(self, socket: Socket, chat_id: int, *, lost: bool) -> None:
        identity = socket.identity
        if socket.leave(chat_id):
            self.typing.ended(chat_id, identity.key)
            self.attendance.left(chat_id, identity.key, lost=lost)
        self.hooks.notify_soon(after_leave, RoomChange(identity=identity, chat_id=chat_id))
