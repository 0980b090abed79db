"""Set-up of structlog: one line a record, an event name and fields; client text is escaped,
contents never come here.
"""

import logging
import re
import sys
from time import monotonic
from typing import Any, Final

import structlog
from structlog.typing import EventDict, Processor

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
    "too_many_sockets": 10,
}
"""Lines a second of each: enough to see what is going on, too few to fill a disk with."""

MAX_FIELD_CHARS: Final = 200
"""Longer client text says no more about what went wrong, and a log is not the place to store it."""


def configure_logging(level: str, log_format: str) -> None:
    """Send structlog and the libraries' logging to stderr; `auto` = console on a terminal, else
    JSON lines.
    """
    pretty = log_format == "console" or (log_format == "auto" and sys.stderr.isatty())
    shared: list[Processor] = [
        Throttle(),
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _escape,
    ]
    renderer: Processor = (
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
        if pretty
        else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[*shared, structlog.processors.format_exc_info, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                renderer,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _QUIET:
        # They log requests, packets and driver chatter, with client text and query strings in them.
        logging.getLogger(name).setLevel(logging.ERROR)


class Throttle:
    """Drops what is over so many lines a second of an event that any stranger can cause; the next
    line that is written tells how many, as `suppressed`.
    """

    def __init__(self) -> None:
        self._second = 0
        self._lines: dict[str, int] = {}
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
        lines = self._lines[name] = self._lines.get(name, 0) + 1
        if lines > most:
            self._suppressed[name] = self._suppressed.get(name, 0) + 1
            raise structlog.DropEvent
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


def _escape(_logger: Any, _method: str, event: EventDict) -> EventDict:
    for key, value in event.items():
        if isinstance(value, str) and key != "exception":
            event[key] = escape(value)
    return event
