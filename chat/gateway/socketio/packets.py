"""Reads the Socket.IO packets of clients, strictly.

Packets without a meaning in the protocol (v5) are malformed, and so are those that only an attacker
would send.

    <kind>[<attachments>-][/<namespace>,][<ack id>][<JSON>]
"""

import re
from dataclasses import dataclass, field
from typing import Any, Final

import orjson
from socketio.packet import ACK, BINARY_ACK, BINARY_EVENT, CONNECT, DISCONNECT, EVENT

from chat.contracts.json_text import HalfPairError, JsonLimits, TooMuchJsonError, read_json
from chat.contracts.pushes import ServerEvent
from chat.errors import ChatError

MAX_ATTACHMENTS: Final = 16
MAX_ACK_DIGITS: Final = 15
"""A JavaScript client cannot count further than this."""

RESERVED_EVENTS: Final = frozenset(
    ("connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener")
)
"""Names that the libraries use themselves: an event `connect` would run the connect handler."""

_PACKET: Final = re.compile(
    rf"([0-6])(?:([0-9]{{1,3}})-)?(?:(/[^,]{{0,255}})(?:,|\Z))?([0-9]{{0,{MAX_ACK_DIGITS}}})(.*)",
    re.DOTALL,
)
_BINARY: Final = (BINARY_EVENT, BINARY_ACK)
_NAMES: Final = {CONNECT: "the CONNECT", EVENT: "the event"}
"""The packets that can be answered with an error, and their names in its message."""


class JsonCodec:
    """Lets python-socketio use orjson, which is 3 to 8 times faster.

    Reading and writing are strict: no NaN, no infinity, no lone surrogates.
    """

    @staticmethod
    def dumps(value: object, **_: object) -> str:
        return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS).decode()

    @staticmethod
    def loads(text: str | bytes, **_: object) -> object:
        return orjson.loads(text)


class MalformedPacket(Exception):
    """A packet that ends its session; the message says why, without any text of the client."""


class RefusedPacket(Exception):
    """A packet whose only fault is its JSON, and the error to answer with."""

    def __init__(self, packet: "ClientPacket", error: ChatError) -> None:
        super().__init__(error.message)
        self.packet = packet
        self.error = error


@dataclass(slots=True)
class ClientPacket:
    """A packet; `attachments` counts its binary frames, `parts` are those that have arrived."""

    kind: int
    namespace: str
    ack_id: int | None
    data: Any
    attachments: int = 0
    parts: list[bytes] = field(default_factory=list)

    def attach(self, part: bytes, max_bytes: int) -> bool:
        """Take the next binary frame; returns whether `data` is whole now."""
        self.parts.append(part)
        if sum(map(len, self.parts)) > max_bytes:
            raise MalformedPacket("attachments too large")
        if len(self.parts) < self.attachments:
            return False
        self.data = _filled(self.data, self.parts)
        return True


def event_text(namespace: str, event: ServerEvent) -> str:
    """Encode an event as the text of a packet."""
    head = "2" if namespace == "/" else f"2{namespace},"
    return head + orjson.dumps([event.name, event.payload]).decode()


def read_packet(text: str, limits: JsonLimits) -> ClientPacket:
    """Read a packet.

    Raises MalformedPacket if no client may send it, and RefusedPacket if its only fault is half a
    surrogate pair, or too much JSON in an event.
    """
    match = _PACKET.fullmatch(text)
    if match is None:
        raise MalformedPacket("no packet")
    kind, attachments, namespace, ack_id, body = match.groups()
    packet = ClientPacket(
        kind=int(kind),
        # An old client appends its query string.
        namespace=(namespace or "/").partition("?")[0],
        ack_id=int(ack_id) if ack_id else None,
        data=None,
        attachments=int(attachments or 0),
    )
    if body:
        packet.data = _read_json(body, packet, limits)
    if (attachments is not None) != (packet.kind in _BINARY):
        raise MalformedPacket("attachments of a packet that has none")
    _check(packet)
    return packet


def _read_json(body: str, packet: ClientPacket, limits: JsonLimits) -> object:
    try:
        return read_json(body.encode(), limits, _NAMES.get(packet.kind, "the packet"))
    except TooMuchJsonError as error:
        if packet.kind == EVENT:
            raise RefusedPacket(packet, error) from None
        raise MalformedPacket("too deep, or too many values") from None
    except HalfPairError as error:
        if packet.kind in _NAMES:
            raise RefusedPacket(packet, error) from None
        raise MalformedPacket("half a surrogate pair") from None
    except ChatError:
        raise MalformedPacket("not JSON") from None


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
    """Allow each attachment one placeholder: five thousand for the same one took 4.5 GB."""
    if packet.attachments > MAX_ATTACHMENTS:
        raise MalformedPacket("too many attachments")
    named = list(_placeholders(packet.data))
    if len(set(named)) < len(named):
        raise MalformedPacket("an attachment named twice")
    if any(number >= packet.attachments for number in named):
        raise MalformedPacket("an attachment that is not there")


def _placeholders(value: object) -> list[int]:
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


def _filled(value: object, parts: list[bytes]) -> object:
    if isinstance(value, dict):
        if value.get("_placeholder") is True:
            return parts[value["num"]]
        return {key: _filled(each, parts) for key, each in value.items()}
    if isinstance(value, list):
        return [_filled(each, parts) for each in value]
    return value
