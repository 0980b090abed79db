"""WebSocket frames (RFC 6455), as a server writes them and reads a client's.

This module knows no sockets and no Engine.IO.
"""

import struct
from collections.abc import Callable
from typing import Final

import tornado.util

# Looked up with getattr, so that `require_names` can report a Tornado that lacks the name.
unmask: Callable[[bytes, bytes], bytes] = getattr(tornado.util, "_websocket_mask", None)  # type: ignore[assignment]

TEXT: Final = 1
BINARY: Final = 2
CLOSE: Final = 8
PING: Final = 9
PONG: Final = 10
CONTINUATION: Final = 0

NORMAL: Final = 1000
PROTOCOL_ERROR: Final = 1002
TOO_BIG: Final = 1009

_WHOLE_TEXT: Final = 0x80 | TEXT
_MIDDLE_MASKED: Final = 0x80 | 126
_MAX_CONTROL_BYTES: Final = 125
_CONTROL: Final = 0x08
_MIDDLE_TEXT: Final = struct.Struct(">BBH").pack


class FrameError(Exception):
    """A violation of the protocol by the peer.

    `code` is the status to close with, `before` holds the messages before the violation.
    """

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code
        self.before: list[tuple[int, bytes]] = []


def frame(opcode: int, payload: bytes) -> bytes:
    """Encode one whole, unmasked frame."""
    size = len(payload)
    if size < 126:
        return bytes((0x80 | opcode, size)) + payload
    if size < 65_536:
        return bytes((0x80 | opcode, 126)) + size.to_bytes(2, "big") + payload
    return bytes((0x80 | opcode, 127)) + size.to_bytes(8, "big") + payload


def text_frame(payload: bytes) -> bytes:
    """Encode a text frame; the middle size, which nearly all have, takes half the time: 0.2 us."""
    size = len(payload)
    if 126 <= size < 65_536:
        return _MIDDLE_TEXT(0x80 | TEXT, 126, size) + payload
    return frame(TEXT, payload)


def close_frame(code: int) -> bytes:
    return frame(CLOSE, code.to_bytes(2, "big"))


def _only_text(data: bytes) -> bytes | None:
    """Return the payload if `data` is exactly one complete masked text frame, or None.

    The caller has checked the first byte. Nearly every read returns such a frame. This takes
    0.4 us, where the general way takes 1.1 us.
    """
    second, size = data[1], len(data) - 6
    at = 6
    if second == _MIDDLE_MASKED:
        at = 8
        if data[2] << 8 | data[3] != size - 2:
            return None
    elif size >= 126 or second != 0x80 | size:
        # From 128 on `0x80 | size` is `size` itself, so a short frame with others behind it would
        # pass for a whole one.
        return None
    return unmask(data[at - 4 : at], data[at:])


class FrameReader:
    """Turn bytes into messages. After a FrameError the reader must not be used again."""

    __slots__ = ("_max_bytes", "_missing", "_opcode", "_parts", "_rest")

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._rest: bytes | bytearray = b""
        # How many bytes have to arrive before the next frame can be complete.
        self._missing = 0
        # A message in fragments: the opcode of its first frame, and its payload so far.
        self._opcode = 0
        # One buffer: a list would take eight bytes or more for each empty fragment.
        self._parts: bytearray | None = None

    def whole_text(self, data: bytes) -> bytes | None:
        """Return the payload if all that was read is exactly one text frame, or None.

        Nearly every read returns one. Pass any other data to `feed`.
        """
        if self._rest or self._parts is not None or not 6 < len(data) <= self._max_bytes:
            return None
        return _only_text(data) if data[0] == _WHOLE_TEXT else None

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        """Return the complete messages and control frames, as `(opcode, payload)`."""
        if self._rest:
            # Extended, not copied: a frame of a megabyte may arrive byte by byte.
            if type(self._rest) is bytes:
                self._rest = bytearray(self._rest)
            self._rest += data
            self._missing -= len(data)
            if self._missing > 0:
                return []
            data = bytes(self._rest)
        found: list[tuple[int, bytes]] = []
        try:
            self._read(data, found)
        except FrameError as error:
            error.before = found
            raise
        return found

    def _read(self, data: bytes, found: list[tuple[int, bytes]]) -> None:
        self._missing = 0
        at, end = 0, len(data)
        while end - at >= 2:
            first, second = data[at], data[at + 1]
            # A client masks every frame, and no extension was agreed on that uses the other bits.
            if not second & 0x80 or first & 0x70:
                raise FrameError(PROTOCOL_ERROR)
            size, start = second & 0x7F, at + 6
            if size > _MAX_CONTROL_BYTES and first & _CONTROL:
                raise FrameError(PROTOCOL_ERROR)
            if size == 126:
                start = at + 8
                if end < start:
                    break
                size = int.from_bytes(data[at + 2 : at + 4], "big")
            elif size == 127:
                start = at + 14
                if end < start:
                    break
                size = int.from_bytes(data[at + 2 : at + 10], "big")
            self._check(first, size)
            if end < start + size:
                self._missing = start + size - end
                break
            at = start + size
            payload = unmask(data[start - 4 : start], data[start:at]) if size else b""
            self._take(first, payload, found)
        self._rest = data[at:]

    def _check(self, first: int, size: int) -> None:
        """Refuse a frame by its head, before waiting for its body."""
        opcode = first & 0x0F
        if opcode >= CLOSE:
            if opcode > PONG or not first & 0x80:
                raise FrameError(PROTOCOL_ERROR)
        elif opcode > BINARY or (opcode == CONTINUATION) == (self._parts is None):
            raise FrameError(PROTOCOL_ERROR)
        elif size + len(self._parts or b"") > self._max_bytes:
            raise FrameError(TOO_BIG)

    def _take(self, first: int, payload: bytes, found: list[tuple[int, bytes]]) -> None:
        opcode = first & 0x0F
        final = first & 0x80
        if opcode >= CLOSE or (final and self._parts is None):
            found.append((opcode, payload))
            return
        if self._parts is None:
            self._opcode, self._parts = opcode, bytearray()
        self._parts += payload
        if final:
            found.append((self._opcode, bytes(self._parts)))
            self._parts = None
