"""The Engine.IO server: python-engineio's, without its echo of client text in answers and logs."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Final, Generic, TypeVar

import engineio
import orjson
import structlog
import tornado.web
from engineio import exceptions, packet
from engineio.async_drivers import tornado as engineio_tornado

from chat.errors import ChatError, ErrorCode
from chat.gateway.engineio.address_quota import AddressQuota
from chat.gateway.engineio.heartbeat import Heartbeat
from chat.gateway.engineio.outbound_queue import NOWHERE, OutboundQueue
from chat.gateway.engineio.polling import (
    HANDLER_KEY,
    REFUSAL_KEY,
    Answer,
    Environ,
    PollingSession,
    Work,
)
from chat.gateway.engineio.session import Session
from chat.gateway.engineio.websocket import Outbox

LAST_POLL_WITHIN_S: Final = 1.0
"""A client that closes its session by a POST may have a poll on its way on another connection."""

SessionT_co = TypeVar("SessionT_co", bound=Session, covariant=True)

_log = structlog.get_logger("chat.transport")


class Engine(engineio.AsyncServer, Generic[SessionT_co]):
    """Serves sessions of the layer above, which `make_session` makes."""

    sockets: dict[str, SessionT_co]
    ping_interval: float
    ping_timeout: float
    max_http_buffer_size: int

    def __init__(
        self,
        *,
        make_session: Callable[["Engine[SessionT_co]", str], SessionT_co],
        outbox: Outbox,
        quota: AddressQuota,
        max_backlog_bytes: int,
        **options: object,
    ) -> None:
        # The monitor would look at the library's heartbeats, which are unused.
        super().__init__(monitor_clients=False, **options)
        # python-engineio looks up its adapter to the web framework in this dict.
        self._async = {**engineio_tornado._async, "translate_request": translate_request}
        self._make_session = make_session
        self.outbox = outbox
        self.quota = quota
        self.max_backlog_bytes = max_backlog_bytes
        self.heartbeat = Heartbeat(self.ping_interval, self.ping_timeout)
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing: set[asyncio.Task[None]] = set()
        self._last_polls: set[str] = set()

    def create_queue(self, *_: object, **__: object) -> OutboundQueue:
        """Return a queue for the library's constructor of a session; ours makes its own."""
        return NOWHERE

    async def _handle_connect(
        self, environ: Environ, transport: str, jsonp_index: int | None = None
    ) -> Answer | str:
        """Begin a session like the library, which offers no way to choose the session's class."""
        session_id: str = self.generate_id()
        session = self.sockets[session_id] = self._make_session(self, session_id)
        session.home = self.quota.take(environ["REMOTE_ADDR"])
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
            await session.handle_get_request(environ)
            return ""
        session.connected = True
        try:
            return self._ok(await session.handle_get_request(environ))
        except exceptions.EngineIOError:
            return self.refuse_request()

    # ---- for sessions

    async def report_end(self, session_id: str, reason: str) -> None:
        await self._trigger_event("disconnect", session_id, reason, run_async=False)

    def forget(self, session: PollingSession) -> None:
        self.sockets.pop(session.sid, None)
        if session.home is not None:
            self.quota.give_back(session.home)
            session.home = None

    def await_last_poll(self, session_id: str) -> None:
        self._last_polls.add(session_id)
        asyncio.get_running_loop().call_later(
            LAST_POLL_WITHIN_S, self._last_polls.discard, session_id
        )

    def is_last_poll(self, session_id: str) -> bool:
        """Whether a poll is the one that `await_last_poll` waits for; true once."""
        if session_id not in self._last_polls:
            return False
        self._last_polls.remove(session_id)
        return True

    def own(self, work: Work) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def start_background_task(
        self, target: Callable[..., Coroutine[object, None, None]], *args: object, **kwargs: object
    ) -> asyncio.Task[None]:
        return self.own(target(*args, **kwargs))

    # ---- the end

    def close_soon(self, session: PollingSession) -> None:
        task = asyncio.get_running_loop().create_task(session.close())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def close_all(self) -> None:
        """End every transport, and everything that still runs."""
        await asyncio.gather(*(each.close() for each in list(self.sockets.values())))
        while self._closing:
            await asyncio.wait(self._closing)
        self.heartbeat.stop()
        await self.outbox.stop()
        for task in self._tasks:
            task.cancel()

    # ---- answers

    def _ok(
        self,
        packets: object = None,
        headers: object = None,
        jsonp_index: int | None = None,
    ) -> Answer:
        answer = dict(super()._ok(packets, headers, jsonp_index))
        if packets is None:
            answer["response"] = b"ok"  # the library says OK
        return answer

    def _bad_request(self, message: str | None = None) -> Answer:
        why = "the session has ended, or is on another transport"
        error = ChatError(ErrorCode.VALIDATION_ERROR, why)
        return {**_refusal(error), "error": error}

    def refuse_request(self) -> Answer:
        return self._bad_request()

    async def _make_response(self, answer: Answer, environ: Environ) -> object:
        """Answer a request; log the library's refusals with the request id that the client gets."""
        if REFUSAL_KEY in environ:
            # The session has logged its own error, which is more precise than the library's.
            answer = _refusal(environ.pop(REFUSAL_KEY))
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


def _refusal(error: ChatError) -> Answer:
    headers = [("Content-Type", "application/json; charset=utf-8")]
    if error.retry_after_s is not None:
        headers.append(("Retry-After", str(max(1, round(error.retry_after_s)))))
    return {
        "status": str(error.kind.status),
        "headers": headers,
        "response": orjson.dumps(error.to_answer()),
    }


def translate_request(handler: tornado.web.RequestHandler) -> Environ:
    """Make the environ of a request, with the keys that the libraries read and the real address.

    python-engineio's own function makes a class for each request, and gives the address 127.0.0.1.
    """
    request = handler.request
    environ: Environ = {
        "wsgi.input": _Body(request.body or b""),
        "wsgi.url_scheme": request.protocol,
        "REQUEST_METHOD": request.method,
        "QUERY_STRING": request.query or "",
        "PATH_INFO": request.path,
        "REMOTE_ADDR": request.remote_ip or "",
        HANDLER_KEY: handler,
    }
    for name, value in request.headers.get_all():
        key = name.upper().replace("-", "_")
        environ[key if key.startswith("CONTENT_") else f"HTTP_{key}"] = value
    return environ
