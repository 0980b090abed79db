"""What the server says on a websocket, held against the protocol: whatever it was sent, its own
frames are whole, unmasked, UTF-8, and JSON that a browser can parse.
"""

import re

import orjson

_KINDS = re.compile(rb"0\{|1$|2$|3probe$|4[0-4]|6$")
_BODY = re.compile(rb"4\d/chat,\d*")


class Hearing:
    """Takes the bytes as they come. `faults` says what was wrong with them, `answers` what was
    heard of the ack that is waited for.
    """

    def __init__(self, awaited: bytes) -> None:
        self._rest = b""
        self._awaited = awaited
        self.answers = 0
        self.closed_by = 0
        self.faults: list[str] = []

    def take(self, data: bytes) -> None:
        data = self._rest + data
        at, end = 0, len(data)
        while end - at >= 2:
            first, size, start = data[at], data[at + 1], at + 2
            if size == 126:
                start += 2
            elif size == 127:
                start += 8
            if end < start:
                break
            if size in (126, 127):
                size = int.from_bytes(data[at + 2 : start], "big")
            elif size > 127:
                self.faults.append("a masked frame")
                return
            if end < start + size:
                break
            at = start + size
            self._frame(first, data[start:at])
        self._rest = data[at:]

    def _frame(self, first: int, payload: bytes) -> None:
        if first == 0x88:
            self.closed_by = int.from_bytes(payload[:2], "big")
        elif first == 0x81:
            self._text(payload)
        elif first != 0x8A:
            self.faults.append(f"a frame that begins with {first:#x}")

    def _text(self, payload: bytes) -> None:
        if payload.startswith(self._awaited):
            self.answers += 1
        body = _BODY.match(payload)
        try:
            if _KINDS.match(payload) is None:
                raise ValueError("no packet")
            if body is not None and len(payload) > body.end():
                orjson.loads(payload[body.end() :])
        except ValueError as error:
            self.faults.append(f"{error}: {payload[:80]!r}")
