"""Find the plugins that PLUGINS names and make them with their settings."""

import difflib
import importlib
import importlib.metadata
import importlib.util
import inspect
import os
import sys
from collections.abc import Sequence
from typing import Any, Final

from pydantic import ValidationError
from pydantic_settings import SettingsError

from chat.errors import SetupError
from chat.hooks.plugin import Plugin, PluginSettings, settings_prefix
from chat.settings import DEFAULT_PLUGINS

ENTRY_POINT_GROUP: Final = "chat.plugins"
BUILT_IN: Final = "chat.builtin_plugins"
"""The name of the folder `plugins` in an installed package.

A folder of the name `plugins` stays free for the operator's own plugins.
"""


def load_plugins(names: Sequence[str]) -> list[Plugin]:
    """Make the plugins of these names, each a module with one Plugin class or an entry point.

    Modules in the current folder are found too, after everything that is installed.
    """
    if not {"", os.getcwd()} & set(sys.path):
        sys.path.append(os.getcwd())
    return [_make(_find_class(name)) for name in names]


def _find_class(name: str) -> type[Plugin]:
    entry_points = importlib.metadata.entry_points(group=ENTRY_POINT_GROUP)
    for entry_point in entry_points:
        if entry_point.name == name:
            target = entry_point.load()
            return _only_class(name, target) if inspect.ismodule(target) else _checked(name, target)
    try:
        module = importlib.import_module(_location(name))
    except ModuleNotFoundError as error:
        if error.name is None or not (name == error.name or name.startswith(f"{error.name}.")):
            raise SetupError(
                f"plugin {name!r} imports {error.name!r}, which is not installed."
            ) from None
        known = [*(point.name for point in entry_points), "default", *DEFAULT_PLUGINS]
        # Compared by the last part: with "plugins." before them, any two short names are alike.
        last_parts = {each.rpartition(".")[2]: each for each in known}
        close = difflib.get_close_matches(name.rpartition(".")[2], last_parts, n=1)
        hint = f" Did you mean {last_parts[close[0]]!r}?" if close else ""
        raise SetupError(
            f"PLUGINS names {name!r}, and there is no such module or entry point.{hint}"
        ) from None
    except Exception as error:
        raise SetupError(
            f"plugin {name!r} cannot be imported: {type(error).__name__}: {error}."
        ) from error
    return _only_class(name, module)


def _location(name: str) -> str:
    """Return the module of a plugin: an installed package contains the built-in ones."""
    inside = f"{BUILT_IN}{name.removeprefix('plugins')}"
    built_in = name.startswith("plugins.") and importlib.util.find_spec(BUILT_IN) is not None
    return inside if built_in and importlib.util.find_spec(inside) is not None else name


def _only_class(name: str, module: Any) -> type[Plugin]:
    classes = [
        value
        for value in vars(module).values()
        if inspect.isclass(value)
        and issubclass(value, Plugin)
        and value.__module__ == module.__name__
    ]
    if len(classes) != 1:
        raise SetupError(
            f"plugin module {name!r} must define exactly one Plugin class, it has {len(classes)}."
        )
    return classes[0]


def _checked(name: str, target: Any) -> type[Plugin]:
    if inspect.isclass(target) and issubclass(target, Plugin):
        return target
    raise SetupError(f"the entry point {name!r} leads to no Plugin class.")


def _make(cls: type[Plugin]) -> Plugin:
    prefix = settings_prefix(getattr(cls, "name", ""))
    where = f"plugin {getattr(cls, 'name', cls.__name__)!r}"
    if not (inspect.isclass(cls.Settings) and issubclass(cls.Settings, PluginSettings)):
        raise SetupError(f"{where}: its `Settings` must be a subclass of PluginSettings.")
    try:
        settings = cls.Settings(_env_prefix=prefix)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        field = "_".join(str(part) for part in first["loc"]).upper()
        raise SetupError(f"{prefix}{field}: {first['msg']}.") from None
    except SettingsError as error:
        # A setting such as a list has to be JSON, and its value is not.
        raise SetupError(f"{where}: {error}.") from None
    try:
        inspect.signature(cls).bind(settings)
    except TypeError:
        raise SetupError(
            f"{where}: its `__init__` must take the settings: "
            "`def __init__(self, settings: Settings | None = None)`."
        ) from None
    try:
        plugin = cls(settings)
    except Exception as error:
        raise SetupError(
            f"{where} failed in its `__init__`: {type(error).__name__}: {error}."
        ) from error
    if not hasattr(plugin, "settings"):
        raise SetupError(f"{where}: its `__init__` must call `super().__init__(settings)`.")
    return plugin
