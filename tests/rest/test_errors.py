"""Every refusal of the REST door is the one error model, Tornado's own refusals too."""

import asyncio

import pytest

from chat.plugin_api import Action, Plugin, before_action, hookimpl
from tests.support.rest import raw as rest_raw
from tests.support.rest.errors import ERRORS, assert_refused, assert_succeeded

JSON = {"Content-Type": "application/json"}
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]

# route -> the methods that it knows
ROUTES = {
    "/chat-messages": {"GET", "POST"},
    "/chat-messages/1": {"GET", "PATCH", "PUT", "DELETE"},
    "/chats": {"GET", "POST"},
    "/chats/1": {"GET", "PATCH", "DELETE"},
    "/chats/1/participants": {"GET", "POST"},
    "/chats/1/participants/1": {"PATCH", "DELETE"},
    "/chats/1/leave": {"POST"},
    "/chats/1/read": {"POST"},
    "/users": {"GET"},
    "/users/presence": {"GET"},
}


def raw_json(answer):
    """A raw answer's error code, after a look at its shape."""
    assert answer.headers["content-type"].startswith("application/json")
    assert answer.body["success"] is False
    assert answer.status == ERRORS[answer.code][0]
    return answer.code


@pytest.mark.parametrize("path", ROUTES)
def test_a_method_that_a_route_does_not_know_is_405(shared, path):
    """METHOD_NOT_ALLOWED for those with a good token; HEAD is known where GET is."""
    for method in sorted(set(METHODS) - ROUTES[path]):
        assert_refused(shared.request(method, path, json={}), "METHOD_NOT_ALLOWED")
    bearer = f"Authorization: Bearer {shared.chat.token(1)}"
    head = rest_raw.head(shared.chat.app.port, path, bearer)
    assert (head.status == 405) is ("GET" not in ROUTES[path])
    assert head.content == b""


@pytest.mark.parametrize("path", ROUTES)
def test_every_route_wants_a_token(shared, path):
    """UNAUTHENTICATED before anything of the request is looked at, whatever its body."""
    for method in sorted(ROUTES[path]):
        bare = shared.request(method, path, None, body=b"{" if method != "GET" else None)
        assert_refused(bare, "UNAUTHENTICATED")


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "FOO", "PROPFIND"])
def test_a_method_of_another_world_is_405(shared, method):
    """In the error model, like any other."""
    target = "127.0.0.1:1" if method == "CONNECT" else "/chats"
    answer = rest_raw.get(shared.chat.app.port, target, method=method)
    assert raw_json(answer) in ("METHOD_NOT_ALLOWED", "NOT_FOUND")


@pytest.mark.parametrize(
    "path",
    [
        "/chat", "/chats/", "/chats/abc", "/chats/-1", "/chats/1.0", "/chats/1/x", "/Chats",
        "/chats/%D9%A1", "/chat-messages/", "/chat-messages/1/history/x", "/admin", "//chats",
        "/chats/1%00", "/users/1/2", "/demo", "/demo/token", "/index.html", "/.env", "/server.py",
    ],
)  # fmt: skip
def test_a_path_that_is_no_route_is_not_found(shared, path):
    """404 in the error model, with and without a token, by any method."""
    assert_refused(shared.request("GET", path, None), "NOT_FOUND")
    assert_refused(shared.request("POST", path, json={}), "NOT_FOUND")
    assert_refused(shared.request("DELETE", path), "NOT_FOUND")


@pytest.mark.parametrize("number", ["0", "00", "9007199254740992", "9" * 17, "9" * 400])
def test_an_id_beyond_every_id_is_not_found(shared, number):
    """Zero, and what is over 2^53 - 1."""
    for path in (f"/chat-messages/{number}", f"/chats/{number}"):
        assert_refused(shared.request("GET", path), "NOT_FOUND")
    assert_refused(shared.request("DELETE", f"/chats/{number}/participants/1"), "NOT_FOUND")


@pytest.mark.parametrize(
    "content_type",
    [None, "", "text/plain", "application/x-www-form-urlencoded", "application/octet-stream",
     "application/jsonp", "text/json", "application/json2", "text/plain; a=application/json"],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/chat-messages", "/chats", "/chats/1/read"])
def test_a_body_that_is_not_declared_json_is_415(shared, path, content_type):
    """A form or text/plain post of another site comes without a preflight, so it is never taken."""
    headers = {} if content_type is None else {"Content-Type": content_type}
    body = b'{"chatId": 1, "content": "x"}'
    assert_refused(shared.request("POST", path, body=body, headers=headers), "UNSUPPORTED_MEDIA")


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "Application/JSON"])
def test_json_may_be_declared_with_a_charset_and_in_any_case(shared, content_type):
    """As HTTP has it."""
    answer = shared.request("POST", "/chats", body=b"{}", headers={"Content-Type": content_type})
    assert_succeeded(answer, 201)


@pytest.mark.parametrize(
    "body",
    [
        b"", b" ", b"{", b"nope", b"{'a': 1}", b'{"chatId": NaN}', b'{"chatId": Infinity}',
        b'{"content": "\xff"}', b'{"content": "\\ud800"}', b"\xef\xbb\xbf{}", b'{"a": 1,}',
        b'{"chatId": 1e999}', b"\x00", b'{"a": 1} {"b": 2}', b"[" * 5_000, b'{"a":' * 5_000,
    ],
)  # fmt: skip
def test_a_body_that_is_not_json_is_refused(shared, body):
    """VALIDATION_ERROR, never a crash."""
    for method, path in (("POST", "/chat-messages"), ("PATCH", "/chat-messages/1")):
        answer = shared.request(method, path, body=body, headers=JSON)
        assert_refused(answer, "VALIDATION_ERROR")


@pytest.mark.parametrize("value", [None, True, 1, 1.5, "text", [], [{"chatId": 1}]])
@pytest.mark.parametrize("path", ["/chat-messages", "/chats", "/chats/1/participants"])
def test_a_body_that_is_no_object_is_refused(shared, path, value):
    """JSON, but not the object that a route takes."""
    body = b"null" if value is None else None
    answer = shared.request("POST", path, json=value, body=body, headers=JSON)
    assert_refused(answer, "VALIDATION_ERROR")


def test_a_body_over_the_limit_is_413(shared):
    """PAYLOAD_TOO_LARGE in the error model for a body over MAX_PAYLOAD_BYTES, declared or
    chunked.
    """
    port, token = shared.chat.app.port, shared.chat.token(1)
    head = (
        f"POST /chat-messages HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n"
        f"Authorization: Bearer {token}\r\nContent-Type: application/json\r\n"
    )
    declared = f"{head}Content-Length: 1000001\r\n\r\n".encode() + b" " * 1_000_001
    chunked = f"{head}Transfer-Encoding: chunked\r\n\r\n".encode()
    chunked += (b"fff0\r\n" + b" " * 0xFFF0 + b"\r\n") * 16 + b"0\r\n\r\n"
    for request in (declared, chunked):
        answer = rest_raw.exchange(port, request)
        assert answer.status == 413
        assert raw_json(answer) == "PAYLOAD_TOO_LARGE"


def test_a_body_just_within_the_limit_is_read(shared):
    """A million bytes are read, and judged by what they say."""
    body = b'{"chatId": 1, "content": "' + b"x" * 999_972 + b'"}'
    assert len(body) == 1_000_000
    answer = shared.request("POST", "/chat-messages", body=body, headers=JSON)
    assert answer.code in ("VALIDATION_ERROR", "NOT_PARTICIPANT")


@pytest.mark.parametrize(
    "lines",
    [
        ["Content-Length: abc"], ["Content-Length: -5"], ["Content-Length: 1, 2"],
        ["Content-Length: 1e3"], ["Content-Length: +5"], ["Content-Length: 9" + "9" * 30],
        ["Content-Length: 4", "Transfer-Encoding: chunked"], ["Transfer-Encoding: gzip"],
        ["Content-Length: 4", "Content-Length: 5"], ["Transfer-Encoding: chunked, chunked"],
    ],
)  # fmt: skip
def test_a_body_whose_length_is_in_doubt_is_refused(shared, lines):
    """400 or so and the connection closed: nothing is smuggled behind it, nothing crashes."""
    port = shared.chat.app.port
    answer = rest_raw.get(port, "/chats", *lines, "Content-Type: application/json", method="POST")
    assert 400 <= answer.status < 500
    assert b"Traceback" not in answer.content
    assert_succeeded(shared.request("GET", "/chats"))


async def test_too_many_at_once_is_told_with_retry_after(serve):
    """RATE_LIMITED carries `retryAfter` in seconds and the header Retry-After in whole ones;
    repeats are not limited.
    """
    async with serve() as chat:
        chat_id = await chat.create_chat([1, 2])
        body = {"chatId": chat_id, "content": "x", "clientMessageId": "k"}
        calls = [
            chat.request("POST", "/chat-messages", json=body | {"clientMessageId": str(number)})
            for number in range(15)
        ]
        answers = await asyncio.gather(*calls)
        refused = [each for each in answers if each.code]
        assert 3 <= len(refused) <= 5
        for each in refused:
            assert_refused(each, "RATE_LIMITED")
            assert int(each.headers["Retry-After"]) >= 1
            assert 0 < each.body["error"]["retryAfter"] <= 5
        stored = next(each for each in answers if not each.code)
        repeat = body | {"clientMessageId": stored.data["clientMessageId"]}
        assert_succeeded(await chat.request("POST", "/chat-messages", json=repeat), 200)


class SlowDoor(Plugin):
    """Holds the next action until it is let go."""

    name = "slow_door"

    def __init__(self) -> None:
        super().__init__()
        self.began, self.let_go = asyncio.Event(), asyncio.Event()

    @hookimpl(before_action, timeout_s=5)
    async def hold(self, _action: Action) -> None:
        self.began.set()
        await self.let_go.wait()


@pytest.mark.parametrize("before", ["nothing", "an unknown method", "a foreign Host"])
async def test_a_request_that_runs_is_answered_before_the_server_stops(serve, before, tmp_path):
    """`stop` waits for what is running, whatever was refused before."""
    door = SlowDoor()
    settings = {"jwt_secret": None, "mongodb_uri": None} if before == "a foreign Host" else {}
    async with serve(plugins=[door], data_dir=tmp_path, **settings) as chat:
        if settings:
            headers = {"Host": "evil.example"}
            refused = await chat.request("GET", "/demo", None, headers=headers)
            assert_refused(refused, "FORBIDDEN")
            made = await chat.request("POST", "/demo/token", None, json={"name": "Ada"})
            door.let_go.set()
            token, chat_id = made.data["token"], made.data["chatId"]
        else:
            door.let_go.set()
            token, chat_id = chat.token(1), await chat.create_chat([1, 2])
        if before == "an unknown method":
            port = chat.app.port
            await asyncio.to_thread(rest_raw.get, port, "/chats", method="PROPFIND")
        door.began.clear()
        door.let_go.clear()
        body = {"chatId": chat_id, "content": "just in time"}
        headers = {"Authorization": f"Bearer {token}"}
        running = asyncio.create_task(
            chat.request("POST", "/chat-messages", None, json=body, headers=headers)
        )
        await asyncio.wait_for(door.began.wait(), 5)
        stopping = asyncio.create_task(chat.app.stop())
        asyncio.get_running_loop().call_later(0.1, door.let_go.set)
        assert_succeeded(await running, 201)
        await stopping
