"""Set-up of structlog: one line a record, an event name and fields; client text is escaped,
contents never come here.
"""

import functools
import logging
import re
import sys
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from time import monotonic
from typing import Any, Final, TextIO

import structlog
from structlog.typing import EventDict, Processor

from chat.output import Output, guard_stderr

_UNSAFE: Final = re.compile(
    r"[^\x20-\x7e\xa0-\U0010ffff]|[\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
_QUIET: Final = ("engineio", "socketio", "pymongo", "tornado.access", "asyncio")
CAUSED_BY_STRANGERS: Final = {
    "auth_failed": 10,
    "auth_failures_limited": 10,
    "connect_refused": 10,
    "connection_refused": 1,
    "forwarded_address_unreadable": 1,
    "handshake_refused": 10,
    "malformed_packet": 10,
    "malformed_post": 10,
    "refused": 10,
    "request_refused": 10,
    "session_ended": 10,
    "session_slowed": 10,
    "too_many_sockets": 10,
}
"""Lines a second of each: enough to see what is going on, too few to fill a disk with."""

ACTORS_AT_LEAST: Final = 3
"""Who find their lines in a second, however many lines one of them would make."""

_METHODS: Final = (
    *("debug", "info", "warning", "error", "critical", "exception", "log"),
    *("msg", "warn", "fatal"),
)
_BELOW_LEVEL: Final = structlog.make_filtering_bound_logger(logging.CRITICAL).debug
"""What structlog has in place of a method below the level; a call in front of it would be felt."""

MAX_FIELD_CHARS: Final = 200
"""Longer client text says no more about what went wrong, and a log is not the place to store it."""

late_s: ContextVar[float | None] = ContextVar("late_s", default=None)
"""How long ago that happened which is logged in this context; the lines of a late notice say so."""


def configure_logging(level: str, log_format: str) -> None:
    """Send structlog and the libraries' logging to stderr; `auto` = console on a terminal, else
    JSON lines. Nothing of it raises or blocks from here on.
    """
    guard_stderr()
    stream = sys.stderr
    pretty = log_format == "console" or (log_format == "auto" and stream.isatty())
    renderer: Processor = (
        structlog.dev.ConsoleRenderer(colors=stream.isatty())
        if pretty
        else structlog.processors.JSONRenderer()
    )
    shared: list[Processor] = [
        Throttle(),
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _add_lateness,
        _escape,
    ]
    rendering = Rendering([*shared, structlog.processors.format_exc_info, renderer])
    filtering = structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level])
    structlog.configure(
        processors=[rendering],
        wrapper_class=_never_raising(filtering),
        logger_factory=lambda *_: LineLogger(stream),
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    root.handlers[:] = [LibraryHandler(rendering, stream)]
    root.setLevel(level)
    if isinstance(stream, Output):
        stream.tell_loss = lambda lines: (
            rendering(None, "error", {"event": "log_lines_lost", "lines": lines}) + "\n"
        )
    for name in _QUIET:
        # They log requests, packets and driver chatter, with client text and query strings in them.
        logging.getLogger(name).setLevel(logging.ERROR)


class Rendering:
    """Makes the line of a record; where that fails, a line that says so."""

    def __init__(self, processors: Sequence[Processor]) -> None:
        self._processors = processors

    def __call__(self, logger: Any, level: str, event: EventDict) -> str:
        name = event.get("event")
        line: Any = event
        try:
            for processor in self._processors:
                line = processor(logger, level, line)
            return str(line)
        except structlog.DropEvent:
            raise
        except Exception as error:  # noqa: BLE001  # any of a caller's objects may fail to be shown
            return self._broken(logger, level, name, error)

    def _broken(self, logger: Any, level: str, name: object, error: Exception) -> str:
        line: Any = {"event": "log_line_broken", "why": type(error).__name__}
        if isinstance(name, str):
            line["event_name"] = name
        for processor in self._processors:
            line = processor(logger, level, line)
        return str(line)


class LineLogger:
    """The logger behind structlog's: writes the finished line."""

    __slots__ = ("_write",)

    def __init__(self, stream: TextIO) -> None:
        self._write = stream.write

    def msg(self, line: str) -> None:
        self._write(line + "\n")

    debug = info = warning = error = critical = msg


class LibraryHandler(logging.Handler):
    """Writes the records of the libraries' logging like our own."""

    def __init__(self, rendering: Rendering, stream: TextIO) -> None:
        super().__init__()
        self._rendering = rendering
        self._stream = stream

    def emit(self, record: logging.LogRecord) -> None:
        level = record.levelname.lower()
        try:
            event: EventDict = {"event": record.getMessage()}
        except Exception as error:  # noqa: BLE001  # the message does not fit its arguments
            event = {"event": "log_line_broken", "why": type(error).__name__, "logger": record.name}
        if record.exc_info:
            event["exc_info"] = record.exc_info
        try:
            line = self._rendering(None, level, event)
        except structlog.DropEvent:
            return
        self._stream.write(line + "\n")


class Throttle:
    """Drops what is over so many lines a second of an event that any stranger can cause; the next
    line that is written tells how many, as `suppressed`.

    One user, or one address, may cause a third of them: a flood does not hide what others do.
    """

    def __init__(self) -> None:
        self._second = 0
        self._lines: dict[str, int] = {}
        self._of_actors: dict[tuple[str, str], int] = {}
        self._suppressed: dict[str, int] = {}

    def __call__(self, _logger: Any, _method: str, event: EventDict) -> EventDict:
        name = event.get("event", "")
        most = CAUSED_BY_STRANGERS.get(name)
        if most is None:
            return event
        second = int(monotonic())
        if second != self._second:
            self._second = second
            self._lines.clear()
            self._of_actors.clear()
        actor = (name, str(event.get("user_id") or event.get("remote_ip") or ""))
        lines, own = self._lines.get(name, 0), self._of_actors.get(actor, 0)
        if lines >= most or (actor[1] and own >= max(1, most // ACTORS_AT_LEAST)):
            self._suppressed[name] = self._suppressed.get(name, 0) + 1
            raise structlog.DropEvent
        self._lines[name], self._of_actors[actor] = lines + 1, own + 1
        if name in self._suppressed:
            event["suppressed"] = self._suppressed.pop(name)
        return event


def keep_configuration() -> None:
    """It is final from here on: a line below the level costs 0.1 us instead of 3."""
    structlog.configure(cache_logger_on_first_use=True)


def escape(text: str) -> str:
    """Client text made safe for a log: no control or direction characters, 200 at most."""
    cut = text if len(text) <= MAX_FIELD_CHARS else text[:MAX_FIELD_CHARS] + "..."
    return _UNSAFE.sub(lambda match: f"\\u{ord(match[0]):04x}", cut)


def _never_raising(wrapper: type[Any]) -> type[Any]:
    """The wrapper class with methods that log a wrong call of theirs instead of raising."""
    names = [name for name in _METHODS if getattr(wrapper, name) is not _BELOW_LEVEL]
    methods = {name: _guarded(getattr(wrapper, name)) for name in names}
    return type(wrapper.__name__, (wrapper,), methods)


def _guarded(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def log(self: Any, *args: Any, **fields: Any) -> Any:
        try:
            return method(self, *args, **fields)
        except Exception as error:  # noqa: BLE001  # `%s` without a value, a field called `event`
            named = {"event_name": args[0]} if args and isinstance(args[0], str) else {}
            self._proxy_to_logger("error", "log_line_broken", why=type(error).__name__, **named)

    return log


def _add_lateness(_logger: Any, _method: str, event: EventDict) -> EventDict:
    late = late_s.get()
    if late is not None:
        event["late_s"] = round(late, 1)
    return event


def _escape(_logger: Any, _method: str, event: EventDict) -> EventDict:
    for key, value in event.items():
        if isinstance(value, str) and key != "exception":
            event[key] = escape(value)
    return event
