"""The acks and answers that the pages show have the shape of what a running server gives."""

import json

import pytest

from tests.support.markdown import DOCS, blocks

ACKS = {each.tags["ack"]: each for each in blocks(DOCS / "events.md") if "ack" in each.tags}
ANSWERS = {each.tags["answer"]: each for each in blocks(DOCS / "rest.md") if "answer" in each.tags}
FREE_FORM = {"metadata"}


def differences(shown, real, path=""):
    """Where two JSON values differ in keys or kinds of values; null stands for any kind."""
    if shown is None or real is None:
        return
    if isinstance(shown, dict) and isinstance(real, dict):
        for key in sorted(shown.keys() ^ real.keys()):
            yield f"{path}.{key} is only {'shown' if key in shown else 'real'}"
        for key in shown.keys() & real.keys() - FREE_FORM:
            yield from differences(shown[key], real[key], f"{path}.{key}")
    elif isinstance(shown, list) and isinstance(real, list):
        if shown and real:
            yield from differences(shown[0], real[0], f"{path}[0]")
    elif type(shown) is not type(real) and not {type(shown), type(real)} <= {int, float, str}:
        yield f"{path} is {type(shown).__name__}, really {type(real).__name__}"


def check(example, real):
    found = list(differences(json.loads(example.text), real))
    assert not found, f"{example}: {found}"


async def acks_of(chat):
    """One success of each client event."""
    chat_id = await chat.create_chat([123, 124])
    ada = await chat.connect(123)
    payloads = {
        "authenticate": {"autoJoin": True},
        "joinChat": {"chatId": chat_id, "since": 3},
        "typing": {"chatId": chat_id, "isTyping": True},
        "sendMessage": {"chatId": chat_id, "content": "Hello, world!"},
        "ping": None,
        "getPresence": {"userIds": [123, "7f9c"]},
    }
    payloads["sync"] = {"chats": [{"chatId": chat_id, "since": 4}, {"chatId": 99}]}
    acks = {name: await ada.call(name, payload) for name, payload in payloads.items()}
    message = {"messageId": acks["sendMessage"]["data"]["id"]}
    later = {
        "editMessage": {**message, "content": "Hello, everybody!"},
        "markAsRead": {**message, "chatId": chat_id},
        "deleteMessage": message,
        "leaveChat": {"chatId": chat_id},
    }
    return acks | {name: await ada.call(name, payload) for name, payload in later.items()}


async def answers_of(chat):
    """One success of each REST route; what is destroyed comes last."""
    found = {}

    async def ask(route, as_user=123, *, json=None, query="", user_type="employee", **ids):
        method, path = route.split()
        for name, value in ids.items():
            path = path.replace(f":{name}", str(value))
        response = await chat.request(method, path + query, as_user, user_type, json=json)
        assert response.status < 300, (route, response.body)
        found[route] = response.body
        return response.body

    host = {"as_user": "crm", "user_type": "service"}
    new = {"title": "Order 1001", "participantIds": [123, 124], "externalRef": "order:1001"}
    one = (await ask("POST /chats", json=new, **host))["data"]["id"]
    sent = {"chatId": one, "content": "Hello, world!"}
    message = (await ask("POST /chat-messages", json=sent))["data"]["id"]
    await ask("GET /chat-messages", query=f"?chatId={one}")
    await ask("GET /chat-messages/:id", id=message)
    await ask("PATCH /chat-messages/:id", id=message, json={"content": "Hello, everybody!"})
    await ask("GET /chat-messages/:id/history", id=message)
    await ask("GET /me/unread", 124)
    await ask("GET /chats/:id/reads", id=one)
    await ask("GET /chats/:id/sync", id=one, query="?since=5")
    await ask("POST /sync", json={"chats": [{"chatId": one, "since": 5}]})
    await ask("PUT /users/:id", id=125, json={"name": "Linus"}, **host)
    await ask("GET /users", query="?ids=125", **host)
    await ask("GET /users/:id", id=125, **host)
    for what in ("disconnect", "revoke", "block", "unblock"):
        await ask(f"POST /admin/users/:id/{what}", id=125, **host)
    await ask("GET /admin/stats", **host)
    await ask("GET /admin/plugins", **host)
    await ask("POST /admin/seats/refresh", json={"externalRef": "order:1001"}, **host)
    await ask("POST /chats/join", json={"externalRef": "order:1001"})
    await ask("GET /chats")
    await ask("GET /chats/:id", id=one)
    await ask("PATCH /chats/:id", id=one, json={"title": "Order 1001 (paid)"}, **host)
    await ask("GET /chats/:id/participants", id=one)
    await ask("POST /chats/:id/participants", id=one, json={"userIds": [125]}, **host)
    seat = {"id": one, "userId": 125}
    await ask("PATCH /chats/:id/participants/:userId", json={"role": "moderator"}, **seat, **host)
    await ask("DELETE /chats/:id/participants/:userId", **seat, **host)
    await ask("POST /chats/:id/read", id=one, json={"messageId": message})
    await ask("GET /users/presence", query="?ids=123,7f9c")
    await ask("GET /health/live", None)
    await ask("GET /health/ready", None)
    await ask("DELETE /chat-messages/:id", id=message)
    await ask("POST /chats/:id/leave", 124, id=one)
    await ask("DELETE /chats/:id", id=one, **host)
    return found


async def test_acks_are_as_shown(serve):
    """Each documented ack has the keys and kinds of the real one, and each event was asked."""
    async with serve() as chat:
        acks = await acks_of(chat)
    assert set(acks) == set(ACKS)
    for name, real in acks.items():
        assert real.get("success", True) is True, (name, real)
        check(ACKS[name], real)


async def test_rest_answers_are_as_shown(serve):
    """Each documented answer has the keys and kinds of the real one, and each route was asked."""
    async with serve() as chat:
        answers = await answers_of(chat)
    assert set(answers) == {route for route in ANSWERS if "/demo" not in route}
    for route, real in answers.items():
        check(ANSWERS[route], real)


async def test_demo_answers_are_as_shown(serve):
    """The demo page's routes answer as shown, in a server without a secret."""
    async with serve(jwt_secret=None, mongodb_uri=None) as chat:
        info = await chat.request("GET", "/demo", None)
        token = await chat.request("POST", "/demo/token", None, json={"name": "Linus"})
    check(ANSWERS["GET /demo"], info.body)
    check(ANSWERS["POST /demo/token"], token.body)


@pytest.mark.parametrize(
    ("shown", "real", "found"),
    [
        ({"a": 1}, {"a": 2}, 0),
        ({"a": 1}, {"b": 1}, 2),
        ([{"a": 1}], [{"a": 1, "b": 2}], 1),
        ({"a": {}}, {"a": []}, 1),
        ({"a": None}, {"a": []}, 0),
    ],
)
def test_the_comparison_sees_what_differs(shown, real, found):
    """A key too few or too many and another kind of value differ; another value does not."""
    assert len(list(differences(shown, real))) == found
