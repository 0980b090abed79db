"""The command line: token, check, serve; and what goes wrong as one sentence with exit code 1."""

import gc
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

import chat
from chat import cli
from chat.app import ChatApp
from chat.auth import Authenticator
from chat.clock import SystemClock
from chat.keys.token_keys import TokenKeys
from chat.settings import Settings
from chat.timings import Timings
from tests.support.rest import raw as rest_raw

ROOT = Path(__file__).resolve().parents[2]
SECRET = "a-secret-of-the-command-line-tests-long-enough"
SENTENCE = re.compile(r"chatgateway: [^\n]+[.?]\n")


@pytest.fixture(autouse=True)
def environment(monkeypatch, tmp_path):
    """A secret and a folder, and nothing of this machine's; --env-file puts more into it."""
    monkeypatch.setattr(os, "environ", os.environ.copy())
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("JWT_SECRET", SECRET)
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))


def run(capsys, *arguments):
    """The exit code and what was printed."""
    code = cli.main(arguments)
    printed = capsys.readouterr()
    return code, printed.out, printed.err


def identity_of(token, secret=SECRET, **options):
    return Authenticator(TokenKeys([secret]), SystemClock(), **options).authenticate(token)


def test_token_prints_a_token_and_nothing_else(capsys):
    """So that it can be put into a variable."""
    arguments = ["--user", "7", "--type", "admin", "--name", "Ada", "--role", "x", "--hours", "1"]
    code, out, err = run(capsys, "token", *arguments)
    assert (code, err) == (0, "chatgateway: signed with JWT_SECRET of the environment.\n")
    identity = identity_of(out.strip())
    assert (identity.user_id, identity.type, identity.name) == (7, "admin", "Ada")
    assert identity.role == "x"
    assert 3_500 < (identity.expires_at - SystemClock().now()).total_seconds() <= 3_600


def test_token_fits_the_audience_and_issuer_that_the_server_asks_for(capsys, monkeypatch):
    """A token of this command is good for this server."""
    monkeypatch.setenv("JWT_AUDIENCE", "chat")
    monkeypatch.setenv("JWT_ISSUER", "host")
    _, out, _ = run(capsys, "token", "--user", "u-1")
    assert identity_of(out.strip(), audience="chat", issuer="host").user_id == "u-1"


def test_token_in_demo_mode_uses_the_secret_of_the_folder(capsys, monkeypatch, tmp_path):
    """Made where there is none, and kept; it is said which one that was."""
    monkeypatch.delenv("JWT_SECRET")
    _, first, said = run(capsys, "token", "--user", "1")
    assert f"signed with demo mode's secret in DATA_DIR ({tmp_path / 'data'})" in said
    _, second, _ = run(capsys, "token", "--user", "1")
    kept = next((tmp_path / "data").rglob("demo.key")).read_text().strip()
    assert {identity_of(each.strip(), kept).user_id for each in (first, second)} == {1}


@pytest.mark.parametrize(
    "arguments",
    [
        ["--user", "a b"], ["--user", ""], ["--user", "x" * 65], ["--user", "1", "--hours", "0"],
        ["--user", "1", "--hours", "-1"], ["--user", "1", "--hours", "nan"],
        ["--user", "1", "--hours", "1e9"],
    ],
)  # fmt: skip
def test_a_token_for_nobody_or_never_is_refused(capsys, arguments):
    """In one sentence."""
    code, out, err = run(capsys, "token", *arguments)
    assert (code, out) == (1, "")
    assert SENTENCE.fullmatch(err), err


@pytest.mark.parametrize("arguments", [["token"], ["nonsense"], ["token", "--user"], ["--x"]])
def test_arguments_that_are_none_show_the_usage(capsys, arguments):
    """Exit code 2, as for every program."""
    with pytest.raises(SystemExit) as caught:
        cli.main(arguments)
    assert caught.value.code == 2
    assert "usage:" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["chatgateway", "server.py"])
def test_the_usage_begins_with_the_name_that_was_called(capsys, monkeypatch, name):
    """An installed package has another name than a checkout."""
    monkeypatch.setattr(sys, "argv", [f"/somewhere/{name}"])
    with pytest.raises(SystemExit, match="0"):
        cli.main(["--help"])
    assert capsys.readouterr().out.startswith(f"usage: {name} ")


def test_version_prints_the_version(capsys):
    """What a report of a fault should name."""
    with pytest.raises(SystemExit, match="0"):
        cli.main(["--version"])
    assert capsys.readouterr().out == f"chatgateway {chat.__version__}\n"


def test_check_prints_every_setting_and_plugin_with_secrets_masked(capsys, monkeypatch):
    """Secrets of the server, of the store's address and of rotation are not shown."""
    monkeypatch.setenv("MONGODB_URI", "mongodb://user:pa55word@db.example/chat")
    monkeypatch.setenv("JWT_SECRET_PREVIOUS", "another-" + SECRET)
    monkeypatch.setenv("CORS_ORIGINS", "https://a.example,https://b.example")
    code, out, err = run(capsys, "check")
    assert (code, err) == (0, "")
    shown = dict(line.split("=", 1) for line in out.splitlines() if re.match(r"[A-Z_]+=", line))
    assert set(shown) == {name.upper() for name in Settings.model_fields}
    assert shown["CORS_ORIGINS"] == "https://a.example,https://b.example"
    assert shown["JWT_AUDIENCE"] == "(unset)"
    assert SECRET not in out
    assert "pa55word" not in out
    for plugin in ("access_log", "rate_limit", "ping", "health"):
        assert f"plugin {plugin}:" in out
    assert "CHAT_RATE_LIMIT_SEND_PER_S=5" in out


def env_file(tmp_path, *lines):
    path = tmp_path / "chat.env"
    path.write_text("\n".join(lines))
    return str(path)


@pytest.mark.parametrize("place", ["before the command", "behind it"])
def test_a_file_of_variables_is_what_the_service_has(capsys, tmp_path, place):
    """--env-file FILE wins over the environment of the shell; plugins read it, too."""
    file = env_file(
        tmp_path, "PORT=4444", "# x", "CHAT_RATE_LIMIT_SEND_PER_S='7'", "LOG_LEVEL=info"
    )
    option = ["--env-file", file]
    arguments = [*option, "check"] if place == "before the command" else ["check", *option]
    code, out, err = run(capsys, *arguments)
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert {"PORT=4444", "LOG_LEVEL=INFO", "  CHAT_RATE_LIMIT_SEND_PER_S=7.0"} <= set(lines)


def test_token_signs_with_the_secret_of_the_file_and_says_so(capsys, tmp_path):
    """The secret itself is said nowhere."""
    secret = "another-one-" + SECRET
    file = env_file(tmp_path, f'JWT_SECRET="{secret}"')
    code, out, err = run(capsys, "token", "--user", "7", "--env-file", file)
    assert code == 0
    assert identity_of(out.strip(), secret).user_id == 7
    assert err == f"chatgateway: signed with JWT_SECRET of {file}.\n"


def test_token_says_when_the_file_has_no_secret(capsys, tmp_path):
    """Then it is that of the environment."""
    file = env_file(tmp_path, "PORT=4444")
    _, _, err = run(capsys, "token", "--user", "7", "--env-file", file)
    assert err == "chatgateway: signed with JWT_SECRET of the environment.\n"


@pytest.mark.parametrize("command", [["check"], ["token", "--user", "1"], ["serve"], []])
@pytest.mark.parametrize("content", [None, "PORT=4444\nnonsense here\n"])
def test_a_file_of_variables_that_is_none_is_one_sentence(capsys, tmp_path, command, content):
    """One that is not there, and one with a line that is no variable."""
    file = tmp_path / "chat.env"
    if content is not None:
        file.write_text(content)
    code, out, err = run(capsys, "--env-file", str(file), *command)
    assert (code, out) == (1, "")
    assert SENTENCE.fullmatch(err), err
    assert str(file) in err
    assert "nonsense" not in err


def test_check_warns_of_names_that_nobody_reads(capsys, monkeypatch):
    """A misspelt name is as good as none; its value is not repeated."""
    monkeypatch.delenv("JWT_SECRET")
    for name in ("JWT_SECERT", "CHAT_RATE_LIMIT_SENDPERS", "CHAT_COLOUR", "MONGO_URI"):
        monkeypatch.setenv(name, "its-value")
    monkeypatch.setenv("CORS_ORIGIN", "")
    code, _, err = run(capsys, "check")
    assert code == 0
    said = err.splitlines()
    assert [line.split()[2] for line in said] == [
        "CHAT_COLOUR", "CHAT_RATE_LIMIT_SENDPERS", "JWT_SECERT", "MONGO_URI",
    ]  # fmt: skip
    hints = [line.partition("Did you mean ")[2] for line in said]
    assert hints == ["", "CHAT_RATE_LIMIT_SEND_PER_S?", "JWT_SECRET?", "MONGODB_URI?"]
    assert "its-value" not in err


def test_token_warns_of_a_misspelt_secret(capsys, monkeypatch):
    """Otherwise it would sign with demo mode's, and nobody would know why that is refused."""
    monkeypatch.delenv("JWT_SECRET")
    monkeypatch.setenv("JWT_SECERT", SECRET)
    _, _, err = run(capsys, "token", "--user", "1")
    assert "warning: JWT_SECERT is set" in err
    assert "Did you mean JWT_SECRET?" in err


def test_a_secret_in_quotes_is_warned_of(capsys, monkeypatch):
    """`docker --env-file` keeps quotes, and so does the server."""
    monkeypatch.setenv("JWT_SECRET", f'"{SECRET}"')
    _, _, err = run(capsys, "check")
    assert "warning: JWT_SECRET has quotes around it" in err
    assert SECRET not in err


@pytest.mark.parametrize("uri", ["http://db.example", "mongodb://", "nonsense"])
@pytest.mark.parametrize("command", ["check", "serve"])
def test_an_address_of_no_store_is_told_at_once(capsys, monkeypatch, command, uri):
    """By `check`, too, and without waiting for an answer."""
    monkeypatch.setenv("MONGODB_URI", uri)
    began = time.monotonic()
    code, out, err = run(capsys, command)
    assert time.monotonic() - began < 2
    assert (code, out) == (1, "")
    assert SENTENCE.fullmatch(err), err


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("JWT_SECRET", "short"), ("PORT", "x"), ("CORS_ORIGINS", "*"), ("PLUGINS", "plugins.pong"),
        ("PLUGINS", "json"), ("CHAT_RATE_LIMIT_SEND_PER_S", "fast"), ("LOG_LEVEL", "LOUD"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("command", ["check", "serve"])
def test_a_wrong_setting_is_one_sentence_and_exit_code_1(capsys, monkeypatch, command, name, value):
    """No traceback, and no secret."""
    monkeypatch.setenv(name, value)
    monkeypatch.setattr(cli, "configure_logging", lambda *_: None)
    code, out, err = run(capsys, command)
    assert (code, out) == (1, "")
    assert SENTENCE.fullmatch(err), err
    assert "Traceback" not in err


def test_a_plugin_that_is_not_there_is_guessed_at(capsys, monkeypatch):
    """Did you mean."""
    monkeypatch.setenv("PLUGINS", "rate_limits")
    _, _, err = run(capsys, "check")
    assert "Did you mean 'plugins.rate_limit'?" in err


def test_a_taken_port_is_one_sentence(capsys, monkeypatch):
    """Said before a store is started."""
    monkeypatch.setattr(cli, "configure_logging", lambda *_: None)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setenv("PORT", str(port))
        code, out, err = run(capsys, "serve")
    assert (code, out) == (1, "")
    assert SENTENCE.fullmatch(err), err
    assert f"port {port}" in err
    gc.collect()


def test_a_store_that_is_not_there_is_one_sentence(capsys, monkeypatch):
    """MONGODB_URI at which nothing listens; nothing of its password is said."""
    monkeypatch.setattr(cli, "configure_logging", lambda *_: None)
    timings = Timings(store_timeout_s=0.3)
    monkeypatch.setattr(cli, "ChatApp", partial(ChatApp, timings=timings))
    with socket.create_server(("127.0.0.1", 0)) as probe:
        closed = f"mongodb://user:pa55word@127.0.0.1:{probe.getsockname()[1]}/x"
    monkeypatch.setenv("MONGODB_URI", closed)
    monkeypatch.setenv("PORT", "0")
    code, out, err = run(capsys, "serve")
    assert (code, out) == (1, "")
    assert SENTENCE.fullmatch(err), err
    assert "MONGODB_URI" in err
    assert "pa55word" not in err


@pytest.mark.parametrize("kind", ["a file", "below a file"])
def test_a_folder_that_cannot_be_used_is_one_sentence(capsys, monkeypatch, tmp_path, kind):
    """DATA_DIR that is a file, or that cannot be made."""
    monkeypatch.setattr(cli, "configure_logging", lambda *_: None)
    file = tmp_path / "file"
    file.write_text("")
    monkeypatch.setenv("DATA_DIR", str(file if kind == "a file" else file / "below"))
    monkeypatch.setenv("PORT", "0")
    code, out, err = run(capsys, "serve")
    assert (code, out) == (1, "")
    assert SENTENCE.fullmatch(err), err


def test_the_server_greets_serves_logs_and_ends(mongodb_uri, tmp_path):
    """The whole program: an address on stdout, one JSON object a line on stderr, exit code 0 on
    SIGTERM.
    """
    environment = {
        **{name: value for name, value in os.environ.items() if name in ("PATH", "HOME")},
        "JWT_SECRET": SECRET, "PORT": "0", "MONGODB_URI": mongodb_uri, "LOG_FORMAT": "json",
        "DATA_DIR": str(tmp_path), "LOG_LEVEL": "DEBUG", "CORS_ORIGIN": SECRET,
    }  # fmt: skip
    with subprocess.Popen(
        [sys.executable, str(ROOT / "server.py")],
        env=environment, cwd=tmp_path, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as server:  # fmt: skip
        try:
            greeting = server.stdout.readline()
            assert greeting, server.stderr.read()
            port = re.fullmatch(r"ChatGateway is at http://127\.0\.0\.1:(\d+)/\n", greeting)[1]
            answer = rest_raw.get(int(port), f"/health/ready?token={SECRET}")
            assert answer.body["status"] == "ready"
            began = time.monotonic()
            server.send_signal(signal.SIGTERM)
            rest, logged = server.communicate(timeout=10)
            assert time.monotonic() - began < 8
        finally:
            server.kill()
    assert (server.returncode, rest) == (0, "")
    records = [json.loads(line) for line in logged.splitlines()]
    assert {"listening", "stopped"} <= {each["event"] for each in records}
    [doubt] = [each["what"] for each in records if each["event"] == "setting_doubtful"]
    assert "CORS_ORIGIN is set" in doubt
    assert "CORS_ORIGINS?" in doubt
    assert SECRET not in logged
