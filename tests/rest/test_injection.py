"""What a client sends is data: no store operators, no fields that are the server's own."""

import pytest

from tests.support.rest import raw as rest_raw
from tests.support.rest.errors import assert_refused, assert_succeeded

OPERATORS = [{"$gt": ""}, {"$ne": None}, {"$regex": ".*"}, {"$where": "1"}, ["$ne"], [{"$gt": 0}]]

FIELDS = [
    ("POST", "/chat-messages", "chatId"),
    ("POST", "/chat-messages", "content"),
    ("POST", "/chat-messages", "message"),
    ("POST", "/chat-messages", "clientMessageId"),
    ("POST", "/chat-messages", "replyToId"),
    ("PATCH", "/chat-messages/{message}", "content"),
    ("PATCH", "/chat-messages/{message}", "expectedRevision"),
    ("POST", "/chats", "type"),
    ("POST", "/chats", "title"),
    ("POST", "/chats", "participantIds"),
    ("POST", "/chats", "externalRef"),
    ("PATCH", "/chats/{chat}", "title"),
    ("POST", "/chats/{chat}/participants", "userIds"),
    ("POST", "/chats/{chat}/participants", "role"),
    ("PATCH", "/chats/{chat}/participants/2", "role"),
    ("POST", "/chats/{chat}/read", "messageId"),
]
GOOD = {
    "/chat-messages": {"chatId": 0, "content": "x"},
    "/chat-messages/{message}": {"content": "x"},
    "/chats/{chat}/participants": {"userIds": [5]},
}


@pytest.fixture(scope="module")
def place(shared):
    """A chat and a message of user 1, who owns both."""
    chat_id = shared.request("POST", "/chats", 1, json={"participantIds": [2]}).data["id"]
    return chat_id, shared.send(chat_id, 1)


@pytest.mark.parametrize(("method", "path", "field"), FIELDS)
def test_an_operator_in_a_field_is_refused(shared, place, method, path, field):
    """An object or a list where a value belongs never reaches the store."""
    chat_id, message_id = place
    for operator in OPERATORS:
        body = dict(GOOD.get(path, {}))
        if "chatId" in body:
            body["chatId"] = chat_id
        if field == "message":
            del body["content"]
        body[field] = operator
        target = path.format(chat=chat_id, message=message_id)
        answer = shared.request(method, target, 1, json=body)
        # A list of one string is a list of people, and nobody is called that.
        if field in ("userIds", "participantIds") and operator == ["$ne"]:
            assert_succeeded(answer, 201)
            continue
        assert_refused(answer, "VALIDATION_ERROR")
        assert field in answer.body["error"]["details"][0]["path"] or field == "message"


@pytest.mark.parametrize(
    "target",
    [
        "/chat-messages?chatId[$gt]=0",
        "/chat-messages?chatId[]=1",
        '/chat-messages?chatId={"$gt":0}',
        "/chat-messages?chatId={chat}&before[$gt]=0x",
        "/chat-messages?chatId={chat}&before={{$gt:0}}",
        "/chat-messages?chatId={chat}&limit[$gt]=1&limit=x",
        "/chats?limit={{}}",
        "/chats?cursor={{}}",
    ],
)  # fmt: skip
def test_an_operator_in_a_query_is_no_operator(shared, place, target):
    """Unknown names are ignored, known ones have to be digits."""
    target = target if '"' in target else target.format(chat=place[0])
    bearer = f"Authorization: Bearer {shared.chat.token(1)}"
    answer = rest_raw.get(shared.chat.app.port, target, bearer)
    if "before[" in target:
        assert answer.status == 200
    else:
        assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")


@pytest.mark.parametrize(
    "metadata",
    [
        {"$gt": ""}, {"$set": {"role": "owner"}}, {"a.b": 1}, {"": 1}, {"a": {"$ne": [None]}},
        {"__proto__": {"admin": True}}, {"$where": "sleep(1000)"}, {"_id": 1, "chatId": 99},
        {"$oid": "507f1f77bcf86cd799439011"}, {"$date": 0}, {"a": [1, 2.5, None, True, "ü", {}]},
        {"n": 2**53 - 1, "m": -(2**53) + 1}, {},
    ],
)  # fmt: skip
def test_metadata_comes_out_as_it_went_in(shared, metadata):
    """Whatever its keys look like: it is stored whole, of messages and of chats, and means nothing
    to the store.
    """
    made = shared.request("POST", "/chats", 1, json={"metadata": metadata})
    chat = assert_succeeded(made, 201)
    body = {"chatId": chat["id"], "content": "x", "metadata": metadata}
    message = assert_succeeded(shared.request("POST", "/chat-messages", json=body), 201)
    path = f"/chat-messages/{message['id']}"
    assert shared.request("GET", path).data["metadata"] == metadata
    edited = assert_succeeded(shared.request("PATCH", path, json={"content": "y"}))
    assert edited["metadata"] == metadata
    path = f"/chats/{chat['id']}"
    patched = shared.request("PATCH", path, json={"metadata": {"new": metadata}})
    assert assert_succeeded(patched)["metadata"] == {"new": metadata}
    patched = shared.request("PATCH", path, json={"metadata": metadata})
    assert assert_succeeded(patched)["metadata"] == metadata
    assert (patched.data["role"], patched.data["id"]) == ("owner", chat["id"])


def test_metadata_too_deep_or_too_large_is_refused(shared, place):
    """32 levels and 16 kB."""
    deep: dict = {}
    for _ in range(40):
        deep = {"a": deep}
    for metadata in (deep, {"a": [deep]}, {"a": "x" * 17_000}, {"k" * 17_000: 1}):
        body = {"chatId": place[0], "content": "x", "metadata": metadata}
        answer = shared.request("POST", "/chat-messages", json=body)
        assert_refused(answer, "VALIDATION_ERROR", path="metadata")


OWN_FIELDS = {
    "id": 1, "_id": 1, "seq": 1, "updatedSeq": 1, "revision": 9, "senderId": 2, "sender_id": 2,
    "senderType": "service", "type": "system", "createdAt": "2001-01-01T00:00:00.000Z",
    "updatedAt": "2001-01-01T00:00:00.000Z", "editedAt": "2001-01-01T00:00:00.000Z",
    "deletedAt": "2001-01-01T00:00:00.000Z", "deletedBy": 2, "replyTo": {"id": 1, "message": "no"},
    "body_digest": "x", "v": 0, "client_message_id": "x", "origin": "plugin", "duplicate": True,
}  # fmt: skip


def test_a_message_takes_nothing_but_its_own_fields(shared, place):
    """Who sent it, when, and which number it has is the server's word, in POST and in PATCH."""
    chat_id, _ = place
    body = OWN_FIELDS | {"chatId": chat_id, "content": "mine"}
    sent = assert_succeeded(shared.request("POST", "/chat-messages", json=body), 201)
    patch = OWN_FIELDS | {"content": "still mine", "chatId": 999}
    edited = shared.request("PATCH", f"/chat-messages/{sent['id']}", json=patch)
    for message in (sent, assert_succeeded(edited)):
        assert (message["senderId"], message["senderType"]) == (1, "employee")
        assert (message["chatId"], message["type"]) == (chat_id, "text")
        assert message["id"] == sent["id"] > 1
        assert message["seq"] == sent["seq"] > 1
        assert (message["replyTo"], message["replyToId"]) == (None, None)
        assert (message["deletedAt"], message["clientMessageId"]) == (None, None)
        assert not message["createdAt"].startswith("2001")
    assert edited.data["revision"] == 2


def test_a_chat_takes_nothing_but_its_own_fields(shared):
    """Neither its id nor its maker, numbers or roles are the client's to say."""
    own = {
        "id": 1, "createdBy": 2, "seq": 900, "seqReserved": 0, "updatedSeq": 900, "role": "owner",
        "deletedAt": "2001-01-01T00:00:00.000Z", "createdAt": "2001-01-01T00:00:00.000Z",
        "participants": [{"userId": 9, "role": "owner"}], "directKey": "int:1|int:2",
        "external_ref": "snake", "unreadCount": 7, "participant_ids": [9],
    }  # fmt: skip
    made = shared.request("POST", "/chats", 1, json=own | {"participantIds": [2]})
    chat = assert_succeeded(made, 201)
    path = f"/chats/{chat['id']}"
    patched = assert_succeeded(shared.request("PATCH", path, 1, json=own | {"title": "t"}))
    for each in (chat, patched):
        assert (each["createdBy"], each["externalRef"], each["unreadCount"]) == (1, None, 0)
        assert [seat["userId"] for seat in each["participants"]] == [1, 2]
        assert not each["createdAt"].startswith("2001")
    assert (chat["seq"], patched["seq"]) == (3, 4)
    seats = {"userIds": [3], "joinedAt": "2001", "lastReadMessageId": 5, "removedAt": None}
    [seat] = assert_succeeded(shared.request("POST", f"{path}/participants", 1, json=seats), 201)
    assert (seat["lastReadMessageId"], seat["joinedAt"].startswith("2001")) == (None, False)
