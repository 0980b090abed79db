"""Who may do what: every route asked by everybody, for what is there, what is not, and what is
another chat's.

The table is the rule (roles: owner > moderator > member > readonly; an admin is a moderator
everywhere; the host's service token may do all). For strangers a chat that does not exist and one
that is not theirs are the same.
"""

import pytest

from tests.support.rest_errors import assert_refused, assert_succeeded
from tests.support.rest_world import ACTORS, World

SHORT = {
    "401": "UNAUTHENTICATED",
    "np": "NOT_PARTICIPANT",
    "nf": "NOT_FOUND",
    "no": "FORBIDDEN",
}
USED_UP = ("delete", "remove", "leave", "lower", "raise", "add")
"""After a success of these the next actor needs a world of its own."""

HELLO = {"chatId": "{chat}", "content": "hello"}
TEXT = {"content": "edited"}

# what is asked, of what: (method, path, body), then the answers in the order of ACTORS:
#   nobody stranger former readonly member sender moderator owner admin service
TABLE = {
    "send": (
        ("POST", "/chat-messages", HELLO),
        "401 np np no 201 201 201 201 201 201",
    ),
    "send to a missing chat": (
        ("POST", "/chat-messages", HELLO | {"chatId": "{missing}"}),
        "401 np np np np np np np nf nf",
    ),
    "reply": (
        ("POST", "/chat-messages", HELLO | {"replyToId": "{message}"}),
        "401 np np no 201 201 201 201 201 201",
    ),
    "reply to a missing message": (
        ("POST", "/chat-messages", HELLO | {"replyToId": "{missing}"}),
        "401 np np no nf nf nf nf nf nf",
    ),
    "reply to another chat's message": (
        ("POST", "/chat-messages", HELLO | {"replyToId": "{other}"}),
        "401 np np no nf nf nf nf nf nf",
    ),
    "page": (
        ("GET", "/chat-messages?chatId={chat}", None),
        "401 np np 200 200 200 200 200 200 200",
    ),
    "page of a missing chat": (
        ("GET", "/chat-messages?chatId={missing}", None),
        "401 np np np np np np np nf nf",
    ),
    "page before a missing message": (
        ("GET", "/chat-messages?chatId={chat}&before={missing}", None),
        "401 np np nf nf nf nf nf nf nf",
    ),
    "page after another chat's message": (
        ("GET", "/chat-messages?chatId={chat}&after={other}", None),
        "401 np np nf nf nf nf nf nf nf",
    ),
    "page around another chat's message": (
        ("GET", "/chat-messages?chatId={chat}&around={other}", None),
        "401 np np nf nf nf nf nf nf nf",
    ),
    "read a message": (
        ("GET", "/chat-messages/{message}", None),
        "401 nf nf 200 200 200 200 200 200 200",
    ),
    "read a missing message": (
        ("GET", "/chat-messages/{missing}", None),
        "401 nf nf nf nf nf nf nf nf nf",
    ),
    "read another chat's message": (
        ("GET", "/chat-messages/{other}", None),
        "401 nf nf nf nf nf nf nf 200 200",
    ),
    "edit": (
        ("PATCH", "/chat-messages/{message}", TEXT),
        "401 nf nf no no 200 no no no 200",
    ),
    "edit by PUT": (
        ("PUT", "/chat-messages/{message}", TEXT),
        "401 nf nf no no 200 no no no 200",
    ),
    "edit a missing message": (
        ("PATCH", "/chat-messages/{missing}", TEXT),
        "401 nf nf nf nf nf nf nf nf nf",
    ),
    "edit another chat's message": (
        ("PATCH", "/chat-messages/{other}", TEXT),
        "401 nf nf nf nf nf nf nf no 200",
    ),
    "delete": (
        ("DELETE", "/chat-messages/{message}", None),
        "401 nf nf no no 200 200 200 200 200",
    ),
    "delete a missing message": (
        ("DELETE", "/chat-messages/{missing}", None),
        "401 nf nf nf nf nf nf nf nf nf",
    ),
    "delete another chat's message": (
        ("DELETE", "/chat-messages/{other}", None),
        "401 nf nf nf nf nf nf nf 200 200",
    ),
    "list chats": (("GET", "/chats", None), "401 200 200 200 200 200 200 200 200 200"),
    "make a chat": (("POST", "/chats", {}), "401 201 201 201 201 201 201 201 201 201"),
    "see the chat": (
        ("GET", "/chats/{chat}", None),
        "401 np np 200 200 200 200 200 200 200",
    ),
    "see a missing chat": (("GET", "/chats/{missing}", None), "401 np np np np np np np nf nf"),
    "change the chat": (
        ("PATCH", "/chats/{chat}", {"title": "new"}),
        "401 np np no no no no 200 no 200",
    ),
    "change a missing chat": (
        ("PATCH", "/chats/{missing}", {"title": "new"}),
        "401 np np np np np np np nf nf",
    ),
    "delete the chat": (("DELETE", "/chats/{chat}", None), "401 np np no no no no 200 no 200"),
    "delete a missing chat": (
        ("DELETE", "/chats/{missing}", None),
        "401 np np np np np np np nf nf",
    ),
    "list people": (
        ("GET", "/chats/{chat}/participants", None),
        "401 np np 200 200 200 200 200 200 200",
    ),
    "list people of a missing chat": (
        ("GET", "/chats/{missing}/participants", None),
        "401 np np np np np np np nf nf",
    ),
    "add a member": (
        ("POST", "/chats/{chat}/participants", {"userIds": [200]}),
        "401 np np no no no 201 201 201 201",
    ),
    "add a moderator": (
        ("POST", "/chats/{chat}/participants", {"userIds": [200], "role": "moderator"}),
        "401 np np no no no no 201 no 201",
    ),
    "add to a missing chat": (
        ("POST", "/chats/{missing}/participants", {"userIds": [200]}),
        "401 np np np np np np np nf nf",
    ),
    "lower a role": (
        ("PATCH", "/chats/{chat}/participants/{victim}", {"role": "readonly"}),
        "401 np np no no no 200 200 200 200",
    ),
    "raise a role": (
        ("PATCH", "/chats/{chat}/participants/{victim}", {"role": "moderator"}),
        "401 np np no no no no 200 no 200",
    ),
    "change the role of nobody": (
        ("PATCH", "/chats/{chat}/participants/777", {"role": "readonly"}),
        "401 np np no no no nf nf nf nf",
    ),
    "remove a member": (
        ("DELETE", "/chats/{chat}/participants/{victim}", None),
        "401 np np no no no 200 200 200 200",
    ),
    "remove nobody": (
        ("DELETE", "/chats/{chat}/participants/777", None),
        "401 np np no no no nf nf nf nf",
    ),
    "remove from a missing chat": (
        ("DELETE", "/chats/{missing}/participants/{victim}", None),
        "401 np np np np np np np nf nf",
    ),
    "leave": (
        ("POST", "/chats/{chat}/leave", None),
        "401 np np 200 200 200 200 no nf nf",
    ),
    "leave a missing chat": (
        ("POST", "/chats/{missing}/leave", None),
        "401 np np np np np np np nf nf",
    ),
    "mark as read": (
        ("POST", "/chats/{chat}/read", {"messageId": "{message}"}),
        "401 np np 200 200 200 200 200 no no",
    ),
    "mark a missing message": (
        ("POST", "/chats/{chat}/read", {"messageId": "{missing}"}),
        "401 np np nf nf nf nf nf nf nf",
    ),
    "mark another chat's message": (
        ("POST", "/chats/{chat}/read", {"messageId": "{other}"}),
        "401 np np nf nf nf nf nf nf nf",
    ),
    "mark in a missing chat": (
        ("POST", "/chats/{missing}/read", {"messageId": "{message}"}),
        "401 np np np np np np np nf nf",
    ),
    "presence": (
        ("GET", "/users/presence?ids=1", None),
        "401 200 200 200 200 200 200 200 200 200",
    ),
    "see a profile": (
        ("GET", "/users/{victim}", None),
        "401 nf nf 200 200 200 200 200 200 200",
    ),
    "look up profiles": (
        ("GET", "/users?ids={victim}", None),
        "401 200 200 200 200 200 200 200 200 200",
    ),
    "name somebody": (
        ("PUT", "/users/{victim}", {"name": "Victor"}),
        "401 no no no no no no no no 200",
    ),
}


@pytest.mark.parametrize("what", TABLE)
def test_the_table_of_who_may_do_what_holds(shared, what):
    """Each actor gets the answer of the table, and whoever is allowed finds the thing as it was for
    the others.
    """
    (method, path, body), row = TABLE[what]
    answers = dict(zip(ACTORS, row.split(), strict=True))
    world = World.make(shared)
    for actor, expected in answers.items():
        answer = world.ask(actor, method, path, body)
        if expected in SHORT:
            assert_refused(answer, SHORT[expected])
        else:
            assert_succeeded(answer, int(expected))
            if what.startswith(USED_UP):
                world = World.make(shared)


@pytest.mark.parametrize(("former", "now"), [("moderator", "member"), ("member", "readonly")])
def test_a_lowered_role_counts_at_once(shared, former, now):
    """The next request after the change is judged by the new role."""
    chat_id = shared.create_chat([1, 2])
    seat = f"/chats/{chat_id}/participants/1"
    message_id = shared.send(chat_id, 2)
    asked = {
        "moderator": ("DELETE", f"/chat-messages/{message_id}", None),
        "member": ("POST", "/chat-messages", {"chatId": chat_id, "content": "x"}),
    }[former]
    for role, allowed in ((former, True), (now, False)):
        body = {"role": role}
        assert_succeeded(shared.request("PATCH", seat, "host", "service", json=body))
        method, path, sent = asked
        answer = shared.request(method, path, 1, json=sent)
        assert answer.code == (None if allowed else "FORBIDDEN")


def test_refusals_do_not_tell_whether_a_thing_exists(shared):
    """For a stranger the words of a refusal are the same for what is there and what is not, but for
    the id.
    """
    world = World.make(shared)
    for path in ("/chats/{}", "/chat-messages?chatId={}", "/chats/{}/participants"):
        seen = [
            shared.request("GET", path.format(chat_id), 101)
            .body["message"]
            .replace(str(chat_id), "")
            for chat_id in (world.chat_id, 2**53 - 1)
        ]
        assert seen[0] == seen[1]
    seen = [
        shared.request("GET", f"/chat-messages/{each}", 101).body["message"].replace(str(each), "")
        for each in (world.message_id, 2**53 - 1)
    ]
    assert seen[0] == seen[1]
