"""The audit log has a line for each use of an authority, and one for each refused attempt at it."""

import pytest

from tests.security.authorization import SHORT
from tests.security.surface import all_events, routes_beside
from tests.security.world import IDS, World

CHAT = {"chat_id": "{other_chat}"}
MESSAGE = CHAT | {"message_id": "{other}"}
SEAT = CHAT | {"user_id": "{theirs}"}
NEW = {"user_id": "{new}"}
TEXT = {"content": "edited"}

# what the host's service token does in a chat that it is not in -> (body, event, objects)
AUDITED = {
    "POST /chats": ({"participantIds": ["{new}"]}, "audit_change", {"user_ids": ["{new}"]}),
    "PATCH /chats/{other_chat}": ({"title": "new"}, "audit_change", CHAT),
    "DELETE /chats/{other_chat}": (None, "audit_change", CHAT),
    "POST /chats/{other_chat}/participants": (
        {"userIds": ["{new}"], "role": "moderator"},
        "audit_change",
        CHAT | {"user_ids": ["{new}"], "role": "moderator"},
    ),
    "PATCH /chats/{other_chat}/participants/{theirs}": (
        {"role": "readonly"},
        "audit_change",
        SEAT | {"role": "readonly"},
    ),
    "DELETE /chats/{other_chat}/participants/{theirs}": (None, "audit_change", SEAT),
    "POST /chats/{other_chat}/leave": (None, "audit_refused", CHAT),
    "PUT /users/{new}": ({"name": "Victor"}, "audit_change", NEW),
    "POST /admin/users/{new}/disconnect": (None, "audit_change", NEW),
    "POST /admin/users/{new}/revoke": (None, "audit_change", NEW),
    "POST /admin/users/{new}/block": (None, "audit_change", NEW),
    "POST /admin/users/{new}/unblock": (None, "audit_change", NEW),
    "POST /admin/seats/refresh": (
        {"externalRef": "{ref}"},
        "audit_change",
        {"external_ref": "{ref}"},
    ),
    "POST /chats/join": ({"externalRef": "{ref}"}, "audit_read", CHAT),
    "GET /admin/stats": (None, "audit_change", {}),
    "GET /admin/plugins": (None, "audit_change", {}),
    "GET /chats?externalRef={ref}": (None, "audit_read", {"chat_ids": ["{other_chat}"]}),
    "GET /chats/{other_chat}": (None, "audit_read", CHAT),
    "GET /chats/{other_chat}/participants": (None, "audit_read", CHAT),
    "GET /chats/{other_chat}/reads": (None, "audit_read", CHAT),
    "GET /chats/{other_chat}/sync": (None, "audit_read", CHAT),
    "GET /chat-messages?chatId={other_chat}": (None, "audit_read", CHAT),
    "GET /chat-messages/{other}": (None, "audit_read", MESSAGE),
    "GET /chat-messages/{other}/history": (None, "audit_read", MESSAGE),
    "POST /sync": (
        {"chats": [{"chatId": "{other_chat}"}]},
        "audit_read",
        {"chat_ids": ["{other_chat}"]},
    ),
    "PATCH /chat-messages/{other}": (TEXT, "audit_change", MESSAGE | {"sender_id": "{theirs}"}),
    "PUT /chat-messages/{other}": (TEXT, "audit_change", MESSAGE | {"sender_id": "{theirs}"}),
    "DELETE /chat-messages/{other}": (None, "audit_change", MESSAGE | {"sender_id": "{theirs}"}),
    "joinChat": ({"chatId": "{other_chat}"}, "audit_read", CHAT),
    "sync": (
        {"chats": [{"chatId": "{other_chat}"}]},
        "audit_read",
        {"chat_ids": ["{other_chat}"]},
    ),
    "editMessage": (
        TEXT | {"messageId": "{other}"},
        "audit_change",
        MESSAGE | {"sender_id": "{theirs}"},
    ),
    "deleteMessage": (
        {"messageId": "{other}"},
        "audit_change",
        MESSAGE | {"sender_id": "{theirs}"},
    ),
}
NOT_AUDITED = {
    # One's own: what one says is stored under one's name, and what one reads is one's chats.
    "POST /chat-messages", "POST /chats/{chat}/read", "GET /me/unread",
    "authenticate", "sendMessage", "typing", "markAsRead", "leaveChat", "ping",
    # Names and presence, no chats.
    "GET /users", "GET /users/{new}", "GET /users/presence", "getPresence",
    # Public.
    "GET /", "GET /static/index.html", "GET /health/live", "GET /health/ready",
    "GET /docs", "GET /docs/rest.md", "GET /README.md", "GET /llms.txt",
    "GET /openapi.json", "GET /asyncapi.json",
    "GET /demo", "POST /demo/token",
}  # fmt: skip


@pytest.fixture(scope="module")
def world(shared):
    """Everybody, on one server."""
    world = World(shared.chat)
    shared.run(world.open())
    return world


def audit_lines(log):
    return [line for line in log.entries if line["event"].startswith("audit_")]


@pytest.fixture
def audited(shared, world, log):
    """`audited(actor, call, body)`: the audit line of a call in chats of its own, the outcome as
    the table of authorization spells it, and the ids.
    """

    def ask(actor, call, body):
        chats = shared.run(world.new_chats())
        log.entries.clear()
        outcome = shared.run(world.ask(actor, call, body, chats))
        [line] = audit_lines(log)
        return line, outcome, world.names

    return ask


def test_every_route_and_event_is_audited_or_said_not_to_be():
    """A new one needs a row in one of the two tables."""
    calls = [*AUDITED, *NOT_AUDITED]
    assert routes_beside(call for call in calls if " " in call) == []
    assert all_events() - set(calls) == set()


@pytest.mark.parametrize("call", AUDITED)
def test_each_use_of_an_authority_leaves_a_line(audited, call):
    """Actor, action, object, outcome, door and address; for REST the id of the answer."""
    body, event, objects = AUDITED[call]
    line, outcome, names = audited("service", call, body)
    assert line["event"] == event
    assert (line["actor_id"], line["actor_type"]) == ("host", "service")
    assert line["outcome"] == (SHORT[outcome] if event == "audit_refused" else "ok")
    expected = {
        name: [names[each] for each in value]
        if isinstance(value, list)
        else names.get(value, value)
        for name, value in objects.items()
    }
    assert {name: line.get(name) for name in expected} == expected
    assert line["door"] == ("rest" if " " in call else "socket")
    assert line["remote_ip"] == "127.0.0.1"
    assert line["request_id"] if " " in call else line["socket_id"]
    assert "chat_id" in line or "chat_ids" in line or "/admin/" in call or "/users/" in call


# Everybody may make a chat, and ask for one of a reference: to a stranger there is none.
@pytest.mark.parametrize(
    "call", [each for each in AUDITED if each != "POST /chats" and "externalRef" not in each]
)
def test_each_refused_attempt_leaves_a_line(audited, call):
    """A stranger who tries the same is written down with the code of the refusal."""
    body, _, _ = AUDITED[call]
    line, outcome, _ = audited("stranger", call, body)
    assert line["event"] == "audit_refused"
    assert (line["actor_id"], line["actor_type"]) == (IDS["stranger"], "employee")
    assert line["outcome"] == SHORT[outcome]


@pytest.mark.parametrize("call", ["PATCH /chat-messages/{message}", "editMessage"])
def test_what_people_do_with_their_own_leaves_no_line(shared, world, log, call):
    """A sender who edits, and a participant who reads, use no authority over others."""
    chats = shared.run(world.new_chats())
    log.entries.clear()
    body = TEXT | ({} if " " in call else {"messageId": "{message}"})
    shared.run(world.ask("sender", call, body, chats))
    shared.run(world.ask("member", "GET /chats/{chat}", None, chats))
    shared.run(world.ask("member", "joinChat", {"chatId": "{chat}"}, chats))
    assert audit_lines(log) == []


def test_a_member_who_leaves_and_one_who_is_put_out_are_written_down(audited):
    """Membership has no gap: it is known from the log who was in a chat, and when."""
    line, outcome, names = audited("member", "POST /chats/{chat}/leave", None)
    assert (line["event"], line["actor_id"], outcome) == ("audit_change", IDS["member"], "200")
    assert line["chat_id"] == names["{chat}"]


def test_a_line_names_the_moderator_who_deleted_not_the_sender(shared, world, log):
    """In the audit log and in the access log."""
    chats = shared.run(world.new_chats())
    log.entries.clear()
    shared.run(world.ask("moderator", "deleteMessage", {"messageId": "{message}"}, chats))
    shared.run(shared.chat.app.hooks.drain())
    [audit] = audit_lines(log)
    [access] = [line for line in log.entries if line["event"] == "message_deleted"]
    assert audit["actor_id"] == access["user_id"] == IDS["moderator"]
    assert audit["sender_id"] == IDS["sender"]


def test_all_of_many_who_are_added_are_named(shared, log):
    """Their ids are in as many lines as are needed."""
    chat_id = shared.create_chat([1])
    people = list(range(2_000, 2_120))
    log.entries.clear()
    path = f"/chats/{chat_id}/participants"
    shared.request("POST", path, "host", "service", json={"userIds": people})
    lines = audit_lines(log)
    assert len(lines) == 3
    assert [each for line in lines for each in line["user_ids"]] == people


async def test_no_list_of_plugins_silences_the_audit_log(serve, log):
    """It is the server's own."""
    async with serve(plugin_names=()) as chat:
        await chat.create_chat([1, 2])
    assert [line["event"] for line in audit_lines(log)] == ["audit_change"]


async def test_no_text_and_no_token_is_in_a_line(serve, log):
    """Titles, texts, names, metadata: none of them."""
    secret = "s3cretvalue"
    async with serve() as chat:
        fields = {"title": secret, "metadata": {"m": secret}, "externalRef": secret}
        chat_id = await chat.create_chat([1, 2], **fields)
        as_host = ("host", "service")
        body = {"title": secret, "metadata": {"m": secret}}
        await chat.request("PATCH", f"/chats/{chat_id}", *as_host, json=body)
        await chat.request("PUT", "/users/5", *as_host, json={"name": secret})
    assert len(audit_lines(log)) == 3
    assert secret not in repr(audit_lines(log))
