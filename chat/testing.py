"""A running server for tests, ours and those of plugin authors: real sockets, a real store process.

    async with running_chat(plugins=[MyPlugin()]) as chat:
        chat_id = await chat.create_chat([1, 2])
        ada, grace = await chat.connect(1), await chat.connect(2)
        await grace.call("joinChat", {"chatId": chat_id})
        await ada.call("sendMessage", {"chatId": chat_id, "content": "hello"})
        pushed = await grace.next("newMessage")

Needs the extra `testing` (python-socketio's client connects through aiohttp) and, without
`mongodb_uri`, the extra `embedded`. Every push, ack and answer is validated against its type: what
the contract does not know fails the test.
"""

import asyncio
import importlib.util
import tempfile
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol, Self

import orjson
import socketio
from tornado.httpclient import AsyncHTTPClient, HTTPRequest

from chat.app import ChatApp
from chat.auth import mint
from chat.clock import SystemClock
from chat.contracts.client_events import NAMESPACE
from chat.contracts.conformity import of_ack, of_answer, of_push
from chat.contracts.pushes import SERVER_EVENTS
from chat.errors import SetupError
from chat.hooks.loader import load_plugins
from chat.identity import UserId
from chat.plugin_api import Plugin
from chat.ports import Clock
from chat.settings import DEFAULT_PLUGINS, load_settings
from chat.timings import TIMINGS, Timings

WAIT_S: Final = 10.0
SECRET: Final = "a-secret-of-the-tests-that-is-long-enough"  # noqa: S105  # it guards nothing
NO_CLIENT: Final = (
    "chat.testing connects through aiohttp, which is not installed beside this Python: run "
    "`pip install 'chatgateway[testing]'`."
)


class ChatClient:
    """A connected socket of a user, and a record of everything that was pushed to it."""

    def __init__(self, undeclared: Callable[[str], None], custom_events: frozenset[str]) -> None:
        self.socket = socketio.AsyncClient(reconnection=False, handle_sigint=False)
        self.pushed: list[tuple[str, Any]] = []
        self._undeclared = undeclared
        self._custom_events = custom_events
        self._unread: dict[str, list[Any]] = defaultdict(list)
        self._arrived = asyncio.Condition()
        self.socket.on("*", self._on_push, namespace=NAMESPACE)

    async def call(self, event: str, payload: Any = None) -> dict[str, Any]:
        """Emit and wait for the ack. A tuple is several arguments, None is none."""
        answer = await self.socket.call(event, payload, namespace=NAMESPACE, timeout=WAIT_S)
        if differs := of_ack(event, answer):
            self._undeclared(f"the ack of {event}: {differs}")
        return dict(answer)

    async def emit(self, event: str, payload: Any = None) -> None:
        """Emit without asking for an ack."""
        await self.socket.emit(event, payload, namespace=NAMESPACE)

    async def next(self, event: str, *, within_s: float = WAIT_S) -> Any:
        """Return the payload of the next push of that name, which may have arrived already."""
        async with asyncio.timeout(within_s), self._arrived:
            await self._arrived.wait_for(lambda: self._unread[event])
            return self._unread[event].pop(0)

    def of(self, event: str) -> list[Any]:
        """Return the payloads of all pushes of that name so far."""
        return [payload for name, payload in self.pushed if name == event]

    async def settle(self) -> None:
        """Wait until everything that the server had pushed before this call has arrived."""
        await self.call("authenticate")

    async def close(self) -> None:
        await self.socket.disconnect()

    async def _on_push(self, event: str, payload: Any = None) -> None:
        if event not in SERVER_EVENTS and event not in self._custom_events:
            self._undeclared(f"{event} is no server event of the contract")
        if differs := of_push(event, payload):
            self._undeclared(f"the push {event}: {differs}")
        self.pushed.append((event, payload))
        async with self._arrived:
            self._unread[event].append(payload)
            self._arrived.notify_all()


@dataclass(frozen=True, slots=True)
class Response:
    """A REST answer."""

    status: int
    body: Any
    headers: Any

    @property
    def data(self) -> Any:
        return self.body["data"]

    @property
    def code(self) -> str | None:
        """The error code; None for a success."""
        error = self.body.get("error") if isinstance(self.body, dict) else None
        return error["code"] if error else None


class Closable(Protocol):
    """Any client that can be closed."""

    async def close(self) -> None: ...


class RunningChat:
    """A running server, and ways to talk to it. It closes its `clients` before the server stops."""

    def __init__(self, app: ChatApp, custom_events: frozenset[str]) -> None:
        self.app = app
        self.url = f"http://127.0.0.1:{app.port}"
        self.undeclared: list[str] = []
        self._custom_events = custom_events
        self.clients: list[Closable] = []

    def token(
        self,
        user_id: UserId,
        user_type: str = "employee",
        *,
        tenant: str = "",
        valid_s: float = 3600,
        **claims: str | None,
    ) -> str:
        token, _ = mint(
            SECRET,
            user_id,
            user_type=user_type,
            clock=SystemClock(),
            valid_s=valid_s,
            tenant=tenant or None,
            **claims,
        )
        return token

    async def connect(
        self,
        user_id: UserId = 1,
        user_type: str = "employee",
        *,
        tenant: str = "",
        token: str | None = None,
        join: int | None = None,
        transports: Sequence[str] = ("websocket",),
        **options: Any,
    ) -> ChatClient:
        """Open a socket of the user; with `join`, it has joined that chat."""
        if importlib.util.find_spec("aiohttp") is None:
            raise SetupError(NO_CLIENT)
        client = ChatClient(self.undeclared.append, self._custom_events)
        options.setdefault(
            "auth", {"token": token or self.token(user_id, user_type, tenant=tenant)}
        )
        await client.socket.connect(
            self.url,
            namespaces=[NAMESPACE],
            transports=list(transports),
            wait_timeout=WAIT_S,
            **options,
        )
        self.clients.append(client)
        if join is not None:
            answer = await client.call("joinChat", {"chatId": join})
            assert answer["success"], answer
        return client

    async def request(
        self,
        method: str,
        path: str,
        user_id: UserId | None = 1,
        user_type: str = "employee",
        *,
        tenant: str = "",
        json: Any = None,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> Response:
        """Make a REST call as a user; `user_id=None` sends no token."""
        sent = dict(headers or {})
        if user_id is not None:
            token = self.token(user_id, user_type, tenant=tenant)
            sent.setdefault("Authorization", f"Bearer {token}")
        if json is not None:
            body = orjson.dumps(json)
            sent.setdefault("Content-Type", "application/json")
        request = HTTPRequest(
            self.url + path,
            method=method,
            headers=sent,
            body=body,
            allow_nonstandard_methods=True,
            follow_redirects=False,
            request_timeout=WAIT_S,
        )
        response = await AsyncHTTPClient().fetch(request, raise_error=False)
        is_json = response.headers.get("Content-Type", "").startswith("application/json")
        # The answer to a HEAD says that it is JSON, and is empty.
        content = orjson.loads(response.body) if is_json and response.body else response.body
        if is_json and content and (differs := of_answer(method, path, response.code, content)):
            self.undeclared.append(f"{method} {path}: {differs}")
        return Response(response.code, content, response.headers)

    async def create_chat(
        self, user_ids: Sequence[UserId], *, tenant: str = "", **fields: Any
    ) -> int:
        """Create a group chat of these users as the host application; returns its id."""
        payload = {"type": "group", "participantIds": list(user_ids), **fields}
        response = await self.request(
            "POST", "/chats", "host", "service", tenant=tenant, json=payload
        )
        assert response.status == 201, response.body
        return int(response.data["id"])

    async def close(self) -> None:
        for client in self.clients:
            await client.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


@asynccontextmanager
async def running_chat(
    *,
    plugins: Sequence[Plugin] | None = None,
    plugin_names: Sequence[str] = DEFAULT_PLUGINS,
    mongodb_uri: str | None = None,
    clock: Clock | None = None,
    timings: Timings = TIMINGS,
    custom_events: Sequence[str] = (),
    **settings: Any,
) -> AsyncIterator[RunningChat]:
    """Run a server on a free port, with the plugins of `plugin_names` and `plugins` behind them.

    Without `mongodb_uri` the server starts an embedded store in a temporary folder, which takes
    about a second. `custom_events` are pushes that the plugins under test make; `timings` are
    durations that are no settings, such as `Timings(unread_push_every_s=0.1)`; `settings` are
    fields of chat.settings.Settings.
    """
    with tempfile.TemporaryDirectory(prefix="chatgateway-") as folder:
        values: dict[str, Any] = {
            "host": "127.0.0.1",
            "port": 0,
            "jwt_secret": SECRET,
            "data_dir": Path(folder),
            "mongodb_uri": mongodb_uri,
            **settings,
        }
        loaded = [*load_plugins(plugin_names), *(plugins or ())]
        app = ChatApp(load_settings(**values), plugins=loaded, clock=clock, timings=timings)
        await app.start()
        try:
            async with RunningChat(app, frozenset(custom_events)) as chat:
                yield chat
                assert not chat.undeclared, chat.undeclared
        finally:
            await app.stop()
