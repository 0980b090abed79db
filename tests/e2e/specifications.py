"""A small OpenAPI and a small AsyncAPI document, which use what the reference page has to read."""

from typing import Any, Final

_ID: Final = {"type": "integer", "minimum": 1, "maximum": 9007199254740991}
_MESSAGE: Final = {
    "type": "object",
    "description": "A message; `message` is its text.",
    "required": ["id", "message"],
    "properties": {
        "id": _ID,
        "message": {"type": "string", "maxLength": 10000},
        "replyToId": {"anyOf": [{"$ref": "#/components/schemas/Id"}, {"type": "null"}]},
    },
}

_REFUSAL: Final = {
    "type": "object",
    "properties": {"error": {"type": "object", "properties": {"code": {"type": "string"}}}},
}


def _refused(code: str) -> dict[str, Any]:
    """A refusal, with the codes that it may have."""
    error = {"type": "object", "properties": {"code": {"enum": [code]}}}
    return {"allOf": [{"$ref": "#/components/schemas/Refusal"}], "properties": {"error": error}}


def _refusal(code: str) -> dict[str, Any]:
    return {"description": code, "content": {"application/json": {"schema": _refused(code)}}}


OPENAPI: Final[dict[str, Any]] = {
    "openapi": "3.1.0",
    "info": {"title": "ChatGateway", "version": "1.0"},
    "tags": [{"name": "Messages", "description": "Send, read, edit and delete."}],
    "paths": {
        "/chat-messages": {
            "get": {
                "operationId": "listMessages",
                "tags": ["Messages"],
                "summary": "Read a page of a chat.",
                "parameters": [
                    {"$ref": "#/components/parameters/chatId"},
                    {
                        "name": "limit",
                        "in": "query",
                        "schema": {"type": "integer", "minimum": 1, "maximum": 200, "default": 50},
                    },
                ],
                "responses": {
                    "200": {
                        "description": "The page.",
                        "content": {
                            "application/json": {
                                "schema": {
                                    "type": "object",
                                    "required": ["data"],
                                    "properties": {
                                        "data": {
                                            "type": "array",
                                            "items": {"$ref": "#/components/schemas/Message"},
                                        },
                                        "page": {
                                            "type": "object",
                                            "properties": {"hasBefore": {"type": "boolean"}},
                                        },
                                    },
                                },
                                "example": {"data": [], "page": {"hasBefore": False}},
                            }
                        },
                    },
                    "403": _refusal("NOT_PARTICIPANT"),
                    "404": _refusal("NOT_FOUND"),
                },
            },
            "post": {
                "operationId": "sendMessage",
                "tags": ["Messages"],
                "summary": "Send a message.",
                "description": "It is pushed before the answer.\n\nA repeat is answered 200.",
                "requestBody": {
                    "content": {
                        "application/json": {
                            "schema": {"$ref": "#/components/schemas/SendMessage"},
                            "example": {"chatId": 1, "content": "Hello"},
                        }
                    }
                },
                "responses": {
                    "201": {
                        "description": "Stored.",
                        "content": {
                            "application/json": {"schema": {"$ref": "#/components/schemas/Message"}}
                        },
                    }
                },
            },
        },
        "/admin/users/{userId}/very-long-names/{another}/of-a-route-that-has-to-break": {
            "delete": {"responses": {"204": {"description": "Gone."}}}
        },
    },
    "components": {
        "parameters": {
            "chatId": {
                "name": "chatId",
                "in": "query",
                "required": True,
                "description": "The chat to read.",
                "schema": {"$ref": "#/components/schemas/Id"},
            }
        },
        "schemas": {
            "Id": _ID,
            "Message": _MESSAGE,
            "Refusal": _REFUSAL,
            "SendMessage": {
                "type": "object",
                "required": ["chatId", "content"],
                "properties": {
                    "chatId": {"$ref": "#/components/schemas/Id"},
                    "content": {"type": "string", "minLength": 1, "maxLength": 10000},
                    "kind": {"enum": ["text", "system"], "default": "text"},
                },
            },
        },
    },
}

ASYNCAPI: Final[dict[str, Any]] = {
    "asyncapi": "3.0.0",
    "info": {"title": "ChatGateway", "version": "1.0"},
    "x-limits": {"waitingEvents": 1000},
    "channels": {
        "chat": {
            "address": "/chat",
            "messages": {
                "typing": {"$ref": "#/components/messages/typing"},
                "typingAck": {"$ref": "#/components/messages/typingAck"},
                "typingRefused": {"name": "typing", "payload": _refused("RATE_LIMITED")},
                "newMessage": {"$ref": "#/components/messages/newMessage"},
            },
        }
    },
    "operations": {
        "pushNewMessage": {
            "action": "send",
            "channel": {"$ref": "#/channels/chat"},
            "summary": "A message was sent.",
            "messages": [{"$ref": "#/channels/chat/messages/newMessage"}],
        },
        "typing": {
            "action": "receive",
            "channel": {"$ref": "#/channels/chat"},
            "summary": "Show the others that the user is typing.",
            "messages": [{"$ref": "#/channels/chat/messages/typing"}],
            "reply": {
                "messages": [
                    {"$ref": "#/channels/chat/messages/typingAck"},
                    {"$ref": "#/channels/chat/messages/typingRefused"},
                ]
            },
            "x-pushes": ["newMessage"],
        },
    },
    "components": {
        "messages": {
            "typing": {
                "name": "typing",
                "payload": {
                    "type": "object",
                    "required": ["isTyping"],
                    "properties": {"isTyping": {"type": "boolean", "description": "Or not."}},
                },
                "examples": [{"payload": {"isTyping": True}}],
            },
            "typingAck": {
                "name": "typingAck",
                "summary": "Heard.",
                "payload": {"type": "object", "properties": {"success": {"const": True}}},
            },
            "newMessage": {
                "name": "newMessage",
                "payload": {
                    "allOf": [
                        {
                            "type": "object",
                            "properties": {"message": {"$ref": "#/components/schemas/Message"}},
                        }
                    ]
                },
            },
        },
        "schemas": {"Id": _ID, "Message": _MESSAGE, "Refusal": _REFUSAL},
    },
}

BOTH: Final = {"/openapi.json": OPENAPI, "/asyncapi.json": ASYNCAPI}
OPERATIONS: Final = (
    "event/typing",
    "push/newMessage",
    "route/listMessages",
    "route/sendMessage",
    "route/DELETE/admin/users/{userId}/very-long-names/{another}/of-a-route-that-has-to-break",
)
