"""Authority changes at once, and refusals tell nothing; who may do what is in tests/security."""

import pytest

from tests.support.rest.errors import assert_succeeded


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
    chat_id = shared.create_chat([1, 2])
    message_id = shared.send(chat_id, 1)
    for path in ("/chats/{}", "/chat-messages?chatId={}", "/chats/{}/participants"):
        seen = [
            shared.request("GET", path.format(each), 101).body["message"].replace(str(each), "")
            for each in (chat_id, 2**53 - 1)
        ]
        assert seen[0] == seen[1]
    seen = [
        shared.request("GET", f"/chat-messages/{each}", 101).body["message"].replace(str(each), "")
        for each in (message_id, 2**53 - 1)
    ]
    assert seen[0] == seen[1]
