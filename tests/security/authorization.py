"""Who may do what: the table that tests/security/test_authorization.py asks a server about.

Roles: owner > moderator > member > readonly. An admin is a moderator of every chat; the host's
service token may do all. For strangers a chat that does not exist and one that is not theirs are
the same. A new route or event needs a row here.
"""

from typing import Any, Final

SEATLESS: Final = ("stranger", "former")
SEATED: Final = ("readonly", "guest", "member", "sender", "moderator", "owner")
PRIVILEGED: Final = ("admin", "service")
ACTORS: Final = (*SEATLESS, *SEATED, *PRIVILEGED)
"""The order of the answers in a row."""

SHUT_OUT: Final = {
    "nobody": "UNAUTHENTICATED",
    "expired": "TOKEN_EXPIRED",
    "revoked": "TOKEN_REVOKED",
    "blocked": "USER_BLOCKED",
}
"""Callers without a good token, and what each of them gets from everything that is not public. The
last three are members of the chat.
"""

SHORT: Final = {
    "np": "NOT_PARTICIPANT",
    "nf": "NOT_FOUND",
    "no": "FORBIDDEN",
}
"""What a refusal is called in a row; a success is `ok`, or the status of the REST answer."""

Row = tuple[str, dict[str, Any] | None, str]

HELLO: Final = {"chatId": "{chat}", "content": "hello"}
TEXT: Final = {"content": "edited"}
SOMEBODY: Final = {"userIds": ["{new}"]}
READ: Final = {"chatId": "{chat}", "messageId": "{message}"}
TYPES: Final = {"chatId": "{chat}", "isTyping": True}

# what is asked: (method and path or event, body or payload, then the answers in ACTORS' order)
# fmt: off
#                         stranger former readonly guest member sender moderator owner admin service
EVENTS: Final[dict[str, Row]] = {
    "authenticate": (
        "authenticate", {}, "ok ok ok ok ok ok ok ok ok ok"),
    "join": (
        "joinChat", {"chatId": "{chat}"}, "np np ok ok ok ok ok ok ok ok"),
    "join a missing chat": (
        "joinChat", {"chatId": "{missing}"}, "np np np np np np np np nf nf"),
    "join another chat": (
        "joinChat", {"chatId": "{other_chat}"}, "np np np np np np np np ok ok"),
    "join another chat by its externalRef": (
        "joinChat", {"externalRef": "{ref}"}, "nf nf nf nf nf nf nf nf ok ok"),
    "join by a missing externalRef": (
        "joinChat", {"externalRef": "none-{new}"}, "nf nf nf nf nf nf nf nf nf nf"),
    "leave the room": (
        "leaveChat", {"chatId": "{chat}"}, "np np ok ok ok ok ok ok ok ok"),
    "leave the room of a missing chat": (
        "leaveChat", {"chatId": "{missing}"}, "np np np np np np np np nf nf"),
    "leave the room of another chat": (
        "leaveChat", {"chatId": "{other_chat}"}, "np np np np np np np np ok ok"),
    "send": (
        "sendMessage", HELLO, "np np no ok ok ok ok ok ok ok"),
    "send to a missing chat": (
        "sendMessage", HELLO | {"chatId": "{missing}"}, "np np np np np np np np nf nf"),
    "send to another chat": (
        "sendMessage", HELLO | {"chatId": "{other_chat}"}, "np np np np np np np np ok ok"),
    "reply": (
        "sendMessage", HELLO | {"replyToId": "{message}"}, "np np no ok ok ok ok ok ok ok"),
    "reply to a missing message": (
        "sendMessage", HELLO | {"replyToId": "{missing}"}, "np np no nf nf nf nf nf nf nf"),
    "reply to another chat's message": (
        "sendMessage", HELLO | {"replyToId": "{other}"}, "np np no nf nf nf nf nf nf nf"),
    "edit": (
        "editMessage", TEXT | {"messageId": "{message}"}, "nf nf no no no ok no no no ok"),
    "edit a missing message": (
        "editMessage", TEXT | {"messageId": "{missing}"}, "nf nf nf nf nf nf nf nf nf nf"),
    "edit another chat's message": (
        "editMessage", TEXT | {"messageId": "{other}"}, "nf nf nf nf nf nf nf nf no ok"),
    "delete": (
        "deleteMessage", {"messageId": "{message}"}, "nf nf no no no ok ok ok ok ok"),
    "delete a missing message": (
        "deleteMessage", {"messageId": "{missing}"}, "nf nf nf nf nf nf nf nf nf nf"),
    "delete another chat's message": (
        "deleteMessage", {"messageId": "{other}"}, "nf nf nf nf nf nf nf nf ok ok"),
    "type": (
        "typing", TYPES, "np np ok ok ok ok ok ok ok ok"),
    "type in a missing chat": (
        "typing", TYPES | {"chatId": "{missing}"}, "np np np np np np np np nf nf"),
    "type in another chat": (
        "typing", TYPES | {"chatId": "{other_chat}"}, "np np np np np np np np ok ok"),
    "mark as read": (
        "markAsRead", READ, "np np ok ok ok ok ok ok no no"),
    "mark a missing message": (
        "markAsRead", READ | {"messageId": "{missing}"}, "np np nf nf nf nf nf nf nf nf"),
    "mark another chat's message": (
        "markAsRead", READ | {"messageId": "{other}"}, "np np nf nf nf nf nf nf nf nf"),
    "mark in a missing chat": (
        "markAsRead", READ | {"chatId": "{missing}"}, "np np np np np np np np nf nf"),
    "mark as read in another chat": (
        "markAsRead", {"chatId": "{other_chat}", "messageId": "{other}"},
        "np np np np np np np np no no"),
    "presence": (
        "getPresence", {"userIds": ["{victim}"]}, "ok ok ok ok ok ok ok ok ok ok"),
    "catch up with the own chats": (
        "sync", {}, "ok ok ok ok ok ok ok ok ok ok"),
    "catch up with one chat": (
        "sync", {"chats": [{"chatId": "{chat}"}]}, "np np ok ok ok ok ok ok ok ok"),
    "catch up with a missing chat": (
        "sync", {"chats": [{"chatId": "{missing}"}]}, "np np np np np np np np nf nf"),
    "catch up with another chat": (
        "sync", {"chats": [{"chatId": "{other_chat}"}]}, "np np np np np np np np ok ok"),
    "ping": (
        "ping", None, "ok ok ok ok ok ok ok ok ok ok"),
}

#                         stranger former readonly guest member sender moderator owner admin service
ROUTES: Final[dict[str, Row]] = {
    "send": (
        "POST /chat-messages", HELLO, "np np no 201 201 201 201 201 201 201"),
    "send to a missing chat": (
        "POST /chat-messages", HELLO | {"chatId": "{missing}"}, "np np np np np np np np nf nf"),
    "send to another chat": (
        "POST /chat-messages", HELLO | {"chatId": "{other_chat}"},
        "np np np np np np np np 201 201"),
    "reply": (
        "POST /chat-messages", HELLO | {"replyToId": "{message}"},
        "np np no 201 201 201 201 201 201 201"),
    "reply to a missing message": (
        "POST /chat-messages", HELLO | {"replyToId": "{missing}"}, "np np no nf nf nf nf nf nf nf"),
    "reply to another chat's message": (
        "POST /chat-messages", HELLO | {"replyToId": "{other}"}, "np np no nf nf nf nf nf nf nf"),
    "page": (
        "GET /chat-messages?chatId={chat}", None, "np np 200 200 200 200 200 200 200 200"),
    "page of a missing chat": (
        "GET /chat-messages?chatId={missing}", None, "np np np np np np np np nf nf"),
    "page of another chat": (
        "GET /chat-messages?chatId={other_chat}", None, "np np np np np np np np 200 200"),
    "page before a missing message": (
        "GET /chat-messages?chatId={chat}&before={missing}", None, "np np nf nf nf nf nf nf nf nf"),
    "page after another chat's message": (
        "GET /chat-messages?chatId={chat}&after={other}", None, "np np nf nf nf nf nf nf nf nf"),
    "page around another chat's message": (
        "GET /chat-messages?chatId={chat}&around={other}", None, "np np nf nf nf nf nf nf nf nf"),
    "read a message": (
        "GET /chat-messages/{message}", None, "nf nf 200 200 200 200 200 200 200 200"),
    "read a missing message": (
        "GET /chat-messages/{missing}", None, "nf nf nf nf nf nf nf nf nf nf"),
    "read another chat's message": (
        "GET /chat-messages/{other}", None, "nf nf nf nf nf nf nf nf 200 200"),
    "earlier texts": (
        "GET /chat-messages/{message}/history", None, "nf nf 200 200 200 200 200 200 200 200"),
    "earlier texts of a missing message": (
        "GET /chat-messages/{missing}/history", None, "nf nf nf nf nf nf nf nf nf nf"),
    "earlier texts of another chat's message": (
        "GET /chat-messages/{other}/history", None, "nf nf nf nf nf nf nf nf 200 200"),
    "edit": (
        "PATCH /chat-messages/{message}", TEXT, "nf nf no no no 200 no no no 200"),
    "edit by PUT": (
        "PUT /chat-messages/{message}", TEXT, "nf nf no no no 200 no no no 200"),
    "edit a missing message": (
        "PATCH /chat-messages/{missing}", TEXT, "nf nf nf nf nf nf nf nf nf nf"),
    "edit another chat's message": (
        "PATCH /chat-messages/{other}", TEXT, "nf nf nf nf nf nf nf nf no 200"),
    "delete": (
        "DELETE /chat-messages/{message}", None, "nf nf no no no 200 200 200 200 200"),
    "delete a missing message": (
        "DELETE /chat-messages/{missing}", None, "nf nf nf nf nf nf nf nf nf nf"),
    "delete another chat's message": (
        "DELETE /chat-messages/{other}", None, "nf nf nf nf nf nf nf nf 200 200"),
    "list the own chats": (
        "GET /chats", None, "200 200 200 200 200 200 200 200 200 200"),
    "make a chat": (
        "POST /chats", {}, "201 201 201 201 201 201 201 201 201 201"),
    "make a chat with somebody": (
        "POST /chats", {"participantIds": ["{new}"]},
        "201 201 201 no 201 201 201 201 201 201"),
    "make a direct chat": (
        "POST /chats", {"type": "direct", "participantIds": ["{me}", "{new}"]},
        "201 201 201 no 201 201 201 201 201 201"),
    "make a chat with an externalRef": (
        "POST /chats", {"externalRef": "order:{new}"},
        "no no no no no no no no no 201"),
    "find another chat by its externalRef": (
        "GET /chats?externalRef={ref}", None, "200 200 200 200 200 200 200 200 200 200"),
    "join by externalRef": (
        "POST /chats/join", {"externalRef": "{ref}"}, "nf nf nf nf nf nf nf nf 200 200"),
    "join by a missing externalRef": (
        "POST /chats/join", {"externalRef": "none-{new}"}, "nf nf nf nf nf nf nf nf nf nf"),
    "see the chat": (
        "GET /chats/{chat}", None, "np np 200 200 200 200 200 200 200 200"),
    "see a missing chat": (
        "GET /chats/{missing}", None, "np np np np np np np np nf nf"),
    "see another chat": (
        "GET /chats/{other_chat}", None, "np np np np np np np np 200 200"),
    "change the chat": (
        "PATCH /chats/{chat}", {"title": "new"}, "np np no no no no no 200 no 200"),
    "change a missing chat": (
        "PATCH /chats/{missing}", {"title": "new"}, "np np np np np np np np nf nf"),
    "change another chat": (
        "PATCH /chats/{other_chat}", {"title": "new"}, "np np np np np np np np no 200"),
    "delete the chat": (
        "DELETE /chats/{chat}", None, "np np no no no no no 200 no 200"),
    "delete a missing chat": (
        "DELETE /chats/{missing}", None, "np np np np np np np np nf nf"),
    "delete another chat": (
        "DELETE /chats/{other_chat}", None, "np np np np np np np np no 200"),
    "list people": (
        "GET /chats/{chat}/participants", None, "np np 200 200 200 200 200 200 200 200"),
    "list people of a missing chat": (
        "GET /chats/{missing}/participants", None, "np np np np np np np np nf nf"),
    "list people of another chat": (
        "GET /chats/{other_chat}/participants", None, "np np np np np np np np 200 200"),
    "add a member": (
        "POST /chats/{chat}/participants", SOMEBODY, "np np no no no no 201 201 201 201"),
    "add a moderator": (
        "POST /chats/{chat}/participants", SOMEBODY | {"role": "moderator"},
        "np np no no no no no 201 no 201"),
    "add to a missing chat": (
        "POST /chats/{missing}/participants", SOMEBODY, "np np np np np np np np nf nf"),
    "add to another chat": (
        "POST /chats/{other_chat}/participants", SOMEBODY, "np np np np np np np np 201 201"),
    "come in": (
        "POST /chats/{other_chat}/participants", {"userIds": ["{me}"]},
        "np np np np np np np np 201 201"),
    "lower a role": (
        "PATCH /chats/{chat}/participants/{victim}", {"role": "readonly"},
        "np np no no no no 200 200 200 200"),
    "raise a role": (
        "PATCH /chats/{chat}/participants/{victim}", {"role": "moderator"},
        "np np no no no no no 200 no 200"),
    "raise the own role": (
        "PATCH /chats/{chat}/participants/{me}", {"role": "owner"},
        "np np no no no no no 200 no nf"),
    "lower an owner": (
        "PATCH /chats/{chat}/participants/{boss}", {"role": "member"},
        "np np no no no no no 200 no 200"),
    "change the role of nobody": (
        "PATCH /chats/{chat}/participants/{new}", {"role": "readonly"},
        "np np no no no no nf nf nf nf"),
    "change a role in a missing chat": (
        "PATCH /chats/{missing}/participants/{victim}", {"role": "readonly"},
        "np np np np np np np np nf nf"),
    "change a role in another chat": (
        "PATCH /chats/{other_chat}/participants/{theirs}", {"role": "readonly"},
        "np np np np np np np np 200 200"),
    "remove a member": (
        "DELETE /chats/{chat}/participants/{victim}", None, "np np no no no no 200 200 200 200"),
    "remove an owner": (
        "DELETE /chats/{chat}/participants/{boss}", None, "np np no no no no no 200 no 200"),
    "remove nobody": (
        "DELETE /chats/{chat}/participants/{new}", None, "np np no no no no nf nf nf nf"),
    "remove from a missing chat": (
        "DELETE /chats/{missing}/participants/{victim}", None, "np np np np np np np np nf nf"),
    "remove from another chat": (
        "DELETE /chats/{other_chat}/participants/{theirs}", None,
        "np np np np np np np np 200 200"),
    "leave": (
        "POST /chats/{chat}/leave", None, "np np 200 200 200 200 200 200 nf nf"),
    "leave a missing chat": (
        "POST /chats/{missing}/leave", None, "np np np np np np np np nf nf"),
    "leave another chat": (
        "POST /chats/{other_chat}/leave", None, "np np np np np np np np nf nf"),
    "mark as read": (
        "POST /chats/{chat}/read", {"messageId": "{message}"},
        "np np 200 200 200 200 200 200 no no"),
    "mark a missing message": (
        "POST /chats/{chat}/read", {"messageId": "{missing}"}, "np np nf nf nf nf nf nf nf nf"),
    "mark another chat's message": (
        "POST /chats/{chat}/read", {"messageId": "{other}"}, "np np nf nf nf nf nf nf nf nf"),
    "mark in a missing chat": (
        "POST /chats/{missing}/read", {"messageId": "{message}"}, "np np np np np np np np nf nf"),
    "how far all have read": (
        "GET /chats/{chat}/reads", None, "np np 200 200 200 200 200 200 200 200"),
    "how far all have read in a missing chat": (
        "GET /chats/{missing}/reads", None, "np np np np np np np np nf nf"),
    "how far all have read in another chat": (
        "GET /chats/{other_chat}/reads", None, "np np np np np np np np 200 200"),
    "catch up with the chat": (
        "GET /chats/{chat}/sync", None, "np np 200 200 200 200 200 200 200 200"),
    "catch up with a missing chat": (
        "GET /chats/{missing}/sync", None, "np np np np np np np np nf nf"),
    "catch up with another chat": (
        "GET /chats/{other_chat}/sync", None, "np np np np np np np np 200 200"),
    "catch up with several chats": (
        "POST /sync", {"chats": [{"chatId": "{chat}"}]}, "np np 200 200 200 200 200 200 200 200"),
    "catch up with several of others": (
        "POST /sync", {"chats": [{"chatId": "{other_chat}"}]}, "np np np np np np np np 200 200"),
    "what is unread": (
        "GET /me/unread", None, "200 200 200 200 200 200 200 200 200 200"),
    "look up profiles": (
        "GET /users?ids={victim}", None, "200 200 200 200 200 200 200 200 200 200"),
    "presence": (
        "GET /users/presence?ids={victim}", None, "200 200 200 200 200 200 200 200 200 200"),
    "see a profile": (
        "GET /users/{victim}", None, "nf nf 200 200 200 200 200 200 200 200"),
    "see the profile of somebody of another chat": (
        "GET /users/{theirs}", None, "nf nf nf nf nf nf nf nf 200 200"),
    "name somebody": (
        "PUT /users/{new}", {"name": "Victor"}, "no no no no no no no no no 200"),
    "name oneself": (
        "PUT /users/{me}", {"name": "Victor"}, "no no no no no no no no no 200"),
    "disconnect": (
        "POST /admin/users/{new}/disconnect", None, "no no no no no no no no 200 200"),
    "revoke": (
        "POST /admin/users/{new}/revoke", None, "no no no no no no no no 200 200"),
    "block": (
        "POST /admin/users/{new}/block", None, "no no no no no no no no 200 200"),
    "block oneself": (
        "POST /admin/users/{me}/block", None, "no no no no no no no no no no"),
    "block the host": (
        "POST /admin/users/{host}/block", None, "no no no no no no no no no no"),
    "unblock": (
        "POST /admin/users/{new}/unblock", None, "no no no no no no no no 200 200"),
    "refresh the seats": (
        "POST /admin/seats/refresh", {"externalRef": "{ref}"},
        "no no no no no no no no 200 200"),
    "see the counts": (
        "GET /admin/stats", None, "no no no no no no no no 200 200"),
    "see the plugins": (
        "GET /admin/plugins", None, "no no no no no no no no 200 200"),
    "no such route": (
        "GET /nowhere", None, "nf nf nf nf nf nf nf nf nf nf"),
    # Demo mode only.
    "demo's people": (
        "GET /demo", None, "nf nf nf nf nf nf nf nf nf nf"),
    "demo's token": (
        "POST /demo/token", {"name": "Ada"}, "nf nf nf nf nf nf nf nf nf nf"),
}
# fmt: on

PUBLIC: Final = {
    "GET /health/live": "200",
    "GET /openapi.json": "200",
    "GET /asyncapi.json": "200",
    "GET /health/ready": "200",
    "GET /": "200",
    "GET /static/index.html": "200",
    "GET /docs": "200",
    "GET /docs/rest.md": "200",
    "GET /README.md": "200",
    "GET /llms.txt": "200",
}
"""What everybody gets, with any token or none."""

TOKENLESS: Final = ("no such route", "demo's people", "demo's token")
"""Rows of ROUTES whose answer comes before the token is looked at."""

SPENT: Final = (
    "delete",
    "change",
    "add",
    "come in",
    "lower",
    "raise",
    "remove",
    "leave",
    "edit",
)
"""A success of a row that begins like that changes what the next caller finds: each caller of it
gets chats of its own.
"""
