"""Plugins in a running server: every kind of hook, through both doors."""

import asyncio
from dataclasses import replace

import pytest
from pydantic import BaseModel

from chat.contracts.client_events import EditMessage
from chat.plugin_api import (
    ClientEvent,
    ErrorCode,
    HttpResponse,
    Plugin,
    Reject,
    Route,
    after_action,
    after_auth_failure,
    after_connect,
    after_disconnect,
    after_join,
    after_leave,
    after_message_created,
    after_message_deleted,
    after_message_read,
    after_message_updated,
    before_action,
    before_connect,
    before_join,
    before_message_send,
    before_typing,
    hookimpl,
    register_events,
    register_routes,
    shutdown,
    startup,
)
from tests.support.gateway.servers import generous
from tests.support.gateway.wire import RawSocket
from tests.support.waiting import eventually


class Moderation(Plugin):
    """Has a say in everything."""

    name = "moderation"

    @hookimpl(before_connect)
    async def let_in(self, attempt):
        if attempt.identity.user_id == 13:
            raise Reject(ErrorCode.FORBIDDEN, "not you")

    @hookimpl(before_join)
    async def join(self, change):
        if change.identity.user_id == 3:
            raise Reject(ErrorCode.REJECTED, "read the rules first")

    @hookimpl(before_message_send)
    async def send(self, draft):
        if "http://" in draft.content:
            raise Reject(ErrorCode.REJECTED, "no links, please")
        if draft.content == "move me":
            return replace(draft, content="moved", chat_id=1, sender_id=2, client_message_id="k")
        if draft.content == "wipe me":
            return replace(draft, content="  ")
        return replace(draft, content=draft.content.lower()) if draft.content.isupper() else None

    @hookimpl(before_typing)
    async def type(self, signal):
        if signal.identity.user_id == 3:
            raise Reject(ErrorCode.REJECTED, "silence")

    @hookimpl(before_action)
    async def act(self, action):
        if action.name == "editMessage" and isinstance(action.payload, EditMessage):
            return replace(action, payload=action.payload.model_copy(update={"content": "edited?"}))
        if action.name == "deleteMessage":
            raise Reject(ErrorCode.FORBIDDEN, "nothing is deleted here", retry_after_s=None)
        return None


async def test_a_plugin_changes_and_refuses_messages_of_both_doors(serve):
    """Its reason reaches the client word for word; what it refused is not stored."""
    async with serve(**generous(Moderation())) as chat:
        chat_id = await chat.create_chat([1])
        ada = await chat.connect(1)
        loud = await ada.call("sendMessage", {"chatId": chat_id, "content": "HELLO"})
        assert loud["data"]["message"] == "hello"
        link = {"chatId": chat_id, "content": "see http://x"}
        refused = await ada.call("sendMessage", link)
        assert (refused["error"]["code"], refused["message"]) == ("REJECTED", "no links, please")
        over_rest = await chat.request("POST", "/chat-messages", 1, json=link)
        assert (over_rest.status, over_rest.code) == (422, "REJECTED")
        wiped = await ada.call("sendMessage", {"chatId": chat_id, "content": "wipe me"})
        assert wiped["error"]["code"] == "REJECTED"
        page = await chat.request("GET", f"/chat-messages?chatId={chat_id}")
        assert [each["message"] for each in page.data] == ["hello"]


async def test_a_plugin_cannot_put_words_into_another_mouth_or_chat(serve):
    """Who speaks where is not a plugin's to change."""
    async with serve(**generous(Moderation())) as chat:
        await chat.create_chat([2])
        chat_id = await chat.create_chat([1])
        ada = await chat.connect(1)
        sent = await ada.call("sendMessage", {"chatId": chat_id, "content": "move me"})
        message = sent["data"]
        assert (message["message"], message["chatId"], message["senderId"]) == ("moved", chat_id, 1)
        assert message["clientMessageId"] is None


async def test_a_plugin_has_a_say_in_actions_joins_typing_and_connects(serve):
    """Refused with its code; a replaced payload is what runs; typing is refused in silence."""
    async with serve(**generous(Moderation())) as chat:
        chat_id = await chat.create_chat([1, 3])
        ada, eve = await chat.connect(1, join=chat_id), await chat.connect(3)
        sent = (await ada.call("sendMessage", {"chatId": chat_id, "content": "hi"}))["data"]
        edited = await ada.call("editMessage", {"messageId": sent["id"], "content": "x"})
        assert edited["data"]["message"] == "edited?"
        kept = await ada.call("deleteMessage", {"messageId": sent["id"]})
        assert (kept["error"]["code"], kept["message"]) == ("FORBIDDEN", "nothing is deleted here")
        out = await eve.call("joinChat", {"chatId": chat_id})
        assert out["error"]["code"] == "REJECTED"
        quiet = await eve.call("typing", {"chatId": chat_id, "isTyping": True})
        assert quiet == {"success": True}
        await ada.settle()
        assert ada.of("userTyping") == []
        raw = await RawSocket.open(chat)
        assert "not you" in await raw.connect({"token": chat.token(13)})


class Witness(Plugin):
    """Remembers every notice."""

    name = "witness"

    def __init__(self):
        super().__init__()
        self.heard = []


def _witness(hook):
    async def hear(self, event):
        self.heard.append((hook.name, event))

    return hookimpl(hook)(hear)


NOTICES = (
    after_connect, after_join, after_message_created, after_message_updated, after_message_read,
    after_message_deleted, after_leave, after_disconnect, after_auth_failure, after_action,
    shutdown,
)  # fmt: skip
for _hook in NOTICES:
    setattr(Witness, f"on_{_hook.name}", _witness(_hook))


async def test_every_notice_comes_after_the_fact_and_in_order(serve):
    """One socket's life, as its plugins hear it."""
    witness = Witness()
    async with serve(**generous(witness)) as chat:
        chat_id = await chat.create_chat([1, 2])
        ada, grace = await chat.connect(1, join=chat_id), await chat.connect(2)
        sent = (await ada.call("sendMessage", {"chatId": chat_id, "content": "hi"}))["data"]
        await ada.call("editMessage", {"messageId": sent["id"], "content": "hello"})
        await grace.call("markAsRead", {"chatId": chat_id, "messageId": sent["id"]})
        await ada.call("deleteMessage", {"messageId": sent["id"]})
        await ada.call("leaveChat", {"chatId": chat_id})
        await ada.call("joinChat", {"chatId": 987_654})
        await (await RawSocket.open(chat)).connect({"token": "x"})
        await ada.close()
        await eventually(lambda: any(name == "after_disconnect" for name, _ in witness.heard))
    names = [name for name, _ in witness.heard]
    first = list(dict.fromkeys(name for name in names if name != "after_action"))
    assert first == [
        "after_connect", "after_join", "after_message_created", "after_message_updated",
        "after_message_read", "after_message_deleted", "after_leave", "after_auth_failure",
        "after_disconnect", "shutdown",
    ]  # fmt: skip
    actions = [event for name, event in witness.heard if name == "after_action"]
    codes = [(event.name, event.code) for event in actions if event.door == "socket"]
    assert ("sendMessage", None) in codes
    assert ("joinChat", ErrorCode.NOT_PARTICIPANT) in codes
    created = next(event for name, event in witness.heard if name == "after_message_created")
    assert (created.message.id, created.message.message) == (sent["id"], "hi")


class Note(BaseModel):
    text: str


class Bot(Plugin):
    """Answers what others say, and brings an event and two routes."""

    name = "bot"

    @hookimpl(startup)
    async def begin(self, started):
        self.server = started.server

    @hookimpl(after_message_created, timeout_s=5)
    async def answer(self, event):
        message = event.message
        await self.server.send_message(
            message.chat_id, f"you said {message.message}", sender_id="bot"
        )

    @hookimpl(register_events)
    async def events(self, _start):
        return [ClientEvent(name="note", handler=self.note, model=Note)]

    @hookimpl(register_routes)
    async def routes(self, _start):
        return [
            Route(method="GET", path="/notes", handler=self.public, public=True),
            Route(method="POST", path="/notes", handler=self.private),
        ]

    async def note(self, identity, payload):
        if payload.text == "no":
            raise Reject(ErrorCode.REJECTED, "no notes")
        self.server.push_to_user(identity.user_id, "noted", {"text": payload.text})
        return {"success": True, "by": identity.user_id}

    async def public(self, request):
        return HttpResponse(status=202, body=f"q={request.query.get('q')}", headers={"X-Bot": "1"})

    async def private(self, request):
        if request.body == b"crash":
            raise RuntimeError("/srv/secret broke")
        return HttpResponse(body={"user": request.identity.user_id, "size": len(request.body)})


async def test_a_bot_answers_once_and_not_itself(serve):
    """What it sends bears its name as origin, so it does not hear it; the others do."""
    witness = Witness()
    async with serve(**generous(Bot(), witness)) as chat:
        chat_id = await chat.create_chat([1])
        ada = await chat.connect(1, join=chat_id)
        await ada.call("sendMessage", {"chatId": chat_id, "content": "hi"})
        texts = [(await ada.next("newMessage"))["message"] for _ in range(2)]
        assert [each["message"] for each in texts] == ["hi", "you said hi"]
        assert (texts[1]["senderId"], texts[1]["senderType"]) == ("bot", "bot")
        await ada.settle()
        assert len(ada.of("newMessage")) == 2
    origins = [event.origin for name, event in witness.heard if name == "after_message_created"]
    assert origins == [None, "bot"]


async def test_a_plugins_event_is_validated_acked_and_refused_like_any_other(serve):
    """Its model is checked, its Reject is the ack, and it may push events of its own."""
    async with serve(custom_events=["noted"], **generous(Bot())) as chat:
        ada, tab = await chat.connect(1), await chat.connect(1)
        assert await ada.call("note", {"text": "x"}) == {"success": True, "by": 1}
        assert await tab.next("noted") == {"text": "x"}
        assert (await ada.call("note", {"text": 5}))["error"]["code"] == "VALIDATION_ERROR"
        assert (await ada.call("note", None))["error"]["code"] == "VALIDATION_ERROR"
        refused = await ada.call("note", {"text": "no"})
        assert (refused["error"]["code"], refused["message"]) == ("REJECTED", "no notes")


@pytest.mark.expects_errors
async def test_a_plugins_routes_are_served(serve):
    """Public ones to everybody, others with a token; a crash is an INTERNAL_ERROR that tells
    nothing."""
    async with serve(**generous(Bot())) as chat:
        public = await chat.request("GET", "/notes?q=1", None)
        assert (public.status, public.body, public.headers["X-Bot"]) == (202, b"q=1", "1")
        assert public.headers["Content-Type"].startswith("text/plain")
        stranger = await chat.request("POST", "/notes", None, body=b"hi")
        assert (stranger.status, stranger.code) == (401, "UNAUTHENTICATED")
        private = await chat.request("POST", "/notes", 7, body=b"hi")
        assert (private.status, private.body) == (200, {"user": 7, "size": 2})
        crashed = await chat.request("POST", "/notes", 7, body=b"crash")
        assert (crashed.status, crashed.code) == (500, "INTERNAL_ERROR")
        assert "secret" not in str(crashed.body)
        assert (await chat.request("DELETE", "/notes", 7)).status == 405


@pytest.mark.expects_errors
@pytest.mark.parametrize("on_error", ["closed", "open"])
async def test_a_poisoned_plugin_costs_its_own_action_and_then_no_time(serve, on_error):
    """Its action is refused with PLUGIN_ERROR, retryable, or passes where it is open; after five
    failures it is off, and nobody waits for it."""
    asked = []

    class Poison(Plugin):
        name = "poison"

        @hookimpl(before_message_send, timeout_s=0.05, on_error=on_error)
        async def hang(self, draft):
            asked.append(draft)
            await asyncio.Event().wait()

    async with serve(**generous(Poison())) as chat:
        chat_id = await chat.create_chat([1])
        ada = await chat.connect(1)
        payload = {"chatId": chat_id, "content": "x"}
        answers = [await ada.call("sendMessage", payload) for _ in range(6)]
        codes = [answer.get("error", {}).get("code") for answer in answers]
        assert codes == ["PLUGIN_ERROR" if on_error == "closed" else None] * 6
        assert on_error == "open" or answers[0]["error"]["retryable"] is True
        assert len(asked) == 5
