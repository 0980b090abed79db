"""HTTP as bytes on a socket, for requests that no well-behaved client sends."""

import socket
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import orjson


@dataclass(frozen=True, slots=True)
class RawResponse:
    status: int
    headers: dict[str, str]
    content: bytes

    @property
    def body(self) -> Any:
        return orjson.loads(self.content)

    @property
    def code(self) -> str:
        return str(self.body["error"]["code"])


def exchange(
    port: int, request: bytes, *, head: bool = False, deadline_s: float = 10
) -> RawResponse:
    """Send these bytes on a connection of their own; the answer up to its end."""
    with socket.create_connection(("127.0.0.1", port), timeout=deadline_s) as connection:
        # Refused before all of it was read, the answer may be there all the same.
        with suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(request)
        return _read(connection, head=head)


def get(port: int, target: str, *headers: str, method: str = "GET") -> RawResponse:
    """A request whose target is sent as it stands."""
    lines = [
        f"{method} {target} HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        "Connection: close",
        *headers,
    ]
    request = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
    return exchange(port, request, head=method == "HEAD")


def head(port: int, target: str, *headers: str) -> RawResponse:
    """A HEAD request; `content` is whatever came although nothing should."""
    return get(port, target, *headers, method="HEAD")


def _read(connection: socket.socket, *, head: bool) -> RawResponse:
    received = b""
    while b"\r\n\r\n" not in received:
        chunk = connection.recv(65536)
        assert chunk, f"the connection ended without an answer: {received!r}"
        received += chunk
    top, _, content = received.partition(b"\r\n\r\n")
    first, *lines = top.decode("latin-1").split("\r\n")
    headers = {
        name.strip().lower(): value.strip()
        for name, _, value in (line.partition(":") for line in lines)
    }
    bodiless = head or first.startswith("HTTP/1.1 304")
    length = 0 if bodiless else int(headers.get("content-length", "0"))
    while len(content) < length:
        chunk = connection.recv(65536)
        if not chunk:
            break
        content += chunk
    return RawResponse(int(first.split(" ")[1]), headers, content)
