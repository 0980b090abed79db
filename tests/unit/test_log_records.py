"""A record that cannot be shown is a line that says so, and nothing that its caller feels."""

import json
import logging

import pytest
import structlog

from chat.logs.setup import configure_logging, late_s


class Unshowable:
    def __repr__(self):
        raise RuntimeError("no words")


class UnshowableError(Exception):
    def __str__(self):
        raise RuntimeError("no words")


def circular():
    found = []
    found.append(found)
    return found


def nested():
    found = []
    for _ in range(100_000):
        found = [found]
    return found


@pytest.fixture
def written(capsys):
    """`written(call)`: the lines that a call leaves under the real configuration, as objects."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    names = ("engineio", "socketio", "pymongo", "tornado.access", "asyncio")
    levels = {name: logging.getLogger(name).level for name in names}

    def lines_of(call):
        # Not before: pytest changes stderr between the set-up and the call.
        configure_logging("INFO", "json")
        call()
        return [json.loads(line) for line in capsys.readouterr().err.splitlines()]

    yield lines_of
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, each in levels.items():
        logging.getLogger(name).setLevel(each)


@pytest.mark.parametrize("log_format", ["json", "console"])
@pytest.mark.parametrize(
    "value",
    [Unshowable(), [Unshowable()], circular(), nested(), {"a": {1, Unshowable()}}],
    ids=["no repr", "no repr inside", "circular", "too deep", "set"],
)  # fmt: skip
def test_a_field_that_cannot_be_shown_is_a_line_that_says_so(written, capsys, log_format, value):
    """With the name of the event; the caller's code goes on."""
    configure_logging("INFO", log_format)
    structlog.get_logger("plugin").warning("sent", payload=value, other="secret")
    line = capsys.readouterr().err
    if "log_line_broken" in line:
        assert "sent" in line
        assert "secret" not in line
    else:
        assert log_format == "console", "some of them the console can show"
    assert line.count("\n") == 1


@pytest.mark.parametrize(
    "value",
    [b"\xff\x00", "\ud800", ["\ud800"], float("nan"), {1, 2}, object, 10**400],
    ids=repr,
)  # fmt: skip
def test_a_field_that_is_no_json_is_shown_as_python_does(written, value):
    """Bytes, half a surrogate pair, a set, ...: one line, with the other fields."""
    log = structlog.get_logger("plugin")
    (line,) = written(lambda: log.warning("sent", payload=value, seq=7))
    assert (line["event"], line["seq"]) == ("sent", 7)


@pytest.mark.parametrize(
    "call",
    [
        lambda log: log.warning("%s and %s", 1),
        lambda log: log.warning("%d", "x"),
        lambda log: log.warning("sent", event="twice"),
        lambda log: log.warning("sent", method_name="taken"),
        lambda log: log.error(),
        lambda log: log.exception("%d", "x"),
        lambda log: log.log(30, "%d", "x"),
        lambda log: log.warning(["no", "name"], x=Unshowable()),
        lambda log: log.bind(x=Unshowable()).warning("sent"),
    ],
)
def test_a_wrong_call_is_a_line_that_says_so(written, call):
    """A plugin's mistake in a log line is not a failure of its hook."""
    (line,) = written(lambda: call(structlog.get_logger("plugin")))
    assert line["event"] == "log_line_broken"


def test_a_record_of_a_library_that_does_not_fit_its_arguments_is_one_line(written):
    """Python would print a traceback with all of the arguments in it."""
    log = logging.getLogger("tornado.general")
    (line,) = written(lambda: log.warning("%s of %d", "secret", "secret"))
    assert (line["event"], line["logger"]) == ("log_line_broken", "tornado.general")
    assert "secret" not in str(line)


def test_an_exception_whose_text_fails_is_logged(written):
    """Of ours and of the libraries': with its traceback, as far as there is one."""

    def crash():
        try:
            raise UnshowableError
        except UnshowableError:
            structlog.get_logger("plugin").exception("crashed")
            logging.getLogger("asyncio").exception("crashed")

    lines = written(crash)
    assert len(lines) == 2
    for line in lines:
        assert line["event"] == "crashed"
        assert "UnshowableError" in line["exception"]


def test_lines_of_a_late_notice_say_how_late(written):
    """The time of a line is that of its writing; `late_s` before that it happened."""
    log = structlog.get_logger("plugin")

    def be_late():
        log.warning("in time")
        token = late_s.set(27.04)
        log.warning("late")
        late_s.reset(token)

    in_time, late = written(be_late)
    assert ("late_s" in in_time, late["late_s"]) == (False, 27.0)
