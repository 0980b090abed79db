"""The wheel in a virtual environment of its own, away from the checkout: page, plugins and all.

Nothing is fetched. An environment gets the wheel and, of what the tests run on, only those
distributions that the wheel's own metadata asks for.
"""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
from configparser import ConfigParser
from importlib import metadata
from pathlib import Path

import pytest
from tornado.httpclient import AsyncHTTPClient, HTTPRequest

from tests.e2e.demo_page import demo_pages
from tests.support.distributions import closure, requirements
from tests.support.markdown import pages
from tests.support.server_process import ROOT, SECRET, ServerProcess, running_process

SOURCES = ("chat", "docs", "plugins", "static")
FILES = (
    *("MANIFEST.in", "LICENSE", "setup.py", "setup.cfg", "pyproject.toml"),
    *(path.name for path in ROOT.glob("*.md")),
)
HOME = "https://github.com/chatgateway/chatgateway"

PLUGIN_SETUP = """
[metadata]
name = shout-guard
version = 1.0
[options]
py_modules = shout_guard
[options.entry_points]
chat.plugins =
    shout = shout_guard:ShoutGuard
"""
PLUGIN_TEST = """
import asyncio
from chat.testing import running_chat
from shout_guard import ShoutGuard

async def check():
    async with running_chat(plugins=[ShoutGuard()]) as chat:
        ada = await chat.connect(1, join=await chat.create_chat([1]))
        ack = await ada.call("sendMessage", {"chatId": 1, "content": "HELLO THERE"})
        assert ack["data"]["message"] == "Hello there", ack

asyncio.run(check())
"""


class Environment:
    """A virtual environment without pip, filled from outside."""

    def __init__(self, folder: Path) -> None:
        venv.create(folder, symlinks=True)
        self.python = str(folder / "bin" / "python")
        self.command = str(folder / "bin" / "chatgateway")
        places = {"base": str(folder), "platbase": str(folder)}
        self._site = Path(sysconfig.get_path("purelib", "venv", vars=places))

    def install(self, wheel: Path, *extras: str) -> None:
        """The wheel, and links to what it requires."""
        pip = [sys.executable, "-m", "pip", "--python", self.python, "install", "--quiet"]
        call([*pip, "--disable-pip-version-check", "--no-index", "--no-deps", str(wheel)])
        (installed,) = metadata.distributions(path=[str(wheel)])
        for each in closure(requirements(installed, extras)).values():
            for top in {file.parts[0] for file in each.files or ()} - {"..", "__pycache__"}:
                link = self._site / top
                if not link.exists():
                    link.symlink_to(Path(str(each.locate_file(top))).resolve())


def call(command, **options):
    done = subprocess.run(command, capture_output=True, text=True, timeout=50, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Built as a release is: from the source distribution, which so has to be whole."""
    source, built = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("built")
    for name in (*SOURCES, *FILES):
        if (ROOT / name).is_dir():
            without = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / name, source / name, ignore=without)
        else:
            shutil.copy(ROOT / name, source / name)
    call([sys.executable, "-m", "build", "--no-isolation", "--outdir", str(built), str(source)])
    assert len(list(built.glob("chatgateway-*.tar.gz"))) == 1
    (wheel,) = built.glob("chatgateway-*.whl")
    return wheel


@pytest.fixture(scope="module")
def whole(wheel, tmp_path_factory):
    """What `pip install 'chatgateway[embedded,testing]'` leaves."""
    environment = Environment(tmp_path_factory.mktemp("whole"))
    environment.install(wheel, "embedded", "testing")
    return environment


@pytest.fixture(scope="module")
def bare(wheel, tmp_path_factory):
    """What `pip install chatgateway` leaves: no embedded store."""
    environment = Environment(tmp_path_factory.mktemp("bare"))
    environment.install(wheel)
    return environment


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """An empty current folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def settings(**more):
    return {"PATH": os.environ["PATH"], "PORT": "0", "JWT_SECRET": SECRET, **more}


async def status_of(server: ServerProcess, path: str) -> int:
    request = HTTPRequest(server.url + path)
    return (await AsyncHTTPClient().fetch(request, raise_error=False)).code


async def stored(server: ServerProcess, content: str) -> str:
    """The text of a message as it is stored."""
    status, made = await server.request("POST", "/chats", "host", {"participantIds": [1, 2]})
    assert status == 201
    sent = {"chatId": made["data"]["id"], "content": content}
    status, answer = await server.request("POST", "/chat-messages", 1, sent)
    assert status == 201
    return answer["data"]["message"]


def test_every_package_of_the_code_is_installed():
    """setup.cfg lists the packages one by one; a folder that it forgets would be missing."""
    setup = ConfigParser()
    setup.read(ROOT / "setup.cfg")
    listed = set(setup["options"]["packages"].split())
    found = {
        ".".join(path.parent.relative_to(ROOT).parts) for path in ROOT.glob("chat/**/__init__.py")
    }
    assert listed == found | {"chat.static", "chat.docs", "chat.builtin_plugins"}


def test_its_metadata_is_what_an_index_shows(wheel):
    """The README is the long description, and its links and images work without the checkout."""
    (installed,) = metadata.distributions(path=[str(wheel)])
    about = installed.metadata
    assert about["Description-Content-Type"] == "text/markdown"
    assert about["License-Expression"] == "MIT"
    assert set(about.get_all("License-File")) == {"LICENSE", "THIRD_PARTY.md"}
    assert {"embedded", "testing"} <= set(about.get_all("Provides-Extra"))
    assert about.get_payload().startswith("# ChatGateway\n")
    targets = re.findall(r"\]\(([^)\s]+)\)", about.get_payload())
    ours = [each.removeprefix(HOME) for each in targets if each.startswith(HOME)]
    assert len(ours) > 15
    for target in ours:
        kind, _, path = target.strip("/").partition("/HEAD/")
        assert (kind, path) == (target, "") or kind in ("blob", "raw"), target
        assert (ROOT / path.partition("#")[0]).exists(), target
    assert [each for each in targets if not each.startswith("https://")] == []


async def test_it_serves_the_page_and_a_chat(whole, elsewhere):
    """Page, files, documentation, health and a message, with a plugin of the current folder named
    beside the built-in ones, and a folder `plugins` of one's own beside it."""
    shutil.copy(ROOT / "docs" / "examples" / "shout_guard.py", elsewhere)
    (elsewhere / "plugins").mkdir()
    (elsewhere / "plugins" / "__init__.py").write_text("")
    (elsewhere / "plugins" / "quiet.py").write_text(
        "from chat.plugin_api import Plugin\nclass Quiet(Plugin):\n    name = 'quiet'\n"
    )
    names = settings(PLUGINS="default,shout_guard,plugins.quiet")
    async with running_process([whole.command, "serve"], names) as server:
        static = ROOT / "static"
        files = [path for path in static.rglob("*") if path.is_file()]
        assert len(files) > 20
        paths = ["/", *(f"/static/{path.relative_to(static)}" for path in files)]
        paths += [f"/{path.relative_to(ROOT)}" for path in pages()]
        paths += ["/docs", "/llms.txt", "/health/ready"]
        assert {path: await status_of(server, path) for path in paths} == dict.fromkeys(paths, 200)
        assert await stored(server, "HELLO THERE") == "Hello there"
        assert await server.terminate() == 0


async def test_a_message_goes_through_its_page(whole, elsewhere, chromium):
    """In an empty folder and without any setting it is a demo."""
    demo = settings()
    del demo["JWT_SECRET"]
    async with (
        running_process([whole.command, "serve"], demo) as server,
        chromium() as browser,
        demo_pages(browser, server.url) as pages,
    ):
        ada = await pages.open()
        await ada.sign_in("Ada")
        await ada.say("Hello from a wheel")
    assert (elsewhere / "data" / "store").is_dir()


def test_check_names_its_plugins(whole, elsewhere):
    """`chatgateway check` outside a checkout, with the names that the documents use."""
    shown = call([whole.command, "check"], env=settings())
    for name in ("access_log", "rate_limit", "ping", "health"):
        assert f"plugin {name}: " in shown


def test_a_plugin_distribution_is_found_and_tests_itself(whole, elsewhere, tmp_path_factory):
    """Installed beside the server, its entry point is a name for PLUGINS, and its own tests run
    with chat.testing."""
    source = tmp_path_factory.mktemp("plugin")
    shutil.copy(ROOT / "docs" / "examples" / "shout_guard.py", source)
    (source / "setup.cfg").write_text(PLUGIN_SETUP)
    (source / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text())
    build = [sys.executable, "-m", "build", "--no-isolation", "--wheel", str(source)]
    call([*build, "--outdir", str(elsewhere)])
    (built,) = elsewhere.glob("shout_guard-*.whl")
    whole.install(built)
    shown = call([whole.command, "check"], env=settings(PLUGINS="default,shout"))
    assert "plugin shout_guard: before_message_send\n" in shown
    call([whole.python, "-c", PLUGIN_TEST], env=settings())


@pytest.mark.parametrize("command", ["check", "serve"])
def test_without_a_store_it_says_what_to_install(bare, elsewhere, command):
    """Neither the extra nor MONGODB_URI: one sentence, exit code 1, and nothing made."""
    quiet = {"capture_output": True, "text": True, "timeout": 20}
    done = subprocess.run([bare.command, command], env=settings(), **quiet)
    assert (done.returncode, done.stdout) == (1, "")
    assert re.fullmatch(r"chatgateway: [^\n]+\.\n", done.stderr)
    assert "pip install 'chatgateway[embedded]'" in done.stderr
    assert "MONGODB_URI" in done.stderr
    assert list(elsewhere.iterdir()) == []


async def test_with_mongodb_it_needs_no_extra(bare, elsewhere, mongodb_uri):
    """The page is there, and a message is stored."""
    names = settings(MONGODB_URI=mongodb_uri)
    async with running_process([bare.command, "serve"], names) as server:
        assert await status_of(server, "/") == 200
        assert await stored(server, "Hello") == "Hello"
