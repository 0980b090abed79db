"""CORS: which pages of other sites may call, and what a browser is told about it."""

import pytest

from tests.support.rest import raw as rest_raw
from tests.support.rest.errors import assert_refused, assert_succeeded
from tests.support.rest.server import LISTED_ORIGIN

ALLOW = "Access-Control-Allow-Origin"


def preflight(shared, origin, path="/chat-messages", method="POST"):
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    return shared.request("OPTIONS", path, None, headers=headers)


SENT_BY_FRONT_ENDS = {
    "authorization", "content-type", "idempotency-key", "x-requested-with", "x-request-id",
    "traceparent", "tracestate", "baggage", "sentry-trace",
}  # fmt: skip


def words(header):
    return {each.strip().lower() for each in header.split(",")}


@pytest.mark.parametrize(
    "path", ["/chat-messages", "/chat-messages/1", "/chats/1/participants/2", "/health/live"]
)
def test_a_listed_origin_passes_the_preflight(shared, path):
    """All methods, and the headers that front ends send, without a token, cached for a while, with
    credentials.
    """
    answer = preflight(shared, LISTED_ORIGIN, path)
    assert answer.status == 204
    assert answer.headers[ALLOW] == LISTED_ORIGIN
    allowed = words(answer.headers["Access-Control-Allow-Methods"])
    assert allowed >= {"get", "head", "post", "put", "patch", "delete"}
    allowed = words(answer.headers["Access-Control-Allow-Headers"])
    assert allowed >= SENT_BY_FRONT_ENDS
    assert int(answer.headers["Access-Control-Max-Age"]) > 0
    assert answer.headers["Access-Control-Allow-Credentials"] == "true"
    assert "Access-Control-Allow-Private-Network" not in answer.headers
    assert "origin" in words(answer.headers["Vary"])


UNLISTED = [
    "https://evil.example", "http://crm.example.com", "https://crm.example.com:444",
    "https://crm.example.com.evil.example", "https://xcrm.example.com", "https://crm.example.com/app",
    "https://crm.example.com@evil.example", "null", "*", "", "file://", "https://",
    "chrome-extension://abc", "https://[::1", "https://evil.example/https://crm.example.com",
]  # fmt: skip


@pytest.mark.parametrize("origin", UNLISTED)
def test_another_origin_is_refused(shared, origin):
    """FORBIDDEN to the preflight and to the request itself, good token or not, and nothing is
    allowed.
    """
    chat_id = shared.create_chat([1, 2])
    body = {"chatId": chat_id, "content": "from afar"}
    answers = [
        preflight(shared, origin),
        shared.request("GET", "/chats", headers={"Origin": origin}),
        shared.request("POST", "/chat-messages", json=body, headers={"Origin": origin}),
    ]
    for answer in answers:
        assert_refused(answer, "FORBIDDEN")
        assert ALLOW not in answer.headers
    assert shared.request("GET", f"/chat-messages?chatId={chat_id}").data == []


@pytest.mark.parametrize("origin", [LISTED_ORIGIN, LISTED_ORIGIN.upper()])
def test_answers_to_a_listed_origin_can_be_read(shared, origin):
    """Successes carry the origin and expose Retry-After."""
    answer = shared.request("GET", "/chats", headers={"Origin": origin})
    assert_succeeded(answer)
    assert answer.headers[ALLOW] == origin
    assert {"retry-after", "x-request-id"} <= words(answer.headers["Access-Control-Expose-Headers"])
    assert answer.headers["Access-Control-Allow-Credentials"] == "true"


@pytest.mark.parametrize(
    ("user_id", "method", "path", "code"),
    [
        (None, "GET", "/chats", "UNAUTHENTICATED"),
        (1, "GET", "/nowhere", "NOT_FOUND"),
        (1, "GET", "/chats/999999", "NOT_PARTICIPANT"),
        (1, "GET", "/chat-messages", "VALIDATION_ERROR"),
        (1, "DELETE", "/chats", "METHOD_NOT_ALLOWED"),
        (1, "POST", "/chats", "UNSUPPORTED_MEDIA"),
    ],
)
def test_refusals_to_a_listed_origin_can_be_read_too(shared, user_id, method, path, code):
    """A page has to see why: the error model carries the same headers as a success."""
    answer = shared.request(method, path, user_id, headers={"Origin": LISTED_ORIGIN})
    assert_refused(answer, code)
    assert answer.headers.get(ALLOW) == LISTED_ORIGIN
    assert "retry-after" in words(answer.headers.get("Access-Control-Expose-Headers", ""))


def test_the_servers_own_origin_always_works(shared):
    """By the Host under which the page came, over http and, behind a proxy that ends TLS, https."""
    host = f"127.0.0.1:{shared.chat.app.port}"
    for scheme in ("http", "https"):
        own = {"Origin": f"{scheme}://{host}"}
        assert_succeeded(shared.request("GET", "/chats", headers=own))
    named = {"Origin": "https://chat.example.com", "Host": "chat.example.com"}
    assert_succeeded(shared.request("GET", "/chats", headers=named))
    other_port = {"Origin": "http://127.0.0.1:1"}
    assert_refused(shared.request("GET", "/chats", headers=other_port), "FORBIDDEN")


def test_a_forwarded_host_is_not_believed(shared):
    """X-Forwarded-Host says nothing without a trusted proxy."""
    headers = {"Origin": "https://evil.example", "X-Forwarded-Host": "evil.example"}
    assert_refused(shared.request("GET", "/chats", headers=headers), "FORBIDDEN")


def test_a_request_without_an_origin_needs_none(shared):
    """Back ends send no Origin."""
    answer = shared.request("GET", "/chats")
    assert_succeeded(answer)
    assert ALLOW not in answer.headers


def test_a_page_outside_may_reach_a_server_inside(shared):
    """A browser that asks whether a private network may be reached is told yes, for an allowed
    origin.
    """
    asked = {"Origin": LISTED_ORIGIN, "Access-Control-Request-Private-Network": "true"}
    answer = shared.request("OPTIONS", "/chats", None, headers=asked)
    assert answer.headers["Access-Control-Allow-Private-Network"] == "true"
    asked["Origin"] = "https://evil.example"
    assert_refused(shared.request("OPTIONS", "/chats", None, headers=asked), "FORBIDDEN")


async def test_further_headers_are_allowed_by_a_setting(serve):
    """CORS_HEADERS adds to the list of both doors, and takes nothing away."""
    async with serve(cors_origins=LISTED_ORIGIN, cors_headers="X-Tenant, X-Device-Id") as chat:
        for path in ("/chats", "/socket.io/?EIO=4&transport=polling", "/static/app.js"):
            answer = await chat.request("OPTIONS", path, None, headers={"Origin": LISTED_ORIGIN})
            allowed = words(answer.headers["Access-Control-Allow-Headers"])
            assert allowed >= SENT_BY_FRONT_ENDS | {"x-tenant", "x-device-id"}


def test_files_can_be_imported_by_a_page_of_a_listed_origin(shared):
    """`import(".../static/chat-client.js")`: with the CORS headers, at first and from the cache; a
    page of another origin gets none. Nobody is refused, since a page is only looked at.
    """
    origin = f"Origin: {LISTED_ORIGIN}"
    first = rest_raw.get(shared.chat.app.port, "/static/chat-client.js", origin)
    known = f"If-None-Match: {first.headers['etag']}"
    again = rest_raw.get(shared.chat.app.port, "/static/chat-client.js", origin, known)
    missing = rest_raw.get(shared.chat.app.port, "/static/nothing.js", origin)
    assert [first.status, again.status, missing.status] == [200, 304, 404]
    for answer in (first, again, missing):
        assert answer.headers[ALLOW.lower()] == LISTED_ORIGIN
        assert "origin" in words(answer.headers["vary"])
    for header in ("Origin: https://evil.example", "Origin: null", "X-Nothing: 1"):
        answer = rest_raw.get(shared.chat.app.port, "/static/chat-client.js", header)
        assert answer.status == 200
        assert ALLOW.lower() not in answer.headers
        assert "origin" in words(answer.headers["vary"])


@pytest.mark.parametrize("path", ["/chats", "/nowhere", "/chats/1/participants/2"])
def test_options_without_an_origin_is_an_empty_answer(shared, path):
    """204 without a body, for whoever asks what there is."""
    answer = rest_raw.get(shared.chat.app.port, path, method="OPTIONS")
    assert (answer.status, answer.content) == (204, b"")


def test_two_origin_headers_are_no_listed_origin(shared):
    """A second Origin does not ride on the first."""
    bearer = f"Authorization: Bearer {shared.chat.token(1)}"
    lines = (f"Origin: {LISTED_ORIGIN}", "Origin: https://evil.example", bearer)
    answer = rest_raw.get(shared.chat.app.port, "/chats", *lines)
    assert 400 <= answer.status < 500
