"""One word for a thing, and plain sentences: the glossary of CONTRIBUTING.md, kept to."""

import re

import pytest

from tests.support.markdown import ROOT, rows, section
from tests.support.prose import texts

PAGE = ROOT / "CONTRIBUTING.md"
PLACES = ("docs", "chat", "plugins", "benchmarks/README.md", "SECURITY.md")
TO_BE = r"\b(?:is|are|was|were|be|been|being|get|gets)"
ARRIVING = r"(?=$|[.,;:)]| (?:and|or|to|by|with|when|under|over)\b)"
"""Without an object: `comes in time` and `come in pages` are right."""

PATTERNS = {
    "the wire": r"\bthe wire\b",
    "door": r"\bdoors?\b",
    "floor": r"\bfloors?\b",
    "crowd": r"\bcrowds?\b",
    "crowded": r"\bcrowded\b",
    "is told": rf"{TO_BE} (?:\w+ )?told\b",
    "mend": r"\bmend(?:s|ed|ing)?\b",
    "bears": r"\bbears?\b",
    "alone": r"(?<!left )(?<!us )\balone\b",
    "or else": r"\bor else\b|[,;] else\b",
    "nobody any more": r"\bnobody (?:\w+ )?any ?more\b",
    "in silence": r"\bin silence\b",
    "comes in": rf"\b(?:comes|came|coming) in\b{ARRIVING}",
    "come in": rf"\bcome in\b{ARRIVING}",
    "house": r"\bhouses?\b(?! rules)",
}
"""What CONTRIBUTING.md lists. `house rules` is what the example of a plugin is about."""

AS_A_SUBJECT = re.compile(
    r"(?:^|(?<=[.!?] ))(?:Of|Who|Whoever|What|Whatever|Beside)\b[^.!?]*(?![^.!?]|\?)"
)
"""A sentence that begins with a free relative and is no question."""


def files(place):
    whole = ROOT / place
    found = [whole] if whole.is_file() else sorted({*whole.rglob("*.md"), *whole.rglob("*.py")})
    return [each for each in found if "adr" not in each.parts]


PATHS = [path for place in PLACES for path in files(place)]


def by_name(path):
    return path.relative_to(ROOT).as_posix()


def listed():
    """What CONTRIBUTING.md says not to write."""
    words = section(PAGE, "Words").body
    cells = [row[2] for row in rows(words) if len(row) == 3]
    cells += [row[0] for row in rows(words) if len(row) == 2]
    return {word.strip() for cell in cells for word in cell.split(",") if word.strip()}


def faults(path):
    for text in texts(path):
        for word, pattern in PATTERNS.items():
            for match in re.finditer(pattern, text.words, re.IGNORECASE):
                around = text.words[max(0, match.start() - 40) : match.end() + 40]
                yield f"{text}: {word!r} in ...{around}..."
        if not text.is_heading:
            for match in AS_A_SUBJECT.finditer(text.words):
                yield f"{text}: begins with a relative: {match[0][:60]}"


def test_the_words_that_are_looked_for_are_those_of_the_glossary():
    """CONTRIBUTING.md lists what is looked for, and no more."""
    assert set(PATTERNS) == listed()


@pytest.mark.parametrize("path", PATHS, ids=by_name)
def test_a_file_keeps_to_the_words_of_the_glossary(path):
    """No banned word, and no sentence that begins with a free relative."""
    assert list(faults(path)) == []


@pytest.mark.parametrize(
    ("name", "content", "count"),
    [
        ("page.md", "A crowd.\n\n```\na door\n```\n\n    a floor\n\n`a crowd` is fine.\n", 1),
        ("page.md", "| word | not |\n|---|---|\n| a | the client is\n", 0),
        ("page.md", "* Nobody\n  is told.\n", 1),
        ("page.md", "What comes is fine. Who is it? Who comes first wins.\n", 2),
        ("module.py", '"""A door."""\ndoor = "door"  # the door\n', 2),
        ("module.py", '# Whoever\n# comes in\nx = 1\n"""Of a door."""\n', 4),
    ],
)
def test_what_is_no_prose_is_left_out(tmp_path, monkeypatch, name, content, count):
    """Code is not looked at, nor are names and values; a line break hides nothing."""
    monkeypatch.setattr("tests.support.prose.ROOT", tmp_path)
    monkeypatch.setattr("tests.docs.test_words.ROOT", tmp_path)
    path = tmp_path / name
    path.write_text(content)
    assert len(list(faults(path))) == count
