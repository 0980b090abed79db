"""Frames from a client, read on the fast path as on the general one, and frames to a client."""

import pytest
from wsproto.frame_protocol import FrameProtocol

from chat.gateway.engineio.frames import BINARY, PING, TEXT, FrameReader, frame, text_frame
from tools.fuzz import frames
from tools.fuzz.streams import compare, difference, read

STREAMS = 20_000
SIZES = [*range(260), *range(65_530, 65_540), 70_000]


def test_random_streams_are_read_as_wsproto_reads_them() -> None:
    """Whatever the frames are and wherever the reads cut them; `make fuzz` tries a million."""
    faults = [(seed, fault) for seed in range(STREAMS) if (fault := compare(seed))]
    assert faults == []


@pytest.mark.parametrize("first", [1, 5, 60, 125])
@pytest.mark.parametrize("opcode", [TEXT, PING])
def test_a_short_text_is_one_message_whatever_follows_it_in_the_same_read(
    first: int, opcode: int
) -> None:
    """A read may hold several frames: their sizes together are never taken for the size of one."""
    text = b"x" * first
    for second in range(1, 126):
        stream = frames.frame(text) + frames.frame(b"y" * second, opcode)
        assert read(FrameReader(1_000_000), stream) == [(TEXT, text), (opcode, b"y" * second)]


@pytest.mark.parametrize("size", [0, 3, 125, 126, 130, 65_536])
def test_two_frames_are_read_alike_wherever_the_first_read_ends(size: int) -> None:
    """All cuts of a stream of a text and a ping, in both orders."""
    text, ping = frames.frame(b"t" * size, mask=b"mask"), frames.frame(b"p" * 7, PING)
    for stream in (text + ping, ping + text):
        cuts = range(1, len(stream)) if size < 1_000 else (*range(1, 20), *range(65_530, 65_560))
        for cut in cuts:
            assert difference(stream, [stream[:cut], stream[cut:]]) is None


def test_written_frames_are_what_wsproto_reads() -> None:
    """The fast writer of texts and the general one write the same."""
    for size in SIZES:
        payload = b"x" * size
        assert text_frame(payload) == frame(TEXT, payload)
        for opcode in (TEXT, BINARY):
            peer = FrameProtocol(client=True, extensions=[])
            peer.receive_bytes(frame(opcode, payload))
            read = list(peer.received_frames())
            assert len(read) == 1
            assert (read[0].opcode, read[0].message_finished) == (opcode, True)
            assert read[0].payload == (payload.decode() if opcode == TEXT else payload)
