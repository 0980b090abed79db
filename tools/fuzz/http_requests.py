"""Requests to /socket.io/, as raw bytes: those that a client makes, and all kinds of others."""

import base64
from collections.abc import Callable
from random import Random

from tools.fuzz import packets
from tools.fuzz.frames import Binary
from tools.fuzz.world import World

SID = "@own-session@"
"""In place of the id of a session that the driver has opened."""

MAX_BODY_BYTES = 1_000_000
KEY = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
UPGRADE = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", KEY)
OPENING = "/socket.io/?EIO=4&transport="
POLLING = f"{OPENING}polling&sid={SID}"


def request(method: str, target: str, *headers: str, body: bytes = b"") -> bytes:
    """One request; Content-Length goes with a body."""
    lines = [f"{method} {target} HTTP/1.1", "Host: 127.0.0.1", *headers]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def post(packets_: list[bytes]) -> bytes:
    """Packets in one polling POST."""
    body = b"\x1e".join(
        b"b" + base64.b64encode(each) if isinstance(each, Binary) else each for each in packets_
    )
    return request("POST", POLLING, "Content-Type: text/plain;charset=UTF-8", body=body)


def poll() -> bytes:
    return request("GET", POLLING)


def handshake(sid: str = "") -> bytes:
    """The good request for a websocket."""
    target = f"{OPENING}websocket" + (f"&sid={sid}" if sid else "")
    return request("GET", target, *UPGRADE)


def odd(random: Random, world: World) -> bytes:
    """A request that deserves a refusal, or nothing."""
    return random.choice(_KINDS)(random, world)


def _query(random: Random, _world: World) -> bytes:
    targets = (
        "/socket.io/", "/socket.io/?", "/socket.io/?EIO=3&transport=polling", "/socket.io/?EIO=4",
        "/socket.io", f"{OPENING}polling&EIO=3", f"{OPENING}carrier-pigeon",
        f"{OPENING}polling&j=0", f"{OPENING}polling&b64=1", f"{OPENING}polling&sid=",
        f"{OPENING}polling&sid=nobody", f"{OPENING}polling&sid=%00", f"{OPENING}websocket",
        f"{OPENING}polling&sid=__proto__", f"{OPENING}polling&sid={SID}&sid=nobody",
        f"{OPENING}polling&sid=%ff", f"{OPENING}polling&sid={'x' * 5_000}",
        f"{OPENING}polling&transport=websocket", f"{POLLING}&EIO=5", f"{OPENING}%70olling",
        f"{OPENING}polling&token=%0aFORGED", f"{OPENING}polling&sid={SID}%20", "*",
        "http://elsewhere/socket.io/?EIO=4&transport=polling", "/socket.io/%2e%2e/admin/stats",
        "//socket.io/",
    )  # fmt: skip
    return request(random.choice(("GET", "GET", "POST")), random.choice(targets))


def _method(random: Random, _world: World) -> bytes:
    methods = (
        "OPTIONS",
        "HEAD",
        "PUT",
        "DELETE",
        "PATCH",
        "TRACE",
        "CONNECT",
        "get",
        "PRI",
        "G" * 300,
    )
    return request(random.choice(methods), random.choice((POLLING, f"{OPENING}polling")))


def _body(random: Random, world: World) -> bytes:
    packet = packets.dangerous(random, world)
    bodies = (
        b"", b"\x1e", b"\x1e\x1e\x1e", packet + b"\x1e", b"d=" + packet, b"d=", b"\xff\xfe",
        packet * 2, b"2", b"6" + packet, b"3\x1e" * 900 + b"3", b"3\x1e" * 1_500 + b"3",
        b"b" + packet, b"4\x1e4\x1e4", b"1\x1e" + packet,
    )  # fmt: skip
    types = (
        "text/plain",
        "application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "\u00e9",
        "",
    )
    return request(
        "POST", POLLING, f"Content-Type: {random.choice(types)}", body=random.choice(bodies)
    )


def _oversize(random: Random, _world: World) -> bytes:
    size = random.choice((MAX_BODY_BYTES, MAX_BODY_BYTES + 1, 4 * MAX_BODY_BYTES + 1))
    body = b"4" + b"x" * (size - 1)
    if random.random() < 0.5:
        body = body[:1_000]  # the rest never comes
    head = request("POST", POLLING, f"Content-Length: {size}")
    return head + body


def _lengths(random: Random, _world: World) -> bytes:
    lengths = ("-1", "0", "1", "99", "1e3", "10000000000000", "\u0661", "3, 3", "3, 4", "+3", " 3")
    chunks = (
        b"3\r\n4/,\r\n0\r\n\r\n",
        b"zz\r\n",
        b"ffffffffffffffff\r\n4",
        b"3;x=y\r\n42[\r\n",
        b"-1\r\n",
    )
    if random.random() < 0.5:
        return request("POST", POLLING, f"Content-Length: {random.choice(lengths)}") + b"42["
    both = ("Content-Length: 3",) if random.random() < 0.3 else ()
    coding = random.choice(("chunked", "gzip, chunked", "identity", "chunked, chunked"))
    return request("POST", POLLING, f"Transfer-Encoding: {coding}", *both) + random.choice(chunks)


def _compressed(random: Random, _world: World) -> bytes:
    coding = random.choice(("gzip", "deflate", "br", "identity"))
    return request("POST", POLLING, f"Content-Encoding: {coding}", body=random.randbytes(50))


def _upgrade(random: Random, _world: World) -> bytes:
    headers = list(UPGRADE)
    at = random.randrange(len(headers))
    changes = (
        "Connection: keep-alive", "Connection: Upgrade, close", "Upgrade: h2c",
        "Upgrade: WebSocket", "Upgrade: websocket, h2c", "Sec-WebSocket-Version: 8",
        "Sec-WebSocket-Version: 99", "Sec-WebSocket-Version: 13, 8", "Sec-WebSocket-Key: x",
        "Sec-WebSocket-Key: ", "Sec-WebSocket-Key: " + "A" * 4_000, "Origin: https://evil.example",
        "Origin: null", "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits",
        "Sec-WebSocket-Protocol: chat, \u00e9", "Content-Length: 10", "Transfer-Encoding: chunked",
        "Expect: 100-continue", "X: " + "y" * 40_000, "X-Forwarded-For: \u0661",
    )  # fmt: skip
    headers[at] = random.choice((headers[at], random.choice(changes)))
    headers.insert(0, random.choice(changes))
    targets = (
        f"{OPENING}websocket",
        f"{OPENING}websocket&sid={SID}",
        f"{OPENING}websocket&sid=nobody",
        POLLING,
    )
    return request(random.choice(("GET", "GET", "POST")), random.choice(targets), *headers)


def _no_http(random: Random, _world: World) -> bytes:
    texts = (
        b"\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost : x\r\n\r\n", b"\0" * 100, b"GET / HTTP/1.1\r\n: x\r\n\r\n",
        b"GET / HTTP/1.1\r\n folded: x\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00",
        b"GET /\x00 HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nA: \x00\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"GET /socket.io/?EIO=4 HTTP/1.0\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 3_000, b"GET /" + b"a" * 70_000,
    )  # fmt: skip
    return random.choice(texts) if random.random() < 0.8 else random.randbytes(200)


_KINDS: list[Callable[[Random, World], bytes]] = [
    _query,
    _query,
    _method,
    _body,
    _body,
    _oversize,
    _lengths,
    _compressed,
    _upgrade,
    _upgrade,
    _no_http,
]
