"""A client of the last release and this server understand each other."""

import asyncio

from chat.cli import documents_of
from chat.hooks.loader import load_plugins
from chat.hooks.manager import PluginManager
from chat.settings import DEFAULT_PLUGINS, load_settings
from tests.support.markdown import DOCS
from tools.breaking import of_folders

SECRET = "a-secret-of-the-tests-that-is-long-enough"


def latest():
    """The folder of the last release."""
    released = (each for each in (DOCS / "specs").iterdir() if each.is_dir())
    return max(released, key=lambda each: [int(part) for part in each.name.split(".")])


def test_nothing_that_was_released_is_broken(tmp_path):
    """tools.breaking finds nothing between the last release and now."""
    manager = PluginManager(load_plugins(DEFAULT_PLUGINS))
    asyncio.run(documents_of(load_settings(jwt_secret=SECRET), manager)).write(tmp_path)
    assert of_folders(latest(), tmp_path) == []
