"""The snippets in prose: they parse, and use events and names there are."""

import re
import subprocess
import textwrap

import pytest

from chat import plugin_api
from chat.contracts.operations import CLIENT_EVENTS
from chat.contracts.pushes import SERVER_EVENTS
from tests.support.client_library import EVENTS_OF_THE_CLIENT_LIBRARY
from tests.support.docs_node import needs_node
from tests.support.markdown import DOCS, blocks, pages

SNIPPETS = [each for page in pages() for each in blocks(page)]
PYTHON = [each for each in SNIPPETS if each.language == "python"]
JAVASCRIPT = [each for each in SNIPPETS if each.language == "javascript"]
OF_PLUGINS = {"ping", "reportMessage", "messageReported"}
OF_THE_LIBRARY = {"connect", "disconnect", "connect_error"}
OF_THE_PAGE = {"input"}


@pytest.mark.parametrize("snippet", PYTHON, ids=str)
def test_python_parses(snippet):
    """A snippet is Python, alone or as the inside of a class."""
    compile(textwrap.dedent(snippet.text), str(snippet), "exec")


@pytest.mark.parametrize("snippet", PYTHON, ids=str)
def test_python_imports_only_from_the_door_for_plugins(snippet):
    """What a snippet imports of the server is of chat.plugin_api or chat.testing, and exists."""
    for module, names in re.findall(r"^from (chat\S*) import (.+)$", snippet.text, re.MULTILINE):
        assert module in ("chat.plugin_api", "chat.testing")
        if module == "chat.plugin_api":
            assert {name.strip() for name in names.split(",")} <= set(plugin_api.__all__)


@needs_node
@pytest.mark.parametrize("snippet", JAVASCRIPT, ids=str)
def test_javascript_parses(snippet, tmp_path):
    """A snippet is a JavaScript module."""
    script = tmp_path / "snippet.mjs"
    script.write_text(snippet.text)
    done = subprocess.run(
        ["node", "--check", str(script)], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("snippet", JAVASCRIPT, ids=str)
def test_javascript_uses_events_that_exist(snippet):
    """What is emitted is a client event, what is listened to is a server event."""
    emitted = set(re.findall(r"emit(?:WithAck)?\('(\w+)'", snippet.text))
    heard = set(re.findall(r"\.on\('(\w+)'", snippet.text))
    assert emitted <= CLIENT_EVENTS.keys() | OF_PLUGINS
    ours = EVENTS_OF_THE_CLIENT_LIBRARY if snippet.tags.get("run") == "client" else set()
    assert heard <= SERVER_EVENTS.keys() | OF_THE_LIBRARY | OF_PLUGINS | ours


def test_the_guide_shows_every_event_of_the_original_one():
    """The six client events and the six pushes of the original guide are all in ours."""
    text = "".join(each.text for each in blocks(DOCS / "guide.md"))
    theirs = ["authenticate", "joinChat", "leaveChat", "sendMessage", "typing", "markAsRead"]
    theirs += ["newMessage", "messageUpdated", "messageDeleted"]
    theirs += ["userTyping", "userJoined", "userLeft", "messageRead"]
    assert [name for name in theirs if f"'{name}'" not in text] == []
