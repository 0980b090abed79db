"""A server in demo mode on the store that all tests share."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from chat.app import ChatApp
from chat.hooks.loader import load_plugins
from chat.plugin_api import Plugin
from chat.ports import Clock
from chat.repositories.mongo import MongoStore
from chat.settings import DEFAULT_PLUGINS, load_settings
from chat.testing import RunningChat
from chat.timings import TIMINGS, Timings


@asynccontextmanager
async def demo_chat(
    mongodb_uri: str,
    data_dir: Path,
    *,
    plugins: Sequence[Plugin] = (),
    clock: Clock | None = None,
    timings: Timings = TIMINGS,
    **settings: Any,
) -> AsyncIterator[RunningChat]:
    """Like running_chat, which cannot do this: demo mode takes no MONGODB_URI from settings, and
    starting an embedded store takes longer than most tests.
    """
    values = {
        "host": "127.0.0.1",
        "port": 0,
        "jwt_secret": None,
        "mongodb_uri": None,
        "data_dir": data_dir,
        **settings,
    }
    app = ChatApp(
        load_settings(**values),
        plugins=[*load_plugins(DEFAULT_PLUGINS), *plugins],
        clock=clock,
        store=MongoStore(mongodb_uri, timings=timings),
        timings=timings,
    )
    await app.start()
    try:
        async with RunningChat(app, frozenset()) as chat:
            yield chat
            assert not chat.undeclared, chat.undeclared
    finally:
        await app.stop()
