"""What a plugin is made of: its base class, its settings, and the mark that subscribes a method."""

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
    """Base of a plugin's `Settings`; field `x` of plugin `p` is read from the environment as
    CHAT_P_X.
    """

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)


class Plugin:
    """Base of all plugins. `name` is unique in a server; `Settings`, where there is one, is checked
    at start.
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
        """Asked once for each hookimpl, at start; one that is not wanted costs nothing."""
        return True


def settings_prefix(plugin: str) -> str:
    """What the environment variables of a plugin begin with."""
    return f"CHAT_{plugin}_".upper()


@dataclass(frozen=True, slots=True)
class HookMark:
    """What `hookimpl` leaves on a method for the plugin manager to find."""

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

    `timeout_s` is the budget of one call. `on_error`, for FILTER hooks: what a crash or a time-out
    means for the action: "closed" refuses it with PLUGIN_ERROR, "open" lets it pass. `besides`, for
    `before_action`: names of actions that the plugin has no say in; where nobody has one, an event
    saves the asking.
    """

    if inspect.isfunction(hook):
        # `@hookimpl` without a hook: the start is refused, for nothing would call the method.
        hook.__chat_hook__ = HookMark(hook, timeout_s, on_error, frozenset())
        return hook

    def mark(method: AnyMethod) -> AnyMethod:
        method.__chat_hook__ = HookMark(hook, timeout_s, on_error, frozenset(besides))  # type: ignore[attr-defined]
        return method

    return mark
