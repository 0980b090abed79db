"""The base class of plugins, their settings, and the mark that subscribes a method to a hook."""

import inspect
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Literal, Protocol, TypeVar, overload

from pydantic_settings import BaseSettings, SettingsConfigDict

from chat.hooks.specs import CollectHook, FilterHook, Hook, NotifyHook

API_VERSION: Final = 1
"""Raised only when a plugin written for the version before would break."""

DEFAULT_TIMEOUT_S: Final = 0.5
"""A chat feels slow from half a second on; a plugin that needs longer says so."""


class PluginSettings(BaseSettings):
    """Base of a plugin's `Settings`: the variable CHAT_P_X sets field `x` of plugin `p`."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)


class Plugin:
    """Base of all plugins.

    `name` is unique in a server; `Settings`, if the plugin has them, are checked at the start.
    """

    name: ClassVar[str]
    api_version: ClassVar[int] = API_VERSION
    Settings: ClassVar[type[PluginSettings]] = PluginSettings

    settings: Any

    def __init__(self, settings: Any = None) -> None:
        if settings is None:
            settings = self.Settings(_env_prefix=settings_prefix(getattr(self, "name", "")))
        self.settings = settings

    def wants(self, hook: Hook[Any]) -> bool:
        """Whether to subscribe a hookimpl, asked once at the start; otherwise it costs nothing."""
        return True


def settings_prefix(plugin: str) -> str:
    """Return the beginning of the names of a plugin's environment variables."""
    return f"CHAT_{plugin}_".upper()


@dataclass(frozen=True, slots=True)
class HookMark:
    """The mark that `hookimpl` leaves on a method for the plugin manager."""

    hook: Hook[Any]
    timeout_s: float
    on_error: Literal["closed", "open"]
    besides: frozenset[str]


EventT = TypeVar("EventT")
SelfT = TypeVar("SelfT", contravariant=True)

FilterMethod = Callable[[Any, EventT], Awaitable[EventT | None]]
NotifyMethod = Callable[[Any, EventT], Awaitable[None]]
CollectMethod = Callable[[Any, EventT], Awaitable[Sequence[Any]]]
AnyMethod = TypeVar("AnyMethod", bound=Callable[..., Awaitable[Any]])


class _Filter(Protocol[EventT]):
    def __call__(self, method: FilterMethod[EventT], /) -> FilterMethod[EventT]: ...


class _Notify(Protocol[EventT]):
    def __call__(self, method: NotifyMethod[EventT], /) -> NotifyMethod[EventT]: ...


class _Collect(Protocol[EventT]):
    def __call__(self, method: CollectMethod[EventT], /) -> CollectMethod[EventT]: ...


@overload
def hookimpl(
    hook: FilterHook[EventT],
    *,
    timeout_s: float = DEFAULT_TIMEOUT_S,
    on_error: Literal["closed", "open"] = "closed",
    besides: Collection[str] = (),
) -> _Filter[EventT]: ...
@overload
def hookimpl(
    hook: NotifyHook[EventT], *, timeout_s: float = DEFAULT_TIMEOUT_S
) -> _Notify[EventT]: ...
@overload
def hookimpl(
    hook: CollectHook[EventT], *, timeout_s: float = DEFAULT_TIMEOUT_S
) -> _Collect[EventT]: ...
def hookimpl(
    hook: Hook[Any],
    *,
    timeout_s: float = DEFAULT_TIMEOUT_S,
    on_error: Literal["closed", "open"] = "closed",
    besides: Collection[str] = (),
) -> Any:
    """Subscribe an async method to a hook.

    `timeout_s` is the budget of one call. `on_error`, for FILTER hooks, says what a crash or a
    time-out means for the action: "closed" refuses it with PLUGIN_ERROR, "open" lets it pass.
    `besides`, for `before_action`, names the actions that the method is not called for; if no
    plugin subscribes for an action, the hook is skipped.
    """

    if inspect.isfunction(hook):
        # `@hookimpl` without a hook: the manager refuses it, since nothing would call the method.
        hook.__chat_hook__ = HookMark(hook, timeout_s, on_error, frozenset())
        return hook

    def mark(method: AnyMethod) -> AnyMethod:
        method.__chat_hook__ = HookMark(hook, timeout_s, on_error, frozenset(besides))  # type: ignore[attr-defined]
        return method

    return mark
