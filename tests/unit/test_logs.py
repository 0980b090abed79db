"""One record, one line: whatever clients put into it."""

import json
import logging
import sys

import pytest
import structlog

from chat.logs import MAX_FIELD_CHARS, configure_logging, escape

NASTY = [
    "a\nb", "a\r\nb", "\x1b[31mred", "\x00", "a\u2028b\u2029c", "\u202eevil", "\x85", "\x9b31m",
    "\u2066x\u2069", "\x7f", "a\tb", '"quoted"', "back\\slash", "\ud800",
]  # fmt: skip


@pytest.fixture
def configured():
    """`configure_logging`, undone afterwards."""
    root = logging.getLogger()
    before = structlog.get_config()
    handlers, level = root.handlers[:], root.level
    names = ("engineio", "socketio", "pymongo", "tornado.access", "asyncio")
    levels = {name: logging.getLogger(name).level for name in names}
    yield configure_logging
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, each in levels.items():
        logging.getLogger(name).setLevel(each)
    structlog.configure(**before)


@pytest.mark.parametrize("text", NASTY)
def test_escaped_text_is_one_harmless_line(text):
    """No control, direction or line characters are left."""
    made = escape(text)
    assert made.isprintable()
    assert len(made.splitlines()) == 1
    made.encode()


@pytest.mark.parametrize("text", ["plain", "ümläut", "日本語", "😀", ""])
def test_harmless_text_stays(text):
    """Names of people can be read."""
    assert escape(text) == text


def test_long_text_is_cut():
    """A log is no place to store it."""
    made = escape("x" * 10_000)
    assert len(made) <= MAX_FIELD_CHARS + 3
    assert len(escape("\x00" * 10_000)) < 2_000


@pytest.mark.parametrize("log_format", ["json", "console", "auto"])
@pytest.mark.parametrize("text", NASTY)
def test_a_record_is_one_line_in_every_format(configured, capsys, log_format, text):
    """Of ours and of the libraries'."""
    configured("INFO", log_format)
    structlog.get_logger("chat.test").warning("refused", action=text, user_id=text)
    logging.getLogger("tornado.general").warning("Malformed message: %s", text)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2, lines
    for line in lines:
        # Colours are off where no terminal is.
        assert line.isprintable()
        if log_format != "console":
            assert isinstance(json.loads(line), dict)


def test_a_json_record_has_its_name_level_time_and_fields(configured, capsys):
    """One object a line."""
    configured("INFO", "json")
    structlog.get_logger("chat.test").info("listening", port=3000)
    record = json.loads(capsys.readouterr().err)
    assert (record["event"], record["level"], record["port"]) == ("listening", "info", 3000)
    assert record["timestamp"].endswith("Z")


def test_an_exception_is_one_json_line(configured, capsys):
    """The traceback is a field of its record."""
    configured("INFO", "json")
    try:
        raise ValueError("line one\nline two")
    except ValueError:
        structlog.get_logger("chat.test").exception("crashed")
    [line] = capsys.readouterr().err.splitlines()
    assert "line two" in json.loads(line)["exception"]


@pytest.mark.parametrize(
    ("level", "written"),
    [("DEBUG", 4), ("INFO", 3), ("WARNING", 2), ("ERROR", 1)],
)
def test_lines_below_the_level_are_not_written(configured, capsys, level, written):
    """LOG_LEVEL holds for all."""
    configured(level, "json")
    logger = structlog.get_logger("chat.test")
    for name in ("debug", "info", "warning", "error"):
        getattr(logger, name)(name)
    assert len(capsys.readouterr().err.splitlines()) == written


def test_libraries_that_log_client_text_are_quiet(configured, capsys):
    """Packets, requests and commands are not written even at DEBUG."""
    configured("DEBUG", "json")
    for name in ("engineio.server", "socketio.server", "pymongo.command", "tornado.access"):
        logging.getLogger(name).info("secret")
        logging.getLogger(name).warning("secret")
    assert capsys.readouterr().err == ""
    assert sys.stderr is not None


def test_lines_that_strangers_cause_are_throttled(configured, capsys, monkeypatch):
    """A flood of bad packets is ten lines a second, and the next one says how many it was."""
    moment = [100.0]
    monkeypatch.setattr("chat.logs.monotonic", lambda: moment[0])
    configured("INFO", "json")
    for _ in range(1_000):
        structlog.get_logger().info("malformed_packet", why="no packet")
    moment[0] += 1
    structlog.get_logger().info("malformed_packet", why="no packet")
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert len(lines) == 11
    assert lines[-1]["suppressed"] == 990
    assert not any("suppressed" in line for line in lines[:-1])


def test_a_flood_of_one_user_does_not_hide_what_others_do(configured, capsys, monkeypatch):
    """One user, or one address, has three of the ten lines."""
    monkeypatch.setattr("chat.logs.monotonic", lambda: 100.0)
    configured("INFO", "json")
    for number in range(900):
        structlog.get_logger().warning("refused", user_id=1, remote_ip="203.0.113.7")
        if number in (300, 600):
            structlog.get_logger().warning("refused", user_id=2, remote_ip="203.0.113.7")
    for _ in range(5):
        structlog.get_logger().warning("auth_failed", user_id=None, remote_ip="203.0.113.8")
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [each["user_id"] for each in lines] == [1, 1, 1, 2, 2, None, None, None]


def test_lines_of_things_done_are_never_throttled(configured, capsys):
    """Who sent what, when: an audit has no holes."""
    configured("INFO", "json")
    for _ in range(100):
        structlog.get_logger().info("message_sent", seq=1)
    assert len(capsys.readouterr().err.splitlines()) == 100
