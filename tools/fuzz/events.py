"""Client events that are nearly right: each event of docs/events.md with its fields changed."""

import json
from collections.abc import Callable
from random import Random
from typing import Any

from tools.fuzz import json_texts
from tools.fuzz.world import ATTACKERS, CANARIES, World

ODD_VALUES: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 1.0, 1.5, 2**53 - 1, 2**53, 2**63, 10**30, "", "1", "chat_1",
    "user_1", "x" * 65, "x" * 10_001, " ", "\u0000", "\u0661", "\u202e", "__proto__", "constructor",
    "$where", "../..", [], [1], [[]], {}, {"$gt": ""}, {"$ne": None}, {"$where": "1"},
    {"__proto__": {"admin": True}}, {"toString": 1}, {"_placeholder": True, "num": 0},
    {"length": -1}, "\ud800",
)  # fmt: skip
EXTRA_FIELDS = (
    "senderId", "id", "seq", "createdAt", "userId", "role", "type", "__proto__", "constructor",
    "_id", "$set", "chat_id", "admin", "token", "updatedSeq", "deletedAt",
)  # fmt: skip
Payload = dict[str, Any] | None


def good_payload(random: Random, world: World, name: str) -> Payload:
    """What a decent client would send with the event."""
    return EVENTS[name](random, world)


def event(random: Random, world: World) -> tuple[str, bytes]:
    """A name and the JSON of its arguments, without the brackets around them."""
    name = random.choice(_NAMES)
    payload = good_payload(random, world, name)
    way = random.random()
    if way < 0.2:
        return name, _text(payload)
    if way < 0.3:
        return name, _text(random.choice(ODD_VALUES))
    if way < 0.36:
        return name, b",".join(_text(payload) for _ in range(random.choice((0, 2, 3, 50))))
    if way < 0.44 and payload:
        # A field whose value is no JSON, or JSON of another kind.
        field = random.choice(list(payload))
        rest = _text({**payload, field: "@"})
        return name, rest.replace(b'"@"', json_texts.value(random), 1)
    return name, _text(_changed(random, world, payload or {}))


def _changed(random: Random, world: World, payload: dict[str, Any]) -> dict[str, Any]:
    payload = dict(payload)
    for _ in range(random.randint(1, 2)):
        fields = list(payload)
        way = random.random()
        if way < 0.15 and fields:
            del payload[random.choice(fields)]
        elif way < 0.3:
            payload[random.choice(EXTRA_FIELDS)] = _odd(random, world)
        elif fields:
            payload[random.choice(fields)] = _odd(random, world)
    return payload


def _odd(random: Random, world: World) -> Any:
    if random.random() < 0.3:
        return random.choice(
            (world.foreign_chat_id, world.foreign_message_id, *CANARIES, *world.chat_ids)
        )
    return random.choice(ODD_VALUES)


def _text(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=random_free(value)).encode("utf-8", "surrogatepass")


def random_free(value: Any) -> bool:
    """Whether to escape: half of the values as raw UTF-8, always the same ones."""
    return len(str(value)) % 2 == 0


def _any_chat(random: Random, world: World) -> dict[str, Any]:
    return {"chatId": random.choice(world.chat_ids)}


def _authenticate(random: Random, world: World) -> Payload:
    way = random.random()
    if way < 0.4:
        return None
    if way < 0.7:
        return {"autoJoin": random.random() < 0.5}
    return {"token": random.choice((*world.tokens, *world.bad_tokens))}


def _join_chat(random: Random, world: World) -> Payload:
    return {
        **_any_chat(random, world),
        "since": random.choice((0, 1, 5, 10**6)),
        "epoch": random.choice((world.epoch, "other")),
        "limit": random.choice((1, 50, 200, 201)),
    }


def _send_message(random: Random, world: World) -> Payload:
    payload = {**_any_chat(random, world), "content": f"text {random.randrange(1000)}"}
    if random.random() < 0.5:
        payload["clientMessageId"] = f"key-{random.randrange(500)}"
    if random.random() < 0.2:
        payload["replyToId"] = random.choice(world.message_ids)
    if random.random() < 0.2:
        payload["metadata"] = {"order": random.randrange(10), "tags": ["a", {"b": None}]}
    return payload


def _edit_message(random: Random, world: World) -> Payload:
    return {
        "messageId": random.choice((*world.message_ids, world.foreign_message_id)),
        "content": f"edited {random.randrange(1000)}",
        "expectedRevision": random.choice((0, 1, 2, 10**6)),
    }


def _delete_message(random: Random, world: World) -> Payload:
    return {"messageId": random.choice((*world.message_ids[3:], world.foreign_message_id))}


def _typing(random: Random, world: World) -> Payload:
    return {**_any_chat(random, world), "isTyping": random.random() < 0.6}


def _mark_as_read(random: Random, world: World) -> Payload:
    return {**_any_chat(random, world), "messageId": random.choice(world.message_ids)}


def _get_presence(random: Random, _world: World) -> Payload:
    return {"userIds": random.sample((*ATTACKERS, *CANARIES, "x", 10**9), 3)}


def _sync(random: Random, world: World) -> Payload:
    if random.random() < 0.3:
        return {}
    chats = (*world.chat_ids, world.foreign_chat_id, 10**9)
    asked = [
        {"chatId": random.choice(chats), "since": random.choice((0, 1, 10, 10**6))}
        for _ in range(random.choice((1, 2, 100, 101)))
    ]
    return {"epoch": world.epoch, "chats": asked, "limit": random.choice((1, 50))}


EVENTS: dict[str, Callable[[Random, World], Payload]] = {
    "authenticate": _authenticate,
    "joinChat": _join_chat,
    "leaveChat": _any_chat,
    "sendMessage": _send_message,
    "editMessage": _edit_message,
    "deleteMessage": _delete_message,
    "typing": _typing,
    "markAsRead": _mark_as_read,
    "getPresence": _get_presence,
    "sync": _sync,
    "ping": lambda _random, _world: None,
}
_NAMES = list(EVENTS)
