"""Set up structlog: a record is one line of an event name and fields.

Client text is escaped, and contents of messages are never logged.
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

from chat.logs.output import Output, guard_stderr
from chat.net.addresses import home_of

_UNSAFE: Final = re.compile(
    r"[^\x20-\x7e\xa0-\U0010ffff]|[\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
_QUIET: Final = ("engineio", "socketio", "pymongo", "tornado.access", "asyncio")
CAUSED_BY_CALLERS: Final = {
    "audit_change": 100,
    "audit_read": 10,
    "audit_refused": 10,
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
"""The most lines a second of an event for a caller: enough to diagnose, too few to fill a disk."""

MAX_CALLERS: Final = 1_000
"""Callers of an event that are counted separately in one second; the others count as one."""

_METHODS: Final = (
    *("debug", "info", "warning", "error", "critical", "exception", "log"),
    *("msg", "warn", "fatal"),
)
_BELOW_LEVEL: Final = structlog.make_filtering_bound_logger(logging.CRITICAL).debug
"""Structlog's method for lines below the level; wrapping it would make each call slower."""

MAX_FIELD_CHARS: Final = 200
"""Longer client text says no more about an error, and a log is not the place to store it."""

late_s: ContextVar[float | None] = ContextVar("late_s", default=None)
"""The age of the event that is logged in this context; the lines of a late notice show it."""


def configure_logging(level: str, log_format: str) -> None:
    """Send structlog and the libraries' logging to stderr, which then neither raises nor blocks.

    `auto` = console on a terminal, otherwise JSON lines.
    """
    guard_stderr()
    stream = sys.stderr
    pretty = log_format == "console" or (log_format == "auto" and stream.isatty())
    renderer: Processor = (
        structlog.dev.ConsoleRenderer(colors=stream.isatty())
        if pretty
        else structlog.processors.JSONRenderer()
    )
    throttle = Throttle()
    shared: list[Processor] = [
        throttle,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _add_lateness,
        _escape,
    ]
    rendering = Rendering([*shared, structlog.processors.format_exc_info, renderer])
    throttle.tell = lambda event: stream.write(rendering(None, "warning", event) + "\n")
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
        # They log requests, packets and driver details, with client text and query strings in them.
        logging.getLogger(name).setLevel(logging.ERROR)


class Rendering:
    """Makes the line of a record, or a line that says that this failed."""

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
    """The logger behind structlog's, which writes the finished line."""

    __slots__ = ("_write",)

    def __init__(self, stream: TextIO) -> None:
        self._write = stream.write

    def msg(self, line: str) -> None:
        self._write(line + "\n")

    debug = info = warning = error = critical = msg


class LibraryHandler(logging.Handler):
    """Writes the records of the libraries' logging like those of structlog."""

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


_Caller = tuple[tuple[str, Any], ...]
"""The fields of a line that name its caller: a user with the tenant, or an address."""


class Throttle:
    """Drops a caller's lines of an event that exceed the event's limit in a second.

    The next line of that caller has the number of dropped lines as `suppressed`. If the caller
    causes no more, a line `lines_suppressed` has that number.
    """

    def __init__(self) -> None:
        self.tell: Callable[[EventDict], object] = lambda _: None
        self._second = 0
        self._shares: dict[str, dict[_Caller, _Share]] = {name: {} for name in CAUSED_BY_CALLERS}

    def __call__(self, _logger: Any, _method: str, event: EventDict) -> EventDict:
        name = event.get("event")
        most = CAUSED_BY_CALLERS.get(name) if isinstance(name, str) else None
        if name is None or most is None:
            return event
        second = int(monotonic())
        if second != self._second:
            self._second = second
            self._turn()
        share = self._share(self._shares[name], event)
        share.lines += 1
        if share.lines > most:
            share.suppressed += 1
            raise structlog.DropEvent
        if share.suppressed:
            event["suppressed"], share.suppressed = share.suppressed, 0
        return event

    @staticmethod
    def _share(shares: dict[_Caller, "_Share"], event: EventDict) -> "_Share":
        caller = _caller_of(event)
        if caller not in shares and len(shares) >= MAX_CALLERS:
            caller = ()
        if caller not in shares:
            shares[caller] = _Share()
        return shares[caller]

    def _turn(self) -> None:
        """Begin a second: forget the callers without a line in the second that was counted last."""
        for name, shares in self._shares.items():
            for caller, share in list(shares.items()):
                if share.lines == 0:
                    del shares[caller]
                    if share.suppressed:
                        self._tell(name, caller, share)
                share.lines = 0

    def _tell(self, name: str, caller: "_Caller", share: "_Share") -> None:
        who, lines = dict(caller), share.suppressed
        self.tell({"event": "lines_suppressed", "event_name": name, "lines": lines, **who})


class _Share:
    """The lines of an event that one caller has caused."""

    __slots__ = ("lines", "suppressed")

    def __init__(self) -> None:
        self.lines = self.suppressed = 0


_CALLER: Final = ("actor_id", "user_id", "remote_ip")


def _caller_of(event: EventDict) -> _Caller:
    """Return the caller of a line, empty if the line has none."""
    for name in _CALLER:
        caller = event.get(name)
        if isinstance(caller, (int, str)):
            if name == "remote_ip" and isinstance(caller, str):
                return ((name, home_of(caller)),)
            tenant = event.get("tenant")
            return ((name, caller), ("tenant", tenant)) if tenant else ((name, caller),)
    return ()


def unfiltered_logger() -> Any:
    """Make a logger whose lines are written whatever LOG_LEVEL is."""
    everything = structlog.make_filtering_bound_logger(logging.NOTSET)
    return structlog.wrap_logger(None, wrapper_class=_never_raising(everything))


def keep_configuration() -> None:
    """Make the configuration final: a line below the level then costs 0.1 us instead of 3."""
    structlog.configure(cache_logger_on_first_use=True)


def escape(text: str) -> str:
    """Make client text safe for a log: at most 200 characters, none of control or direction."""
    cut = text if len(text) <= MAX_FIELD_CHARS else text[:MAX_FIELD_CHARS] + "..."
    return _UNSAFE.sub(lambda match: f"\\u{ord(match[0]):04x}", cut)


def _never_raising(wrapper: type[Any]) -> type[Any]:
    """Make the wrapper class's methods log a wrong call instead of raising an exception."""
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
