"""What each client event does: ask one service, wrap the answer. The table of the gateway."""

from collections.abc import Awaitable, Callable
from typing import Any

from chat.contracts.base import iso
from chat.contracts.client_events import (
    Authenticate,
    ChatReference,
    EditMessage,
    Event,
    GetPresence,
    JoinChat,
    MarkAsRead,
    MessageReference,
    SendMessage,
    Sync,
    Typing,
    sync_cursors,
)
from chat.contracts.models import identity_to_wire, message_json, presence_to_wire
from chat.entities import Message
from chat.errors import ChatError, ErrorCode
from chat.gateway.hub import Connection
from chat.gateway.membership import RoomKeeper
from chat.gateway.token_expiry import TokenLife
from chat.hooks.events import MessageDraft
from chat.http.credentials import spelt
from chat.ports import Clock
from chat.services.admission import Admission
from chat.services.audit import Audit
from chat.services.catch_up import Cursor
from chat.services.domain import Domain
from chat.services.journal.entries import Sent
from chat.services.journal.outcome import Outcome
from chat.services.pace import USERS_OF_A_LOOKUP

Answer = dict[str, Any]

Handler = Callable[[Connection, Any], Awaitable[Answer | Outcome[Sent]]]
"""An outcome is of a message that waits for the disk; `sent_answer` makes the answer of it."""


class Handlers:
    """The handlers of the built-in events; `table` is what the gateway looks them up in."""

    def __init__(
        self,
        *,
        domain: Domain,
        rooms: RoomKeeper,
        admission: Admission,
        audit: Audit,
        token_life: TokenLife,
        clock: Clock,
        limits: dict[str, int],
        auto_join: bool,
    ) -> None:
        self._domain = domain
        self._rooms = rooms
        self._admission = admission
        self._audit = audit
        self._token_life = token_life
        self._clock = clock
        self._limits = limits
        self._auto_join = auto_join
        self.table: dict[str, Handler] = {
            Event.AUTHENTICATE: self.authenticate,
            Event.JOIN_CHAT: self.join_chat,
            Event.LEAVE_CHAT: self.leave_chat,
            Event.SEND_MESSAGE: self.send_message,
            Event.EDIT_MESSAGE: self.edit_message,
            Event.DELETE_MESSAGE: self.delete_message,
            Event.TYPING: self.typing,
            Event.MARK_AS_READ: self.mark_as_read,
            Event.GET_PRESENCE: self.get_presence,
            Event.SYNC: self.sync,
        }

    async def authenticate(self, connection: Connection, payload: Authenticate) -> Answer:
        """Who the socket is; with a token of the same user, its new role and permissions from here
        on.
        """
        if payload.token is not None:
            token = spelt(payload.token)
            fresh = await self._admission.identify(token, connection.remote_ip, "socket")
            if fresh.user_id != connection.identity.user_id:
                self._token_life.end_soon(connection)
                raise ChatError(ErrorCode.TOKEN_INVALID, "the token is of another user")
            await self._rooms.take_identity(connection, fresh)
            self._token_life.watch(connection)
            self._domain.people.remember(fresh)
        identity = connection.identity
        if identity.has_expired(self._clock.now()):
            raise ChatError(ErrorCode.TOKEN_EXPIRED, "the token has expired")
        joined: Answer = {}
        if payload.auto_join or self._auto_join:
            joined = {"autoJoinedChats": await self._rooms.enter_all(connection)}
        return {
            "success": True,
            "message": "Authenticated successfully",
            "userId": identity.user_id,
            "socketId": connection.socket_id,
            **joined,
            "data": {
                "user": identity_to_wire(identity),
                "expiresAt": iso(identity.expires_at),
                "serverTime": iso(self._clock.now()),
                "epoch": self._domain.catch_up.epoch,
                "limits": self._limits,
            },
        }

    async def join_chat(self, connection: Connection, payload: JoinChat) -> Answer:
        """Enter the room first, then read: what happens in between is pushed."""
        chat_id = payload.chat_id
        # Also where the socket is in the room: the answer is a page each time.
        self._domain.pace.take_page(connection.identity)
        state = await self._rooms.enter(connection, chat_id)
        mine = state.members.get(connection.identity.user_id)
        unread = await self._domain.reads.unread_count(state, mine)
        missed = await self._domain.catch_up.page(
            connection.identity, chat_id, Cursor(payload.since, payload.epoch), payload.limit
        )
        return {
            "success": True,
            "message": f"Joined chat {chat_id}",
            "data": {
                **self._domain.catch_up.head_of(state),
                "role": mine.role.value if mine else None,
                "lastReadMessageId": mine.last_read_message_id if mine else None,
                "unreadCount": unread,
                "typing": self._domain.typing.typing_in(chat_id),
                "reads": self._domain.reads.cursors(state),
                "sync": missed,
            },
        }

    async def leave_chat(self, connection: Connection, payload: ChatReference) -> Answer:
        await self._rooms.leave(connection, payload.chat_id)
        return {"success": True, "message": f"Left chat {payload.chat_id}"}

    def send_message(
        self, connection: Connection, payload: SendMessage
    ) -> Awaitable[Outcome[Sent]]:
        """To be awaited until the message is queued for the disk; its outcome becomes the ack."""
        identity = connection.identity
        draft = MessageDraft(
            chat_id=payload.chat_id,
            sender_id=identity.user_id,
            sender_type=identity.type,
            content=payload.content,
            client_message_id=payload.client_message_id,
            reply_to_id=payload.reply_to_id,
            metadata=payload.metadata,
        )
        return self._domain.messages.begin_send(identity, draft)

    async def edit_message(self, connection: Connection, payload: EditMessage) -> Answer:
        message = await self._domain.revisions.edit(
            connection.identity, payload.message_id, payload.content, payload.expected_revision
        )
        return self._message_answer(Event.EDIT_MESSAGE, connection, message)

    async def delete_message(self, connection: Connection, payload: MessageReference) -> Answer:
        message = await self._domain.revisions.delete(connection.identity, payload.message_id)
        return self._message_answer(Event.DELETE_MESSAGE, connection, message)

    async def typing(self, connection: Connection, payload: Typing) -> Answer:
        await self._domain.typing.signal(connection.identity, payload.chat_id, payload.is_typing)
        return {"success": True}

    async def mark_as_read(self, connection: Connection, payload: MarkAsRead) -> Answer:
        mine, unread = await self._domain.reads.mark_read(
            connection.identity, payload.chat_id, payload.message_id
        )
        return {
            "success": True,
            "data": {
                "chatId": payload.chat_id,
                "lastReadMessageId": mine.last_read_message_id,
                "unreadCount": unread,
            },
        }

    async def sync(self, connection: Connection, payload: Sync) -> Answer:
        """What was missed in the chats named; without any, the overview of the caller's chats."""
        cursors = sync_cursors(payload)
        data = await self._domain.catch_up.answer(
            connection.identity, cursors, payload.epoch, payload.limit
        )
        return {"success": True, "data": data}

    async def get_presence(self, connection: Connection, payload: GetPresence) -> Answer:
        self._domain.pace.take_lookup(
            connection.identity, len(payload.user_ids) / USERS_OF_A_LOOKUP
        )
        found = await self._domain.directory.presence(connection.identity, payload.user_ids)
        return {"success": True, "data": [presence_to_wire(*each) for each in found]}

    def _message_answer(self, action: str, connection: Connection, message: Message) -> Answer:
        objects = {
            "chat_id": message.chat_id,
            "message_id": message.id,
            "sender_id": message.sender_id,
        }
        self._audit.answered(
            action,
            connection.identity,
            objects,
            None,
            door="socket",
            remote_ip=connection.remote_ip,
            socket_id=connection.socket_id,
        )
        return {"success": True, "data": message_json(message)}


def sent_answer(sent: Sent) -> Answer:
    return {"success": True, "data": message_json(sent.message), "duplicate": sent.duplicate}
