"""WebSocket frames of a client: whole ones, and every way that RFC 6455 can be broken."""

from collections.abc import Callable
from random import Random

from tornado.util import _websocket_mask as mask_bytes

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
FIN = 0x80
ZERO_MASK = b"\0\0\0\0"
MANY = 3_000


class Binary(bytes):
    """The payload of a binary frame; any other bytes are text."""


def frame(
    payload: bytes = b"",
    opcode: int = TEXT,
    *,
    flags: int = FIN,
    mask: bytes | None = ZERO_MASK,
    declared: int | None = None,
    length_bits: int = 0,
) -> bytes:
    """One frame. `declared` is the length that its head claims, `length_bits` (7, 16, 64) the field
    that it claims it in; `mask=None` leaves the payload bare.
    """
    size = len(payload) if declared is None else declared
    bits = length_bits or (7 if size < 126 else 16 if size < 65_536 else 64)
    masked = 0 if mask is None else 0x80
    if bits == 7:
        length = bytes((masked | size & 0x7F,))
    elif bits == 16:
        length = bytes((masked | 126,)) + (size & 0xFFFF).to_bytes(2, "big")
    else:
        length = bytes((masked | 127,)) + size.to_bytes(8, "big")
    head = bytes((flags | opcode,)) + length
    if mask is None:
        return head + payload
    return head + mask + (payload if mask == ZERO_MASK else mask_bytes(mask, payload))


def packet_frame(random: Random, packet: bytes) -> bytes:
    """A packet in a frame as it should be, in one of the ways that are allowed."""
    opcode = BINARY if isinstance(packet, Binary) else TEXT
    way = random.random()
    if way < 0.7:
        return frame(packet, opcode)
    if way < 0.85:
        return frame(packet, opcode, mask=random.randbytes(4))
    if way < 0.9:
        return frame(packet, opcode, length_bits=64)
    return b"".join(_fragments(random, packet, opcode))


def _fragments(random: Random, packet: bytes, opcode: int) -> list[bytes]:
    """A message in pieces, empty ones among them, with PINGs between them."""
    cuts = sorted(random.choices(range(len(packet) + 1), k=random.randint(1, 6)))
    pieces = [packet[a:b] for a, b in zip([0, *cuts], [*cuts, len(packet)], strict=True)]
    found = [frame(pieces[0], opcode, flags=0)]
    for piece in pieces[1:-1]:
        if random.random() < 0.3:
            found.append(frame(b"hello", PING))
        found.append(frame(piece, CONTINUATION, flags=0))
    return [*found, frame(pieces[-1], CONTINUATION)]


def broken(random: Random, packet: bytes) -> bytes:
    """Bytes that break the protocol, or stretch it, around a packet that would be good."""
    return random.choice(_BREAKS)(random, packet)


def _bare(_random: Random, packet: bytes) -> bytes:
    return frame(packet, mask=None)


def _reserved_bits(random: Random, packet: bytes) -> bytes:
    return frame(packet, flags=FIN | random.choice((0x10, 0x20, 0x40, 0x70)))


def _reserved_opcode(random: Random, packet: bytes) -> bytes:
    return frame(packet, random.choice((3, 4, 5, 6, 7, 11, 12, 13, 14, 15)))


def _long_control(random: Random, _packet: bytes) -> bytes:
    size = random.choice((126, 127, 1_000, 70_000))
    return frame(b"c" * size, random.choice((CLOSE, PING, PONG)))


def _control_in_pieces(random: Random, packet: bytes) -> bytes:
    opcode = random.choice((CLOSE, PING, PONG))
    return frame(packet[:20], opcode, flags=0) + frame(b"", CONTINUATION)


def _pieces_in_any_order(random: Random, packet: bytes) -> bytes:
    kinds = [
        frame(packet, TEXT, flags=0),
        frame(packet, BINARY, flags=0),
        frame(packet, CONTINUATION, flags=0),
        frame(packet, CONTINUATION),
        frame(packet, TEXT),
        frame(b"", PING),
    ]
    return b"".join(random.choices(kinds, k=random.randint(2, 8)))


def _lying_length(random: Random, packet: bytes) -> bytes:
    size = len(packet)
    declared = random.choice((0, 1, size // 2, size + 1, size + 50, 125, 126, 127, 65_535))
    return frame(packet, declared=declared, length_bits=random.choice((7, 16, 64)))


def _giant(random: Random, packet: bytes) -> bytes:
    sizes = (1_000_000, 1_000_001, 2**31, 2**32, 2**62, 2**63, 2**64 - 1)
    opcode = random.choice((TEXT, BINARY, PING, CONTINUATION))
    return frame(packet, opcode, declared=random.choice(sizes), length_bits=64)


def _half(random: Random, packet: bytes) -> bytes:
    whole = frame(packet, mask=random.randbytes(4))
    return whole[: random.randrange(1, len(whole))]


def _noise(random: Random, _packet: bytes) -> bytes:
    return random.randbytes(random.randint(1, 400))


def _odd_close(random: Random, _packet: bytes) -> bytes:
    bodies = (b"", b"\x03", b"\0\0", b"\x03\xe7", b"\x03\xed", b"\xff\xff", b"\x03\xe8\xff\xfe")
    return frame(random.choice(bodies), CLOSE) + frame(b"2", TEXT)


def _storm(random: Random, packet: bytes) -> bytes:
    """Many small frames in one segment."""
    one = random.choice((frame(b"", PING), frame(b"", PONG), frame(packet), frame(b"3")))
    return one * random.randint(50, 500)


def _endless_pieces(random: Random, _packet: bytes) -> bytes:
    """A message that never ends, of pieces that weigh next to nothing."""
    piece = random.choice((b"", b"4", b"42"))
    return frame(b"4", flags=0) + frame(piece, CONTINUATION, flags=0) * MANY


def _other_protocol(random: Random, _packet: bytes) -> bytes:
    texts = (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01\x02\x00\x01", b"\x00hello\xff")
    return random.choice(texts)


def _not_utf8(random: Random, packet: bytes) -> bytes:
    bad = random.choice((b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"\xe2\x82"))
    return frame(packet + bad)


_BREAKS: list[Callable[[Random, bytes], bytes]] = [
    _bare,
    _reserved_bits,
    _reserved_opcode,
    _long_control,
    _control_in_pieces,
    _pieces_in_any_order,
    _lying_length,
    _giant,
    _half,
    _noise,
    _odd_close,
    _storm,
    _endless_pieces,
    _other_protocol,
    _not_utf8,
]
