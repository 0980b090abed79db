"""Frames from a client, read on the fast path as on the general one."""

import pytest

from chat.gateway.wire.frames import PING, TEXT, FrameReader

KEY = b"\x01\x02\x03\x04"


def masked(opcode: int, payload: bytes) -> bytes:
    """One whole frame as a client sends it."""
    size = len(payload)
    head = bytes((0x80 | opcode,))
    if size < 126:
        head += bytes((0x80 | size,))
    else:
        head += bytes((0x80 | 126,)) + size.to_bytes(2, "big")
    return head + KEY + bytes(byte ^ KEY[at % 4] for at, byte in enumerate(payload))


@pytest.mark.parametrize("first", [1, 5, 60, 125])
@pytest.mark.parametrize("opcode", [TEXT, PING])
def test_a_short_text_is_one_message_whatever_follows_it_in_the_same_read(
    first: int, opcode: int
) -> None:
    """A read may hold several frames: their sizes together are never taken for the size of one."""
    text = b"x" * first
    for second in range(1, 126):
        follower = masked(opcode, b"y" * second)
        found = FrameReader(1_000_000).feed(masked(TEXT, text) + follower)
        assert found == [(TEXT, text), (opcode, b"y" * second)]
