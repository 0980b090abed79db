"""Socket.IO packets as clients send them, read strictly: what the protocol (v5) has no meaning for
is malformed, and so is what only an attacker would send.

    <kind>[<attachments>-][/<namespace>,][<ack id>][<JSON>]
"""

import re
from dataclasses import dataclass, field
from typing import Any, Final

import orjson
from socketio.packet import ACK, BINARY_ACK, BINARY_EVENT, CONNECT, DISCONNECT, EVENT

from chat.contracts.json_text import half_pair_in, marks_in
from chat.errors import ChatError

MAX_ATTACHMENTS: Final = 16
MAX_ACK_DIGITS: Final = 15
"""Within what a JavaScript client can count to."""

MAX_DEPTH: Final = 32
MAX_MARKS: Final = 20_000
"""Commas and opening brackets."""

RESERVED_EVENTS: Final = frozenset(
    ("connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener")
)
"""Names that both sides give to things of their own: as an event, `connect` would run the handler
that lets somebody in.
"""

_PACKET: Final = re.compile(
    rf"([0-6])(?:([0-9]{{1,3}})-)?(?:(/[^,]{{0,255}})(?:,|\Z))?([0-9]{{0,{MAX_ACK_DIGITS}}})(.*)",
    re.DOTALL,
)
_BINARY: Final = (BINARY_EVENT, BINARY_ACK)
_NAMES: Final = {CONNECT: "the CONNECT", EVENT: "the event"}
"""What can be answered with an error."""


class MalformedPacket(Exception):
    """What is wrong, in words of ours alone."""


class RefusedPacket(Exception):
    """A packet in order but for a text in its JSON, and the error that names it."""

    def __init__(self, packet: "ClientPacket", error: ChatError) -> None:
        super().__init__(error.message)
        self.packet = packet
        self.error = error


@dataclass(slots=True)
class ClientPacket:
    """`attachments` is how many binary frames belong to it, `parts` are those that have come."""

    kind: int
    namespace: str
    ack_id: int | None
    data: Any
    attachments: int = 0
    parts: list[bytes] = field(default_factory=list)

    def attach(self, part: bytes, max_bytes: int) -> bool:
        """Take the next binary frame; whether it was the last one, and `data` is whole."""
        self.parts.append(part)
        if sum(map(len, self.parts)) > max_bytes:
            raise MalformedPacket("attachments too large")
        if len(self.parts) < self.attachments:
            return False
        self.data = _filled(self.data, self.parts)
        return True


def read_packet(text: str) -> ClientPacket:
    """The packet in a text; MalformedPacket where it is none that a client may send, RefusedPacket
    where half a surrogate pair is all that is wrong with it.
    """
    match = _PACKET.fullmatch(text)
    if match is None:
        raise MalformedPacket("no packet")
    kind, attachments, namespace, ack_id, body = match.groups()
    packet = ClientPacket(
        kind=int(kind),
        # A client of old appends its query string.
        namespace=(namespace or "/").partition("?")[0],
        ack_id=int(ack_id) if ack_id else None,
        data=None,
        attachments=int(attachments or 0),
    )
    if body:
        packet.data = _read_json(body, packet)
    if (attachments is not None) != (packet.kind in _BINARY):
        raise MalformedPacket("attachments of a packet that has none")
    _check(packet)
    return packet


def _read_json(body: str, packet: ClientPacket) -> Any:
    if marks_in(body.encode()) > MAX_MARKS:
        raise MalformedPacket("too many values")
    try:
        data = orjson.loads(body)
    except orjson.JSONDecodeError:
        error = half_pair_in(body.encode(), _NAMES.get(packet.kind, ""))
        if error is not None and packet.kind in _NAMES:
            raise RefusedPacket(packet, error) from None
        raise MalformedPacket("not JSON") from None
    # Cheap first: most packets have fewer brackets than that.
    if body.count("[") + body.count("{") > MAX_DEPTH:
        _check_depth(data, MAX_DEPTH)
    return data


def _check_depth(value: Any, left: int) -> None:
    if not isinstance(value, list | dict):
        return
    if left == 0:
        raise MalformedPacket("nested too deep")
    for each in value.values() if isinstance(value, dict) else value:
        _check_depth(each, left - 1)


def _check(packet: ClientPacket) -> None:
    data = packet.data
    if packet.kind in (EVENT, BINARY_EVENT):
        if not isinstance(data, list) or not data or not isinstance(data[0], str):
            raise MalformedPacket("an event without a name")
        if data[0] in RESERVED_EVENTS:
            raise MalformedPacket("a reserved event")
    elif packet.kind in (ACK, BINARY_ACK):
        if packet.ack_id is None or not isinstance(data, list):
            raise MalformedPacket("an ack of nothing")
    elif packet.ack_id is not None:
        raise MalformedPacket("an ack id where none belongs")
    elif packet.kind == CONNECT:
        if not (data is None or isinstance(data, dict)):
            raise MalformedPacket("a CONNECT with something else than an object")
    elif packet.kind != DISCONNECT or data is not None:
        raise MalformedPacket("no packet of a client")
    if packet.kind in _BINARY:
        _check_placeholders(packet)


def _check_placeholders(packet: ClientPacket) -> None:
    """Each attachment may be named once: five thousand placeholders of one took 4.5 GB."""
    if packet.attachments > MAX_ATTACHMENTS:
        raise MalformedPacket("too many attachments")
    named = list(_placeholders(packet.data))
    if len(set(named)) < len(named):
        raise MalformedPacket("an attachment named twice")
    if any(number >= packet.attachments for number in named):
        raise MalformedPacket("an attachment that is not there")


def _placeholders(value: Any) -> "list[int]":
    if isinstance(value, dict):
        if value.get("_placeholder") is not True:
            return [number for each in value.values() for number in _placeholders(each)]
        number = value.get("num")
        if type(number) is not int or number < 0:
            raise MalformedPacket("a placeholder without a number")
        return [number]
    if isinstance(value, list):
        return [number for each in value for number in _placeholders(each)]
    return []


def _filled(value: Any, parts: list[bytes]) -> Any:
    if isinstance(value, dict):
        if value.get("_placeholder") is True:
            return parts[value["num"]]
        return {key: _filled(each, parts) for key, each in value.items()}
    if isinstance(value, list):
        return [_filled(each, parts) for each in value]
    return value
