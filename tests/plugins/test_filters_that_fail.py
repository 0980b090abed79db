"""A filter that fails: whom its failures count against, and what passes while it is off."""

import asyncio
from datetime import UTC, datetime

import pytest

from chat.errors import ChatError, ErrorCode
from chat.hooks import calls as hook_calls
from chat.hooks.calls import FAILURES_UNTIL_OFF, MAX_BLAMED, OFF_FOR_S, USERS_UNTIL_OFF
from chat.hooks.manager import PluginManager
from chat.plugin_api import (
    Message,
    MessageDraft,
    MessageEvent,
    Plugin,
    Shutdown,
    after_message_created,
    before_message_send,
    hookimpl,
    shutdown,
)
from tests.support.delivery.chats import all_messages, host
from tests.support.gateway.servers import generous

pytestmark = pytest.mark.expects_errors
NOW = datetime(2025, 10, 9, tzinfo=UTC)


def created(sender_id):
    message = Message(
        id=1, chat_id=1, seq=1, updated_seq=1, revision=1, sender_id=sender_id,
        sender_type="employee", message="hi", client_message_id=None, reply_to=None, metadata=None,
        created_at=NOW, updated_at=NOW,
    )  # fmt: skip
    return MessageEvent(message=message)


@pytest.fixture
def clock(monkeypatch):
    """The breaker's clock, in the test's hands."""
    now = [1000.0]
    monkeypatch.setattr(hook_calls, "_now", lambda: now[0])
    return now


class Moderation(Plugin):
    """Hangs over messages that say "slow", as one does that asks a service about them."""

    name = "moderation"

    def __init__(self):
        super().__init__()
        self.asked = []

    async def check(self, draft: MessageDraft) -> None:
        self.asked.append(draft.content)
        if "slow" in draft.content:
            await asyncio.Event().wait()


class Closed(Moderation):
    @hookimpl(before_message_send, timeout_s=0.02)
    async def run(self, draft: MessageDraft) -> None:
        await self.check(draft)


class Open(Moderation):
    @hookimpl(before_message_send, timeout_s=0.02, on_error="open")
    async def run(self, draft: MessageDraft) -> None:
        await self.check(draft)


async def ask(manager, user_id, content="slow"):
    """The refusal of a message of that user, None where it passes."""
    try:
        draft = MessageDraft(chat_id=1, sender_id=user_id, sender_type="employee", content=content)
        await manager.filter(before_message_send, draft)
    except ChatError as error:
        return error
    return None


@pytest.mark.parametrize("door", ["socket", "rest"])
async def test_a_sender_does_not_switch_a_filter_off_by_making_it_hang(serve, door):
    """Five time-outs that one user causes: the sixth message of this user is refused, and those of
    others are asked about as ever."""
    plugin = Closed()
    async with serve(**generous(plugin)) as chat:
        chat_id = await chat.create_chat([1, 2])
        ada, grace = await chat.connect(1), await chat.connect(2)

        async def say(client, user_id, content):
            payload = {"chatId": chat_id, "content": content}
            if door == "socket":
                return (await client.call("sendMessage", payload)).get("error"), None
            answer = await chat.request("POST", "/chat-messages", user_id, json=payload)
            return answer.body.get("error"), answer.headers.get("Retry-After")

        for _ in range(FAILURES_UNTIL_OFF):
            error, _ = await say(ada, 1, "slow and rude")
            assert error["code"] == "PLUGIN_ERROR"
        error, retry_after = await say(ada, 1, "rude")
        assert (error["code"], error["retryable"]) == ("PLUGIN_ERROR", True)
        assert 25 < error["retryAfter"] <= OFF_FOR_S
        assert door == "socket" or 25 < int(retry_after) <= OFF_FOR_S
        assert "rude" not in plugin.asked
        assert (await say(grace, 2, "polite"))[0] is None
        assert plugin.asked[-1] == "polite"
        assert [each["message"] for each in await all_messages(chat, chat_id)] == ["polite"]
        (about,) = [
            hook
            for each in await host(chat, "GET", "/admin/plugins")
            for hook in each["hooks"]
            if each["name"] == "moderation"
        ]
        assert about == {
            "hook": "before_message_send",
            "failures": FAILURES_UNTIL_OFF,
            "off": False,
            "usersOff": 1,
        }


async def test_a_user_is_asked_about_again_after_the_pause(clock):
    """And the count of this user starts anew."""
    plugin = Closed()
    manager = PluginManager([plugin])
    for _ in range(FAILURES_UNTIL_OFF):
        await ask(manager, 1)
    assert (await ask(manager, 1, "hi")).retry_after_s == OFF_FOR_S
    clock[0] += OFF_FOR_S - 1
    assert (await ask(manager, 1, "hi")).retry_after_s == 1
    clock[0] += 1
    assert (await ask(manager, 1)).retry_after_s is None
    assert len(plugin.asked) == FAILURES_UNTIL_OFF + 1
    assert await ask(manager, 1, "hi") is None


async def test_a_success_of_the_user_starts_the_count_of_the_user_anew(clock):
    """A success of somebody else does not."""
    manager = PluginManager([Closed()])
    for _ in range(FAILURES_UNTIL_OFF - 1):
        await ask(manager, 1)
        assert await ask(manager, 2, "hi") is None
    assert await ask(manager, 1, "hi") is None
    for _ in range(FAILURES_UNTIL_OFF):
        assert (await ask(manager, 1)).retry_after_s is None
        assert await ask(manager, 2, "hi") is None
    assert (await ask(manager, 1, "hi")).retry_after_s == OFF_FOR_S


async def test_a_closed_filter_that_fails_for_several_users_refuses_everybody(clock, log):
    """Five failures in a row of three users are the plugin's own fault; for 30 s nothing passes."""
    plugin = Closed()
    manager = PluginManager([plugin])
    for user_id in (1, 2, 3, 1, 2):
        assert (await ask(manager, user_id)).retry_after_s is None
    refused = await ask(manager, 99, "hi")
    assert (refused.code, refused.retry_after_s) == (ErrorCode.PLUGIN_ERROR, OFF_FOR_S)
    assert "hi" not in plugin.asked
    assert manager.impls()[0].off
    assert [each["event"] for each in log.entries].count("hook_switched_off") == 1
    clock[0] += OFF_FOR_S
    assert await ask(manager, 99, "hi") is None
    assert not manager.impls()[0].off


async def test_an_open_filter_that_is_off_lets_everything_pass(clock):
    """It is not asked, for one user or for all."""
    plugin = Open()
    manager = PluginManager([plugin])
    for _ in range(FAILURES_UNTIL_OFF):
        assert await ask(manager, 1) is None
    assert await ask(manager, 1, "hi") is None
    assert "hi" not in plugin.asked
    assert await ask(manager, 2, "hi") is None
    assert plugin.asked[-1] == "hi"
    for user_id in (3, 4, 5, 6, 7):
        assert await ask(manager, user_id) is None
    asked = len(plugin.asked)
    assert await ask(manager, 8, "hi") is None
    assert len(plugin.asked) == asked


async def test_fewer_users_than_three_never_switch_a_filter_off_for_others(clock):
    """However often they fail."""
    manager = PluginManager([Closed()])
    for _ in range(3 * FAILURES_UNTIL_OFF):
        for user_id in range(USERS_UNTIL_OFF - 1):
            await ask(manager, user_id)
    assert not manager.impls()[0].off
    assert await ask(manager, 99, "hi") is None


async def test_users_whose_calls_fail_are_remembered_up_to_a_number(clock):
    """More than that push the first of them out, and after the pause they are forgotten."""

    class Broken(Plugin):
        name = "broken"
        works = False

        @hookimpl(before_message_send)
        async def run(self, draft: MessageDraft) -> None:
            if not self.works and draft.sender_id:
                raise RuntimeError

    plugin = Broken()
    manager = PluginManager([plugin])
    (impl,) = manager.impls()
    for user_id in range(1, MAX_BLAMED + 50):
        for _ in range(FAILURES_UNTIL_OFF):
            assert await ask(manager, user_id)
        assert await ask(manager, 0) is None  # so that the plugin itself stays on
    assert impl.users_off == MAX_BLAMED
    plugin.works = True
    clock[0] += OFF_FOR_S
    assert await ask(manager, 1) is None
    assert (impl.users_off, impl.troubled) == (0, False)


async def test_notices_of_one_user_do_not_deafen_a_plugin(clock):
    """What a user's messages break, this user's messages are no longer told for a while."""
    heard = []

    class Index(Plugin):
        name = "index"

        @hookimpl(after_message_created)
        async def run(self, event: MessageEvent) -> None:
            heard.append(event.message.sender_id)
            if event.message.sender_id == 1:
                raise RuntimeError

    manager = PluginManager([Index()])
    for sender_id in (*[1] * (FAILURES_UNTIL_OFF + 2), 2):
        manager.notify_soon(after_message_created, created(sender_id))
        await manager.drain()
    assert heard == [*[1] * FAILURES_UNTIL_OFF, 2]


async def test_failures_that_nobody_caused_count_against_the_plugin(clock):
    """A notice without a user switches the hook off after five."""
    heard = []

    class Ends(Plugin):
        name = "ends"

        @hookimpl(shutdown)
        async def run(self, _event: Shutdown) -> None:
            heard.append(1)
            raise RuntimeError

    manager = PluginManager([Ends()])
    for _ in range(FAILURES_UNTIL_OFF + 2):
        manager.notify_soon(shutdown, Shutdown())
        await manager.drain()
    assert len(heard) == FAILURES_UNTIL_OFF
    assert manager.impls()[0].off
