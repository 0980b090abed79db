"""Engine.IO without the library's echo of client text in answers and logs, and with its tasks in
hand.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import engineio
import structlog
from engineio.async_drivers import tornado as engineio_tornado

_log = structlog.get_logger("chat.transport")


class ChatEngine(engineio.AsyncServer):
    """Engine.IO without the library's echo of client text in answers and logs, and with its tasks
    in hand.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        # Of the names that the library calls its ways to the web framework by.
        self._async: dict[str, Any] = {
            **engineio_tornado._async,
            "translate_request": translate_request,
        }
        self._tasks: set[asyncio.Task[Any]] = set()

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


def translate_request(handler: Any) -> dict[str, Any]:
    """The library's environ of a request, with the client's real address, and its connection if
    taken.
    """
    environ: dict[str, Any] = engineio_tornado.translate_request(handler)
    environ["REMOTE_ADDR"] = handler.request.remote_ip or ""
    environ.update(getattr(handler, "extra_environ", ()))
    return environ
