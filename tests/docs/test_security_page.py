"""docs/security.md and SECURITY.md against the project."""

import re

from chat.http.headers import ANSWER, FILE
from chat.settings import Settings
from plugins.rate_limit import RateLimit
from tests.support.markdown import DOCS, ROOT, bare, rows, section

PAGE = DOCS / "security.md"


def test_the_settings_that_matter_are_settings():
    """Each name in the table, and each in capitals on the page, is one that the server reads."""
    known = {name.upper() for name in Settings.model_fields}
    known |= {f"CHAT_RATE_LIMIT_{name.upper()}" for name in RateLimit.Settings.model_fields}
    table = list(rows(section(PAGE, "Settings that matter").body))
    named = {name for row in table for name in re.findall(r"`([A-Z_]+)`", row[0])}
    named |= set(re.findall(r"\b[A-Z]+(?:_[A-Z]+)+\b(?!\.md)", PAGE.read_text()))
    assert named
    assert named <= known


def test_each_item_says_where_it_is_met():
    """With a file or a page of the project, or with what is yours."""
    table = list(rows(section(PAGE, "OWASP ASVS 5.0, level 2").body))
    assert len(table) > 20
    for item, where in table:
        assert re.match(r"\d+\.\d+", bare(item)), item
        assert len(where) > 10, item


def test_the_headers_that_the_page_names_are_sent():
    """What is said of answers and files is what the server sets."""
    text = section(PAGE, "HTTP").body
    sent = " ".join([*ANSWER, *ANSWER.values(), *FILE, *FILE.values()])
    for name in ("nosniff", "no-store", "Cross-Origin-Resource-Policy", "Permissions-Policy"):
        assert name in text
        assert name in sent


def test_a_finder_learns_where_to_report():
    """SECURITY.md is at the top level, where the hosts of repositories look for it."""
    assert "Report a vulnerability" in (ROOT / "SECURITY.md").read_text()
