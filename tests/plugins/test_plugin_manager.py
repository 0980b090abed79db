"""The plugin manager: order, veto, change; what a failing plugin costs, and when it is switched
off."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from chat.errors import ChatError, ErrorCode
from chat.hooks.calls import FAILURES_UNTIL_OFF
from chat.hooks.manager import PluginManager
from chat.plugin_api import (
    Message,
    MessageDraft,
    MessageEvent,
    Plugin,
    Reject,
    after_message_created,
    before_message_send,
    hookimpl,
)
from tests.support.waiting import turns

DRAFT = MessageDraft(
    chat_id=1, sender_id=1, sender_type="employee", content="hi", client_message_id=None
)
NOW = datetime(2025, 10, 9, tzinfo=UTC)
CREATED = MessageEvent(
    message=Message(
        id=1, chat_id=1, seq=1, updated_seq=1, revision=1, sender_id=1, sender_type="employee",
        message="hi", client_message_id=None, reply_to=None, metadata=None, created_at=NOW,
        updated_at=NOW,
    )
)  # fmt: skip


def filtering(plugin_name, body, **options):
    """A plugin whose one filter does `body(draft)`."""

    class Filtering(Plugin):
        name = plugin_name

        @hookimpl(before_message_send, **options)
        async def run(self, draft):
            result = body(draft)
            return await result if asyncio.iscoroutine(result) else result

    return Filtering()


def hearing(plugin_name, body):
    """A plugin whose one notice does `body(event)`."""

    class Hearing(Plugin):
        name = plugin_name

        @hookimpl(after_message_created, timeout_s=0.05)
        async def run(self, event):
            result = body(event)
            if asyncio.iscoroutine(result):
                await result

    return Hearing()


def append(text):
    return lambda draft: replace(draft, content=draft.content + text)


def fail(_event):
    raise RuntimeError("broken")


async def hang(_event=None):
    await asyncio.Event().wait()


async def _code(manager):
    try:
        await manager.filter(before_message_send, DRAFT)
    except ChatError as error:
        return error.code
    return None


async def test_filters_run_in_the_order_of_registration_and_each_sees_the_changes_so_far():
    """What one plugin makes of the event is what the next is given."""
    names = ["c", "a", "b"]
    manager = PluginManager(filtering(name, append(name)) for name in names)
    assert list(manager.plugins) == names
    assert (await manager.filter(before_message_send, DRAFT)).content == "hicab"


async def test_none_leaves_the_event_as_it_is():
    """Not returning anything is not changing anything."""
    manager = PluginManager([filtering("a", lambda draft: None)])
    assert await manager.filter(before_message_send, DRAFT) is DRAFT


async def test_a_refusal_stops_the_chain():
    """The plugins behind the one that refused are not asked; the error is the plugin's own."""
    asked = []

    def refuse(_draft):
        raise Reject(ErrorCode.REJECTED, "no links, please")

    manager = PluginManager(
        [filtering("a", asked.append), filtering("b", refuse), filtering("c", asked.append)]
    )
    with pytest.raises(Reject, match="no links, please"):
        await manager.filter(before_message_send, DRAFT)
    assert asked == [DRAFT]


async def test_a_refusal_is_no_failure():
    """However often a plugin refuses, it stays on."""

    def refuse(_draft):
        raise Reject(ErrorCode.REJECTED, "no")

    manager = PluginManager([filtering("a", refuse)])
    codes = {await _code(manager) for _ in range(3 * FAILURES_UNTIL_OFF)}
    assert codes == {ErrorCode.REJECTED}
    assert manager.impls()[0].failures == 0


BAD_BODIES = pytest.mark.parametrize(
    "body",
    [
        pytest.param(fail, id="raises"),
        pytest.param(hang, id="hangs"),
        pytest.param(lambda draft: "hi", id="returns a string"),
        pytest.param(lambda draft: True, id="returns true"),
        pytest.param(lambda draft: CREATED, id="returns another event"),
        pytest.param(lambda draft: [draft], id="returns a list"),
    ],
)


@pytest.mark.expects_errors
@BAD_BODIES
async def test_a_failing_filter_refuses_the_action(body):
    """Closed is the default: moderation that crashed has not said yes. The cause is not told."""
    manager = PluginManager([filtering("moderation", body, timeout_s=0.05)])
    with pytest.raises(ChatError) as caught:
        await manager.filter(before_message_send, DRAFT)
    assert caught.value.code is ErrorCode.PLUGIN_ERROR
    assert "broken" not in caught.value.message
    assert manager.impls()[0].failures == 1


@pytest.mark.expects_errors
@BAD_BODIES
async def test_a_failing_filter_that_is_open_lets_the_action_pass(body):
    """With `on_error="open"` the event goes on as the plugin before left it."""
    manager = PluginManager(
        [
            filtering("a", append("a")),
            filtering("decoration", body, on_error="open", timeout_s=0.05),
            filtering("c", append("c")),
        ]
    )
    assert (await manager.filter(before_message_send, DRAFT)).content == "hiac"


@pytest.mark.expects_errors
async def test_a_failure_is_logged_with_its_plugin_and_hook(log):
    """The operator learns which plugin it is, and why."""
    manager = PluginManager([filtering("moderation", fail)])
    await _code(manager)
    (line,) = log.entries
    assert (line["event"], line["plugin"]) == ("hook_failed", "moderation")
    assert (line["hook"], line["error"]) == ("before_message_send", "RuntimeError")
    assert "broken" in line["exception"]


@pytest.mark.expects_errors
async def test_a_success_in_between_starts_the_count_anew():
    """A plugin that fails now and then is not switched off."""
    turns = iter([*[True] * 4, False] * 5)
    manager = PluginManager([filtering("a", lambda draft: fail(draft) if next(turns) else None)])
    codes = [await _code(manager) for _ in range(25)]
    assert codes == [*[ErrorCode.PLUGIN_ERROR] * 4, None] * 5


@pytest.mark.expects_errors
async def test_one_method_is_switched_off_and_not_its_plugin():
    """The other hooks of the same plugin go on."""
    heard = []

    class Half(Plugin):
        name = "half"

        @hookimpl(before_message_send)
        async def broken(self, draft):
            raise RuntimeError

        @hookimpl(after_message_created)
        async def works(self, event):
            heard.append(event)

    manager = PluginManager([Half()])
    for _ in range(FAILURES_UNTIL_OFF + 1):
        await _code(manager)
    manager.notify_soon(after_message_created, CREATED)
    await manager.drain()
    assert heard == [CREATED]


@pytest.mark.expects_errors
@pytest.mark.parametrize("body", [fail, hang])
async def test_a_failing_notice_is_felt_by_nobody(body):
    """The others hear of it all the same, in order, and the caller never raises."""
    heard = []
    manager = PluginManager(
        [
            hearing("a", lambda event: heard.append("a")),
            hearing("b", body),
            hearing("c", lambda event: heard.append("c")),
        ]
    )
    for _ in range(FAILURES_UNTIL_OFF + 1):
        manager.notify_soon(after_message_created, CREATED)
        await manager.drain()
    assert heard == ["a", "c"] * (FAILURES_UNTIL_OFF + 1)
    assert [impl.failures for impl in manager.impls()] == [0, FAILURES_UNTIL_OFF, 0]


async def test_a_plugin_does_not_hear_what_it_sent_itself():
    """Else a bot that answers messages would answer itself for ever."""
    heard = []
    manager = PluginManager(
        [
            hearing("bot", lambda event: heard.append("bot")),
            hearing("log", lambda event: heard.append("log")),
        ]
    )
    manager.notify_soon(after_message_created, replace(CREATED, origin="bot"))
    await manager.drain()
    assert heard == ["log"]
    manager = PluginManager([filtering("bot", append("!")), filtering("other", append("?"))])
    draft = await manager.filter(before_message_send, replace(DRAFT, origin="bot"))
    assert draft.content == "hi?"


async def test_notices_are_delivered_in_order_and_drain_waits_for_them():
    """`notify_soon` returns at once; nothing is lost at the end."""
    heard = []

    async def slow(event):
        await turns(1)
        heard.append(event.message.id)

    manager = PluginManager([hearing("a", slow)])
    for number in range(20):
        message = replace(CREATED.message, id=number)
        manager.notify_soon(after_message_created, replace(CREATED, message=message))
    assert heard == []
    await manager.drain()
    assert heard == list(range(20))


async def test_nobody_listening_is_known_before_an_event_is_made():
    """`has` lets a hot path skip the work."""
    manager = PluginManager([hearing("a", lambda event: None)])
    assert manager.has(after_message_created)
    assert not manager.has(before_message_send)
