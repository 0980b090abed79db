"""Rules of the house that no linter knows."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
MOST_LINES = 400
FOLDERS = ("chat", "plugins", "client", "static", "tests", "tools", "benchmarks", "deploy")
SUFFIXES = (".py", ".js", ".mjs", ".c", "")
NOT_OURS = ("vendor", "node_modules", "__pycache__")


def sources() -> Iterator[Path]:
    yield ROOT / "server.py"
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("*"):
            if path.is_file() and path.suffix in SUFFIXES and not set(path.parts) & set(NOT_OURS):
                yield path


def test_no_source_file_is_longer_than_a_reader_keeps_in_mind() -> None:
    """A file has 400 lines at most; a longer one has a second subject, and that is a file."""
    lengths = {path: len(path.read_bytes().splitlines()) for path in sources()}
    assert len(lengths) > 1
    too_long = {str(path.relative_to(ROOT)): n for path, n in lengths.items() if n > MOST_LINES}
    assert not too_long


def test_services_write_no_name_of_the_payloads() -> None:
    """They take and give plain values; the camelCase names of fields and events are contracts'."""
    camel = re.compile(r"[a-z][a-z0-9]*([A-Z][a-z0-9]*)+")
    files = list((ROOT / "chat" / "services").rglob("*.py"))
    assert len(files) > 1
    found = {
        f"{path.relative_to(ROOT)}:{node.lineno} {node.value}"
        for path in files
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and camel.fullmatch(node.value)
    }
    assert not found
