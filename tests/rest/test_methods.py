"""HEAD and OPTIONS wherever GET is, and Allow with each 405."""

import pytest

from chat.plugin_api import HttpResponse, Plugin, Route, hookimpl, register_routes
from chat.rest.routes import ROUTES
from tests.support.rest import raw as rest_raw
from tests.support.rest.errors import assert_refused

READABLE = [
    "/chats", "/chat-messages?chatId={chat}", "/chats/{chat}", "/chats/{chat}/participants",
    "/chats/{chat}/reads", "/me/unread", "/users/1", "/health/live", "/health/ready", "/",
    "/static/app.js", "/static/nothing.js", "/nowhere", "/chats/999999", "/chats?limit=x",
]  # fmt: skip


def methods(answer):
    return {each.strip() for each in answer.headers["allow"].split(",")}


@pytest.fixture
def ask(shared):
    """A request as an administrator, whose answer is read to its end."""
    bearer = f"Authorization: Bearer {shared.chat.token(1, 'admin')}"

    def request(method, target, *headers):
        return rest_raw.get(shared.chat.app.port, target, bearer, *headers, method=method)

    return request


@pytest.mark.parametrize("target", READABLE)
def test_head_is_answered_as_get_without_a_body(shared, ask, target):
    """The same status and headers, for uptime checks and caches; refusals too."""
    target = target.format(chat=shared.create_chat([1, 2]))
    got, head = ask("GET", target), ask("HEAD", target)
    assert (head.status, head.content) == (got.status, b"")
    varying = ("date", "x-request-id")
    assert {k: v for k, v in head.headers.items() if k not in varying} == {
        k: v for k, v in got.headers.items() if k not in varying
    }
    assert head.headers["content-length"] == str(len(got.content))


@pytest.mark.parametrize("target", ["/chats", "/chats/1", "/health/live", "/", "/static/app.js"])
def test_options_names_the_methods_of_a_route(ask, target):
    """204 with Allow and no body, also to who sends no Origin."""
    answer = ask("OPTIONS", target)
    assert (answer.status, answer.content) == (204, b"")
    assert {"GET", "HEAD", "OPTIONS"} <= methods(answer)


@pytest.mark.parametrize("pattern", [pattern for pattern, _ in ROUTES])
def test_allow_is_what_the_route_knows(ask, pattern):
    """A method is refused with 405 and Allow if, and only if, Allow does not name it."""
    target = pattern.replace("([0-9]+)", "9").replace("([^/]+)", "9")
    target = target.replace("(disconnect|revoke|block|unblock)", "block")
    allowed = methods(ask("OPTIONS", target))
    assert ("HEAD" in allowed) == ("GET" in allowed)
    for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"):
        answer = ask(method, target, "Content-Length: 0")
        assert (answer.status != 405) == (method in allowed), method
        if answer.status == 405:
            assert methods(answer) == allowed


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "TRACE", "PROPFIND"])
@pytest.mark.parametrize("target", ["/health/live", "/", "/static/app.js", "/chats"])
def test_a_refused_method_is_told_those_there_are(ask, target, method):
    """RFC 9110 15.5.6: a 405 has Allow."""
    answer = ask(method, target, "Content-Length: 0")
    if not (target == "/chats" and method == "POST"):
        assert answer.status == 405
        assert "GET" in methods(answer)
        assert method not in methods(answer)


class Shelf(Plugin):
    """One public route to read, one to write that asks for a token."""

    name = "shelf"
    written = 0

    @hookimpl(register_routes)
    async def routes(self, _start):
        return [
            Route(method="GET", path="/shelf", handler=self.read, public=True),
            Route(method="POST", path="/shelf", handler=self.write),
            Route(method="POST", path="/slot", handler=self.write),
        ]

    async def read(self, request):
        return HttpResponse(body=f"read by {request.method}")

    async def write(self, _request):
        self.written += 1
        return HttpResponse(body={"written": self.written})


async def test_a_plugins_route_has_them_too(serve):
    """HEAD runs its GET; a route that only writes has none."""
    shelf = Shelf()
    async with serve(plugins=[shelf]) as chat:
        head = await chat.request("HEAD", "/shelf", None)
        assert (head.status, head.body) == (200, b"")
        assert head.headers["Content-Length"] == str(len("read by GET"))
        options = await chat.request("OPTIONS", "/shelf", None)
        assert set(options.headers["Allow"].split(", ")) == {"GET", "HEAD", "POST", "OPTIONS"}
        refused = await chat.request("HEAD", "/slot", 1)
        assert (refused.status, refused.headers["Allow"]) == (405, "POST, OPTIONS")
        answer = await chat.request("DELETE", "/shelf", 1)
        assert_refused(answer, "METHOD_NOT_ALLOWED")
        assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "POST", "OPTIONS"}
    assert shelf.written == 0


async def test_demo_mode_has_them_too(serve, tmp_path):
    """The page asks GET /demo; whoever watches it asks HEAD."""
    async with serve(jwt_secret=None, mongodb_uri=None, data_dir=tmp_path) as chat:
        assert (await chat.request("HEAD", "/demo", None)).status == 200
        assert (await chat.request("OPTIONS", "/demo", None)).headers["Allow"] == (
            "GET, HEAD, OPTIONS"
        )
        assert (await chat.request("GET", "/demo/token", None)).headers["Allow"] == "POST, OPTIONS"
