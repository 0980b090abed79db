"""The documentation as the server serves it: Markdown, llms.txt, and the files of /docs."""

import re

import pytest

from chat.rest.docs import DOCS
from tests.support.markdown import ROOT, links, pages
from tests.support.rest import raw as rest_raw
from tests.support.rest.server import LISTED_ORIGIN

PATHS = sorted(path.relative_to(ROOT).as_posix() for path in pages())
LINK = re.compile(r"^- \[([^\]]+)\]\(([^)]+)\): (.+?[.])$", re.MULTILINE | re.DOTALL)
EVERYTHING = ("/docs", "/docs/rest.md", "/README.md", "/llms.txt")


def get(shared, target, *headers, method="GET"):
    return rest_raw.get(shared.chat.app.port, target, *headers, method=method)


@pytest.mark.parametrize("path", PATHS)
def test_every_page_is_served_as_markdown(shared, path):
    """Byte for byte, as text/markdown in UTF-8, and caches ask again each time."""
    answer = get(shared, f"/{path}")
    assert (answer.status, answer.content) == (200, (ROOT / path).read_bytes())
    assert answer.headers["content-type"] == "text/markdown; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"
    known = f"If-None-Match: {answer.headers['etag']}"
    assert get(shared, f"/{path}", known).status == 304


@pytest.mark.parametrize("path", PATHS)
def test_the_links_between_pages_hold_on_the_server(shared, path):
    """What a page links to, a page or a file of docs/, is served where the link leads."""
    for link in links(ROOT / path):
        target = ((ROOT / path).parent / link.partition("#")[0]).resolve()
        beside = target.parent == ROOT and target.suffix == ".md"
        if link.startswith("http") or target.is_dir():
            continue
        if not (beside or target.is_relative_to(DOCS)):
            continue
        assert get(shared, f"/{target.relative_to(ROOT)}").status == 200, link


def test_llms_txt_has_a_title_a_summary_and_a_sentence_for_every_page(shared):
    """The form of llmstxt.org; links are relative, so that they hold under a proxy's path."""
    answer = get(shared, "/llms.txt")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    text = answer.content.decode()
    assert re.match(r"# ChatGateway\n\n> A self-hosted .+\n", text)
    linked = {target: sentence for _, target, sentence in LINK.findall(text)}
    folders = {path.parent for path in pages()} - {ROOT}
    served = [path for path in pages() if path.parent in folders and path != DOCS / "README.md"]
    assert {path.relative_to(ROOT).as_posix() for path in served} <= linked.keys()
    assert {"README.md", "openapi.json", "asyncapi.json", "docs"} <= linked.keys()
    assert [each for each in linked if re.match("https?:|/", each)] == []
    known = f"If-None-Match: {answer.headers['etag']}"
    assert get(shared, "/llms.txt", known).status == 304
    assert get(shared, "/llms.txt", method="HEAD").headers["content-length"] == str(
        len(answer.content)
    )


@pytest.mark.parametrize("path", ["/docs/rest.md", "/docs", "/static/app.js"])
def test_no_query_makes_a_file_stay_in_caches(shared, path):
    """Tornado would have `?v=` mean that it never changes."""
    headers = get(shared, f"{path}?v=1").headers
    assert (headers["cache-control"], headers.get("expires")) == ("no-cache", None)


def test_the_reference_page_comes_under_the_policy_of_the_demo_page(shared):
    """The same strict headers, nothing inline, and no use for other sites."""
    answer, page = get(shared, "/docs"), get(shared, "/")
    for name in ("content-security-policy", "cross-origin-resource-policy", "referrer-policy"):
        assert answer.headers[name] == page.headers[name]
    html = answer.content.decode()
    assert re.findall(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", html) == []
    assert re.findall(r"(?:src|href)=\"(?:https?:)?//", html) == []


def test_a_slash_at_the_end_leads_to_the_page(shared):
    """Its files are found relative to /docs, behind any proxy."""
    answer = get(shared, "/docs/")
    assert (answer.status, answer.headers["location"]) == (308, "../docs")


@pytest.mark.parametrize(
    "target",
    [
        "/docs/../server.py", "/docs/%2e%2e/server.py", "/docs/..%2fserver.py", "/docs/nothing.md",
        "/docs/%00", "/docs//etc/passwd", "/docs/adr", "/docs/adr/", "/LICENSE", "/setup.cfg",
        "/NOTHING.md", "/Makefile", "/docs/" + "../" * 20 + "etc/passwd", "/static/../README.md",
    ],
)  # fmt: skip
def test_nothing_else_is_served(shared, target):
    """Neither other files of the folder above nor folders."""
    answer = get(shared, target)
    assert answer.status in (301, 403, 404), answer
    assert b"root:" not in answer.content


def test_pages_of_other_sites_may_read_the_documentation(shared):
    """Those of CORS_ORIGINS, and no others."""
    for path in EVERYTHING:
        headers = get(shared, path, f"Origin: {LISTED_ORIGIN}").headers
        assert headers["access-control-allow-origin"] == LISTED_ORIGIN
        headers = get(shared, path, "Origin: https://evil.example").headers
        assert "access-control-allow-origin" not in headers


async def test_serve_docs_turns_all_of_it_off(serve):
    """NOT_FOUND for each, and a proxy's path may then begin with /docs."""
    async with serve(serve_docs=False) as chat:
        for path in (*EVERYTHING, "/docs/"):
            answer = await chat.request("GET", path, None)
            assert (answer.status, answer.code) == (404, "NOT_FOUND")
    async with serve(serve_docs=False, public_path="/docs") as chat:
        assert (await chat.request("GET", "/docs/chats", 1)).status == 200
    with pytest.raises(Exception, match="PUBLIC_PATH"):
        async with serve(public_path="/docs"):
            pass
