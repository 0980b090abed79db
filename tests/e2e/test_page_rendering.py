"""What the log renders: only what changed, and never more than a bounded part of it."""

from contextlib import asynccontextmanager

import pytest

from tests.e2e.demo_page import demo_pages
from tests.e2e.log_harness import LogHarness

MOST = 500
# One page up: by how much the first message in view missed its new place, and what is in the DOM.
STEP_UP = """async () => {
  const e = log();
  const rows = [...document.querySelectorAll('[data-testid=message]')];
  const top = e.getBoundingClientRect().top;
  const row = rows.find((each) => each.getBoundingClientRect().bottom > top);
  const step = Math.min(e.clientHeight, e.scrollTop);
  const wanted = row.querySelector('.bubble').getBoundingClientRect().top + step;
  e.scrollTop -= step;
  for (let frame = 0; frame < 2; frame += 1) await new Promise(requestAnimationFrame);
  const now = document.querySelector(`[data-message-id="${row.dataset.messageId}"] .bubble`);
  const shown = [...document.querySelectorAll('[data-testid=message]')];
  const ids = shown.map((each) => Number(each.dataset.messageId));
  return [now.getBoundingClientRect().top - wanted, ids];
}"""

# Both in one frame. Answers where the log is then.
SCROLL_AND_SHOW_ONE_MORE = """async () => {
  log().scrollTop = 500;
  await show({ messages: [...props.messages, ...say(301, 301, 1)] });
  return log().scrollTop;
}"""


@pytest.fixture
def harness(serve, chromium):
    """`async with harness() as log:` the page's log, fed by the test."""

    @asynccontextmanager
    async def open_log():
        async with (
            serve() as chat,
            chromium() as browser,
            demo_pages(browser, chat.url) as pages,
        ):
            yield await LogHarness.open(pages)

    return open_log


async def rendered(log, act):
    before = await log.value("reads")
    await act
    return await log.value("reads") - before


async def test_one_incoming_message_renders_one_message(harness):
    """And the one before it if that is no longer the last of its group; none of the other 400."""
    async with harness() as log:
        await log.show("messages: say(1, 400)")
        assert await rendered(log, log.add("say(401, 401, 1)")) <= 2
        assert await rendered(log, log.add("say(402, 402, 1)")) <= 2
        assert await log.messages.count() == 402


async def test_what_does_not_concern_a_message_renders_none(harness):
    """Somebody else's reading, a new person, the connection: no message is rendered again."""
    async with harness() as log:
        await log.show("messages: say(1, 400)")
        for change in (
            "connection: 'reconnecting'",
            "reads: new Map([[1, 3]])",
            "outbox: [{ chatId: 2, clientMessageId: 'k', content: 'x', status: 'pending' }]",
            "messages: [...props.messages]",
            "people: [...props.people, { userId: 3, name: 'New' }]",
        ):
            assert await rendered(log, log.show(change)) == 0, change
        seen = "reads: new Map([[1, 400], [2, 400]])"
        assert await rendered(log, log.show(seen)) <= 1


async def test_the_dom_holds_a_bounded_part_of_a_long_chat(harness):
    """However many messages come, at most 500 are in the DOM, the newest when one is there."""
    async with harness() as log:
        await log.show("messages: say(1, 3000)")
        ids = await log.ids()
        assert len(ids) <= MOST
        assert ids[-1] == 3000
        for last in range(3_001, 3_250, 50):
            await log.add(f"say({last}, {last + 49}, 1)")
            ids = await log.ids()
            assert len(ids) <= MOST
            assert ids[-1] == last + 49
        assert await log.value("log().scrollHeight - log().scrollTop - log().clientHeight") < 2


async def test_scrolling_shows_every_message_and_keeps_the_place(harness):
    """Messages come and go at the far ends; the one in view stays where it is, up and down."""
    async with harness() as log:
        await log.show("messages: say(1, 1500)")
        seen = set(await log.ids())
        while 1 not in seen:
            moved_px, ids = await log.value(STEP_UP)
            assert abs(moved_px) < 3
            assert len(ids) <= MOST
            seen.update(ids)
        assert seen == set(range(1, 1_501))
        while 1_500 not in await log.ids():
            await log.scroll("e.scrollTop + 4 * e.clientHeight")


async def test_a_reader_further_up_is_not_moved_by_what_comes(harness):
    """New messages are counted on the button, which leads to the newest from anywhere."""
    async with harness() as log:
        await log.show("messages: say(1, 1200)")
        await log.scroll("e.clientHeight * 2")
        somewhere = (await log.ids())[30]
        before = await log.top_of(somewhere)
        await log.add("say(1201, 1700, 1)")
        assert abs(await log.top_of(somewhere) - before) < 1
        assert len(await log.ids()) <= MOST
        jump = log.page.get_by_test_id("jump-to-end")
        assert (await jump.inner_text()).strip() == "500 new messages"
        await jump.click()
        assert (await log.ids())[-1] == 1_700
        assert await log.value("log().scrollHeight - log().scrollTop - log().clientHeight") < 2


async def test_a_reader_who_just_scrolled_up_is_not_taken_back_by_what_comes(harness):
    """The place counts from the scroll on, although the browser reports it a frame later."""
    async with harness() as log:
        await log.show("messages: say(1, 300)")
        assert await log.value(SCROLL_AND_SHOW_ONE_MORE) == 500
        jump = log.page.get_by_test_id("jump-to-end")
        assert (await jump.inner_text()).strip() == "1 new message"


async def test_earlier_messages_that_are_loaded_leave_what_is_in_view_in_place(harness):
    """Also when the DOM is full: then later ones leave it."""
    async with harness() as log:
        await log.show("messages: say(1001, 1490), hasBefore: true")
        await log.scroll("0")
        before = await log.top_of(1_001)
        await log.show("messages: [...say(951, 1000), ...props.messages]")
        assert abs(await log.top_of(1_001) - before) < 3
        assert len(await log.ids()) <= MOST
        assert (await log.ids())[0] == 951


async def test_what_is_not_sent_yet_stays_in_the_dom(harness):
    """A failed message can be sent again however far up one reads."""
    async with harness() as log:
        await log.show("messages: say(1, 1200)")
        failed = "chatId: 1, clientMessageId: 'k', content: 'not sent', status: 'failed', error: {}"
        await log.show(f"outbox: [{{ {failed}, createdAt: new Date().toISOString() }}]")
        for _ in range(6):
            await log.scroll("0")
        assert 1_200 not in await log.ids()
        assert await log.page.get_by_test_id("retry-button").count() == 1


async def test_an_open_editor_does_not_leave_the_dom(harness):
    """What is being written into it would be lost."""
    async with harness() as log:
        await log.show("messages: say(1, 450, 0)")
        actions = log.page.get_by_test_id("message-actions").last
        await actions.focus()
        await log.page.keyboard.press("Enter")
        await log.page.get_by_test_id("edit-message").click()
        await log.page.get_by_test_id("edit-input").fill("half a sentence")
        await log.add("say(451, 700, 1)")
        await log.scroll("0")
        assert await log.page.get_by_test_id("edit-input").input_value() == "half a sentence"
