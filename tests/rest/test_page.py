"""The page and its files: what is served, under which headers, and that nothing else is."""

import asyncio
import re

import pytest

from chat.rest.page import STATIC
from tests.support.rest import raw as rest_raw

PAGE_HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-cache",
}
FILES = sorted(str(path.relative_to(STATIC)) for path in STATIC.rglob("*") if path.is_file())


def get(shared, target, *headers, method="GET"):
    return rest_raw.get(shared.chat.app.port, target, *headers, method=method)


def policy_of(answer):
    parts = [each.split() for each in answer.headers["content-security-policy"].split(";")]
    return {each[0]: each[1:] for each in parts if each}


@pytest.mark.parametrize(
    "target", ["/", "/static/index.html", "/static/app.js", "/static/style.css"]
)
def test_the_page_comes_under_a_strict_policy(shared, target):
    """Scripts, styles and connections from this server alone; no frames, no base, nothing
    inline.
    """
    answer = get(shared, target)
    assert answer.status == 200
    assert {name: answer.headers.get(name) for name in PAGE_HEADERS} == PAGE_HEADERS
    policy = policy_of(answer)
    assert policy["default-src"] == ["'none'"]
    for part in ("script-src", "style-src", "connect-src"):
        assert policy[part] == ["'self'"]
    for part in ("base-uri", "form-action", "frame-ancestors", "trusted-types"):
        assert policy[part] == ["'none'"]
    assert policy["require-trusted-types-for"] == ["'script'"]
    for feature in ("camera", "geolocation", "microphone", "payment", "usb"):
        assert f"{feature}=()" in answer.headers["permissions-policy"]
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert "server" not in answer.headers


def test_other_origins_get_the_files_and_not_the_page(shared):
    """The client library is for pages of other sites; the page is for its own."""
    assert get(shared, "/").headers["cross-origin-resource-policy"] == "same-origin"
    answer = get(shared, "/static/chat-client.js")
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"


def test_the_page_has_nothing_inline(shared):
    """What the policy forbids is not there: no inline script, style or handler, nothing from
    elsewhere.
    """
    page = get(shared, "/").content.decode()
    assert re.findall(r"<script(?![^>]*\bsrc=)", page) == []
    assert re.findall(r"<style|\sstyle=|\son\w+=|javascript:", page) == []
    assert re.findall(r"(?:src|href)=\"(?:https?:)?//", page) == []


@pytest.mark.parametrize("file", FILES)
def test_every_file_of_the_folder_is_served_as_what_it_is(shared, file):
    """With the type that a browser with `nosniff` needs to take it."""
    answer = get(shared, f"/static/{file}")
    assert answer.status == 200
    assert answer.content == (STATIC / file).read_bytes()
    suffix = file.rsplit(".", 1)[-1]
    expected = {"js": "javascript", "css": "text/css", "html": "text/html", "svg": "image/svg+xml"}
    assert expected.get(suffix, "") in answer.headers["content-type"]


TRAVERSALS = [
    "/static/../server.py", "/static/..%2fserver.py", "/static/%2e%2e/server.py",
    "/static/%2e%2e%2fserver.py", "/static/ui/../../server.py", "/static/..%5cserver.py",
    "/static/..%252fserver.py", "/static//etc/passwd", "/static/%2fetc%2fpasswd",
    "/static/....//server.py", "/static/../static/../server.py", "/static/./../server.py",
    "/static/file:///etc/passwd", "/static/..%c0%afserver.py", "/static/%00", "/static/..",
    "/static/app.js%00.html", "/../server.py", "/static/" + "../" * 20 + "etc/passwd",
    "/static/" + "a" * 5_000, "/static/%ff", "/static/ui", "/static/ui/", "/static/",
]  # fmt: skip


@pytest.mark.parametrize("target", TRAVERSALS)
def test_nothing_outside_the_folder_is_served(shared, target):
    """Whatever way up is tried, the answer is a refusal that holds nothing of a file or a path."""
    answer = get(shared, target)
    assert 300 <= answer.status < 500, answer
    for secret in (b"SystemExit", b"root:", b"chat/", str(STATIC).encode(), b"Traceback"):
        assert secret not in answer.content
    if answer.status < 400:
        assert answer.headers["location"].startswith("/static/")


@pytest.mark.parametrize("target", ["/static/nothing.js", "/static/../server.py"])
def test_a_refused_file_keeps_the_headers(shared, target):
    """The policy stands on error pages too, and they say nothing but the status."""
    answer = get(shared, target)
    assert answer.content == f"{answer.status}\n".encode()
    assert policy_of(answer)["default-src"] == ["'none'"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-type"].startswith("text/plain")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_files_are_only_read(shared, method):
    """405 for everything but GET and HEAD."""
    for target in ("/", "/static/app.js"):
        assert get(shared, target, "Content-Length: 0", method=method).status == 405


def test_a_known_file_is_not_sent_twice(shared):
    """A page that comes back with the ETag gets 304; HEAD gets the headers alone."""
    first = get(shared, "/static/app.js")
    again = get(shared, "/static/app.js", f"If-None-Match: {first.headers['etag']}")
    assert (again.status, again.content) == (304, b"")
    head = rest_raw.head(shared.chat.app.port, "/static/app.js")
    assert (head.status, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(first.content))


async def test_the_page_says_whether_the_server_runs_in_demo_mode(serve, tmp_path):
    """In a meta element, under an ETag of its own, so that a change of the mode is seen at once."""
    tags = {}
    for mode, settings in (
        ("off", {}),
        ("on", {"jwt_secret": None, "mongodb_uri": None, "data_dir": tmp_path}),
    ):
        async with serve(**settings) as chat:
            first = await asyncio.to_thread(rest_raw.get, chat.app.port, "/")
            assert f'<meta name="chatgateway-demo" content="{mode}">' in first.content.decode()
            tags[mode] = first.headers["etag"]
            known = f"If-None-Match: {tags[mode]}"
            again = await asyncio.to_thread(rest_raw.get, chat.app.port, "/", known)
            assert (again.status, again.content) == (304, b"")
            head = await asyncio.to_thread(rest_raw.head, chat.app.port, "/")
            assert (head.status, head.content) == (200, b"")
            assert head.headers["content-length"] == str(len(first.content))
    assert tags["on"] != tags["off"]


def test_api_answers_are_not_kept_by_caches(shared):
    """`no-store`, no sniffing, and no word of what serves them."""
    for user_id in (1, None):
        answer = shared.request("GET", "/chats", user_id)
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert "Server" not in answer.headers
