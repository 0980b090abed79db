"""The English of a file: a page without its code, or the docstrings and comments of a module."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.support.markdown import ROOT

_CODE = re.compile(r"``?[^`]+``?")
_TARGET = re.compile(r"\]\([^)]*\)")
_WRITTEN = re.compile(r"<!-- (\w+): python .*?<!-- end of \1 -->", re.DOTALL)
"""Tables that a tool writes from docstrings, which are looked at where they stand."""

_MACHINE = re.compile(r"\s*(type: ignore|noqa|fmt:|pragma:)\S*( [A-Z]+\d+)?(\[[\w-]+\])?\s*#?")


@dataclass(frozen=True)
class Text:
    """A paragraph, a list item, a table cell, a docstring's paragraph or a comment, on one line."""

    path: Path
    line: int
    words: str
    is_heading: bool = False

    def __str__(self) -> str:
        return f"{self.path.relative_to(ROOT).as_posix()}:{self.line}"


def texts(path: Path) -> Iterator[Text]:
    """All texts of a Markdown page or of a Python module."""
    found = _of_page(path) if path.suffix == ".md" else _of_module(path)
    for line, words, is_heading in found:
        bare = " ".join(_TARGET.sub("]", _CODE.sub("`x`", words)).split())
        if bare:
            yield Text(path, line, bare, is_heading)


def _of_page(path: Path) -> Iterator[tuple[int, str, bool]]:
    held: list[str] = []
    start, fenced = 1, False
    page = _WRITTEN.sub(lambda found: "\n" * found[0].count("\n"), path.read_text())
    for number, line in enumerate([*page.splitlines(), ""], start=1):
        fence = line.startswith("```")
        apart = not line.strip() or line.startswith(("|", "#", "<!--", "    "))
        if (apart or fence or fenced or re.match(r" *([*-]|\d+\.) ", line)) and held:
            yield start, " ".join(held), False
            held = []
        fenced ^= fence
        if fence or fenced or line.startswith(("<!--", "    ")):
            continue
        if line.startswith("#"):
            yield number, line.lstrip("# "), True
        elif line.startswith("|"):
            for cell in line.strip("|").split("|"):
                yield number, cell, False
        elif line.strip():
            start = start if held else number
            held.append(re.sub(r"^ *([*-]|\d+\.) ", "", line).replace("**", ""))


def _of_module(path: Path) -> Iterator[tuple[int, str, bool]]:
    source = path.read_text()
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Expr(value=ast.Constant(value=str(text)), lineno=line):
                for paragraph in re.split(r"\n\s*\n", text):
                    yield line, paragraph, False
    held: list[str] = []
    start = last = 0
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type != tokenize.COMMENT:
            continue
        line = token.start[0]
        if held and line != last + 1:
            yield start, " ".join(held), False
            held = []
        start = start if held else line
        held.append(_MACHINE.sub("", token.string.lstrip("# ")))
        last = line
    yield start, " ".join(held), False
