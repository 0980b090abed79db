"""Small damage to bytes that were good."""

from collections.abc import Callable, Sequence
from random import Random

MOST_BYTES = 200_000


def mutate(random: Random, data: bytes, corpus: Sequence[bytes]) -> bytes:
    """One to four kinds of damage, one after the other; never longer than MOST_BYTES."""
    for _ in range(random.randint(1, 4)):
        data = random.choice(_KINDS)(random, data, corpus)[:MOST_BYTES]
    return data


def _flip(random: Random, data: bytes, _corpus: Sequence[bytes]) -> bytes:
    if not data:
        return data
    changed = bytearray(data)
    for _ in range(random.randint(1, 4)):
        changed[random.randrange(len(changed))] ^= 1 << random.randrange(8)
    return bytes(changed)


def _overwrite(random: Random, data: bytes, _corpus: Sequence[bytes]) -> bytes:
    at = random.randint(0, len(data))
    new = random.choice((b"\0", b"\xff", b"\x1e", b'"', b"[", b"{", b",", b"-", b"9", b"/", b"\\"))
    return data[:at] + new + data[at + 1 :]


def _truncate(random: Random, data: bytes, _corpus: Sequence[bytes]) -> bytes:
    return data[: random.randint(0, len(data))]


def _cut_out(random: Random, data: bytes, _corpus: Sequence[bytes]) -> bytes:
    a, b = sorted((random.randint(0, len(data)), random.randint(0, len(data))))
    return data[:a] + data[b:]


def _repeat(random: Random, data: bytes, _corpus: Sequence[bytes]) -> bytes:
    a, b = sorted((random.randint(0, len(data)), random.randint(0, len(data))))
    return data[:b] + data[a:b] * random.choice((1, 2, 10, 100)) + data[b:]


def _splice(random: Random, data: bytes, corpus: Sequence[bytes]) -> bytes:
    other = random.choice(corpus)
    return data[: random.randint(0, len(data))] + other[random.randint(0, len(other)) :]


def _insert_noise(random: Random, data: bytes, _corpus: Sequence[bytes]) -> bytes:
    at = random.randint(0, len(data))
    return data[:at] + random.randbytes(random.randint(1, 8)) + data[at:]


_KINDS: list[Callable[[Random, bytes, Sequence[bytes]], bytes]] = [
    _flip,
    _flip,
    _overwrite,
    _truncate,
    _cut_out,
    _repeat,
    _splice,
    _insert_noise,
]
