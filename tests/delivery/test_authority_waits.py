"""What waits while its author loses the right to it: asked again when it gets its number."""

import asyncio

import pytest

from chat.errors import ChatError, ErrorCode
from chat.plugin_api import (
    MessageDraft,
    Plugin,
    Startup,
    before_message_edit,
    before_message_send,
    hookimpl,
    startup,
)
from chat.repositories.chats import MongoChats
from chat.repositories.messages import MongoMessages
from chat.repositories.mongo import MongoIds
from tests.support.delivery.chats import HOST, Held, all_messages, gone, head_of, host, say
from tests.support.gateway.servers import MovableClock, generous
from tests.support.waiting import eventually

CODES = {
    "blocked": "USER_BLOCKED",
    # The server cannot know whether a token of the same second was issued before the revoke.
    "revoked": "AUTH_UNAVAILABLE",
    "expired": "TOKEN_EXPIRED",
    "removed": "NOT_PARTICIPANT",
    "readonly": "FORBIDDEN",
    "deleted": "NOT_PARTICIPANT",
}
LOSSES = pytest.mark.parametrize("loss", CODES)
IN_MEMORY = pytest.mark.parametrize("forgotten", [False, True], ids=["in memory", "forgotten"])


class Hold(Plugin):
    """Holds every message and edit that begins with "held" until `go_on` is set."""

    name = "hold"

    def __init__(self):
        super().__init__()
        self.asked, self.go_on = asyncio.Event(), asyncio.Event()

    @hookimpl(startup)
    async def keep(self, started: Startup) -> None:
        self.server = started.server

    @hookimpl(before_message_send, timeout_s=20)
    async def hold(self, draft: MessageDraft) -> None:
        if draft.content.startswith("held"):
            self.asked.set()
            await self.go_on.wait()

    @hookimpl(before_message_edit, timeout_s=20)
    async def hold_edit(self, draft: MessageDraft) -> None:
        await self.hold(draft)


class Bot(Plugin):
    """Sends in the name of others, and is asked about by `hold`."""

    name = "bot"

    @hookimpl(startup)
    async def keep(self, started: Startup) -> None:
        self.server = started.server

    async def say(self, chat_id, sender_id):
        try:
            await self.server.send_message(chat_id, "held: bot", sender_id=sender_id)
        except ChatError as error:
            return error.code.value
        return None


async def lose(loss, chat, chat_id, clock):
    """User 1 loses the right to write into the chat; returns when that has been answered."""
    if loss == "expired":
        clock.move(seconds=61)
    elif loss in ("blocked", "revoked"):
        what = {"blocked": "block", "revoked": "revoke"}[loss]
        await host(chat, "POST", f"/admin/users/1/{what}", {})
    elif loss == "removed":
        await host(chat, "DELETE", f"/chats/{chat_id}/participants/1")
    elif loss == "readonly":
        await host(chat, "PATCH", f"/chats/{chat_id}/participants/1", {"role": "readonly"})
    else:
        await host(chat, "DELETE", f"/chats/{chat_id}")


def write(chat, door, client, token, chat_id, message_id):
    """Send (no `message_id`) or edit at a door, as a task whose result is the error code; None of a
    success, "CUT" where the socket was ended first."""
    content = "held: a last word"
    sent = {"chatId": chat_id, "content": content}
    edited = {"messageId": message_id, "content": content}

    async def by_socket():
        event, payload = ("sendMessage", sent) if message_id is None else ("editMessage", edited)
        answered: asyncio.Future = asyncio.get_running_loop().create_future()
        await client.socket.emit(event, payload, namespace="/chat", callback=answered.set_result)
        await eventually(lambda: answered.done() or not client.socket.connected, 10)
        if not answered.done():
            return "CUT"
        error = answered.result().get("error")
        return error["code"] if error else None

    async def by_rest():
        method, path = ("POST", "/chat-messages")
        if message_id is not None:
            method, path = "PATCH", f"/chat-messages/{message_id}"
        headers = {"Authorization": f"Bearer {token}"}
        answer = await chat.request(method, path, None, json=sent, headers=headers)
        return answer.code

    return asyncio.ensure_future(by_socket() if door == "socket" else by_rest())


@LOSSES
@IN_MEMORY
@pytest.mark.parametrize("door", ["socket", "rest"])
@pytest.mark.parametrize("what", ["send", "edit"])
async def test_what_a_plugin_holds_is_refused_once_its_author_may_not(
    serve, monkeypatch, what, door, loss, forgotten
):
    """After the loss was answered, nothing of the author gets a number, is stored or pushed."""
    hold, clock = Hold(), MovableClock()
    if forgotten:
        monkeypatch.setattr("chat.services.chat_states.MAX_STATES", 1)
    async with serve(**generous(hold), clock=clock) as chat:
        chat_id, other = await chat.create_chat([1, 2]), await chat.create_chat([2, 3])
        token = chat.token(1, valid_s=60)
        ada, grace = await chat.connect(token=token), await chat.connect(2, join=chat_id)
        message_id = (await say(ada, chat_id, "before"))[0]["id"] if what == "edit" else None
        writing = write(chat, door, ada, token, chat_id, message_id)
        await asyncio.wait_for(hold.asked.wait(), 5)
        if forgotten:
            await host(chat, "GET", f"/chats/{other}")
        await lose(loss, chat, chat_id, clock)
        if forgotten:
            await host(chat, "GET", f"/chats/{other}")
        head = None if loss == "deleted" else await head_of(chat, chat_id)
        hold.go_on.set()
        code = await writing
        cut = loss in ("blocked", "revoked")
        assert code in ({"CUT", CODES[loss]} if cut and door == "socket" else {CODES[loss]})
        if cut:
            await gone(ada)
        await say(grace, other, "elsewhere")
        await grace.settle()
        seen = [each["message"] for each in grace.of("newMessage") + grace.of("messageUpdated")]
        assert [each["message"] for each in seen] == (["before"] if what == "edit" else [])
        if head is not None:
            assert await head_of(chat, chat_id) == head
            said = [each["message"] for each in await all_messages(chat, chat_id)]
            assert said == (["before"] if what == "edit" else [])
            # No number is given twice: the next one is the next.
            (after,) = await say(grace, chat_id, "after")
            assert after["seq"] == head + 1


async def test_a_plugin_sends_nothing_in_the_name_of_somebody_blocked_meanwhile(serve):
    """The ServerApi is no way round a block; revoked tokens are no matter of a plugin's."""
    hold, bot = Hold(), Bot()
    async with serve(**generous(hold, bot)) as chat:
        chat_id = await chat.create_chat([1, 2])
        await host(chat, "POST", "/admin/users/2/revoke", {})
        held = asyncio.ensure_future(bot.say(chat_id, 1))
        await asyncio.wait_for(hold.asked.wait(), 5)
        await host(chat, "POST", "/admin/users/1/block", {})
        hold.go_on.set()
        assert await held == "USER_BLOCKED"
        assert await bot.say(chat_id, 2) is None
        assert [each["senderId"] for each in await all_messages(chat, chat_id)] == [2]


CHANGES = {
    "delete": ("DELETE", "/chat-messages/{message_id}", None),
    "rename": ("PATCH", "/chats/{chat_id}", {"title": "mine"}),
    "end": ("DELETE", "/chats/{chat_id}", None),
    "add": ("POST", "/chats/{chat_id}/participants", {"userIds": [5]}),
    "promote": ("PATCH", "/chats/{chat_id}/participants/2", {"role": "owner"}),
    "remove": ("DELETE", "/chats/{chat_id}/participants/2", None),
    "leave": ("POST", "/chats/{chat_id}/leave", {}),
    "send": ("POST", "/chat-messages", {"content": "a last word"}),
}


@pytest.mark.parametrize("what", CHANGES)
@pytest.mark.parametrize("loss", ["blocked", "expired"])
async def test_a_change_that_waits_in_the_journal_is_refused_once_its_author_is_out(
    serve, monkeypatch, what, loss
):
    """Every kind of change asks for the author's token again when its turn comes."""
    clock = MovableClock()
    async with serve(**generous(), clock=clock) as chat:
        chat_id = await chat.create_chat([1, 2, 3])
        for owner in (1, 3):
            path = f"/chats/{chat_id}/participants/{owner}"
            await host(chat, "PATCH", path, {"role": "owner"})
        token = chat.token(1, valid_s=60)
        ada = await chat.connect(token=token)
        (message,) = await say(ada, chat_id, "hi")
        held = Held(monkeypatch, MongoChats, "put_participant")
        path = f"/chats/{chat_id}/participants"
        adding = asyncio.ensure_future(host(chat, "POST", path, {"userIds": [4]}))
        await held.reached()
        method, path, body = CHANGES[what]
        path = path.format(chat_id=chat_id, message_id=message["id"])
        if what == "send":
            body = {**body, "chatId": chat_id}
        headers = {"Authorization": f"Bearer {token}"}
        asking = asyncio.ensure_future(chat.request(method, path, None, json=body, headers=headers))
        state = chat.app.domain.states.loaded(chat_id)
        await eventually(lambda: state.pending == 2)
        losing = asyncio.ensure_future(lose(loss, chat, chat_id, clock))
        if loss == "blocked":
            await gone(ada)
        held.go_on.set()
        await losing
        await adding
        assert (await asking).code == CODES[loss]
        # The last number is that of the newcomer whom the host added.
        assert state.participants_seq == state.head


async def test_a_block_is_answered_behind_the_message_that_has_its_number_already(
    serve, monkeypatch
):
    """What was numbered before the block is pushed before the block is answered, and not after."""
    async with serve() as chat:
        chat_id = await chat.create_chat([1, 2])
        ada = await chat.connect(1)
        held = Held(monkeypatch, MongoMessages, "insert")
        payload = {"chatId": chat_id, "content": "hi"}
        sending = asyncio.ensure_future(chat.request("POST", "/chat-messages", 1, json=payload))
        await held.reached()
        blocking = asyncio.ensure_future(host(chat, "POST", "/admin/users/1/block", {}))
        await gone(ada)
        await host(chat, "GET", "/admin/stats")
        assert not blocking.done()
        held.go_on.set()
        await blocking
        assert (await sending).status == 201


@pytest.mark.parametrize("loss", ["blocked", "removed"])
async def test_a_read_mark_that_is_being_stored_is_not_pushed_once_its_author_is_out(
    serve, monkeypatch, loss
):
    """`messageRead` tells nothing of somebody who was put out meanwhile."""
    async with serve(**generous()) as chat:
        chat_id = await chat.create_chat([1, 2])
        grace = await chat.connect(2, join=chat_id)
        (message,) = await say(grace, chat_id, "hi")
        held = Held(monkeypatch, MongoChats, "set_reads")
        path, body = f"/chats/{chat_id}/read", {"messageId": message["id"]}
        reading = asyncio.ensure_future(chat.request("POST", path, 1, json=body))
        await held.reached()
        await lose(loss, chat, chat_id, None)
        held.go_on.set()
        assert (await reading).code == CODES[loss]
        await grace.settle()
        assert grace.of("messageRead") == []


@pytest.mark.parametrize("loss", ["blocked", "expired"])
async def test_a_chat_is_not_made_by_somebody_who_is_out_when_the_store_is_asked(
    serve, monkeypatch, loss
):
    """Making a chat has no number to wait for; it asks for the author's token before it writes."""
    clock = MovableClock()
    async with serve(clock=clock) as chat:
        held = Held(monkeypatch, MongoIds, "reserve")
        headers = {"Authorization": f"Bearer {chat.token(1, valid_s=60)}"}
        body = {"type": "group", "participantIds": [2]}
        making = asyncio.ensure_future(
            chat.request("POST", "/chats", None, json=body, headers=headers)
        )
        await held.reached()
        await lose(loss, chat, 0, clock)
        held.go_on.set()
        assert (await making).code == CODES[loss]
        assert (await chat.request("GET", "/chats", 2)).data == []


# ---- what is in memory and what is not


async def test_a_refreshed_token_keeps_the_rooms_of_chats_that_are_out_of_memory(
    serve, monkeypatch
):
    """That a chat is not loaded says nothing about who is in it."""
    monkeypatch.setattr("chat.services.chat_states.MAX_STATES", 1)
    async with serve(**generous()) as chat:
        chat_id, other = await chat.create_chat([1, 2]), await chat.create_chat([2, 3])
        ada, grace = await chat.connect(1, join=chat_id), await chat.connect(2)
        await host(chat, "GET", f"/chats/{other}")
        assert (await ada.call("authenticate", {"token": chat.token(1)}))["success"]
        await say(grace, chat_id, "hi")
        assert (await ada.next("newMessage"))["message"]["message"] == "hi"


async def test_who_is_no_admin_any_more_leaves_the_rooms_of_others_and_is_told(serve, monkeypatch):
    """Rooms of chats with a seat are kept, whether they are in memory or not."""
    monkeypatch.setattr("chat.services.chat_states.MAX_STATES", 1)
    async with serve(**generous()) as chat:
        own, foreign = await chat.create_chat([1, 2]), await chat.create_chat([2, 3])
        ada, grace = await chat.connect(1, "admin", join=own), await chat.connect(2)
        assert (await ada.call("joinChat", {"chatId": foreign}))["success"]
        tab = await chat.connect(1, "admin", join=foreign)
        assert (await ada.call("authenticate", {"token": chat.token(1)}))["success"]
        await say(grace, foreign, "not for you")
        await say(grace, own, "for you")
        assert (await tab.next("newMessage"))["message"]["message"] == "not for you"
        await ada.settle()
        assert [each["message"]["message"] for each in ada.of("newMessage")] == ["for you"]
        assert ada.of("removedFromChat") == [{"chatId": foreign, "reason": "removed"}]
        assert tab.of("removedFromChat") == []


async def test_a_demotion_of_an_admin_that_cannot_be_looked_into_is_retryable(serve, monkeypatch):
    """Where the store is away, the socket keeps its identity and its rooms, and may ask again."""
    monkeypatch.setattr("chat.services.chat_states.MAX_STATES", 1)
    async with serve(**generous()) as chat:
        chat_id, other = await chat.create_chat([1, 2]), await chat.create_chat([2, 3])
        ada = await chat.connect(1, "admin", join=chat_id)
        await host(chat, "GET", f"/chats/{other}")

        async def away(*_):
            raise ChatError(ErrorCode.STORAGE_UNAVAILABLE, "away")

        with monkeypatch.context() as patch:
            patch.setattr(MongoChats, "find", away)
            refused = await ada.call("authenticate", {"token": chat.token(1)})
        assert refused["error"]["code"] == "STORAGE_UNAVAILABLE"
        assert (await ada.call("authenticate"))["data"]["user"]["type"] == "admin"
        answer = await ada.call("authenticate", {"token": chat.token(1)})
        assert answer["data"]["user"]["type"] == "employee"
        assert (await chat.request("GET", f"/chats/{chat_id}", *HOST)).status == 200
