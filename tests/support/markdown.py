"""Reads our own documentation: headings, tables, links, fenced blocks with the comment above them.

No general parser: it knows Markdown as we write it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
_COMMENT = re.compile(r"<!-- (?P<tags>[a-z]+=.*) -->")
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_CODE = re.compile(r"`([^`]+)`")


@dataclass(frozen=True)
class Block:
    """A fenced block. `tags` are of the comment above it: `<!-- model=NewMessage; at=data -->`."""

    page: str
    line: int
    language: str
    text: str
    tags: dict[str, str]

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


@dataclass(frozen=True)
class Section:
    """What stands between a heading and the next one of the same or a higher level."""

    level: int
    title: str
    body: str


def pages() -> list[Path]:
    """Every page that a reader is sent to."""
    return [*sorted(ROOT.glob("*.md")), *sorted(DOCS.rglob("*.md"))]


def blocks(page: Path) -> list[Block]:
    found: list[Block] = []
    fence: tuple[int, str, dict[str, str]] | None = None
    lines: list[str] = []
    tags: dict[str, str] = {}
    for number, line in enumerate(page.read_text().splitlines(), start=1):
        if fence is None and line.startswith("```"):
            fence, lines = (number, line[3:].strip(), tags), []
        elif fence is not None and line == "```":
            name = page.relative_to(ROOT).as_posix()
            found.append(Block(name, fence[0], fence[1], "\n".join(lines) + "\n", fence[2]))
            fence, tags = None, {}
        elif fence is not None:
            lines.append(line)
        elif comment := _COMMENT.fullmatch(line):
            parts = (part.partition("=") for part in comment["tags"].split(";"))
            tags = {name.strip(): value.strip() for name, _, value in parts}
        elif line:
            tags = {}
    return found


def prose(page: Path) -> str:
    """The page without its fenced blocks."""
    return re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)


def sections(page: Path) -> list[Section]:
    text = prose(page)
    heads = list(re.finditer(r"^(#+) (.+)$", text, flags=re.MULTILINE))
    found: list[Section] = []
    for place, head in enumerate(heads):
        level = len(head[1])
        after = (each.start() for each in heads[place + 1 :] if len(each[1]) <= level)
        found.append(Section(level, head[2].strip(), text[head.end() : next(after, len(text))]))
    return found


def section(page: Path, title: str) -> Section:
    return next(each for each in sections(page) if each.title == title)


def titles(text: str, level: int = 3) -> list[str]:
    """The headings of one level, without the backticks."""
    found = re.findall(rf"^{'#' * level} (.+)$", text, flags=re.MULTILINE)
    return [each.strip().strip("`") for each in found]


def rows(text: str) -> Iterator[list[str]]:
    """The cells of all table rows, heads and rules left out."""
    lines = text.splitlines()
    for number, line in enumerate(lines):
        following = lines[number + 1] if number + 1 < len(lines) else ""
        if line.startswith("|") and not line.startswith("|-") and not following.startswith("|-"):
            cells = re.split(r"(?<!\\)\|", line.strip().strip("|"))
            yield [cell.strip().replace("\\|", "|") for cell in cells]


def bare(cell: str) -> str:
    return cell.strip("`")


def links(page: Path) -> list[str]:
    return _LINK.findall(prose(page))


def inline_code(page: Path) -> list[str]:
    return _CODE.findall(prose(page))


def anchors(page: Path) -> set[str]:
    """The fragments that GitHub makes of the page's headings."""
    return {_anchor(each.title) for each in sections(page)}


def _anchor(title: str) -> str:
    kept = re.sub(r"[^\w\- ]", "", title.lower())
    return kept.replace(" ", "-")
