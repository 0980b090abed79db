"""Names who holds up everybody: one call that does not return in time stops all sockets at once.

A thread looks ten times a second at what the loop's thread is doing. Only when that is not waiting
for the network does it ask the loop for a sign; so an idle server is left alone, and a message
costs nothing.
"""

import asyncio
import sys
import threading
from collections.abc import Sequence
from time import monotonic
from types import CodeType, FrameType
from typing import Final

import structlog

from chat.hook_calls import HookImpl

LOOK_EVERY_S: Final = 0.1
WAITING: Final = ("select", "poll", "_poll", "_run_once")
"""Functions in which an idle loop is found: selectors, and the loop around them."""

_log = structlog.get_logger("chat.watchdog")


class Watchdog:
    """Writes `loop_blocked` for a loop that gives no sign within `patience_s`: once a blockage,
    with the plugin and hook where it is one of `hooks`, and the place in the code.
    """

    def __init__(self, patience_s: float, hooks: Sequence[HookImpl]) -> None:
        self._patience_s = patience_s
        self._hooks: dict[CodeType, tuple[str, str]] = {
            each.method.__code__: (each.plugin, each.hook.name) for each in hooks
        }
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Watch the running loop, whose thread this is; with no patience at all, don't."""
        if not self._patience_s:
            return
        loop, thread_id = asyncio.get_running_loop(), threading.get_ident()
        self._thread = threading.Thread(
            target=self._watch, args=(loop, thread_id), name="watchdog", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(timeout=2 * LOOK_EVERY_S)

    def _watch(self, loop: asyncio.AbstractEventLoop, thread_id: int) -> None:
        while not self._stopping.wait(LOOK_EVERY_S):
            frame = sys._current_frames().get(thread_id)
            if frame is None or frame.f_code.co_name in WAITING:
                continue
            sign, asked_at = threading.Event(), monotonic()
            try:
                loop.call_soon_threadsafe(sign.set)
            except RuntimeError:  # the loop is closed
                return
            if sign.wait(self._patience_s):
                continue
            frame = sys._current_frames().get(thread_id)
            if frame is not None:
                self._name(frame, monotonic() - asked_at)
            while not sign.wait(LOOK_EVERY_S):
                if self._stopping.is_set():
                    return

    def _name(self, frame: FrameType, blocked_s: float) -> None:
        where = f"{frame.f_code.co_filename}:{frame.f_lineno} {frame.f_code.co_name}"
        plugin = hook = None
        caller: FrameType | None = frame
        while caller is not None and plugin is None:
            plugin, hook = self._hooks.get(caller.f_code, (None, None))
            caller = caller.f_back
        _log.warning(
            "loop_blocked",
            plugin=plugin,
            hook=hook,
            where=where,
            for_ms=round(blocked_s * 1000),
        )
