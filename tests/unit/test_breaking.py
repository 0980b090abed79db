"""tools.breaking: each kind of break has its sentence, and additions have none."""

import copy
from typing import Any

import pytest

from chat.settings import load_settings
from chat.specs.asyncapi import asyncapi
from chat.specs.openapi import openapi
from tools.breaking import breaks

SETTINGS = load_settings(jwt_secret="a-secret-of-the-tests-that-is-long-enough")
OPENAPI = openapi(SETTINGS, ())
ASYNCAPI = asyncapi(SETTINGS, ())


def changed(document: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy with another value at a path; None takes the key away."""
    made = copy.deepcopy(document)
    *way, last = path.split(".")
    place = made
    for each in way:
        place = place[each]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return made


SEND = "components.schemas.SendMessage"
MESSAGE = "components.schemas.Message"
TEXT = {"type": "string"}

BREAKS = [
    (f"{SEND}.properties.metadata", None, "the field metadata is gone"),
    (f"{SEND}.required", ["chatId", "content", "replyToId"], "the field replyToId is required now"),
    (f"{SEND}.properties.content", {"type": "integer"}, "content is integer now, not string"),
    (f"{SEND}.properties.content.maxLength", 5_000, "maxLength is 5000 now, not 10000"),
    (f"{SEND}.properties.content.minLength", 2, "minLength is 2 now, not 1"),
    (f"{SEND}.properties.content.pattern", "x", "has to match x now"),
    (f"{SEND}.properties.replyToId", {"type": "integer"}, "may not be null now"),
    (f"{SEND}.properties.replyToId", TEXT, "replyToId may not be integer now"),
    ("components.schemas.Sync.properties.limit.maximum", 100, "maximum is 100 now, not 200"),
    (f"{MESSAGE}.properties.metadata", None, "the field metadata is gone"),
    (f"{MESSAGE}.required", ["id"], "the field chatId may be absent now"),
    (f"{MESSAGE}.properties.id", {"type": "number"}, "id is integer, number now, not integer"),
    (f"{MESSAGE}.properties.message", {"anyOf": [TEXT, {"type": "null"}]}, "may be null now"),
    (
        "components.schemas.Chat.properties.type.enum",
        ["direct", "group", "room"],
        "may be room now",
    ),
    ("components.schemas.Chat.properties.type", TEXT, "may be any word now"),
]
OF_ROUTES = [
    ("components.schemas.CreateChat.properties.title", None, "the body (CreateChat): the field"),
    ("components.schemas.Role.enum", ["owner", "member"], "is one of member, owner now"),
    ("paths./chats.post", None, "POST /chats is gone"),
    ("paths./chats", None, "GET /chats is gone"),
    ("paths./users.get.parameters", [], "GET /users: the parameter ids is gone"),
    (
        "paths./sync.post.parameters",
        [{"name": "x", "required": True, "schema": TEXT}],
        "POST /sync: the parameter x is required now",
    ),
    ("paths./chats.post.responses.201", None, "POST /chats: the answer 201 is gone"),
    (
        "paths./chats/{chatId}/leave.post.requestBody",
        {"content": {"application/json": {"schema": {"type": "object"}}}},
        "a body is required now",
    ),
]
OF_EVENTS = [
    ("operations.typing", None, "The event typing is gone"),
    ("operations.newMessage", None, "The event newMessage is gone"),
    ("components.schemas.UserTyping.properties.userId", None, "The push userTyping"),
    ("components.schemas.SendMessageAck.properties.duplicate", None, "The ack of sendMessage"),
    ("components.schemas.ErrorCode.enum", ["FORBIDDEN"], "is never AUTH_UNAVAILABLE"),
]
ADDITIONS = [
    (f"{SEND}.properties.audience", TEXT),
    (f"{SEND}.properties.content.maxLength", 20_000),
    (f"{SEND}.required", ["chatId"]),
    ("components.schemas.Sync.properties.limit.type", "number"),
    (f"{MESSAGE}.properties.reactions", {"type": "array"}),
    (f"{MESSAGE}.properties.id.maximum", 5),
    (
        "components.schemas.ErrorCode.enum",
        [*ASYNCAPI["components"]["schemas"]["ErrorCode"]["enum"], "X"],
    ),
]


@pytest.mark.parametrize(("path", "value", "said"), [*BREAKS, *OF_EVENTS])
def test_a_break_of_an_event_is_said(path: str, value: Any, said: str) -> None:
    """What clients send is refused, or what they get is not what it was."""
    found = breaks(ASYNCAPI, changed(ASYNCAPI, path, value))
    assert any(said in each for each in found), found


@pytest.mark.parametrize(("path", "value", "said"), OF_ROUTES)
def test_a_break_of_a_route_is_said(path: str, value: Any, said: str) -> None:
    """The same of requests and answers."""
    found = breaks(OPENAPI, changed(OPENAPI, path, value))
    assert any(said in each for each in found), found


@pytest.mark.parametrize(("path", "value"), ADDITIONS)
def test_an_addition_breaks_nothing(path: str, value: Any) -> None:
    """More fields, wider limits, more words where more were announced."""
    assert breaks(ASYNCAPI, changed(ASYNCAPI, path, value)) == []


def test_a_document_does_not_break_itself() -> None:
    """The comparison ends, and finds nothing."""
    assert breaks(ASYNCAPI, ASYNCAPI) == breaks(OPENAPI, OPENAPI) == []
