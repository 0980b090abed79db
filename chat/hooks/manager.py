"""Check plugins, and call their hooks in the configured order.

The words are pluggy's (hookspec, hookimpl, register). The manager is our own because a refusal has
to stop the chain before the next coroutine is made, and a plugin's change has to reach the next
plugin (docs/adr/0001).

A plugin can fail in three ways, none of which affects the others: it raises, it takes longer than
its budget, or it returns the wrong thing. Each counts as a failure; five in a row switch the method
off for a while, for the user who caused them or for everybody (HookImpl). While a filter is off,
its actions are refused if it fails closed and pass if it fails open.
"""

import asyncio
import difflib
import inspect
import re
from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple, TypeVar

import structlog

from chat.errors import ChatError, ErrorCode, SetupError
from chat.hooks.calls import HookImpl, bounded, call
from chat.hooks.events import Registration, Shutdown, Startup
from chat.hooks.notices import NoticeQueue
from chat.hooks.plugin import API_VERSION, HookMark, Plugin
from chat.hooks.specs import (
    HOOKS,
    AskHook,
    CollectHook,
    FilterHook,
    Hook,
    NotifyHook,
    before_action,
    before_message_edit,
    before_message_send,
    shutdown,
    startup,
)
from chat.timings import TIMINGS

LAST_S: Final = 0.5
"""The least time of `shutdown`, even if a plugin's notices have taken the rest."""

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
_log = structlog.get_logger("chat.plugins")

EventT = TypeVar("EventT")
AnswerT = TypeVar("AnswerT")


class Brought(NamedTuple):
    """A ClientEvent, a Route or a namespace that a plugin registers, still unchecked."""

    plugin: str
    what: Any


class PluginManager:
    """The plugins of one server, called in the order of their registration."""

    def __init__(
        self,
        plugins: Iterable[Plugin] = (),
        startup_within_s: float = TIMINGS.plugin_startup_s,
    ) -> None:
        self._startup_within_s = startup_within_s
        self.plugins: dict[str, Plugin] = {}
        self._impls: dict[str, tuple[HookImpl, ...]] = dict.fromkeys(HOOKS, ())
        self.queues: dict[str, NoticeQueue] = {}
        for plugin in plugins:
            self.register(plugin)

    def register(self, plugin: Plugin) -> None:
        """Check the plugin and subscribe its hookimpls; SetupError where it does not fit."""
        name = getattr(plugin, "name", None)
        where = f"plugin {type(plugin).__name__}"
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise SetupError(f"{where}: give it a `name` of small letters, digits and underscores.")
        if name in self.plugins:
            raise SetupError(f"plugin {name!r} is there twice; name it once in PLUGINS.")
        if plugin.api_version != API_VERSION:
            raise SetupError(
                f"plugin {name!r} was written for plugin API {plugin.api_version}, "
                f"this server has {API_VERSION}."
            )
        impls = [self._check(name, attribute, value) for attribute, value in _marked(plugin)]
        edits = any(impl.hook is before_message_edit for impl in impls)
        try:
            impls = [impl for impl in impls if plugin.wants(impl.hook)]
        except Exception as error:
            raise SetupError(
                f"plugin {name!r} failed in `wants`: {type(error).__name__}: {error}."
            ) from error
        _refuse_unmarked(name, plugin)
        self.plugins[name] = plugin
        self.queues[name] = NoticeQueue(name)
        for impl in impls:
            self._impls[impl.hook.name] += (impl,)
            if impl.hook is before_message_send and not edits:
                # Otherwise an edit would bypass every filter whose author did not think of edits.
                self._impls[before_message_edit.name] += (impl,)

    @staticmethod
    def _check(plugin: str, attribute: str, method: Any) -> HookImpl:
        mark: HookMark = method.__chat_hook__
        where = f"plugin {plugin!r}: {attribute}"
        if not isinstance(mark.hook, Hook):
            raise SetupError(
                f"{where} is marked with {_called(mark.hook)}; @hookimpl takes the hook itself, "
                "imported from chat.plugin_api: @hookimpl(before_message_send)."
            )
        if HOOKS.get(mark.hook.name) is not mark.hook:
            raise SetupError(
                f"{where} subscribes to {mark.hook.name!r}, which is no hook of this server."
            )
        if not inspect.iscoroutinefunction(method):
            raise SetupError(f"{where} must be `async def`.")
        parameters = list(inspect.signature(method).parameters.values())
        if len(parameters) != 1:
            raise SetupError(f"{where} must take exactly one event, a {mark.hook.event.__name__}.")
        hint = _annotation(method, parameters[0].name)
        if hint is not None and hint is not mark.hook.event:
            raise SetupError(
                f"{where} takes a {getattr(hint, '__name__', hint)}, but {mark.hook.name} gives a "
                f"{mark.hook.event.__name__}."
            )
        if not isinstance(mark.timeout_s, int | float) or not mark.timeout_s > 0:
            raise SetupError(f"{where}: `timeout_s` must be a number above 0.")
        if mark.on_error not in ("closed", "open"):
            raise SetupError(f'{where}: `on_error` must be "closed" or "open".')
        if mark.besides and mark.hook is not before_action:
            raise SetupError(f"{where}: `besides` is for before_action.")
        return HookImpl(
            plugin, method, mark.hook, mark.timeout_s, mark.on_error, besides=mark.besides
        )

    def has(self, hook: Hook[Any]) -> bool:
        """Whether any plugin subscribes; lets a hot path skip making the event."""
        return bool(self._impls[hook.name])

    def asks_about(self, action: str) -> bool:
        """Whether any plugin filters actions of that name; lets a hot path skip the hook."""
        return any(action not in impl.besides for impl in self._impls[before_action.name])

    def impls(self) -> list[HookImpl]:
        """Return all hookimpls with their records."""
        return list(dict.fromkeys(impl for chain in self._impls.values() for impl in chain))

    async def filter(self, hook: FilterHook[EventT], event: EventT) -> EventT:
        """Return the event as the last plugin left it; raise the ChatError of a refusal."""
        for impl in self._impls[hook.name]:
            if not impl.listens_to(event):
                continue
            if impl.troubled and (pause_s := impl.off_for_s(event)) > 0:
                if impl.on_error == "closed":
                    raise _failed(impl, pause_s)
                continue
            try:
                changed = await call(impl, event)
                if changed is not None and type(changed) is not type(event):
                    raise TypeError(f"returned a {type(changed).__name__}")
            except ChatError:
                if impl.troubled:
                    impl.succeeded(event)
                raise
            except BaseException as error:  # `caught` raises it again if it is not the plugin's
                impl.caught(error, event)
                if impl.on_error == "closed":
                    raise _failed(impl) from error
            else:
                if impl.troubled:
                    impl.succeeded(event)
                event = event if changed is None else changed
        return event

    async def ask(
        self, hook: AskHook[EventT], event: EventT, answer: type[AnswerT]
    ) -> AnswerT | None:
        """Return the first answer that a plugin gives, None where none gives one.

        A plugin that fails refuses, retryably, unless it fails open: then the next one is asked.
        """
        for impl in self._impls[hook.name]:
            if impl.troubled and (pause_s := impl.off_for_s(event)) > 0:
                if impl.on_error == "closed":
                    raise _failed(impl, pause_s)
                continue
            try:
                found = await call(impl, event)
                if found is not None and not isinstance(found, answer):
                    raise TypeError(f"returned a {type(found).__name__}")
            except ChatError:
                if impl.troubled:
                    impl.succeeded(event)
                raise
            except BaseException as error:  # as in `filter`
                impl.caught(error, event)
                if impl.on_error == "closed":
                    raise _failed(impl) from error
            else:
                if impl.troubled:
                    impl.succeeded(event)
                if found is not None:
                    return found
        return None

    async def start(self, event_for: Callable[[str], Startup]) -> None:
        """Call every `startup` with the event that is made for its plugin.

        It is the only notice whose crash stops the server.
        """
        for impl in self._impls[startup.name]:
            try:
                await bounded(impl.method(event_for(impl.plugin)), self._startup_within_s)
            except Exception as error:
                raise SetupError(
                    f"plugin {impl.plugin!r} failed at startup: {type(error).__name__}: {error}."
                ) from error

    def notify_soon(self, hook: NotifyHook[EventT], event: EventT) -> None:
        """Queue a notice; each plugin gets its notices in this order, and waits for no other."""
        for impl in self._impls[hook.name]:
            self.queues[impl.plugin].put(impl, event)

    async def drain(self, within_s: float | None = None) -> None:
        """Wait until every notice is delivered, for up to that time."""
        loop = asyncio.get_running_loop()
        deadline = None if within_s is None else loop.time() + within_s
        while tasks := [each.task for each in self.queues.values() if each.task is not None]:
            left_s = None if deadline is None else max(0, deadline - loop.time())
            done, _ = await asyncio.wait(tasks, timeout=left_s, return_when=asyncio.FIRST_COMPLETED)
            if not done:
                return

    async def stop(self, within_s: float) -> None:
        """Deliver what waits, then `shutdown`, within that time.

        The last LAST_S of that time are for `shutdown`. Notices that a plugin has not taken by then
        are dropped, and the log says so.
        """
        self.notify_soon(shutdown, Shutdown())
        await self.drain(within_s - LAST_S)
        for queue in self.queues.values():
            queue.hurry()
        await self.drain(LAST_S)

    async def close(self, within_s: float) -> None:
        """Deliver what has been queued since `stop`, and take nothing more."""
        await self.drain(within_s)
        for queue in self.queues.values():
            queue.close()

    async def collect(self, hook: CollectHook[Registration]) -> list[Brought]:
        """Return what all subscribers register, in order; SetupError if one fails."""
        found: list[Brought] = []
        for impl in self._impls[hook.name]:
            try:
                brought = await bounded(impl.method(Registration()), self._startup_within_s)
                found.extend(Brought(impl.plugin, each) for each in brought)
            except Exception as error:
                raise SetupError(
                    f"plugin {impl.plugin!r} failed in {hook.name}: "
                    f"{type(error).__name__}: {error}."
                ) from error
        return found


def _failed(impl: HookImpl, pause_s: float | None = None) -> ChatError:
    """Make the refusal of an action that a plugin which fails closed could not decide."""
    return ChatError(
        ErrorCode.PLUGIN_ERROR,
        f"the plugin {impl.plugin} failed, try again",
        retry_after_s=None if pause_s is None else round(pause_s, 1),
    )


def _called(mark: Any) -> str:
    return f"the method {mark.__name__!r}" if inspect.isfunction(mark) else f"{mark!r}"


def _annotation(method: Any, parameter: str) -> Any:
    """Return the annotation of a parameter, or None.

    A name that only type checkers import cannot be evaluated.
    """
    try:
        return inspect.get_annotations(getattr(method, "__func__", method), eval_str=True).get(
            parameter
        )
    except Exception:  # noqa: BLE001  # an annotation is any expression
        return None


def _marked(plugin: Plugin) -> list[tuple[str, Any]]:
    # In the order of definition, base classes first, so that two hookimpls of one hook in one
    # plugin have a stable order.
    names = dict.fromkeys(name for cls in reversed(type(plugin).__mro__) for name in vars(cls))
    found = [(name, getattr(plugin, name)) for name in names if not name.startswith("__")]
    return [(name, value) for name, value in found if hasattr(value, "__chat_hook__")]


def _refuse_unmarked(name: str, plugin: Plugin) -> None:
    """Refuse a method that is named like a hook and not decorated: it would never be called."""
    for attribute, value in vars(type(plugin)).items():
        if (
            attribute.startswith("_")
            or not inspect.isfunction(value)
            or hasattr(value, "__chat_hook__")
        ):
            continue
        close = difflib.get_close_matches(attribute, HOOKS, n=1, cutoff=0.85)
        if close:
            raise SetupError(
                f"plugin {name!r}: {attribute} is not subscribed; "
                f"did you mean @hookimpl({close[0]})?"
            )
