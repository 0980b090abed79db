"""Log what blocks the event loop and so every client; most often it is a plugin.

A thread looks ten times a second at what the loop's thread is doing. If the loop is not waiting for
the network, the thread asks it for a sign of life; if none comes in time, the thread looks again.
So an idle server is not disturbed, and messages cost nothing more.
"""

import asyncio
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, Final

import structlog

from chat.hooks.manager import PluginManager

LOOK_EVERY_S: Final = 0.1
IDLE: Final = ("select", "poll")
"""Functions in which a loop waits for the network."""

TELL_AFTER_S: Final = 1.0
"""A block that lasts this long is reported before its end, which may never come."""

PAUSE_S: Final = 1.0
"""The least pause between two reports."""

_log = structlog.get_logger("chat.watchdog")


@dataclass(frozen=True, slots=True)
class Blocker:
    """The code that ran while the loop was blocked.

    `hook` is None in a handler of an event or a route.
    """

    plugin: str | None
    hook: str | None
    where: str


class Watchdog:
    """Watches the loop that `start` is called on; `stop` waits for the thread."""

    def __init__(self, blocked_after_s: float, hooks: PluginManager) -> None:
        self._blocked_after_s = blocked_after_s
        # Collected beforehand, for use while the loop cannot answer.
        self._methods = {
            code: (impl.plugin, impl.hook.name)
            for impl in hooks.impls()
            if (code := _code(impl.method)) is not None
        }
        self._modules = {type(each).__module__: name for name, each in hooks.plugins.items()}
        self._alive = threading.Event()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        watched = (asyncio.get_running_loop(), threading.get_ident())
        self._thread = threading.Thread(
            target=self._watch, args=watched, name="watchdog", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._alive.set()
        if self._thread is not None:
            self._thread.join(PAUSE_S)

    def look(self, thread: int | None) -> Blocker:
        """Find out what a thread is doing now, by its ident."""
        frames = list(_outwards(sys._current_frames().get(thread or 0)))
        return find_blocker(frames, self._methods, self._modules)

    def _watch(self, loop: asyncio.AbstractEventLoop, thread: int) -> None:
        while True:
            slept_at, used_s = time.monotonic(), time.process_time()
            if self._stopped.wait(LOOK_EVERY_S):
                return
            if self._is_late(slept_at + LOOK_EVERY_S, used_s):
                # Something kept all threads from running, this one too: a regular expression, say.
                self._tell(self.look(thread), slept_at)
            elif not _is_idle(thread):
                try:
                    self._ask(loop, thread)
                except RuntimeError:  # the loop is closed
                    return

    def _ask(self, loop: asyncio.AbstractEventLoop, thread: int) -> None:
        self._alive.clear()
        if self._stopped.is_set():  # after the clearing, since `stop` sets this one first
            return
        asked_at, used_s = time.monotonic(), time.process_time()
        loop.call_soon_threadsafe(self._alive.set)
        if self._alive.wait(self._blocked_after_s):
            return
        late = time.monotonic() - asked_at > 2 * self._blocked_after_s
        if late and not self._is_late(asked_at, used_s) and self._alive.wait(self._blocked_after_s):
            return  # this thread did not run either: the machine was busy, or the process stopped
        blocker = self.look(thread)
        if not self._alive.wait(TELL_AFTER_S):
            self._tell(blocker, asked_at, goes_on=True)
            self._alive.wait()
        self._tell(blocker, asked_at)
        self._stopped.wait(PAUSE_S)

    def _is_late(self, due: float, used_s: float) -> bool:
        """Whether this process has computed for longer than the limit since `due`.

        Its own processor time counts: on a busy machine it gets a part of each second, and none
        while it is stopped.
        """
        late = time.monotonic() - due > self._blocked_after_s
        return late and time.process_time() - used_s > self._blocked_after_s

    def _tell(self, blocker: Blocker, since: float, **more: bool) -> None:
        if not self._stopped.is_set():
            _log.warning(
                "loop_blocked",
                plugin=blocker.plugin,
                hook=blocker.hook,
                where=blocker.where,
                ms=round(1000 * (time.monotonic() - since)),
                **more,
            )


def find_blocker(
    frames: list[FrameType],
    methods: Mapping[CodeType, tuple[str, str]],
    modules: Mapping[str, str],
) -> Blocker:
    """Find the plugin that was called last in a stack, innermost frame first."""
    where = _place(frames[0]) if frames else "nowhere"
    for frame in frames:
        if frame.f_code in methods:
            plugin, hook = methods[frame.f_code]
            return Blocker(plugin, hook, where)
    for frame in frames:
        plugin_name = modules.get(frame.f_globals.get("__name__", ""))
        if plugin_name is not None:
            return Blocker(plugin_name, None, where)
    return Blocker(None, None, where)


def _is_idle(thread: int) -> bool:
    frame = sys._current_frames().get(thread)
    return frame is None or frame.f_code.co_name in IDLE


def _code(method: Any) -> CodeType | None:
    code: CodeType | None = getattr(getattr(method, "__func__", method), "__code__", None)
    return code


def _outwards(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back


def _place(frame: FrameType) -> str:
    code = frame.f_code
    return f"{code.co_qualname} ({Path(code.co_filename).name}:{frame.f_lineno})"
