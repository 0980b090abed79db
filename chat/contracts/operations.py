"""The tables of operations: what each client event and each route takes, answers and refuses.

/openapi.json and /asyncapi.json are made from them. A success has the types named here; a refusal
is a RefusalModel with one of the codes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from chat.contracts import acks, admin_answers, answers, client_events, queries, rest
from chat.contracts.base import RequestModel
from chat.contracts.client_events import Event
from chat.errors import ErrorCode as Code

Codes = tuple[Code, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EventOperation:
    """A client event: its payload, its ack, what it causes, and its codes beyond EVENT_ERRORS."""

    summary: str
    model: type[RequestModel]
    ack: type[Any]
    pushes: tuple[str, ...] = ()
    errors: Codes = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteOperation:
    """A method of a route: what it takes, its answer, and its codes beyond the common ones."""

    summary: str
    answer: type[Any]
    body: type[RequestModel] | None = None
    query: type[RequestModel] | None = None
    statuses: tuple[int, ...] = (200,)
    errors: Codes = ()
    public: bool = False


EVENT_ERRORS: Final[Codes] = (
    Code.VALIDATION_ERROR,
    Code.TOKEN_EXPIRED,
    Code.TOKEN_REVOKED,
    Code.USER_BLOCKED,
    Code.RATE_LIMITED,
    Code.REJECTED,
    Code.PLUGIN_ERROR,
    Code.STORAGE_UNAVAILABLE,
    Code.SHUTTING_DOWN,
    Code.TIMEOUT,
    Code.INTERNAL_ERROR,
)
"""The codes with which any event can be refused."""

ROUTE_ERRORS: Final[Codes] = (
    Code.VALIDATION_ERROR,
    Code.PAYLOAD_TOO_LARGE,
    Code.RATE_LIMITED,
    Code.REJECTED,
    Code.PLUGIN_ERROR,
    Code.STORAGE_UNAVAILABLE,
    Code.SHUTTING_DOWN,
    Code.TIMEOUT,
    Code.INTERNAL_ERROR,
)
"""The codes with which any request can be refused."""

TOKEN_ERRORS: Final[Codes] = (
    Code.UNAUTHENTICATED,
    Code.TOKEN_INVALID,
    Code.TOKEN_EXPIRED,
    Code.TOKEN_REVOKED,
    Code.USER_BLOCKED,
    Code.AUTH_UNAVAILABLE,
)
"""The codes of a request whose token is not good."""

BODY_ERRORS: Final[Codes] = (Code.UNSUPPORTED_MEDIA,)
"""The codes of a request with a body."""

_CHAT: Final[Codes] = (Code.NOT_PARTICIPANT, Code.NOT_FOUND)
_EDIT: Final[Codes] = (
    Code.NOT_FOUND,
    Code.FORBIDDEN,
    Code.MESSAGE_DELETED,
    Code.EDIT_WINDOW_CLOSED,
    Code.EDIT_CONFLICT,
)
_DELETE: Final[Codes] = (
    Code.NOT_FOUND,
    Code.FORBIDDEN,
    Code.EDIT_WINDOW_CLOSED,
    Code.EDIT_CONFLICT,
)
_SEND: Final[Codes] = (*_CHAT, Code.FORBIDDEN, Code.IDEMPOTENCY_CONFLICT)
_ADMIN: Final[Codes] = (Code.FORBIDDEN,)
_ADMIN_OF_USER: Final[Codes] = (Code.FORBIDDEN, Code.NOT_FOUND)

CLIENT_EVENTS: Final[Mapping[str, EventOperation]] = MappingProxyType(
    {
        Event.AUTHENTICATE: EventOperation(
            summary="Ask who the socket is, or give it a new token of the same user.",
            model=client_events.Authenticate,
            ack=acks.AuthenticateAck,
            pushes=("userJoined",),
            errors=(
                Code.UNAUTHENTICATED,
                Code.TOKEN_INVALID,
                Code.TOKEN_EXPIRED,
                Code.TOKEN_REVOKED,
                Code.USER_BLOCKED,
                Code.AUTH_UNAVAILABLE,
            ),
        ),
        Event.JOIN_CHAT: EventOperation(
            summary="Enter a chat's room, to receive its pushes, and catch up with it.",
            model=client_events.JoinChat,
            ack=acks.JoinChatAck,
            pushes=("userJoined",),
            errors=(*_CHAT, Code.FORBIDDEN, Code.AUTH_UNAVAILABLE),
        ),
        Event.LEAVE_CHAT: EventOperation(
            summary="Leave a chat's room with this socket; the user stays a participant.",
            model=client_events.ChatReference,
            ack=acks.LeaveChatAck,
            pushes=("userLeft",),
            errors=_CHAT,
        ),
        Event.SEND_MESSAGE: EventOperation(
            summary="Send a message.",
            model=client_events.SendMessage,
            ack=acks.SendMessageAck,
            pushes=("newMessage", "unreadUpdated"),
            errors=_SEND,
        ),
        Event.EDIT_MESSAGE: EventOperation(
            summary="Replace the text of the caller's own message.",
            model=client_events.EditMessage,
            ack=acks.MessageAck,
            pushes=("messageUpdated",),
            errors=_EDIT,
        ),
        Event.DELETE_MESSAGE: EventOperation(
            summary="Turn a message into a tombstone.",
            model=client_events.MessageReference,
            ack=acks.MessageAck,
            pushes=("messageDeleted",),
            errors=_DELETE,
        ),
        Event.TYPING: EventOperation(
            summary="Tell the others that the user types, or has stopped.",
            model=client_events.Typing,
            ack=acks.Ack,
            pushes=("userTyping",),
            errors=_CHAT,
        ),
        Event.MARK_AS_READ: EventOperation(
            summary="Move the caller's read cursor forward to a message.",
            model=client_events.MarkAsRead,
            ack=acks.MarkAsReadAck,
            pushes=("messageRead", "unreadUpdated"),
            errors=(*_CHAT, Code.FORBIDDEN),
        ),
        Event.GET_PRESENCE: EventOperation(
            summary="Ask which users are online.",
            model=client_events.GetPresence,
            ack=acks.GetPresenceAck,
        ),
        Event.SYNC: EventOperation(
            summary="Catch up with several chats at once, or list all of the caller's chats.",
            model=client_events.Sync,
            ack=acks.SyncAck,
        ),
    }
)
"""The events of the server itself; plugins bring theirs, such as `ping`, besides this table."""

ROUTES: Final[Mapping[str, RouteOperation]] = MappingProxyType(
    {
        "POST /chat-messages": RouteOperation(
            summary="Send a message; 200 where this clientMessageId is stored already.",
            body=rest.CreateMessage,
            answer=answers.SentMessageAnswer,
            statuses=(200, 201),
            errors=_SEND,
        ),
        "GET /chat-messages": RouteOperation(
            summary="Read a page of a chat's messages, oldest first.",
            query=queries.MessagesQuery,
            answer=answers.MessagesAnswer,
            errors=_CHAT,
        ),
        "GET /chat-messages/:id": RouteOperation(
            summary="Read one message.",
            answer=answers.MessageAnswer,
            errors=(Code.NOT_FOUND,),
        ),
        "PATCH /chat-messages/:id": RouteOperation(
            summary="Replace the text of a message.",
            body=rest.UpdateMessage,
            answer=answers.MessageAnswer,
            errors=_EDIT,
        ),
        "PUT /chat-messages/:id": RouteOperation(
            summary="Replace the text of a message, like PATCH.",
            body=rest.UpdateMessage,
            answer=answers.MessageAnswer,
            errors=_EDIT,
        ),
        "DELETE /chat-messages/:id": RouteOperation(
            summary="Turn a message into a tombstone.",
            answer=answers.MessageAnswer,
            errors=_DELETE,
        ),
        "GET /chat-messages/:id/history": RouteOperation(
            summary="Read the earlier texts of a message, oldest first.",
            query=queries.HistoryQuery,
            answer=answers.HistoryAnswer,
            errors=(Code.NOT_FOUND,),
        ),
        "POST /chats": RouteOperation(
            summary="Create a chat; 200 with the existing one of the same pair or externalRef.",
            body=rest.CreateChat,
            answer=answers.ChatAnswer,
            statuses=(200, 201),
            errors=(Code.FORBIDDEN, Code.CONFLICT),
        ),
        "GET /chats": RouteOperation(
            summary="List the caller's chats, the last changed first.",
            query=queries.ChatsQuery,
            answer=answers.ChatsAnswer,
        ),
        "POST /chats/join": RouteOperation(
            summary="Open the chat of an externalRef; made for a user with a seat in it.",
            body=rest.ByExternalRef,
            answer=answers.ChatAnswer,
            errors=(Code.NOT_FOUND,),
        ),
        "GET /chats/:id": RouteOperation(
            summary="Read one chat and its participants.",
            answer=answers.ChatAnswer,
            errors=_CHAT,
        ),
        "PATCH /chats/:id": RouteOperation(
            summary="Change a chat's title, metadata or externalRef; null clears a field.",
            body=rest.UpdateChat,
            answer=answers.ChatAnswer,
            errors=(*_CHAT, Code.FORBIDDEN, Code.CONFLICT),
        ),
        "DELETE /chats/:id": RouteOperation(
            summary="Delete a chat for all of its participants.",
            answer=answers.DeletedChatAnswer,
            errors=(*_CHAT, Code.FORBIDDEN),
        ),
        "GET /chats/:id/participants": RouteOperation(
            summary="List the participants, in the order in which they joined.",
            query=queries.ParticipantsQuery,
            answer=answers.ParticipantsAnswer,
            errors=_CHAT,
        ),
        "POST /chats/:id/participants": RouteOperation(
            summary="Add participants.",
            body=rest.AddParticipants,
            answer=answers.AddedParticipantsAnswer,
            statuses=(201,),
            errors=(*_CHAT, Code.FORBIDDEN),
        ),
        "PATCH /chats/:id/participants/:userId": RouteOperation(
            summary="Change a participant's role.",
            body=rest.UpdateParticipant,
            answer=answers.ParticipantAnswer,
            errors=(*_CHAT, Code.FORBIDDEN),
        ),
        "DELETE /chats/:id/participants/:userId": RouteOperation(
            summary="Remove a participant.",
            answer=answers.ParticipantReferenceAnswer,
            errors=(*_CHAT, Code.FORBIDDEN),
        ),
        "POST /chats/:id/leave": RouteOperation(
            summary="Leave a chat.",
            answer=answers.ParticipantReferenceAnswer,
            errors=(*_CHAT, Code.FORBIDDEN),
        ),
        "POST /chats/:id/read": RouteOperation(
            summary="Move the caller's read cursor forward to a message.",
            body=rest.MarkRead,
            answer=acks.MarkAsReadAck,
            errors=(*_CHAT, Code.FORBIDDEN),
        ),
        "GET /chats/:id/reads": RouteOperation(
            summary="Read how far each participant has read.",
            answer=answers.ReadsAnswer,
            errors=_CHAT,
        ),
        "GET /chats/:id/sync": RouteOperation(
            summary="Read what changed in a chat after a cursor.",
            query=queries.SyncQuery,
            answer=answers.CatchUpAnswer,
            errors=_CHAT,
        ),
        "POST /sync": RouteOperation(
            summary="Catch up with several chats at once, or list all of the caller's chats.",
            body=client_events.Sync,
            answer=acks.SyncAck,
        ),
        "GET /me/unread": RouteOperation(
            summary="List the caller's chats with unread messages.",
            answer=answers.UnreadAnswer,
        ),
        "GET /users": RouteOperation(
            summary="Read the names and pictures of users.",
            query=queries.UsersQuery,
            answer=answers.UsersAnswer,
        ),
        "GET /users/presence": RouteOperation(
            summary="Ask which users are online.",
            query=queries.PresenceQuery,
            answer=acks.GetPresenceAck,
        ),
        "GET /users/:id": RouteOperation(
            summary="Read the name and picture of a user.",
            answer=answers.UserAnswer,
            errors=(Code.NOT_FOUND,),
        ),
        "PUT /users/:id": RouteOperation(
            summary="Set the name and picture of a user.",
            body=rest.UserProfile,
            answer=answers.UserAnswer,
            errors=(Code.FORBIDDEN, Code.NOT_FOUND),
        ),
        "POST /admin/users/:id/disconnect": RouteOperation(
            summary="End all sockets of a user.",
            answer=admin_answers.SocketsEndedAnswer,
            errors=_ADMIN_OF_USER,
        ),
        "POST /admin/users/:id/revoke": RouteOperation(
            summary="Revoke all of a user's tokens that were issued up to now.",
            answer=admin_answers.SocketsEndedAnswer,
            errors=_ADMIN_OF_USER,
        ),
        "POST /admin/users/:id/block": RouteOperation(
            summary="Refuse a user from now on, whatever the token.",
            answer=admin_answers.SocketsEndedAnswer,
            errors=_ADMIN_OF_USER,
        ),
        "POST /admin/users/:id/unblock": RouteOperation(
            summary="Admit a user again.",
            answer=admin_answers.SocketsEndedAnswer,
            errors=_ADMIN_OF_USER,
        ),
        "POST /admin/seats/refresh": RouteOperation(
            summary="Ask the host again about the seats in one chat.",
            body=rest.ByExternalRef,
            answer=admin_answers.SeatsRefreshedAnswer,
            errors=_ADMIN,
        ),
        "GET /admin/stats": RouteOperation(
            summary="Read how many users and sockets are connected.",
            answer=admin_answers.StatsAnswer,
            errors=_ADMIN,
        ),
        "GET /admin/plugins": RouteOperation(
            summary="Read the plugins, their hooks and their failures.",
            answer=admin_answers.PluginsAnswer,
            errors=_ADMIN,
        ),
        "GET /demo": RouteOperation(
            summary="Read the demo chat and its first users.",
            answer=admin_answers.DemoInfoAnswer,
            errors=(Code.FORBIDDEN,),
            public=True,
        ),
        "POST /demo/token": RouteOperation(
            summary="Get a token for a name.",
            body=rest.DemoName,
            answer=admin_answers.DemoTokenAnswer,
            errors=(Code.FORBIDDEN,),
            public=True,
        ),
    }
)
"""The routes of the server itself, as docs/rest.md spells them; those of demo mode are the last."""
