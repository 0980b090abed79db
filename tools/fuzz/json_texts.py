"""JSON as no serialiser writes it, and as some do: numbers, depths, surrogates, bytes."""

from random import Random

DEPTHS = (10, 31, 32, 33, 100, 1_000, 1_024, 1_025, 10_000, 100_000)
SMALL = (
    "NaN", "Infinity", "-Infinity", "1e400", "-1e400", "1e-400", "-0", "-0.0", "0.1e1", "1E5",
    "9007199254740992", "9007199254740993", "-9007199254740993", "18446744073709551616",
    "9" * 25, "1" + "0" * 400, "0." + "1" * 400, "01", "+1", ".5", "1.", "0x10", "1_000",
    r'"\ud800"', r'"\udc00\ud800"', r'"\ud83d\ude00"', r'"\u0000"', r'"a\u0000b"', r'"\x41"',
    '"\x00"', '"\n"', '"\t"', '"\u2028"', '"\u202e"', '"\ufeff"', "\ufeff1", '"unfinished', "'a'",
    "[1,]", "[,1]", '{"a":1,}', '{"a"}', "{a:1}", '{"a":1 "b":2}', "[1 2]", "/* */ 1", "1 // one",
    '{"a":1,"a":2}', '{"__proto__":{"a":1}}', '{"constructor":{"prototype":{}}}',
    '{"$gt":""}', '{"":""}', '{"a\\u0000b":1}', '{"\\ud800":1}', "nul", "None", "True", "undefined",
    "[]", "{}", "[[]]", "null", "true", '""', " 1 ", "\x0b1", "", " ", "\x1e", "\x00",
)  # fmt: skip
"""Texts of one value, most of them none."""

BAD_BYTES = (
    b'"\xff"', b'"\xc0\x80"', b'"\xc1\xbf"', b'"\xe0\x80\x80"', b'"\xed\xa0\x80"',
    b'"\xf4\x90\x80\x80"', b'"\xf8\x88\x80\x80\x80"', b'"\xe2\x82"', b'"\x80"',
    b"\xff\xfe[\x00]\x00", b"\xef\xbb\xbf[]",
)  # fmt: skip
SIZES = (10_001, 64_000, 66_000, 300_000)


def value(random: Random) -> bytes:
    """The text of one value."""
    way = random.random()
    if way < 0.7:
        return random.choice(SMALL).encode()
    if way < 0.82:
        return random.choice(BAD_BYTES)
    if way < 0.97:
        return _deep(random)
    return _large(random)


def _deep(random: Random) -> bytes:
    # Mostly around the bounds; 100,000 deep is worth no more than one try in a while.
    depth = random.choice(DEPTHS[:8]) if random.random() < 0.9 else random.choice(DEPTHS)
    head, tail = random.choice((("[", "]"), ('{"a":', "}"), ('[{"a":', "}]")))
    closed = random.random() < 0.8
    return (head * depth + "1" + (tail * depth if closed else "")).encode()


def _large(random: Random) -> bytes:
    size = random.choice(SIZES)
    way = random.randrange(5)
    if way == 0:
        return b'"' + b"x" * size + b'"'
    if way == 1:
        return b'{"' + b"k" * size + b'":1}'
    if way == 2:
        return b"[" + b"0," * (size // 2) + b"0]"
    if way == 3:
        return b"{" + b",".join(b'"%d":%d' % (n, n) for n in range(size // 16)) + b"}"
    return b"[" + b'{"a":[]},' * (size // 9) + b"0]"
