"""What somebody wrote on the demo page survives the reload, the closed tab, and the dead server."""

import pytest
from playwright.async_api import expect

from tests.e2e.demo_page import NO_SERVER, demo_pages
from tests.e2e.no_shouting import NoShouting
from tests.e2e.servers import free_port
from tests.support.server_process import server_process

STORED = """async () => {
  const database = await new Promise((done) => {
    indexedDB.open('chatgateway').onsuccess = (event) => done(event.target.result);
  });
  const entries = database.transaction('entries').objectStore('entries');
  return new Promise((done) => {
    entries.getAll().onsuccess = (event) => done(JSON.stringify(event.target.result));
  });
}"""
SESSION = "() => JSON.parse(sessionStorage.getItem('chatgateway.session'))"
NO_STORAGE = """
const deny = () => { throw new DOMException('denied', 'SecurityError'); };
for (const name of ['indexedDB', 'sessionStorage', 'localStorage']) {
  Object.defineProperty(window, name, { get: deny });
}
LockManager.prototype.request = async () => deny();
window.BroadcastChannel = class { constructor() { deny(); } };
"""
FULL_STORAGE = """
const full = () => { throw new DOMException('full', 'QuotaExceededError'); };
Storage.prototype.setItem = full;
IDBObjectStore.prototype.put = full;
"""
WOULD_WARN = "() => !window.dispatchEvent(new Event('beforeunload', { cancelable: true }))"


class Line:
    """The connection of a tab; what the tab sends or hears can be lost on the way."""

    def __init__(self):
        self.loses_sends = False
        self.loses_answers = False

    def carry(self, page_side):
        server_side = page_side.connect_to_server()

        def up(frame):
            if not (self.loses_sends and "clientMessageId" in frame):
                server_side.send(frame)

        def down(frame):
            if not (self.loses_answers and "clientMessageId" in frame):
                page_side.send(frame)

        page_side.on_message(up)
        server_side.on_message(down)

    async def between(self, tab):
        await tab.page.route_web_socket("**/socket.io/**", self.carry)
        await tab.page.reload()


@pytest.mark.parametrize("lost", ["sends", "answers"])
async def test_a_message_that_was_pending_at_a_reload_is_stored_once(demo, lost):
    """Whether the message or its answer was lost: after the reload it is there, one time."""
    async with demo() as (_chat, pages):
        ada, line = await pages.open(), Line()
        await line.between(ada)
        await ada.sign_in("Ada")
        line.loses_sends, line.loses_answers = lost == "sends", lost == "answers"
        await ada.write("first")
        await ada.write("second")
        await expect(ada.messages).to_have_count(2)
        await expect(ada.messages.last).to_have_attribute("data-state", "pending")
        assert "first" in await ada.page.evaluate(STORED)

        line.loses_sends = line.loses_answers = False
        await ada.page.reload()
        grace = await pages.open()
        await grace.sign_in("Grace")
        for page in (ada, grace):
            await page.expect_texts(["first", "second"])
            await expect(page.messages.last).to_have_attribute("data-state", "stored")
        assert await ada.page.evaluate(STORED) == "[]"


async def test_a_message_that_was_refused_is_still_there_after_a_reload(demo):
    """It says why it was not sent, and can be discarded."""
    async with demo(plugins=[NoShouting()]) as (_chat, pages):
        ada = await pages.open()
        await ada.sign_in("Ada")
        await ada.write("HELLO")
        await expect(ada.messages.last).to_have_attribute("data-state", "failed")
        await ada.page.reload()
        await ada.expect_connection("online")
        await expect(ada.page.get_by_test_id("message-failed")).to_contain_text("not so loud")
        await ada.page.get_by_text("Discard").click()
        await ada.page.reload()
        await ada.expect_connection("online")
        await ada.say("hello")
        await ada.expect_texts(["hello"])


async def test_another_tab_sends_what_a_closed_one_left(demo):
    """One tab sends for both; when it is closed before it could, the other one does."""
    async with demo() as (_chat, pages):
        first, line = await pages.open(), Line()
        await line.between(first)
        await first.sign_in("Ada")
        second = await pages.open_beside(first)
        await second.sign_in("Ada")
        await second.say("through the first tab")
        line.loses_sends = True
        await second.write("left behind")
        for tab in (first, second):
            await expect(tab.messages.last).to_have_attribute("data-state", "pending")
        await first.page.close()
        await expect(second.messages.last).to_have_attribute("data-state", "stored")
        await second.page.reload()
        await second.expect_texts(["through the first tab", "left behind"])


async def test_the_tab_that_somebody_looks_at_takes_over_from_a_stuck_one(demo):
    """The tab that sends for both may be asleep: coming into view is enough to send."""
    async with demo() as (_chat, pages):
        first, line = await pages.open(), Line()
        await line.between(first)
        await first.sign_in("Ada")
        second = await pages.open_beside(first)
        await second.sign_in("Ada")
        line.loses_sends = True
        await second.write("seen at last")
        await expect(first.messages.last).to_have_attribute("data-state", "pending")
        await second.page.evaluate(
            "() => document.dispatchEvent(new Event('visibilitychange', { bubbles: true }))"
        )
        for tab in (first, second):
            await expect(tab.messages.last).to_have_attribute("data-state", "stored")


async def test_the_next_user_of_the_browser_gets_nothing_of_it(demo):
    """Unsent messages and drafts wait for the user who wrote them; no token is stored with them."""
    async with demo() as (_chat, pages):
        tab, line = await pages.open(), Line()
        await line.between(tab)
        await tab.sign_in("Ada")
        token = (await tab.page.evaluate(SESSION))["token"]
        line.loses_sends = True
        await tab.write("Ada's message")
        await tab.input.fill("Ada's draft")
        await expect(tab.messages.last).to_have_attribute("data-state", "pending")
        assert token not in await tab.page.evaluate(STORED)
        await tab.page.get_by_test_id("sign-out").click()
        line.loses_sends = False

        await tab.sign_in("Grace")
        await tab.say("Grace's message")
        await tab.expect_texts(["Grace's message"])
        await expect(tab.input).to_have_value("")
        await tab.page.get_by_test_id("sign-out").click()

        await tab.sign_in("Ada")
        await tab.expect_texts(["Grace's message", "Ada's message"])
        await expect(tab.input).to_have_value("Ada's draft")


async def test_a_draft_stays_with_its_chat(demo):
    """It is there again after another chat was open and after a reload, until it is sent."""
    async with demo() as (chat, pages):
        made = await chat.request("POST", "/demo/token", None, json={"name": "Ada"})
        bearer = {"Authorization": f"Bearer {made.data['token']}"}
        body = {"participantIds": [made.data["user"]["id"]], "title": "Notes"}
        await chat.request("POST", "/chats", None, json=body, headers=bearer)
        ada = await pages.open()
        await ada.sign_in("Ada")
        await expect(ada.page.get_by_role("heading", level=1)).to_have_text("Welcome")
        await ada.input.fill("half a thou")
        await ada.page.get_by_role("button", name="Notes").click()
        await expect(ada.page.get_by_role("heading", level=1)).to_have_text("Notes")
        await expect(ada.input).to_have_value("")
        await ada.page.reload()
        await ada.expect_connection("online")
        await ada.page.get_by_role("button", name="Welcome").click()
        await expect(ada.input).to_have_value("half a thou")
        await ada.say("half a thought")
        await ada.page.reload()
        await ada.expect_texts(["half a thought"])
        await expect(ada.input).to_have_value("")


@pytest.mark.parametrize("storage", [NO_STORAGE, FULL_STORAGE], ids=["forbidden", "full"])
async def test_a_browser_without_storage_shows_the_whole_page(demo, storage):
    """Signing in, writing, drafts and signing out work; closing it with unsent messages warns."""
    async with demo() as (_chat, pages):
        ada, grace, line = await pages.open(), await pages.open(), Line()
        await ada.page.add_init_script(storage)
        await line.between(ada)
        await ada.sign_in("Ada")
        await grace.sign_in("Grace")
        await ada.say("without storage")
        await grace.expect_texts(["without storage"])
        await ada.input.fill("a draft")
        assert await ada.page.evaluate(WOULD_WARN) is False
        await ada.page.get_by_test_id("sign-out").click()
        await ada.sign_in("Ada")
        await expect(ada.input).to_have_value("a draft")

        line.loses_sends = True
        await ada.write("only in memory")
        await expect(ada.messages.last).to_have_attribute("data-state", "pending")
        await ada.page.wait_for_function(WOULD_WARN)


@pytest.mark.parametrize("entry", ["{", '"text"', "[]", '{"token": 5}', "null"])
async def test_a_damaged_session_is_none(demo, entry):
    """The page asks who one is, as if there were no session."""
    async with demo() as (_chat, pages):
        ada = await pages.open()
        await ada.page.evaluate(
            "(entry) => sessionStorage.setItem('chatgateway.session', entry)", entry
        )
        await ada.page.reload()
        await ada.sign_in("Ada")


async def test_a_server_killed_while_somebody_writes_loses_and_doubles_nothing(chromium, tmp_path):
    """Twenty messages written around a SIGKILL are there once each, in their order."""
    texts = [f"message {number}" for number in range(1, 21)]
    port = free_port()
    allowed = (*NO_SERVER, "Failed to load resource")
    demo = {"JWT_SECRET": None}
    async with (
        chromium() as browser,
        server_process(tmp_path, port, **demo) as server,
        demo_pages(browser, server.url, allowed=allowed) as pages,
    ):
        ada, grace = await pages.open(), await pages.open()
        await ada.sign_in("Ada")
        await grace.sign_in("Grace")
        for text in texts[:10]:
            await ada.write(text)
        server.kill()
        for text in texts[10:]:
            await ada.write(text)
        await server.process.wait()
        async with server_process(tmp_path, port, **demo):
            await ada.page.reload()
            for page in (ada, grace):
                await page.expect_connection("online")
                await expect(page.texts).to_have_text(texts, timeout=20_000)
