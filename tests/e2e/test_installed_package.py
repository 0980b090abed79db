"""The package as `pip install` leaves it, in a folder without a checkout: page, plugins and all."""

import os
import shutil
import subprocess
import sys
from configparser import ConfigParser

import pytest
from tornado.httpclient import AsyncHTTPClient, HTTPRequest

from tests.support.server_process import ROOT, SECRET, ServerProcess, running_process

SOURCES = ("chat", "plugins", "static", "setup.cfg", "pyproject.toml", "README.md", "LICENSE")


@pytest.fixture(scope="session")
def installed(tmp_path_factory):
    """A folder with the installed package; what it depends on is that of the tests."""
    source = tmp_path_factory.mktemp("source")
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(
                ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__")
            )
        else:
            shutil.copy(ROOT / name, source / name)
    target = tmp_path_factory.mktemp("installed")
    install = [
        sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
        "--no-deps", "--no-build-isolation", "--target", str(target), str(source),
    ]  # fmt: skip
    done = subprocess.run(install, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return target


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """An empty current folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def command(installed, *arguments):
    return [sys.executable, str(installed / "bin" / "chatgateway"), *arguments]


def environment(installed, folder, **more):
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(installed),
        "DATA_DIR": str(folder / "data"),
        "PORT": "0",
        "JWT_SECRET": SECRET,
        **more,
    }


async def status_of(server: ServerProcess, path: str) -> int:
    request = HTTPRequest(server.url + path)
    return (await AsyncHTTPClient().fetch(request, raise_error=False)).code


def test_every_package_of_the_code_is_installed():
    """setup.cfg lists the packages one by one; a folder that it forgets would be missing."""
    setup = ConfigParser()
    setup.read(ROOT / "setup.cfg")
    listed = set(setup["options"]["packages"].split())
    found = {
        ".".join(path.parent.relative_to(ROOT).parts) for path in ROOT.glob("chat/**/__init__.py")
    }
    assert listed == found | {"chat.static", "chat.builtin_plugins"}


async def test_it_serves_the_page_and_a_chat(installed, elsewhere):
    """Page, files, health and a message, with a plugin of the current folder named beside the
    built-in ones, and a folder `plugins` of one's own beside it."""
    shutil.copy(ROOT / "docs" / "examples" / "shout_guard.py", elsewhere)
    (elsewhere / "plugins").mkdir()
    (elsewhere / "plugins" / "__init__.py").write_text("")
    (elsewhere / "plugins" / "quiet.py").write_text(
        "from chat.plugin_api import Plugin\nclass Quiet(Plugin):\n    name = 'quiet'\n"
    )
    settings = environment(installed, elsewhere, PLUGINS="default,shout_guard,plugins.quiet")
    async with running_process(command(installed, "serve"), settings) as server:
        static = ROOT / "static"
        files = [path for path in static.rglob("*") if path.is_file()]
        assert len(files) > 20
        paths = ["/", *(f"/static/{path.relative_to(static)}" for path in files)]
        paths.append("/health/ready")
        assert {path: await status_of(server, path) for path in paths} == dict.fromkeys(paths, 200)
        chat = {"participantIds": [1, 2]}
        status, made = await server.request("POST", "/chats", "host", chat)
        assert status == 201
        sent = {"chatId": made["data"]["id"], "content": "HELLO THERE"}
        status, stored = await server.request("POST", "/chat-messages", 1, sent)
        assert (status, stored["data"]["message"]) == (201, "Hello there")
        assert await server.terminate() == 0


async def test_it_has_a_demo_in_an_empty_folder(installed, elsewhere):
    """Without any setting the greeting names a page that is there."""
    settings = environment(installed, elsewhere)
    del settings["JWT_SECRET"]
    async with running_process(command(installed, "serve"), settings) as server:
        assert await status_of(server, "/") == 200
        assert await status_of(server, "/demo") == 200


def test_check_names_its_plugins(installed, elsewhere):
    """`chatgateway check` outside a checkout, with the names that the documents use."""
    done = subprocess.run(
        command(installed, "check"),
        env=environment(installed, elsewhere),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    for name in ("access_log", "rate_limit", "ping", "health"):
        assert name in done.stdout
