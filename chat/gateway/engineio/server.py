"""Engine.IO without the library's echo of client text in answers and logs, and with its tasks in
hand.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final

import engineio
import orjson
import structlog
from engineio import exceptions, packet
from engineio.async_drivers import tornado as engineio_tornado

from chat.errors import ChatError, ErrorCode
from chat.gateway.engineio.address_quota import Crowd
from chat.gateway.engineio.heartbeat import Heartbeat
from chat.gateway.engineio.outbound_queue import NOWHERE, Mailbox
from chat.gateway.engineio.polling import REFUSAL_KEY
from chat.gateway.engineio.session import ChatSession
from chat.gateway.engineio.websocket import Outbox

LAST_POLL_WITHIN_S: Final = 1.0
"""A client that closes its session by a POST may have a poll on its way on another connection."""

_log = structlog.get_logger("chat.transport")


class ChatEngine(engineio.AsyncServer):
    """The Engine.IO server. `take_event` (an event of /chat, without the packet's head) and
    `begin_message` (any other message; what it leads to beyond this turn of the loop) are set by
    the Socket.IO server above.
    """

    take_event: Callable[[ChatSession, bytes], None]
    begin_message: Callable[[str, str | bytes], Coroutine[Any, Any, None] | None]
    crowd: Crowd
    max_backlog_bytes: int

    def __init__(self, **options: Any) -> None:
        # The library's monitor would look at its own heartbeats.
        super().__init__(monitor_clients=False, **options)
        # Of the names that the library calls its ways to the web framework by.
        self._async: dict[str, Any] = {
            **engineio_tornado._async,
            "translate_request": translate_request,
        }
        self.heartbeat = Heartbeat(self.ping_interval, self.ping_timeout)
        self.outbox = Outbox()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._last_polls: set[str] = set()

    def make_session(self, session_id: str) -> ChatSession:
        return ChatSession(self, session_id)

    def create_queue(self, *_: Any, **__: Any) -> Mailbox:
        """Asked for by the library's constructor of a session, which makes its own."""
        return NOWHERE

    async def _handle_connect(
        self, environ: dict[str, Any], transport: str, jsonp_index: int | None = None
    ) -> Any:
        """The library's, with a session of ours; it offers no way to say which class to make."""
        session_id = self.generate_id()
        session = self.sockets[session_id] = self.make_session(session_id)
        session.home = self.crowd.enter(environ["REMOTE_ADDR"])
        handshake = {
            "sid": session_id,
            "upgrades": self._upgrades(session_id, transport),
            "pingTimeout": int(self.ping_timeout * 1000),
            "pingInterval": int(self.ping_interval * 1000),
            "maxPayload": self.max_http_buffer_size,
        }
        await session.send(packet.Packet(packet.OPEN, handshake))
        await self._trigger_event("connect", session_id, environ, run_async=False)
        session.schedule_ping()
        if transport == "websocket":
            return await session.handle_get_request(environ)
        session.connected = True
        try:
            return self._ok(await session.handle_get_request(environ))
        except exceptions.EngineIOError:
            return self._bad_request()

    def forget(self, session: ChatSession) -> None:
        """The session is closed."""
        self.sockets.pop(session.sid, None)
        if session.home is not None:
            self.crowd.leave(session.home)
            session.home = None

    def await_last_poll(self, session_id: str) -> None:
        """Answer one more poll of a session that its client has closed, if it comes soon."""
        self._last_polls.add(session_id)
        asyncio.get_running_loop().call_later(
            LAST_POLL_WITHIN_S, self._last_polls.discard, session_id
        )

    def is_last_poll(self, session_id: str) -> bool:
        """Whether this is that poll; the next one is refused."""
        if session_id not in self._last_polls:
            return False
        self._last_polls.remove(session_id)
        return True

    def own(self, work: Coroutine[Any, Any, None]) -> None:
        """Run something to its end, in a task that is cancelled with the server."""
        self.start_background_task(lambda: work)

    def start_background_task(
        self, target: Callable[..., Coroutine[Any, Any, Any]], *args: Any, **kwargs: Any
    ) -> asyncio.Task[Any]:
        task = asyncio.get_running_loop().create_task(target(*args, **kwargs))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def stop(self) -> None:
        """End what is still running."""
        self.heartbeat.stop()
        await self.outbox.stop()
        for task in self._tasks:
            task.cancel()

    def _ok(
        self,
        packets: list[packet.Packet] | None = None,
        headers: Any = None,
        jsonp_index: int | None = None,
    ) -> dict[str, Any]:
        answer = dict(super()._ok(packets, headers, jsonp_index))
        if packets is None:
            answer["response"] = b"ok"  # the library says OK
        return answer

    def _bad_request(self, message: str | None = None) -> dict[str, Any]:
        why = "the session has ended, or is on another transport"
        error = ChatError(ErrorCode.VALIDATION_ERROR, why)
        return {**refusal(error), "error": error}

    async def _make_response(self, answer: dict[str, Any], environ: dict[str, Any]) -> Any:
        """Answer a request; log a refusal of the library's under the id that the client gets."""
        if REFUSAL_KEY in environ:
            # The session's own error says more than what the library makes of it; it is logged.
            answer = refusal(environ.pop(REFUSAL_KEY))
        elif "error" in answer:
            error = answer["error"]
            _log.info(
                "handshake_refused",
                code=error.code.value,
                why=error.message,
                remote_ip=environ["REMOTE_ADDR"],
                request_id=error.request_id,
            )
        return await super()._make_response(answer, environ)

    def _log_error_once(self, message: str, message_key: str) -> None:
        """Log nothing: `_make_response` does."""


class _Body:
    """A request's body as the library reads it."""

    __slots__ = ("_body",)

    def __init__(self, body: bytes) -> None:
        self._body = body

    async def read(self, length: int) -> bytes:
        return self._body[:length]


def refusal(error: ChatError) -> dict[str, Any]:
    """The error as an answer of the library's."""
    headers = [("Content-Type", "application/json; charset=utf-8")]
    if error.retry_after_s is not None:
        headers.append(("Retry-After", str(max(1, round(error.retry_after_s)))))
    return {
        "status": str(error.kind.status),
        "headers": headers,
        "response": orjson.dumps(error.to_answer()),
    }


def translate_request(handler: Any) -> dict[str, Any]:
    """The environ of a request, as much of it as the libraries look at, with the client's real
    address. (python-engineio's own makes a class for each request, and says 127.0.0.1.)
    """
    request = handler.request
    environ: dict[str, Any] = {
        "wsgi.input": _Body(request.body or b""),
        "wsgi.url_scheme": request.protocol,
        "REQUEST_METHOD": request.method,
        "QUERY_STRING": request.query or "",
        "PATH_INFO": request.path,
        "REMOTE_ADDR": request.remote_ip or "",
        "tornado.handler": handler,
    }
    for name, value in request.headers.get_all():
        key = name.upper().replace("-", "_")
        environ[key if key.startswith("CONTENT_") else f"HTTP_{key}"] = value
    environ.update(getattr(handler, "extra_environ", ()))
    return environ
