"""One record, one line: whatever clients put into it."""

import json
import logging
import sys

import pytest
import structlog

from chat.logs.setup import (
    MAX_CALLERS,
    MAX_FIELD_CHARS,
    Throttle,
    configure_logging,
    escape,
    unfiltered_logger,
)

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


@pytest.fixture
def clock(monkeypatch):
    """A list whose one item is the time that the throttle sees."""
    moment = [100.0]
    monkeypatch.setattr("chat.logs.setup.monotonic", lambda: moment[0])
    return moment


def written_lines(capsys):
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_lines_that_callers_cause_are_throttled(configured, capsys, clock):
    """A flood of bad packets is ten lines a second, and the next one says how many it was."""
    configured("INFO", "json")
    for _ in range(1_000):
        structlog.get_logger().info("malformed_packet", why="no packet")
    clock[0] += 1
    structlog.get_logger().info("malformed_packet", why="no packet")
    lines = written_lines(capsys)
    assert len(lines) == 11
    assert lines[-1]["suppressed"] == 990
    assert not any("suppressed" in line for line in lines[:-1])


@pytest.mark.parametrize("known_by", ["user_id", "remote_ip", "actor_id"])
@pytest.mark.parametrize("event", ["refused", "auth_failed", "audit_refused"])
def test_the_flood_of_one_caller_hides_no_line_of_another(
    configured, capsys, clock, event, known_by
):
    """Each user, and each address without one, has lines of its own."""
    configured("INFO", "json")
    log = structlog.get_logger()
    for _ in range(900):
        log.warning(event, **{known_by: "noisy"})
    for _ in range(2):
        log.warning(event, **{known_by: "quiet"})
    lines = written_lines(capsys)
    assert len([line for line in lines if line[known_by] == "noisy"]) == 10
    assert len([line for line in lines if line[known_by] == "quiet"]) == 2


def test_the_flood_of_a_user_hides_no_line_of_the_same_id_in_another_tenant(
    configured, capsys, clock
):
    """And what was dropped is told of the tenant that caused it."""
    configured("INFO", "json")
    log = structlog.get_logger()
    for _ in range(900):
        log.warning("refused", user_id=1, tenant="noisy")
    for tenant in ({}, {"tenant": "quiet"}):
        log.warning("refused", user_id=1, **tenant)
    for _ in range(2):
        clock[0] += 1
        log.warning("refused", user_id=2)
    lines = written_lines(capsys)
    assert len([line for line in lines if line.get("tenant") == "noisy"]) == 10 + 1
    assert len([line for line in lines if line.get("tenant") == "quiet"]) == 1
    [told] = [line for line in lines if line["event"] == "lines_suppressed"]
    assert (told["user_id"], told["tenant"], told["lines"]) == (1, "noisy", 890)


def test_what_was_dropped_of_a_caller_who_falls_silent_is_told(configured, capsys, clock):
    """Within two seconds of anybody's lines, by event and caller."""
    configured("INFO", "json")
    log = structlog.get_logger()
    for _ in range(900):
        log.warning("refused", user_id=1)
    for _ in range(2):
        clock[0] += 1
        log.warning("refused", user_id=2)
    [told] = [line for line in written_lines(capsys) if line["event"] == "lines_suppressed"]
    assert (told["event_name"], told["user_id"], told["lines"]) == ("refused", 1, 890)


def test_the_memory_of_the_throttle_is_bounded(configured, capsys, clock):
    """Callers over the bound share their lines, and all are forgotten when they fall silent."""
    throttle = Throttle()
    dropped = 0
    for number in range(3 * MAX_CALLERS):
        try:
            throttle(None, "", {"event": "auth_failed", "remote_ip": f"2001:db8:{number:x}::1"})
        except structlog.DropEvent:
            dropped += 1
    assert len(throttle._shares["auth_failed"]) <= MAX_CALLERS + 1
    assert dropped == 2 * MAX_CALLERS - 10
    for _ in range(2):
        clock[0] += 1
        throttle(None, "", {"event": "refused", "user_id": 1})
    assert not throttle._shares["auth_failed"]


def test_the_audit_log_is_written_whatever_the_level(configured, capsys):
    """LOG_LEVEL is for what the server tells of itself."""
    configured("ERROR", "json")
    unfiltered_logger().info("audit_change", actor_id=1)
    [line] = written_lines(capsys)
    assert (line["event"], line["level"]) == ("audit_change", "info")


def test_lines_of_things_done_are_never_throttled(configured, capsys):
    """Who sent what, when: an audit has no holes."""
    configured("INFO", "json")
    for _ in range(100):
        structlog.get_logger().info("message_sent", seq=1)
    assert len(capsys.readouterr().err.splitlines()) == 100
