"""Rules of the house that no linter knows."""

from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
MOST_LINES = 400
FOLDERS = ("chat", "plugins", "static", "tests", "tools", "benchmarks", "deploy")
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
