"""Holds what clients lived through against what is stored in the end.

A `Story` is written down while the clients run: every send with what came of it, and every push by
the connection that it came to. `faults` then says in words what cannot be. The rules:

* A send that was acknowledged is stored once, with the id, the number and the text of its ack.
* A send that was certainly refused is not stored. One without an answer is stored at most once.
* Nothing is stored that nobody sent.
* The numbers of a chat have no hole, and ids grow with them.
* On each connection the pushes of a chat come in the order of their numbers, without a hole, as
  they are stored.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

CERTAIN = ("STORAGE_UNAVAILABLE", "RATE_LIMITED", "NOT_PARTICIPANT", "VALIDATION_ERROR")
"""Refusals after which nothing may be stored; TIMEOUT says that nobody knows."""


@dataclass
class Send:
    """One message that a client wanted to say, by however many tries. `code` is that of the last
    refusal."""

    chat_id: int
    user_id: int
    key: str
    text: str
    acked: list[dict[str, Any]] = field(default_factory=list)
    unknown: bool = False
    code: str | None = None

    @property
    def certainly_refused(self) -> bool:
        return not self.acked and not self.unknown and self.code in CERTAIN


@dataclass
class Story:
    """All sends, and what each connection was pushed of each chat."""

    sends: list[Send] = field(default_factory=list)
    pushed: dict[tuple[str, int], list[dict[str, Any]]] = field(
        default_factory=lambda: defaultdict(list)
    )

    @property
    def acked(self) -> int:
        return sum(bool(each.acked) for each in self.sends)


def faults(story: Story, stored: Mapping[int, Sequence[dict[str, Any]]]) -> list[str]:
    """Every rule that was broken, in words. `stored` holds each chat's messages as read at the
    end."""
    found: list[str] = []
    by_key = _by_key(stored)
    for send in story.sends:
        found += _faults_of_send(send, by_key[send.chat_id, send.user_id, send.key])
    wanted = {(each.chat_id, each.user_id, each.key) for each in story.sends}
    found += [f"{key} is stored and was never sent" for key in by_key if key and key not in wanted]
    for chat_id, messages in stored.items():
        found += _faults_of_chat(chat_id, messages)
    for (connection, chat_id), messages in story.pushed.items():
        found += _faults_of_pushes(connection, chat_id, messages, stored[chat_id])
    return found


def _by_key(
    stored: Mapping[int, Sequence[dict[str, Any]]],
) -> defaultdict[tuple[int, int, str], list[dict[str, Any]]]:
    by_key: defaultdict[tuple[int, int, str], list[dict[str, Any]]] = defaultdict(list)
    for chat_id, messages in stored.items():
        for each in messages:
            by_key[chat_id, each["senderId"], each["clientMessageId"]].append(each)
    return by_key


def _faults_of_send(send: Send, stored: Sequence[dict[str, Any]]) -> list[str]:
    if len(stored) > 1:
        return [f"{send.key} is stored {len(stored)} times"]
    if send.certainly_refused and stored:
        return [f"{send.key} was refused with {send.code} and is stored"]
    if send.acked and not stored:
        return [f"{send.key} was acknowledged and is lost"]
    found = [
        f"{send.key} was acknowledged as another message" for ack in send.acked if [ack] != stored
    ]
    if stored and stored[0]["message"] != send.text:
        found.append(f"{send.key} is stored with another text")
    return found


def _faults_of_chat(chat_id: int, messages: Sequence[dict[str, Any]]) -> list[str]:
    found = [
        f"chat {chat_id}: {one['seq']} is followed by {two['seq']}"
        for one, two in pairwise(messages)
        if two["seq"] != one["seq"] + 1
    ]
    found += [
        f"chat {chat_id}: the id {two['id']} comes after {one['id']}"
        for one, two in pairwise(messages)
        if two["id"] <= one["id"]
    ]
    ids = Counter(each["id"] for each in messages)
    return found + [f"the id {each} was given {n} times" for each, n in ids.items() if n > 1]


def _faults_of_pushes(
    connection: str,
    chat_id: int,
    pushed: Sequence[dict[str, Any]],
    stored: Sequence[dict[str, Any]],
) -> list[str]:
    by_id = {each["id"]: each for each in stored}
    found = [
        f"{connection}, chat {chat_id}: {two['seq']} was pushed after {one['seq']}"
        for one, two in pairwise(pushed)
        if two["seq"] != one["seq"] + 1
    ]
    return found + [
        f"{connection}, chat {chat_id}: {each['seq']} was pushed and is not what is stored"
        for each in pushed
        if by_id.get(each["id"]) != each
    ]
