"""Bodies of requests, read as they arrive, by handlers that check the request's head first.

Tornado gives a request to its handler when the body is complete, so a client without any permission
could make the server hold the body. Here `prepare` runs after the head, and the server counts the
bytes that it holds.
"""

import asyncio
from collections.abc import Hashable
from typing import Any, Final, Generic, TypeVar

import tornado.web
from tornado.iostream import StreamClosedError

from chat.errors import ChatError, ErrorCode
from chat.net.addresses import home_of

SHORT_BODY: Final = 64_000
"""If a refused body is no longer than this, the server reads its rest and keeps the connection."""

ENDLESS: Final = 1 << 62
RETRY_S: Final = 1.0


KeyT = TypeVar("KeyT", bound=Hashable)


class HeldBytes(Generic[KeyT]):
    """Counts the bytes that are held, in all and for each key."""

    def __init__(self, in_all: int, of_one: int) -> None:
        self._in_all = in_all
        self._of_one = of_one
        self._of: dict[KeyT, int] = {}
        self.total = 0

    def take(self, key: KeyT, size: int) -> bool:
        """Count `size` more bytes, if the bounds allow it."""
        of_key = self._of.get(key, 0) + size
        if of_key > self._of_one or self.total + size > self._in_all:
            return False
        self._of[key] = of_key
        self.total += size
        return True

    def give(self, key: KeyT, size: int) -> None:
        """Stop counting `size` bytes."""
        self.total -= size
        left = self._of[key] - size
        if left:
            self._of[key] = left
        else:
            del self._of[key]


def bodies_of(most_bytes: int) -> HeldBytes[str]:
    """Make the counter of bodies; one address may take a quarter of the bytes."""
    return HeldBytes(most_bytes, most_bytes // 4)


@tornado.web.stream_request_body
class BodyHandler(tornado.web.RequestHandler):
    """Base of handlers that check a request's head before its body is read.

    Call `expect_body` in `prepare`, and `take_body` in `post` or another HTTP method. A refusal is
    answered at once, however much of the body has arrived. The application's settings need
    `body_linger_s` of Timings. The class relies on Tornado 6.6: a request's `_body_future`, which
    the HTTP method waits for, and a connection's `set_max_body_size`.
    """

    _held = 0
    _most = 0
    _body = b""
    _answered_early = False

    def expect_body(self, bodies: HeldBytes[str], most_bytes: int) -> None:
        """Let the body arrive; PAYLOAD_TOO_LARGE if the client announces a larger one."""
        self._bodies = bodies
        self._home = home_of(self.request.remote_ip or "")
        self._most = most_bytes
        self._chunks = bytearray()
        # This class refuses a larger body; Tornado would answer with a bare 400.
        self._connection.set_max_body_size(ENDLESS)
        if self._announced() > most_bytes:
            raise _too_large(most_bytes)

    def data_received(self, chunk: bytes) -> None:
        if self._answered_early or self._most < 0:
            return  # refused: the rest is thrown away
        if self._held + len(chunk) > self._most:
            self._break_off(_too_large(self._most))
        elif not self._bodies.take(self._home, len(chunk)):
            why = "too many bodies are on their way, try again"
            self._break_off(ChatError(ErrorCode.RATE_LIMITED, why, retry_after_s=RETRY_S))
        else:
            self._held += len(chunk)
            self._chunks += chunk

    def take_body(self) -> bytes:
        """Return the whole body."""
        if self._held and not self._body:
            self._body = bytes(self._chunks)
            self._chunks = bytearray()
        return self._body

    def let_go(self) -> None:
        """Drop the body; safe to repeat."""
        if self._held:
            self._bodies.give(self._home, self._held)
            self._held = 0
            self._body = b""
            self._chunks = bytearray()

    def finish(self, chunk: Any = None) -> "asyncio.Future[None]":
        """Finish the answer; Tornado would close the connection if the body is not complete."""
        if self._answered_early:
            done: asyncio.Future[None] = asyncio.Future()
            done.set_result(None)
            return done
        if self._is_whole():
            return super().finish(chunk)
        if chunk is not None:
            self.write(chunk)
        return self._answer_early()

    def on_finish(self) -> None:
        self.let_go()

    def on_connection_close(self) -> None:
        broken_off = not self._is_whole() and not self._answered_early
        super().on_connection_close()
        # Tornado does this itself, but not in a WebSocketHandler, which polls use too.
        self._give_up_body()
        if broken_off:
            # Tornado does not call the HTTP method, so nothing else finishes the request.
            self.on_finish()

    @property
    def _connection(self) -> Any:
        return self.request.connection

    def _announced(self) -> int:
        """The length of the body; 0 if the client does not announce it."""
        length = self.request.headers.get("Content-Length", "0").partition(",")[0].strip()
        return int(length) if length.isascii() and length.isdigit() and len(length) < 20 else 0

    def _is_whole(self) -> bool:
        waiting: Any = getattr(self.request, "_body_future", None)
        return waiting is None or bool(waiting.done())

    def _answer_early(self) -> "asyncio.Future[None]":
        """Send the answer; end the request with its body, or after `body_linger_s`."""
        self._answered_early = True
        self.let_go()
        headers = self.request.headers
        chunked = "Transfer-Encoding" in headers
        closes = chunked or "Expect" in headers or self._announced() > SHORT_BODY
        closes = closes or self._headers.get("Connection") == "close"
        if closes:
            self.set_header("Connection", "close")
        # Otherwise Tornado would ask for the body after the answer.
        headers.pop("Expect", None)
        self._connection.set_max_body_size(ENDLESS)
        self.set_header("Content-Length", str(sum(map(len, self._write_buffer))))
        sent = self.flush()
        loop = asyncio.get_running_loop()
        timer = loop.call_later(self.settings["body_linger_s"], self._end, True)

        def over(rest: "asyncio.Future[None]") -> None:
            timer.cancel()
            if not rest.cancelled():
                rest.exception()  # marks it as retrieved
            self._end(closes)

        request: Any = self.request
        request._body_future.add_done_callback(over)
        return sent

    def _end(self, closes: bool) -> None:
        if self._finished:
            return
        stream = self._connection.stream
        super().finish()
        if closes and stream is not None:
            stream.close()
        self._give_up_body()

    def _give_up_body(self) -> None:
        """Let `_execute` return, which would otherwise wait for the rest of the body for ever."""
        if not self._is_whole():
            request: Any = self.request
            request._body_future.set_exception(StreamClosedError())
            request._body_future.exception()

    def _break_off(self, error: ChatError) -> None:
        """Raise the error in `_execute`, which waits for the body."""
        self.let_go()
        self._most = -1
        request: Any = self.request
        # Tornado sets the result of the new future when the body is complete.
        waiting, request._body_future = request._body_future, asyncio.Future()
        waiting.set_exception(error)


def _too_large(most_bytes: int) -> ChatError:
    why = f"the body is too large: this request may bring {most_bytes} bytes"
    return ChatError(ErrorCode.PAYLOAD_TOO_LARGE, why)
