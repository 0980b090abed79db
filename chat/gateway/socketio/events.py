"""Events of clients: where they go, their ack id, and the arguments that a handler takes."""

import inspect
import re
from collections.abc import Callable
from typing import Final, Protocol

from chat.errors import ChatError
from chat.gateway.socketio.packets import MAX_ACK_DIGITS
from chat.gateway.socketio.session import ClientSession

MAX_NULLS_TAKEN: Final = 8
"""Most trailing nulls that `fitting` keeps if the handler does not take all of them."""

_ACK_ID: Final = re.compile(rb"[0-9]{1,%d}(?![0-9])" % MAX_ACK_DIGITS)


class EventSink(Protocol):
    """Takes the events of the direct namespace from the server."""

    def receive(
        self, session: ClientSession, data: list[object], ack_id: int | None, size: int
    ) -> bool:
        """Take `[name, argument...]`; False if too many events of the session wait already."""

    def refuse(
        self, session: ClientSession, ack_id: int | None, error: ChatError, size: int
    ) -> None:
        """Answer an event that cannot be read."""

    def drop(self, session: ClientSession) -> None:
        """Forget the waiting events: the server is ending the session."""


def event_pattern(namespace: str) -> re.Pattern[str]:
    """Make the pattern of an event's head, to which an old client adds its query string."""
    return re.compile(rf"2{re.escape(namespace)}(?:\?[^,]*)?(?:,|\Z)")


def split_ack_id(text: bytes) -> tuple[int | None, bytes]:
    """Split an event without its head into its ack id and its JSON."""
    # For a list, which nearly every event is, this takes 0.4 us less than the pattern.
    head, bracket, _ = text.partition(b"[")
    if bracket and not head:
        return None, text
    if bracket and head.isdigit() and len(head) <= MAX_ACK_DIGITS:
        return int(head), text[len(head) :]
    digits = _ACK_ID.match(text)
    if digits is None:
        return None, text
    return int(digits[0]), text[digits.end() :]


def is_text(data: bytes) -> bool:
    """Whether the data is UTF-8."""
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def fitting(
    handler: Callable[..., object] | None, socket_id: str, args: list[object]
) -> list[object] | None:
    """Drop the trailing nulls that the handler does not take; None if the arguments do not fit.

    A client's `undefined` arrives as a null.
    """
    most = least = len(args)
    while least and args[least - 1] is None:
        least -= 1
    for count in (most, *range(min(most - 1, least + MAX_NULLS_TAKEN), least - 1, -1)):
        if fits(handler, socket_id, *args[:count]):
            return args[:count]
    return None


def fits(handler: Callable[..., object] | None, *args: object) -> bool:
    """Whether a handler takes a client's arguments; wrong arguments are no crash of it."""
    if handler is None:
        return True
    try:
        inspect.signature(handler).bind(*args)
    except TypeError:
        return False
    return True
