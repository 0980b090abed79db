"""Engine.IO without the library's echo of client text in answers and logs, and with its tasks in
hand.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import engineio
import structlog
from engineio import async_socket, exceptions, packet
from engineio.async_drivers import tornado as engineio_tornado

from chat.gateway.crowd import Crowd

_log = structlog.get_logger("chat.transport")


class ChatSession(async_socket.AsyncSocket):
    """A session whose bad POST is a 400 and the end of it, not a traceback and "OK".

    `receiver` is who takes its events, once it has been let in; `wire` its connection on the lean
    transport.
    """

    receiver: Any = None
    wire: Any = None
    # What the crowd counts it by, while it is counted.
    home: str | None = None
    # Its CONNECT was answered with an error: it gets no second one.
    refused = False

    async def close(
        self, wait: bool = True, abort: bool = False, reason: str | None = None
    ) -> None:
        try:
            await super().close(wait=wait, abort=abort, reason=reason)
        finally:
            home, self.home = self.home, None
            if home is not None:
                self.server.crowd.leave(home)

    async def handle_post_request(self, environ: dict[str, Any]) -> None:
        try:
            await super().handle_post_request(environ)
        except exceptions.EngineIOError:
            raise
        except Exception as error:
            _log.info("malformed_post", error=type(error).__name__)
            raise exceptions.EngineIOError from error


class ChatEngine(engineio.AsyncServer):
    """Engine.IO without the library's echo of client text in answers and logs, and with its tasks
    in hand.
    """

    crowd: Crowd

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.start_service_task: bool = bool(options.get("monitor_clients", True))
        # Of the names that the library calls its ways to the web framework by.
        self._async: dict[str, Any] = {
            **engineio_tornado._async,
            "translate_request": translate_request,
        }
        self._tasks: set[asyncio.Task[Any]] = set()

    def make_session(self, session_id: str) -> ChatSession:
        return ChatSession(self, session_id)

    async def _handle_connect(
        self, environ: dict[str, Any], transport: str, jsonp_index: int | None = None
    ) -> Any:
        """The library's, with a session of ours; it offers no way to say which class to make."""
        if self.start_service_task:
            self.start_service_task = False
            self.service_task_handle = self.start_background_task(self._service_task)
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
            answer = await session.handle_get_request(environ)
            if session.closed:
                self.sockets.pop(session_id, None)
            return answer
        session.connected = True
        try:
            return self._ok(await session.poll())
        except exceptions.QueueEmpty:
            return self._bad_request()

    def start_background_task(
        self, target: Callable[..., Coroutine[Any, Any, Any]], *args: Any, **kwargs: Any
    ) -> asyncio.Task[Any]:
        task = asyncio.get_running_loop().create_task(target(*args, **kwargs))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def stop(self) -> None:
        """End what the library left running: its heartbeats sleep on when their session is gone."""
        for task in self._tasks:
            task.cancel()

    def _bad_request(self, message: str | None = None) -> dict[str, Any]:
        return dict(super()._bad_request("Bad request"))

    def _log_error_once(self, message: str, message_key: str) -> None:
        _log.info("handshake_refused", why=message_key)


class _Body:
    """A request's body as the library reads it."""

    __slots__ = ("_body",)

    def __init__(self, body: bytes) -> None:
        self._body = body

    async def read(self, length: int) -> bytes:
        return self._body[:length]


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
