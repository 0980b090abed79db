"""What fails around the demo page for a while: the token endpoint, and a proxy on the way."""

import time
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import expect

from tests.e2e.demo_page import demo_pages
from tests.support.waiting import eventually

BROWSERS_OWN_WORDS = ("Failed to load resource", "WebSocket connection to")
SESSION = "() => JSON.parse(sessionStorage.getItem('chatgateway.session'))"
BAD_GATEWAY = "<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"
TWICE = """async (token) => {
  const { ChatClient } = await import('/static/chat-client.js');
  window.client = new ChatClient({ getToken: () => token });
  const online = new Promise((done) => {
    client.on('state', ({ state }) => state === 'online' && done());
  });
  client.connect();
  client.connect();
  await online;
  client.connect();
}"""
AT_ONCE = """async (token) => {
  const { ChatClient } = await import('/static/chat-client.js');
  window.states = [];
  for (const wait of [0, 1, 5, 20, 50]) {
    const client = new ChatClient({ getToken: () => token });
    client.on('state', ({ state }) => window.states.push(state));
    client.connect();
    await new Promise((done) => setTimeout(done, wait));
    client.disconnect();
  }
}"""
FORTY = """async ([token, chatIds]) => {
  const { ChatClient } = await import('/static/chat-client.js');
  const client = new ChatClient({ getToken: () => token });
  window.joined = new Set();
  client.on('history', ({ chatId }) => joined.add(chatId));
  chatIds.forEach((chatId) => client.open(chatId));
  client.connect();
}"""


class TokenEndpoint:
    """Plays demo mode's two routes for one user; what it does next is in `answers`."""

    def __init__(self, chat):
        self.chat = chat
        self.answers = []
        self.asked = 0

    def token(self, valid_s=3600):
        return self.chat.token(1, name="Ada", valid_s=valid_s)

    async def between(self, tab):
        await tab.page.route("**/demo", lambda route: route.fulfill(json=self._good(users=[])))
        await tab.page.route("**/demo/token", self._answer)
        await tab.page.route(tab.page.url, self._give_the_page)
        await tab.page.reload()

    async def _give_the_page(self, route):
        """As a server in demo mode gives it."""
        page = await route.fetch()
        text = (await page.text()).replace('content="off"', 'content="on" ')
        await route.fulfill(response=page, body=text)

    async def _answer(self, route):
        self.asked += 1
        answer = self.answers.pop(0) if self.answers else self.token()
        if answer == "aborted":
            await route.abort()
        elif answer == "503":
            await route.fulfill(status=503, body="<html>busy</html>")
        elif answer != "hangs":
            await route.fulfill(json=self._good(token=answer, chatId=1, user={"id": 1}))

    def _good(self, **data):
        if "user" in data:
            data["user"]["name"] = "Ada"
        return {"success": True, "data": data}


@pytest.fixture
def one_tab(serve, chromium):
    """`async with one_tab() as (chat, tab, endpoint):` a page with the test's token endpoint."""

    @asynccontextmanager
    async def open_tab():
        async with (
            serve() as chat,
            chromium() as browser,
            demo_pages(browser, chat.url, allowed=BROWSERS_OWN_WORDS) as pages,
        ):
            await chat.create_chat([1, 2], title="Orders")
            tab, endpoint = await pages.open(), TokenEndpoint(chat)
            await endpoint.between(tab)
            yield chat, tab, endpoint

    return open_tab


async def sign_in(tab):
    await tab.page.get_by_test_id("name-input").fill("Ada")
    await tab.page.get_by_test_id("sign-in-button").click()


@pytest.mark.parametrize("failures", [["aborted", "503"], ["hangs"]], ids=["fails", "hangs"])
async def test_a_token_endpoint_that_is_away_for_a_while_signs_nobody_out(one_tab, failures):
    """The session has expired, and no token can be had at first: the page says so and waits."""
    async with one_tab() as (_chat, tab, endpoint):
        endpoint.answers = [endpoint.token(valid_s=-60), *failures]
        await sign_in(tab)
        await expect(tab.toast).to_have_attribute("data-code", "AUTH_UNAVAILABLE", timeout=15_000)
        assert await tab.page.evaluate(SESSION) is not None
        await tab.expect_connection("online")
        await tab.say("still here")
        assert endpoint.asked == 2 + len(failures)


async def test_a_token_that_ends_is_renewed_though_the_first_try_fails(one_tab):
    """What is written meanwhile is stored, and the connection is never lost."""
    async with one_tab() as (_chat, tab, endpoint):
        endpoint.answers = [endpoint.token(valid_s=3), "503", "aborted"]
        ended_at = time.monotonic() + 3
        await sign_in(tab)
        await tab.expect_connection("online")
        while time.monotonic() < ended_at:
            await tab.say(f"at {time.monotonic()}")
        await tab.say("after the end of the first token")
        # Once at the start, twice in vain, once with success; a slow machine renews once more.
        assert endpoint.asked >= 4
        assert await tab.page.get_by_text("Connected", exact=True).is_visible()


async def test_an_endpoint_that_gives_the_expired_token_again_signs_out_in_the_end(one_tab):
    """Three tries, then the page says what the server said."""
    async with one_tab() as (_chat, tab, endpoint):
        expired = endpoint.token(valid_s=-60)
        endpoint.answers = [expired] * 10
        await sign_in(tab)
        problem = tab.page.get_by_test_id("sign-in-error")
        await expect(problem).to_have_attribute("data-code", "TOKEN_EXPIRED", timeout=15_000)


async def test_a_page_behind_a_proxy_says_why_there_is_no_demo(serve_demo, chromium):
    """The server gives no demo tokens through a proxy, and is not called away for that."""
    async with (
        serve_demo() as chat,
        chromium() as browser,
        demo_pages(browser, chat.url, allowed=BROWSERS_OWN_WORDS) as pages,
    ):
        tab = await pages.open()
        await tab.page.set_extra_http_headers({"X-Forwarded-For": "203.0.113.7"})
        await tab.page.reload()
        problem = tab.page.get_by_test_id("sign-in-error")
        await expect(problem).to_have_attribute("data-code", "FORBIDDEN")
        await expect(problem).to_contain_text("on this machine")


async def test_a_proxys_502_does_not_blank_a_chat(one_tab):
    """The page of a proxy in place of the history is asked past; nothing is told to the user."""
    async with one_tab() as (chat, tab, _endpoint):
        await chat.request("POST", "/chat-messages", 1, json={"chatId": 1, "content": "old"})
        answered = []

        async def bad_gateway(route):
            answered.append(route.request.url)
            if len(answered) <= 2:
                return await route.fulfill(status=502, content_type="text/html", body=BAD_GATEWAY)
            return await route.continue_()

        await tab.page.route("**/chat-messages?*", bad_gateway)
        await sign_in(tab)
        await tab.expect_texts(["old"])
        await tab.say("new")
        assert len(answered) == 3
        await expect(tab.toast).to_have_count(0)


async def test_a_chat_whose_history_fails_for_long_comes_back_by_itself(one_tab):
    """Five answers of a proxy in a row end the request, not the following of the chat."""
    async with one_tab() as (chat, tab, _endpoint):
        await chat.request("POST", "/chat-messages", 1, json={"chatId": 1, "content": "old"})
        answered = []

        async def bad_gateway(route):
            answered.append(route.request.url)
            if len(answered) <= 6:
                return await route.fulfill(status=502, content_type="text/html", body=BAD_GATEWAY)
            return await route.continue_()

        await tab.page.route("**/chat-messages?*", bad_gateway)
        await sign_in(tab)
        await expect(tab.texts).to_have_text(["old"], timeout=30_000)


async def test_an_edit_or_deletion_without_a_connection_is_refused_aloud(one_tab):
    """A toast says that nothing was changed, and the edited text stays in its field."""
    async with one_tab() as (_chat, tab, _endpoint):
        await sign_in(tab)
        await tab.say("first")
        await tab.page.context.set_offline(True)
        await tab.expect_connection("offline")
        await tab.open_actions("first")
        await tab.page.get_by_test_id("edit-message").click()
        await tab.page.get_by_test_id("edit-input").fill("second")
        await tab.page.get_by_test_id("save-edit").click()
        await expect(tab.toast).to_contain_text("was not edited")
        await expect(tab.page.get_by_test_id("edit-input")).to_have_value("second")
        await tab.page.context.set_offline(False)
        await tab.expect_connection("online")
        await tab.page.get_by_test_id("save-edit").click()
        await tab.expect_texts(["second"])


async def test_connect_twice_is_one_socket_and_disconnect_ends_it(one_tab):
    """With the official socket library: the server sees one, and then none."""
    async with one_tab() as (chat, tab, endpoint):
        await tab.page.evaluate(TWICE, endpoint.token())
        assert len(chat.app.gateway.get_user_sockets(1)) == 1
        await tab.page.evaluate("() => client.disconnect()")
        await eventually(lambda: chat.app.gateway.get_user_sockets(1) == [])
        await tab.page.evaluate(AT_ONCE, endpoint.token())
        assert (await tab.page.evaluate("() => states")).count("closed") == 5
        await eventually(lambda: chat.app.gateway.get_user_sockets(1) == [])


async def test_forty_open_chats_are_all_joined_in_the_end(one_tab, monkeypatch):
    """The server lets thirty joins in at once; the others are tried again."""
    monkeypatch.setenv("CHAT_RATE_LIMIT_JOIN_BURST", "30")
    async with one_tab() as (chat, tab, endpoint):
        chat_ids = [await chat.create_chat([1], title=f"chat {number}") for number in range(40)]
        await tab.page.evaluate(FORTY, [endpoint.token(), chat_ids])
        await tab.page.wait_for_function("() => joined.size === 40", timeout=20_000)
