"""The guide's browser snippets, word for word, in Chromium on a page of another origin."""

import pytest

from tests.e2e import guide
from tests.e2e.console import Console
from tests.e2e.servers import ROOT, blank_site, server_process

CLIENT_4_5_4 = ROOT / "static/vendor/socket.io-4.5.4.min.js"


def listed(port):
    """The origin that CORS_ORIGINS names; `unlisted` is the same page by another name."""
    return f"http://127.0.0.1:{port}"


def unlisted(port):
    return f"http://localhost:{port}"


async def open_console(browser, url):
    """A console with the client loaded as in the guide; static/vendor stands in for its CDN."""
    page = await browser.new_page()
    await page.route(guide.GUIDE_CDN, lambda route: route.fulfill(path=CLIENT_4_5_4))
    console = await Console.open(page, url)
    await console.run(guide.LOAD_CLIENT)
    await page.wait_for_function("typeof io === 'function'")
    return console


@pytest.fixture
def in_browser(chromium, serve):
    """`await in_browser(body, origin)`: runs `body(chat, console)` on a page of that origin."""

    async def run(body, origin):
        async with blank_site() as port, serve(cors_origins=(listed(port),)) as chat:
            # The guide speaks of chat 1, which is the first chat of a new database.
            assert await chat.create_chat([1, 2]) == 1
            async with chromium() as browser:
                await body(chat, await open_console(browser, origin(port)))

    return run


async def test_the_browser_console_snippet_works_against_a_server_just_started(chromium, tmp_path):
    """Start it, get a token from the command line, paste the snippet: the page sees its message."""
    async with (
        blank_site() as port,
        server_process(tmp_path, CORS_ORIGINS=listed(port)) as server,
        chromium() as browser,
    ):
        token = await server.token("--user", "1", "--name", "Ada")
        snippet = guide.AFTER_SCRIPT_LOADS.replace(guide.GUIDE_URL, server.url)
        snippet = snippet.replace("your-token", token)

        console = await open_console(browser, listed(port))
        await console.run(snippet)
        await console.line("Connected")
        await console.run("socket.emit('sendMessage', { chatId: 1, content: 'Hello, world!' });")
        line = await console.line("Message:")
        pushed = await line.args[1].json_value()
        assert pushed["message"]["message"] == "Hello, world!"
        assert (pushed["chatId"], pushed["message"]["senderId"]) == (1, 1)

        stranger = await open_console(browser, unlisted(port))
        await stranger.run(snippet)
        await stranger.run("socket.on('connect_error', () => console.log('Refused'));")
        await stranger.line("Refused")
        assert await stranger.value("socket.connected") is False


@pytest.mark.parametrize("transport", ["websocket", "polling"])
async def test_a_page_of_an_unlisted_origin_is_refused_on_both_transports(in_browser, transport):
    """A good token does not help a page that CORS_ORIGINS does not name."""

    async def body(chat, console):
        await console.run(
            f"""
            const socket = io('{chat.url}/chat', {{
              auth: {{ token: '{chat.token(1)}' }}, transports: ['{transport}']
            }});
            socket.on('connect', () => console.log('Connected'));
            socket.on('connect_error', () => console.log('Refused'));
            """
        )
        await console.line("Refused")
        assert "Connected" not in [line.text for line in console.lines]
        assert chat.app.gateway.get_active_users_count() == 0

    await in_browser(body, unlisted)


async def test_the_life_of_a_connection_as_the_guide_writes_it(in_browser):
    """Connect, listen, join, type, send, deduplicate, clean up, in the guide's own words."""

    async def body(chat, console):
        grace = await chat.connect(2, join=1)
        await console.run(f"localStorage.setItem('access_token', '{chat.token(1)}');")
        await console.run(guide.CONNECT.replace(guide.GUIDE_URL, chat.url))
        await console.run(guide.CONNECTION_EVENTS + guide.ERROR_HANDLING)
        await console.run(
            """
            const inputField = document.body.appendChild(document.createElement('input'));
            const addMessageToUI = (message) => console.log('Shown:', message.message);
            """
        )
        await console.run(guide.DEDUPLICATION + guide.TYPING)
        await console.run(guide.JOIN_ROOM)
        assert (await grace.next("userJoined"))["userId"] == 1

        await console.run("inputField.dispatchEvent(new Event('input'));")
        assert (await grace.next("userTyping"))["isTyping"] is True
        await console.run(guide.SEND_OVER_SOCKET)
        assert (await grace.next("newMessage"))["message"]["message"] == "Hello!"
        await console.line("Shown: Hello!")

        await console.run(guide.CLEANUP)
        assert (await grace.next("userLeft"))["userId"] == 1
        assert [line.text for line in console.lines if line.type == "error"] == []

    await in_browser(body, listed)


async def test_the_fetch_of_the_guide_works_from_a_listed_origin(in_browser):
    """Preflight and POST are answered for another origin, and the room sees the message."""

    async def body(chat, console):
        grace = await chat.connect(2, join=1)
        await console.run(f"const token = '{chat.token(1)}';")
        fetch = guide.SEND_OVER_REST.replace("/chat-messages", f"{chat.url}/chat-messages")
        await console.run(fetch)
        assert (await grace.next("newMessage"))["message"]["message"] == "Hello!"
        answered = await console.value(f"await (await {fetch.partition('await ')[2][:-2]}).json()")
        assert answered["success"] is True
        assert answered["data"]["message"] == "Hello!"

    await in_browser(body, listed)


async def test_the_fetch_of_the_guide_is_refused_from_an_unlisted_origin(in_browser):
    """The browser gets no preflight answer to go on, so the message is never sent."""

    async def body(chat, console):
        await console.run(f"const token = '{chat.token(1)}';")
        fetch = guide.SEND_OVER_REST.replace("/chat-messages", f"{chat.url}/chat-messages")
        refused = f"try {{ {fetch} 'sent' }} catch (error) {{ error.message }}"
        assert await console.value(refused) == "Failed to fetch"
        stored = await chat.request("GET", "/chat-messages?chatId=1", 1)
        assert stored.data == []

    await in_browser(body, unlisted)
