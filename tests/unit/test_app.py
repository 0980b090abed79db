"""The life of a server: a failed start is undone, and the parts are there once they are whole."""

import socket

import pytest
from pymongo import AsyncMongoClient

from chat.app import ChatApp
from chat.errors import SetupError
from chat.plugin_api import Plugin, Startup, hookimpl, startup
from chat.settings import load_settings
from chat.testing import SECRET


class Broken(Plugin):
    """Ends the start, when the store is open and the parts are made."""

    name = "broken"

    @hookimpl(startup)
    async def fail(self, _started: Startup) -> None:
        raise RuntimeError("no start today")


def app_on(mongodb_uri, folder, *plugins):
    settings = load_settings(
        host="127.0.0.1", port=0, jwt_secret=SECRET, mongodb_uri=mongodb_uri, data_dir=folder
    )
    return ChatApp(settings, plugins=plugins)


async def test_a_start_that_fails_is_undone(mongodb_uri, tmp_path, log):
    """The port is free, the lease is given back, and `stopped` is logged once, however often the
    server is stopped.
    """
    app = app_on(mongodb_uri, tmp_path, Broken())
    with pytest.raises(SetupError, match="no start today"):
        await app.start()
    await app.stop()
    with socket.create_server(("127.0.0.1", app.port)):
        pass
    async with AsyncMongoClient(mongodb_uri) as client:
        assert await client.get_default_database().meta.find_one({"_id": "lease"}) is None
    assert [line["event"] for line in log.entries].count("stopped") == 1


async def test_a_server_has_no_parts_before_its_start(mongodb_uri, tmp_path):
    """Asked for too early, they are refused in words; a stop without a start does no harm."""
    app = app_on(mongodb_uri, tmp_path)
    with pytest.raises(RuntimeError, match="was not started"):
        _ = app.parts
    await app.stop()
