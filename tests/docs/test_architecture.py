"""docs/architecture.md against the code: its modules, its layers, and the walk of one message."""

import ast
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.support.markdown import DOCS, ROOT, bare, rows, section
from tools.architecture import COMMAND, folders, modules, written

PAGE = DOCS / "architecture.md"
WALK = [(bare(row[0]), bare(row[1])) for row in rows(section(PAGE, "The walk of one message").body)]
"""Files of chat/ and functions in them, as `Class.method`."""


def test_the_modules_and_layers_are_those_of_the_code():
    """The page has what tools/architecture.py writes from docstrings and setup.cfg."""
    page = PAGE.read_text()
    assert page == written(page), f"run {COMMAND}"


def test_every_module_is_named_once():
    """Each file of chat/ has a row, except for an __init__.py that has only a docstring."""
    named = [path for folder in folders() for path in modules(folder)]
    assert len(list(rows(section(PAGE, "Modules").body))) == len(named) == len(set(named))
    unnamed = set((ROOT / "chat").rglob("*.py")) - set(named)
    assert {path.name for path in unnamed} == {"__init__.py"}


@pytest.mark.parametrize(("path", "function"), WALK)
def test_a_function_of_the_walk_is_in_its_file(path, function):
    """The page names a function by its file and its class."""
    body = ast.parse((ROOT / "chat" / path).read_text()).body
    for name in function.split("."):
        found = [node for node in body if getattr(node, "name", None) == name]
        assert found, f"{path} has no {function}"
        body = found[0].body


@contextmanager
def calls() -> Iterator[list[tuple[str, str]]]:
    """The functions of chat/ that are called, each where it is called first."""
    begun: dict[tuple[str, str], None] = {}
    prefix = f"{ROOT / 'chat'}/"

    def note(frame, event, _argument):
        code = frame.f_code
        if event == "call" and code.co_filename.startswith(prefix):
            begun.setdefault((code.co_filename.removeprefix(prefix), code.co_qualname))

    found: list[tuple[str, str]] = []
    sys.setprofile(note)
    try:
        yield found
    finally:
        sys.setprofile(None)
        found += begun


async def test_the_functions_of_the_walk_run_in_the_order_of_the_page(serve):
    """One message of one socket, in a chat that is in memory, from its frame to its ack."""
    async with serve() as chat:
        chat_id = await chat.create_chat([1, 2])
        ada = await chat.connect(1, join=chat_id)
        await ada.call("sendMessage", {"chatId": chat_id, "content": "First"})
        with calls() as called:
            await ada.call("sendMessage", {"chatId": chat_id, "content": "Hello"})
    assert [each for each in WALK if each not in called] == []
    assert sorted(WALK, key=called.index) == WALK
