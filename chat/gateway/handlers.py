"""The handlers of client events: each asks one service and wraps the answer."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from chat.contracts import acks
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
from chat.entities import Message
from chat.errors import ChatError, ErrorCode
from chat.gateway.fanout import Fanout
from chat.gateway.hub import Connection
from chat.gateway.token_expiry import TokenExpiry
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

Answer = Mapping[str, Any]

Handler = Callable[[Connection, Any], Awaitable[Answer | Outcome[Sent]]]
"""Takes an event and returns its answer.

While a message waits for the disk, this is an Outcome; `acks.sent` makes the answer from it.
"""


class Handlers:
    """The handlers of the built-in events; `table` has them by name."""

    def __init__(
        self,
        *,
        domain: Domain,
        fanout: Fanout,
        admission: Admission,
        audit: Audit,
        token_expiry: TokenExpiry,
        clock: Clock,
        limits: acks.LimitsModel,
        features: list[str],
        auto_join: bool,
    ) -> None:
        self._domain = domain
        self._fanout = fanout
        self._admission = admission
        self._audit = audit
        self._token_expiry = token_expiry
        self._clock = clock
        self._limits = limits
        self._features = features
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
        """Answer with the socket's identity.

        With a new token of the same user, the token's role and permissions hold from here on.
        """
        if payload.token is not None:
            token = spelt(payload.token)
            fresh = await self._admission.identify(token, connection.remote_ip, "socket")
            if fresh.key != connection.identity.key:
                self._token_expiry.end_soon(connection)
                raise ChatError(ErrorCode.TOKEN_INVALID, "the token is of another user")
            await self._domain.rooms.renew(connection, fresh)
            self._token_expiry.watch(connection)
            self._domain.people.remember(fresh)
        identity = connection.identity
        if identity.has_expired(self._clock.now()):
            raise ChatError(ErrorCode.TOKEN_EXPIRED, "the token has expired")
        joined: list[int] | None = None
        if payload.auto_join or self._auto_join:
            joined = await self._domain.rooms.enter_all(connection)
        return acks.authenticated(
            identity,
            connection.socket_id,
            joined,
            server_time=self._clock.now(),
            epoch=self._domain.catch_up.epoch,
            limits=self._limits,
            features=self._features,
        )

    async def join_chat(self, connection: Connection, payload: JoinChat) -> Answer:
        cursor = Cursor(payload.since, payload.epoch)
        rooms = self._domain.rooms
        if payload.chat_id is not None:
            joined = await rooms.join(connection, payload.chat_id, cursor, payload.limit)
        else:
            ref = payload.external_ref or ""
            joined = await rooms.join_ref(connection, ref, cursor, payload.limit)
            self._write_down(Event.JOIN_CHAT, connection, {"chat_id": joined.chat_id})
        return acks.joined_chat(joined)

    async def leave_chat(self, connection: Connection, payload: ChatReference) -> Answer:
        await self._domain.rooms.leave(connection, payload.chat_id)
        return acks.left_chat(payload.chat_id)

    def send_message(
        self, connection: Connection, payload: SendMessage
    ) -> Awaitable[Outcome[Sent]]:
        """Queue the message for the disk; its outcome becomes the ack."""
        identity = connection.identity
        draft = MessageDraft(
            chat_id=payload.chat_id,
            tenant=identity.tenant,
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
        return acks.OK

    async def mark_as_read(self, connection: Connection, payload: MarkAsRead) -> Answer:
        mine, unread = await self._domain.reads.mark_read(
            connection.identity, payload.chat_id, payload.message_id
        )
        return acks.marked_read(payload.chat_id, mine.last_read_message_id, unread)

    async def sync(self, connection: Connection, payload: Sync) -> Answer:
        """Return what the client missed in the named chats; without names, an overview of all."""
        cursors = sync_cursors(payload)
        answer = await self._domain.catch_up.answer(
            connection.identity, cursors, payload.epoch, payload.limit
        )
        return acks.synced(answer)

    async def get_presence(self, connection: Connection, payload: GetPresence) -> Answer:
        self._domain.pace.take_lookup(
            connection.identity, len(payload.user_ids) / USERS_OF_A_LOOKUP
        )
        found = await self._domain.directory.presence(connection.identity, payload.user_ids)
        return acks.present(found)

    def _message_answer(self, action: str, connection: Connection, message: Message) -> Answer:
        objects = {
            "chat_id": message.chat_id,
            "message_id": message.id,
            "sender_id": message.sender_id,
        }
        self._write_down(action, connection, objects)
        return acks.changed(message)

    def _write_down(self, action: str, connection: Connection, objects: dict[str, Any]) -> None:
        """Write an audit entry with these objects, which the payload lacks."""
        self._audit.answered(
            action,
            connection.identity,
            objects,
            None,
            door="socket",
            remote_ip=connection.remote_ip,
            socket_id=connection.socket_id,
        )
