"""Links resolve, named files exist, decisions have their parts, licences are the packages' own."""

import configparser
import re
from importlib import metadata

import pytest
from packaging.requirements import Requirement

from chat.hooks import specs
from chat.hooks.specs import Hook
from chat.settings import Settings
from tests.support.distributions import canonical, closure
from tests.support.markdown import (
    DOCS,
    ROOT,
    anchors,
    bare,
    inline_code,
    links,
    pages,
    rows,
    section,
)

ADRS = sorted((DOCS / "adr").glob("*.md"))
PAGES = pages()
OUR_FOLDERS = "chat|plugins|client|tests|docs|deploy|static|benchmarks"
WRAPPED = [
    *sorted(DOCS.rglob("*.md")),
    *(ROOT / name for name in ("CONTRIBUTING.md", "SECURITY.md", "benchmarks/README.md")),
]
THE_READERS = {"house_rules.py", "shout_guard.py"}
"""Files that the pages tell the reader to make."""
MOVED = {"static/client/", "static/client/outbox.js"}


def by_name(page):
    return page.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", PAGES, ids=by_name)
def test_links_resolve(page):
    """A link inside the project leads to a file, and its fragment to a heading of that file."""
    for link in links(page):
        if link.startswith(("http://", "https://")):
            continue
        path, _, fragment = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        if fragment:
            assert fragment in anchors(target), link


@pytest.mark.parametrize("page", PAGES, ids=by_name)
def test_files_that_a_page_names_exist(page):
    """A path in code quotes is there; the changelog also names what was there then."""
    modules = {path.name for path in (ROOT / "chat").rglob("*.py")}
    more = {"architecture.md": modules, "CHANGELOG.md": MOVED}
    known = THE_READERS | more.get(page.name, set())
    for code in inline_code(page):
        if re.fullmatch(rf"(({OUR_FOLDERS})/[\w./-]*)|[\w-]+\.(py|txt|cfg)", code):
            exists = (ROOT / code).exists() or (page.parent / code).exists()
            assert exists or code in known, code


@pytest.mark.parametrize("page", PAGES, ids=by_name)
def test_every_page_is_reached_by_a_link(page):
    """From the README a reader finds every page."""
    seen, ahead = set(), [ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
    while ahead:
        current = ahead.pop()
        if current in seen or current.suffix != ".md" or not current.exists():
            continue
        seen.add(current)
        ahead += [(current.parent / link.partition("#")[0]).resolve() for link in links(current)]
    assert page in seen


@pytest.mark.parametrize("page", [each for each in PAGES if each.is_relative_to(DOCS)], ids=by_name)
def test_a_page_is_two_clicks_from_the_readme(page):
    """The README links to the index, and the index to every page, with a sentence."""
    index = DOCS / "README.md"
    assert "docs/README.md" in links(ROOT / "README.md")
    entry = rf"^- \[[^\]]+\]\({re.escape(page.relative_to(DOCS).as_posix())}\): .+\.$"
    joined = re.sub(r"\n  (?=\S)", " ", index.read_text())
    assert page == index or re.search(entry, joined, re.MULTILINE)


@pytest.mark.parametrize("page", WRAPPED, ids=by_name)
def test_lines_fit_on_a_screen(page):
    """A line has 120 characters at most; a row of a table is one line."""
    lines = page.read_text().splitlines()
    assert [each for each in lines if len(each) > 120 and not each.startswith("|")] == []


@pytest.mark.parametrize("page", ADRS, ids=lambda each: each.stem)
def test_a_decision_has_context_decision_and_consequences(page):
    """An ADR has its number, a status, a date, three headings in order, and half a page at most."""
    text = page.read_text()
    assert text.startswith(f"# {page.name[:4]} ")
    assert re.findall(r"^## (.+)$", text, flags=re.MULTILINE) == [
        "Context",
        "Decision",
        "Consequences",
    ]
    assert re.search(r"\A# .+\n\nStatus: .+\n\nDate: \d{4}-\d\d-\d\d\n\n## ", text, re.DOTALL)
    assert len(text.split()) < 460


def test_decisions_are_numbered_without_gaps():
    """0001, 0002, ... each once."""
    assert [each.name[:4] for each in ADRS] == [f"{n:04}" for n in range(1, len(ADRS) + 1)]


def test_decisions_that_the_code_names_exist():
    """A docs/adr/NNNN in a source file is an ADR there is."""
    sources = [*(ROOT / "chat").rglob("*.py"), *(ROOT / "plugins").rglob("*.py")]
    named = {
        number for each in sources for number in re.findall(r"docs/adr/(\d{4})", each.read_text())
    }
    assert named
    assert named <= {each.name[:4] for each in ADRS}


def test_the_readme_begins_with_what_a_newcomer_needs():
    """What it is and is not for, the two commands, how to use it, deploying, licence: in order."""
    text = (ROOT / "README.md").read_text()
    order = ["docs/images/chat.png", "**It is for**", "**It is not for**", "**Maturity: beta.**"]
    order += ["## What it does", "    make run\n    make test", "http://127.0.0.1:3000 in two"]
    order += ["    pip install '.[embedded]'\n    chatgateway serve\n", "## A client"]
    order += ["## A plugin", "## Settings", "## Deploying", "## Node", "## Contributing"]
    order += ["## Licence"]
    places = [text.index(each) for each in order]
    assert places == sorted(places)
    features = section(ROOT / "README.md", "What it does").body.strip().splitlines()
    assert len(features) == 10


def test_the_figures_of_the_readme_are_those_of_the_code():
    """How many hooks there are, and how many participants a chat may have."""
    text = (ROOT / "README.md").read_text()
    hooks = [each for each in vars(specs).values() if isinstance(each, Hook)]
    assert f"Plugins with {len(hooks)} hooks" in text
    assert Settings.model_fields["max_participants"].default == 1_000
    assert "up to a thousand participants" in text


def test_the_commands_of_the_readme_are_in_the_makefile():
    """`make run`, `make test` and `make check` are targets."""
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    assert {"run", "test", "check"} <= targets


def test_the_changelog_names_the_version_of_the_code():
    """Keep a Changelog: the newest entry is the version that the code bears."""
    import chat

    newest = re.search(r"^## \[([^\]]+)\] - ", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert newest[1] == chat.__version__


def test_the_systemd_unit_lets_the_server_drain_into_its_store():
    """SIGTERM goes to the server alone, and there is more time than the drain may take."""
    unit = (ROOT / "deploy" / "chatgateway.service").read_text()
    assert "\nKillMode=mixed\n" in unit
    assert int(re.search(r"^TimeoutStopSec=(\d+)$", unit, re.MULTILINE)[1]) > 5 + 5
    assert "server.py serve" in unit


@pytest.mark.parametrize("page", ["README.md", "docs/operations.md"])
def test_the_nginx_block_proxies_socket_io_with_an_upgrade(page):
    """The path is /socket.io/, and the headers that a WebSocket and TRUST_PROXY need are set."""
    block = re.search(r"```nginx\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)[1]
    assert block.startswith("location /socket.io/ {")
    for header in ("Upgrade", "Connection", "Host", "X-Real-Ip", "X-Forwarded-For"):
        assert f"proxy_set_header {header} " in block


def test_no_page_speaks_of_the_original_block():
    """`location /chat`, which the original guide shows, proxies nothing."""
    assert not any("location /chat" in page.read_text() for page in PAGES)


def licence_of(name):
    found = metadata.distribution(name).metadata
    stated = found.get("License-Expression") or found.get("License") or ""
    classifiers = " ".join(found.get_all("Classifier") or [])
    if "MIT License" in classifiers and not found.get("License-Expression"):
        return "MIT"
    return "Apache-2.0" if stated.lstrip().startswith("Apache License") else stated


def third_party():
    """The rows of THIRD_PARTY.md: package, version, licence."""
    page = ROOT / "THIRD_PARTY.md"
    for title in ("The server", "The embedded store", "The page"):
        for row in rows(section(page, title).body):
            yield title, bare(row[0]), row[1], row[2]


def required_by(option):
    """The distributions that these requirements of setup.cfg need."""
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    lines = setup.get(*option).splitlines()
    return closure(Requirement(line) for line in lines if line and not line.startswith("#"))


def test_every_runtime_dependency_is_listed_with_its_licence():
    """THIRD_PARTY.md has what the server and its store require, and what that requires in turn."""
    server = required_by(("options", "install_requires"))
    store = required_by(("options.extras_require", "embedded"))
    listed = {canonical(name): (title, licence) for title, name, _, licence in third_party()}
    for name in server.keys() | store.keys():
        title = "The server" if name in server else "The embedded store"
        assert listed[name] == (title, licence_of(name)), name


def test_the_versions_listed_are_the_locked_ones():
    """THIRD_PARTY.md and requirements.txt name the same packages in the same versions."""
    lock = (ROOT / "requirements.txt").read_text()
    locked = dict(re.findall(r"^([\w.-]+)(?:\[.*?\])?==(\S+)", lock, flags=re.MULTILINE))
    assert locked == {
        canonical(name): version for title, name, version, _ in third_party() if title != "The page"
    }


def test_the_files_of_the_page_are_listed():
    """Each npm package of static/vendor/, with version and licence."""
    vendored = rows((ROOT / "static" / "vendor" / "README.md").read_text())
    theirs = {(bare(row[1]), row[2], row[4]) for row in vendored}
    assert theirs == {row[1:] for row in third_party() if row[0] == "The page"}
