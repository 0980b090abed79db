"""docs/settings.md and the README's table against the settings models."""

import re

import pytest

from chat.hooks.loader import load_plugins
from chat.settings import DEFAULT_PLUGINS, Settings
from tests.support.markdown import DOCS, ROOT, bare, rows, section


def shown(value):
    """A default as the tables spell it."""
    if value is None:
        return "unset"
    if value == DEFAULT_PLUGINS:
        return "`default`"
    if value == ():
        return "none"
    if isinstance(value, tuple):
        return f"`{', '.join(value)}`"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


def defaults_of(model, prefix=""):
    fields = model.model_fields.items()
    return {prefix + name.upper(): shown(field.get_default()) for name, field in fields}


def test_every_setting_of_the_server_has_a_row_with_its_default():
    """The table has the settings, each with its default, and no other."""
    table = {bare(row[0]): row[2] for row in rows(section(DOCS / "settings.md", "The server").body)}
    assert table == defaults_of(Settings)


def test_every_setting_of_the_built_in_plugins_has_a_row_with_its_default():
    """The tables of the plugins have their settings, each with its default, and no other."""
    in_code = {}
    for plugin in load_plugins(DEFAULT_PLUGINS):
        in_code |= defaults_of(plugin.Settings, f"CHAT_{plugin.name}_".upper())
    table = {bare(row[0]): row[2] for row in rows(section(DOCS / "settings.md", "Plugins").body)}
    assert table == in_code


def test_plugins_without_settings_are_named():
    """A plugin that has nothing to set is said to have nothing to set."""
    page = section(DOCS / "settings.md", "Plugins").body
    for module, plugin in zip(DEFAULT_PLUGINS, load_plugins(DEFAULT_PLUGINS), strict=True):
        if not plugin.Settings.model_fields:
            assert f"`{module}`" in page


def test_each_row_has_a_unit_and_says_what_it_does():
    """No cell but the reason may be empty."""
    for row in rows((DOCS / "settings.md").read_text()):
        assert len(row) == 5
        assert all(row[:4]), row


def test_the_main_settings_of_the_readme_are_right():
    """The README's table names settings there are, with their defaults."""
    table = {bare(row[0]): row[1] for row in rows(section(ROOT / "README.md", "Settings").body)}
    assert table
    in_code = defaults_of(Settings)
    assert table == {name: in_code.get(name) for name in table}


@pytest.mark.parametrize("page", ["README.md", "docs/operations.md", "docs/architecture.md"])
def test_variables_that_a_page_sets_exist(page):
    """NAME=value on a page is a setting of the server or of a plugin."""
    text = (ROOT / page).read_text()
    set_here = set(re.findall(r"\b([A-Z][A-Z_]{3,})=", text))
    assert set_here <= set(defaults_of(Settings)) | {"TOKEN", "ARGS"}
