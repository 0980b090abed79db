"""What clients may write on a websocket, read by our reader and by wsproto side by side.

Where the two differ on purpose, wsproto is brought to our way in `Judge` and `_Decoder`:

* A message has a longest size. wsproto knows none.
* A length may be spelt in more bytes than it needs. RFC 6455 forbids it to the sender, and Tornado
  and the `ws` of Node take it.
* UTF-8 is checked by the session, once a text is whole. wsproto does so piece by piece.
* Whatever a close frame says, the answer is a close frame. wsproto tells good codes from bad.
"""

from collections.abc import Iterator
from random import Random
from typing import Any

from wsproto.frame_protocol import CloseReason, FrameDecoder, FrameProtocol, Opcode, ParseFailed

from chat.gateway.engineio.frames import CLOSE, TEXT, FrameError, FrameReader
from tools.fuzz.frames import BINARY, CONTINUATION, FIN, PING, PONG, ZERO_MASK, broken, frame

MAX_BYTES = 70_000
LONGEST_HEAD = bytes(14)
# With its head a text of 122 bytes takes 128: what goes with it in a read looks 128 longer.
EDGES = (
    0,
    1,
    2,
    122,
    122,
    122,
    124,
    125,
    126,
    127,
    128,
    129,
    250,
    251,
    252,
    253,
    254,
    255,
    256,
    257,
)
LARGE = (65_535, 65_536, 69_999, 70_000, 70_001)
CLOSES = (
    b"",
    b"\x03\xe8",
    b"\x03\xe9bye",
    b"\x0f\xa0",
    b"\x03",
    b"\x03\xed",
    b"\0\0",
    b"\x03\xe8\xff",
)

Found = tuple[list[tuple[int, bytes]], int | None]
"""The messages up to a close frame, and the code of the error behind them, if there is one."""


class _Decoder(FrameDecoder):
    """wsproto's, with a longest message, and with lengths of any spelling."""

    def __init__(self, protocol: FrameProtocol, max_bytes: int) -> None:
        super().__init__(client=False)
        self._messages = protocol._message_decoder
        self._max_bytes = max_bytes
        self._size = 0

    def parse_header(self) -> bool:
        if not super().parse_header():
            return False
        assert self.header is not None
        opcode, size = self.header.opcode, self.header.payload_len
        if not opcode.iscontrol():
            if (opcode is Opcode.CONTINUATION) == (self._messages.opcode is None):
                raise ParseFailed("out of order")
            self._size = size + (self._size if opcode is Opcode.CONTINUATION else 0)
            if self._size > self._max_bytes:
                raise ParseFailed("too big", CloseReason.MESSAGE_TOO_BIG)
        return True

    def parse_extended_payload_length(self, opcode: Opcode, payload_len: int) -> int | None:
        if payload_len < 126 or opcode.iscontrol():
            size: int | None = super().parse_extended_payload_length(opcode, payload_len)
            return size
        data = self.buffer.consume_exactly(2 if payload_len == 126 else 8)
        return None if data is None else int.from_bytes(data, "big")


class Judge:
    """wsproto's reading of a stream."""

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._protocol = FrameProtocol(client=False, extensions=[])
        self._protocol._frame_decoder = _Decoder(self._protocol, max_bytes)
        self._parts = b""
        self.not_utf8 = False

    def read(self, stream: bytes) -> Found:
        messages: list[tuple[int, bytes]] = []
        self._protocol.receive_bytes(stream)
        try:
            for each in self._protocol.received_frames():
                if each.opcode is Opcode.CLOSE:
                    return [*messages, (CLOSE, b"")], None
                payload: Any = each.payload
                data = payload.encode() if isinstance(payload, str) else payload
                if each.opcode.iscontrol():
                    messages.append((int(each.opcode), data))
                    continue
                self._parts += data
                if each.message_finished:
                    messages.append((int(each.opcode), self._parts))
                    self._parts = b""
        except ParseFailed as error:
            if "CLOSE" in str(error):
                return [*messages, (CLOSE, b"")], None
            self.not_utf8 = error.code is CloseReason.INVALID_FRAME_PAYLOAD_DATA
            return messages, int(error.code)
        return messages, None


def read(reader: FrameReader, data: bytes) -> list[tuple[int, bytes]]:
    """The messages of one read, as a connection gets them."""
    text = reader.whole_text(data)
    return reader.feed(data) if text is None else [(TEXT, text)]


class Ours:
    """The reading of ours, in the pieces in which the stream comes."""

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._reader = FrameReader(max_bytes)

    def read(self, pieces: list[bytes]) -> Found:
        messages: list[tuple[int, bytes]] = []
        code = None
        for piece in pieces:
            try:
                messages += read(self._reader, piece)
            except FrameError as error:
                messages += error.before
                code = error.code
                break
        for at, (opcode, _) in enumerate(messages):
            if opcode == CLOSE:
                return [*messages[:at], (CLOSE, b"")], None
        return messages, code


def difference(stream: bytes, pieces: list[bytes], max_bytes: int = MAX_BYTES) -> str | None:
    """What wsproto reads otherwise than we do; None where there is nothing."""
    judge, ours = Judge(max_bytes), Ours(max_bytes)
    theirs, found = judge.read(stream), ours.read(pieces)
    if judge.not_utf8:
        expected = theirs[0]
        behind = [each for each in found[0][len(expected) :] if each[0] in (TEXT, BINARY)]
        alike = found[0][: len(expected)] == expected
        if alike and (not behind or (behind[0][0] == TEXT and not _is_utf8(behind[0][1]))):
            return None
    elif theirs == found:
        return None
    elif theirs[0] == found[0] and None in (theirs[1], found[1]):
        # The one sees by two bytes what the other wants the whole head for.
        late = judge.read(LONGEST_HEAD) if theirs[1] is None else ours.read([LONGEST_HEAD])
        if late == ([], theirs[1] or found[1]):
            return None
    return f"{[each.hex() for each in pieces]}: wsproto {theirs}, ours {found}"


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


# ---- streams


def compare(seed: int) -> str | None:
    """Make up the stream of that number, cut it into reads, and have it read by both."""
    random = Random(seed)  # noqa: S311  # the same again for the same number
    frames = [each for _ in range(random.randint(1, 3)) for each in _some(random)]
    stream = b"".join(frames)
    max_bytes = random.choice((MAX_BYTES, MAX_BYTES, MAX_BYTES, 250, 125))
    return difference(stream, list(_reads(random, frames, stream)), max_bytes)


def _some(random: Random) -> list[bytes]:
    """A frame, a message in fragments, or something that breaks the protocol."""
    way = random.random()
    if way < 0.45:
        return [_whole(random, random.choice((TEXT, TEXT, TEXT, BINARY)), _payload(random))]
    if way < 0.65:
        return [_whole(random, random.choice((PING, PONG)), _payload(random)[:125])]
    if way < 0.85:
        return _fragments(random)
    if way < 0.9:
        return [_whole(random, CLOSE, random.choice(CLOSES))]
    if way < 0.93:
        return [_whole(random, random.choice((TEXT, PING, CONTINUATION)), _payload(random))]
    data = bytearray(_whole(random, TEXT, _payload(random)))
    if way < 0.96:
        data[random.randrange(min(4, len(data)))] ^= 1 << random.randrange(8)
        return [bytes(data)]
    made = broken(random, _payload(random)[:300])
    return [made[:2_000]]


def _payload(random: Random) -> bytes:
    kind = random.random()
    if kind < 0.002:
        return b"l" * random.choice(LARGE)
    size = random.choice(EDGES) if kind < 0.5 else random.randrange(300)
    if kind < 0.05:
        return random.randbytes(size)
    if kind < 0.1:
        return ("é€😀" * size).encode()[:size]
    return b"x" * size


def _whole(random: Random, opcode: int, payload: bytes, flags: int = FIN) -> bytes:
    mask = random.choice((ZERO_MASK, random.randbytes(4)))
    bits = random.choice((0,) * 18 + (16, 64)) if len(payload) < 65_536 else 0
    return frame(payload, opcode, flags=flags, mask=mask, length_bits=bits)


def _fragments(random: Random) -> list[bytes]:
    opcode, payload = random.choice((TEXT, BINARY)), _payload(random)
    cuts = sorted(random.choices(range(len(payload) + 1), k=random.randint(1, 3)))
    pieces = [payload[a:b] for a, b in zip([0, *cuts], [*cuts, len(payload)], strict=True)]
    found = []
    for at, piece in enumerate(pieces):
        if at and random.random() < 0.3:
            found.append(_whole(random, random.choice((PING, PONG)), _payload(random)[:125]))
        flags = FIN if at == len(pieces) - 1 else 0
        found.append(_whole(random, opcode if at == 0 else CONTINUATION, piece, flags))
    return found


def _reads(random: Random, frames: list[bytes], stream: bytes) -> Iterator[bytes]:
    """The stream as it may come: frame by frame, all at once, byte by byte, or cut anywhere."""
    way = random.random()
    if way < 0.25:
        yield from frames
    elif way < 0.5:
        yield stream
    elif way < 0.55 and len(stream) < 500:
        yield from (stream[at : at + 1] for at in range(len(stream)))
    else:
        cuts = sorted(random.choices(range(len(stream) + 1), k=random.randint(1, 5)))
        for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True):
            if a < b:
                yield stream[a:b]
