"""The commands and the server without a place for their output: closed, or with a reader that is
gone."""

import os
import re
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from tests.support.rest import raw as rest_raw
from tests.support.waiting import eventually_there

ROOT = Path(__file__).resolve().parents[2]
SECRET = "a-secret-of-the-output-tests-that-is-long-enough"
SENTENCE = re.compile(rb"chatgateway: the answer cannot be written to stdout: [^\n]+\.\n")
WITHIN_S = 30


@pytest.fixture
def command(tmp_path):
    """`command("token --user 1", ">&-")`: the arguments of a process, for a shell."""
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    environment |= {"JWT_SECRET": SECRET, "DATA_DIR": str(tmp_path / "data"), "PORT": "0"}

    def build(arguments, redirection, **more):
        script = f'exec "$0" "$1" {arguments} {redirection}'
        started = ["/bin/sh", "-c", script, sys.executable, str(ROOT / "server.py")]
        return {"args": started, "env": {**environment, **more}, "cwd": tmp_path}

    return build


@pytest.mark.parametrize(
    ("arguments", "redirection"),
    [("check", ">&-"), ("token --user 1", ">/dev/full"), ("token --user 1", "| true")],
)
def test_an_answer_that_nobody_can_read_is_one_sentence(command, arguments, redirection):
    """And exit code 1: a script must not take nothing for a token."""
    if redirection == "| true":
        read, write = os.pipe()
        os.close(read)
        ended = subprocess.run(
            **command(arguments, ""), stdout=write, stderr=subprocess.PIPE, timeout=WITHIN_S
        )
        os.close(write)
    else:
        ended = subprocess.run(
            **command(arguments, redirection), stderr=subprocess.PIPE, timeout=WITHIN_S
        )
    assert (ended.returncode, ended.stderr.count(b"\n")) == (1, 1), ended.stderr
    assert SENTENCE.fullmatch(ended.stderr)


@pytest.mark.parametrize("redirection", ["2>&-", ">/dev/full 2>&1"])
def test_a_refusal_that_nobody_can_read_is_an_exit_code(command, redirection):
    """1, and nothing of it on stdout, where a script expects the answer."""
    ended = subprocess.run(
        **command("token --user 1", redirection, JWT_SECRET="short"),
        stdout=subprocess.PIPE,
        timeout=WITHIN_S,
    )
    assert (ended.returncode, ended.stdout) == (1, b"")


def _port_of(server):
    """The port of the socket that the process listens on."""

    def found():
        inodes = set()
        for each in Path(f"/proc/{server.pid}/fd").iterdir():
            try:
                inodes.add(os.readlink(each).removeprefix("socket:[").rstrip("]"))
            except OSError:
                continue
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and fields[9] in inodes:
                return int(fields[1].rpartition(":")[2], 16)
        return None

    return eventually_there(found)


@pytest.mark.parametrize("redirection", ["2>&-", ">&- 2>&- <&-", ">/dev/full 2>/dev/full"])
def test_the_server_runs_without_standard_files(command, mongodb_uri, redirection):
    """It serves, ends with 0, and none of its sockets has the number of a standard file: a log
    line would go to a client.
    """
    started = command("serve", redirection, MONGODB_URI=mongodb_uri, LOG_LEVEL="DEBUG")
    with subprocess.Popen(**started, stdout=subprocess.DEVNULL) as server:
        try:
            port = _port_of(server)
            eventually_there(lambda: rest_raw.get(port, "/health/ready").status == 200)
            for number in (0, 1, 2):
                assert "socket" not in os.readlink(f"/proc/{server.pid}/fd/{number}")
            server.send_signal(signal.SIGTERM)
            assert server.wait(WITHIN_S) == 0
        finally:
            server.kill()


def test_a_terminal_that_is_closed_ends_the_server_cleanly(command, mongodb_uri):
    """SIGHUP is a stop like any other; the log of it goes nowhere."""
    controller, terminal = os.openpty()
    started = command("serve", "", MONGODB_URI=mongodb_uri)
    with subprocess.Popen(
        **started,
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        start_new_session=True,
        # The tests themselves may run under nohup.
        preexec_fn=partial(signal.signal, signal.SIGHUP, signal.SIG_DFL),
    ) as server:
        try:
            os.close(terminal)
            _port_of(server)
            greeting = b""
            while b"ChatGateway is at" not in greeting:
                greeting += os.read(controller, 10_000)
            os.close(controller)
            server.send_signal(signal.SIGHUP)
            assert server.wait(WITHIN_S) == 0
        finally:
            server.kill()
