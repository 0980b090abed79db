"""Checks plugins, and calls their hooks in the configured order.

The words are pluggy's (hookspec, hookimpl, register); the manager is our own because a veto has to
stop the chain before the next coroutine is made, and one plugin's change has to reach the next
(docs/adr/0001).

A plugin can fail in three ways and none is felt by the others: it raises, it takes longer than its
budget, it returns the wrong thing. Each counts as a failure; five in a row switch that one method
off for a while.
"""

import asyncio
import difflib
import inspect
import re
from collections import deque
from collections.abc import Callable, Coroutine, Generator, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeVar

import structlog

from chat.errors import ChatError, ErrorCode, SetupError
from chat.hook_events import Startup
from chat.hookspecs import HOOKS, CollectHook, FilterHook, Hook, NotifyHook, startup
from chat.plugin_api import API_VERSION, HookMark, Plugin

FAILURES_UNTIL_OFF: Final = 5
OFF_FOR_S: Final = 30.0
STARTUP_TIMEOUT_S: Final = 10.0

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
_log = structlog.get_logger("chat.plugins")

EventT = TypeVar("EventT")


@dataclass(slots=True, eq=False)
class HookImpl:
    """One method of one plugin, with its budget and its record."""

    plugin: str
    method: Any
    hook: Hook[Any]
    timeout_s: float
    on_error: Literal["closed", "open"]
    failures: int = 0
    failures_in_row: int = 0
    off_until: float = 0.0

    @property
    def off(self) -> bool:
        """Switched off for now, after too many failures."""
        return _now() < self.off_until

    def succeeded(self) -> None:
        self.failures_in_row = 0

    def failed(self, error: BaseException, now: float) -> None:
        self.failures += 1
        self.failures_in_row += 1
        what = "took too long" if isinstance(error, TimeoutError) else type(error).__name__
        _log.error(
            "hook_failed",
            plugin=self.plugin,
            hook=self.hook.name,
            error=what,
            in_row=self.failures_in_row,
            exc_info=None if isinstance(error, TimeoutError) else error,
        )
        if self.failures_in_row >= FAILURES_UNTIL_OFF:
            self.off_until = now + OFF_FOR_S
            # One more failure after the pause switches it off again at once.
            self.failures_in_row = FAILURES_UNTIL_OFF - 1
            _log.error(
                "hook_switched_off", plugin=self.plugin, hook=self.hook.name, for_s=OFF_FOR_S
            )


class PluginManager:
    """The plugins of one server. Order of registration = order of calls."""

    def __init__(self, plugins: Iterable[Plugin] = ()) -> None:
        self.plugins: dict[str, Plugin] = {}
        self._impls: dict[str, tuple[HookImpl, ...]] = dict.fromkeys(HOOKS, ())
        self._notices: deque[tuple[NotifyHook[Any], Any]] = deque()
        self._notifier: asyncio.Task[None] | None = None
        for plugin in plugins:
            self.register(plugin)

    def register(self, plugin: Plugin) -> None:
        """Check the plugin and subscribe its hookimpls; SetupError in one sentence where it does
        not fit.
        """
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
        _refuse_unmarked(name, plugin)
        self.plugins[name] = plugin
        for impl in impls:
            self._impls[impl.hook.name] += (impl,)

    @staticmethod
    def _check(plugin: str, attribute: str, method: Any) -> HookImpl:
        mark: HookMark = method.__chat_hook__
        where = f"plugin {plugin!r}: {attribute}"
        if HOOKS.get(mark.hook.name) is not mark.hook:
            raise SetupError(
                f"{where} subscribes to {mark.hook.name!r}, which is no hook of this server."
            )
        if not inspect.iscoroutinefunction(method):
            raise SetupError(f"{where} must be `async def`.")
        parameters = list(inspect.signature(method).parameters.values())
        if len(parameters) != 1:
            raise SetupError(f"{where} must take exactly one event, a {mark.hook.event.__name__}.")
        hint = inspect.get_annotations(method.__func__, eval_str=True).get(parameters[0].name)
        if hint is not None and hint is not mark.hook.event:
            raise SetupError(
                f"{where} takes a {getattr(hint, '__name__', hint)}, but {mark.hook.name} gives a "
                f"{mark.hook.event.__name__}."
            )
        return HookImpl(plugin, method, mark.hook, mark.timeout_s, mark.on_error)

    def has(self, hook: Hook[Any]) -> bool:
        """Whether anybody listens; lets a hot path skip making the event."""
        return bool(self._impls[hook.name])

    def impls(self) -> list[HookImpl]:
        """All hookimpls with their records, for /admin and metrics."""
        return [impl for chain in self._impls.values() for impl in chain]

    async def filter(self, hook: FilterHook[EventT], event: EventT) -> EventT:
        """The event as the last plugin left it; raises the ChatError of the one that refused."""
        for impl in self._impls[hook.name]:
            if (impl.off_until and impl.off) or _own(impl, event):
                continue
            try:
                changed = await _call(impl, event)
                if changed is not None and type(changed) is not type(event):
                    raise TypeError(f"returned a {type(changed).__name__}")
            except ChatError:
                impl.succeeded()
                raise
            except (
                Exception
            ) as error:  # one of the three funnels: a plugin's crash is never felt elsewhere
                impl.failed(error, _now())
                if impl.on_error == "closed":
                    raise ChatError(
                        ErrorCode.PLUGIN_ERROR, f"the plugin {impl.plugin} failed, try again"
                    ) from error
            else:
                impl.succeeded()
                event = event if changed is None else changed
        return event

    async def notify(self, hook: NotifyHook[EventT], event: EventT) -> None:
        """Tell every subscriber in order; never raises."""
        for impl in self._impls[hook.name]:
            if (impl.off_until and impl.off) or _own(impl, event):
                continue
            try:
                await _call(impl, event)
            except Exception as error:  # noqa: BLE001  # see filter
                impl.failed(error, _now())
            else:
                impl.succeeded()

    async def start(self, event_for: Callable[[str], Startup]) -> None:
        """Call every `startup` with the event made for its plugin; the one notice whose crash stops
        the server.
        """
        for impl in self._impls[startup.name]:
            try:
                async with asyncio.timeout(STARTUP_TIMEOUT_S):
                    await impl.method(event_for(impl.plugin))
            except Exception as error:
                raise SetupError(
                    f"plugin {impl.plugin!r} failed at startup: {type(error).__name__}: {error}."
                ) from error

    def notify_soon(self, hook: NotifyHook[EventT], event: EventT) -> None:
        """Notify after what is being done now; in the order of the calls, by one task that `drain`
        waits for.
        """
        if not self._impls[hook.name]:
            return
        self._notices.append((hook, event))
        if self._notifier is None:
            self._notifier = asyncio.get_running_loop().create_task(self._deliver_notices())

    async def drain(self) -> None:
        """Wait until every notice is delivered; each is bounded by its budget."""
        while self._notifier is not None:
            await asyncio.shield(self._notifier)

    async def _deliver_notices(self) -> None:
        try:
            while self._notices:
                hook, event = self._notices.popleft()
                await self.notify(hook, event)
        finally:
            self._notifier = None

    async def collect(self, hook: CollectHook[EventT], event: EventT) -> list[Any]:
        """What all subscribers bring, in order; SetupError when one fails."""
        found: list[Any] = []
        for impl in self._impls[hook.name]:
            try:
                async with asyncio.timeout(STARTUP_TIMEOUT_S):
                    brought: Sequence[Any] = await impl.method(event)
                found.extend(brought)
            except Exception as error:
                raise SetupError(
                    f"plugin {impl.plugin!r} failed in {hook.name}: "
                    f"{type(error).__name__}: {error}."
                ) from error
        return found


async def _call(impl: HookImpl, event: object) -> Any:
    """Run one hookimpl within its budget; TimeoutError beyond it.

    The clock starts where the plugin first waits for something: most never do, and for them a
    timeout that is set up and taken down again (4 us) would be most of their cost (0.3 us).
    """
    running = impl.method(event)
    try:
        awaited = running.send(None)
    except StopIteration as done:
        return done.value
    async with asyncio.timeout(impl.timeout_s):
        return await _Rest(running, awaited)


class _Rest:
    """The rest of a coroutine that has begun, and waits for `awaited`."""

    __slots__ = ("_awaited", "_running")

    def __init__(self, running: Coroutine[Any, Any, Any], awaited: Any) -> None:
        self._running = running
        self._awaited = awaited

    def __await__(self) -> Generator[Any, Any, Any]:
        awaited = self._awaited
        while True:
            try:
                try:
                    sent = yield awaited
                except BaseException as error:  # noqa: BLE001  # a cancellation is the plugin's too
                    awaited = self._running.throw(error)
                else:
                    awaited = self._running.send(sent)
            except StopIteration as done:
                return done.value


def _marked(plugin: Plugin) -> list[tuple[str, Any]]:
    # By definition order, base classes first, so that two impls of one hook in one plugin have a
    # stable order.
    names = dict.fromkeys(name for cls in reversed(type(plugin).__mro__) for name in vars(cls))
    found = [(name, getattr(plugin, name)) for name in names if not name.startswith("__")]
    return [(name, value) for name, value in found if hasattr(value, "__chat_hook__")]


def _refuse_unmarked(name: str, plugin: Plugin) -> None:
    """A method with a hook's name, or nearly, but no decorator would be silently deaf."""
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


def _own(impl: HookImpl, event: object) -> bool:
    # A plugin that answers messages would otherwise answer itself for ever.
    return getattr(event, "origin", None) == impl.plugin


def _now() -> float:
    return asyncio.get_running_loop().time()
