"""One server that many tests ask, on a loop of a thread of its own.

For tests that leave nothing behind in one another's way: refusals, matrices, headers. Each makes
chats of its own. It has no rate limits, so that one test does not use up another's.
"""

import asyncio
import itertools
import threading
from collections.abc import Coroutine
from contextlib import AbstractAsyncContextManager
from typing import Any, Final, TypeVar

from chat.testing import Response, RunningChat, running_chat
from tests.support.gateway.servers import NO_CORE_LIMITS

PLUGINS: Final = ("plugins.access_log", "plugins.ping", "plugins.health")
LISTED_ORIGIN: Final = "https://crm.example.com"
T = TypeVar("T")


class SharedServer:
    """`start` before use. The calls are RunningChat's, made plain."""

    chat: RunningChat

    def __init__(self, mongodb_uri: str, **settings: Any) -> None:
        self._settings = {
            "mongodb_uri": mongodb_uri,
            "plugin_names": PLUGINS,
            "cors_origins": (LISTED_ORIGIN,),
            **NO_CORE_LIMITS,
            **settings,
        }
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="shared-server")
        self._context: AbstractAsyncContextManager[RunningChat] | None = None
        self._users = itertools.count(1_000)

    def start(self) -> None:
        self._thread.start()
        self._context = running_chat(**self._settings)
        self.chat = self.run(self._context.__aenter__())

    def stop(self) -> None:
        try:
            if self._context is not None:
                self.run(self._context.__aexit__(None, None, None))
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of a coroutine on the server's loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=60)

    def request(self, method: str, path: str, *args: Any, **kwargs: Any) -> Response:
        return self.run(self.chat.request(method, path, *args, **kwargs))

    def create_chat(self, user_ids: list[Any], **fields: Any) -> int:
        return self.run(self.chat.create_chat(user_ids, **fields))

    def send(self, chat_id: int, sender: Any, content: str = "hello", **fields: Any) -> int:
        """The id of a new message."""
        body = {"chatId": chat_id, "content": content, **fields}
        response = self.request("POST", "/chat-messages", sender, json=body)
        assert response.status == 201, response.body
        return int(response.data["id"])

    def new_user(self) -> int:
        """The id of a user that no other test knows."""
        return next(self._users)
