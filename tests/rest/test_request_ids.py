"""docs/errors.md: of every refusal of the REST door the log has the `requestId` that the client
got.
"""

import pytest

from chat.plugin_api import ErrorCode, Plugin, Reject, Route, before_action, hookimpl
from chat.plugin_api import register_routes as routes_hook
from tests.support.rest import raw as rest_raw
from tests.support.rest.server import LISTED_ORIGIN

JSON = {"Content-Type": "application/json"}
EVIL = {"Origin": "https://evil.example"}
REFUSALS = [
    ("GET", "/chats", 1, EVIL, "FORBIDDEN"),
    ("OPTIONS", "/chats", None, EVIL, "FORBIDDEN"),
    ("GET", "/nowhere", None, {}, "NOT_FOUND"),
    ("GET", "/nowhere", 1, {"Origin": LISTED_ORIGIN}, "NOT_FOUND"),
    ("HEAD", "/nowhere", None, {}, "NOT_FOUND"),
    ("GET", "/chats/999999", 1, {}, "NOT_PARTICIPANT"),
    ("GET", "/chats/9999999999999999999", 1, {}, "NOT_FOUND"),
    ("GET", "/chat-messages", 1, {}, "VALIDATION_ERROR"),
    ("DELETE", "/chats", 1, {}, "METHOD_NOT_ALLOWED"),
    ("PROPFIND", "/chats", 1, {}, "METHOD_NOT_ALLOWED"),
    ("POST", "/health/live", None, {}, "METHOD_NOT_ALLOWED"),
    ("POST", "/chats", 1, {}, "UNSUPPORTED_MEDIA"),
    ("POST", "/chats", 1, JSON, "VALIDATION_ERROR"),
    ("GET", "/admin/stats", 1, {}, "FORBIDDEN"),
    ("GET", "/chats?limit=0", 1, {}, "VALIDATION_ERROR"),
]


def lines_of(log, request_id):
    """Those of the server's running; the audit log has its own."""
    lines = [line for line in log.entries if line.get("request_id") == request_id]
    return [line for line in lines if line["event"] != "audit_refused"]


async def refused(chat, log, method, path, user, headers, code):
    """The one log line of a refusal, with the id of its body and of its header."""
    answer = await chat.request(method, path, user, headers=headers)
    request_id = answer.headers["X-Request-Id"]
    if method != "HEAD":
        assert answer.code == code
        assert answer.body["error"]["requestId"] == request_id
    await chat.app.hooks.drain()
    [line] = lines_of(log, request_id)
    assert line["code"] == code
    assert line["remote_ip"] == "127.0.0.1"
    return line


async def test_every_refusal_has_its_line(serve, log):
    """One line each, before and after it is known who asks."""
    async with serve(cors_origins=LISTED_ORIGIN) as chat:
        for refusal in REFUSALS:
            await refused(chat, log, *refusal)
        answer = await chat.request("POST", "/chats", 1, body=b"x" * 1_000_001, headers=JSON)
        assert answer.code == "PAYLOAD_TOO_LARGE"
        assert len(lines_of(log, answer.body["error"]["requestId"])) == 1
        chat.app.parts.gate.draining = True
        await refused(chat, log, "GET", "/chats", 1, {}, "SHUTTING_DOWN")


async def test_a_refused_origin_is_logged_with_what_it_was_compared_with(serve, log):
    """Origin, host, method and path: enough to set CORS_ORIGINS right."""
    async with serve() as chat:
        headers = {**EVIL, "Host": "chat.example.com"}
        line = await refused(chat, log, "GET", "/chats?token=x", 1, headers, "FORBIDDEN")
        assert line["origin"] == "https://evil.example"
        assert line["host"] == "chat.example.com"
        assert (line["method"], line["path"]) == ("GET", "/chats")
        assert line["why"] == "this origin is not allowed"


async def test_a_refused_host_of_demo_mode_is_logged(serve, log, tmp_path):
    """A proxy that hands its own name on gets no demo tokens, and its operator learns why."""
    async with serve(jwt_secret=None, mongodb_uri=None, data_dir=tmp_path) as chat:
        headers = {"Host": "chat.example.com"}
        line = await refused(chat, log, "GET", "/demo", None, headers, "FORBIDDEN")
        assert line["host"] == "chat.example.com"


class Strict(Plugin):
    """Refuses an action, and a public route of its own in words that a client wrote."""

    name = "strict"

    @hookimpl(before_action)
    async def never(self, action):
        raise Reject(ErrorCode.REJECTED, "not today")

    @hookimpl(routes_hook)
    async def routes(self, _start):
        return [Route(method="POST", path="/strict", handler=self.refuse, public=True)]

    async def refuse(self, request):
        raise Reject(ErrorCode.REJECTED, request.body.decode())


async def test_what_a_plugin_refuses_is_logged_too(serve, log):
    """Its words may be the client's: they stay out of the log."""
    async with serve(plugins=[Strict()]) as chat:
        await refused(chat, log, "GET", "/chats", 1, {}, "REJECTED")
        answer = await chat.request("POST", "/strict", None, body=b"the words of a client")
        [line] = lines_of(log, answer.body["error"]["requestId"])
    assert "the words of a client" not in repr(log.entries)
    assert line["code"] == "REJECTED"


@pytest.mark.parametrize("origin", ["https://evil.example\u202e", "https://" + "e" * 5_000])
def test_what_a_stranger_sends_is_a_field_and_nothing_more(shared, log, origin):
    """The logger escapes and cuts it; here it comes as it is."""
    header = f"Origin: {origin}".encode().decode("latin-1")
    assert rest_raw.get(shared.chat.app.port, "/chats", header).status == 403
    [line] = [each for each in log.entries if each["event"] == "request_refused"]
    assert line["origin"].startswith("https://e")
