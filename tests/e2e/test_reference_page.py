"""The page at /docs: it shows every operation of both specifications, and can be searched."""

import pytest
from playwright.async_api import expect

from tests.e2e.demo_page import AXE, DESKTOP, NARROW, RUN_AXE, demo_pages
from tests.e2e.specifications import BOTH, OPERATIONS

SHOWN = "all => all.filter(({ hidden }) => !hidden).map(({ id }) => id)"
WITHOUT_A_SENTENCE = """all => all.filter((each) => !each.querySelector('.prose'))
  .map(({ id }) => id)"""
COUNT_OPERATIONS = """async () => {
  const [{ operations }, { paths }] = await Promise.all(
    ['asyncapi.json', 'openapi.json'].map(async (path) => (await fetch(path)).json()));
  const routes = Object.values(paths).flatMap((path) => Object.keys(path))
    .filter((key) => ['get', 'post', 'put', 'patch', 'delete'].includes(key));
  return Object.keys(operations).length + routes.length;
}"""
DEAD_LINKS = """all => all.map(({ hash }) => decodeURIComponent(hash.slice(1)))
  .filter((id) => id && !document.getElementById(id))"""
AT_THE_TOP = """element => {
  const { top } = element.getBoundingClientRect();
  return top >= 0 && top < innerHeight / 2;
}"""


@pytest.fixture
def reference(serve, chromium):
    """`await reference(check)`: `check(open_page)` on a server; the page must not complain."""

    async def run(check, allowed=(), **settings):
        async with (
            serve(**settings) as chat,
            chromium() as browser,
            demo_pages(browser, chat.url, allowed=allowed) as pages,
        ):

            async def open_page(path="/docs", answers=BOTH, size=DESKTOP, **options):
                page = (await pages.open(size, path=path, answers=answers, **options)).page
                await expect(page.locator("h1")).to_have_text("Reference")
                return page

            await check(open_page)

    return run


def article(page, name):
    return page.locator(f'[id="{name}"]')


async def test_every_operation_is_shown_with_what_it_takes_and_answers(reference):
    """Events, pushes, routes: sentences, parameters, payloads, bounds, acks, errors, examples."""

    async def check(open_page):
        page = await open_page()
        operations = page.get_by_test_id("operation")
        assert await operations.evaluate_all(SHOWN) == list(OPERATIONS)
        expected = {
            "event/typing": (
                "Show the others that the user is typing.",
                "isTyping required boolean Or not.",
                "await socket.emitWithAck('typing', {",
                "Ack Heard. success may be absent true",
                "Pushes newMessage Errors RATE_LIMITED",
            ),
            "push/newMessage": ("A message was sent.", "message may be absent Message"),
            "route/listMessages": (
                "chatId query required integer 1 or more The chat to read.",
                "limit query integer 1 to 200; 50 when absent",
                "Answer 200 The page. data list of Message",
                "page may be absent object hasBefore may be absent boolean",
                "Errors NOT_PARTICIPANT NOT_FOUND",
            ),
            "route/sendMessage": (
                "Send a message. It is pushed before the answer. A repeat is answered 200.",
                "Body SendMessage chatId required integer 1 or more",
                "content required string 1 to 10,000 characters",
                'kind "text" or "system" "text" when absent',
                'POST /chat-messages { "chatId": 1, "content": "Hello" }',
                "Answer 201 Message Stored. id integer 1 or more message string",
            ),
            "schema/Message": (
                "A message; message is its text.",
                "replyToId may be absent integer or null",
            ),
        }
        assert await page.locator("main a").evaluate_all(DEAD_LINKS) == []
        for name, texts in expected.items():
            text_of = await article(page, name).inner_text()
            # Heads of the tables, which only screen readers speak.
            shown = " ".join(text_of.replace("·", " ").split()).replace("Name Value ", "")
            for text in texts:
                assert text in shown, (name, shown)

    await reference(check)


@pytest.mark.usefixtures("node_modules")
async def test_the_servers_own_specifications_are_shown_whole(reference):
    """Each operation of both, with its sentence; no link is dead, and axe finds nothing."""

    async def check(open_page):
        page = await open_page(answers={})
        counted = await page.evaluate(COUNT_OPERATIONS)
        operations = page.get_by_test_id("operation")
        assert counted > 60
        assert await operations.count() == counted
        assert await operations.evaluate_all(WITHOUT_A_SENTENCE) == []
        assert await page.locator("main a").evaluate_all(DEAD_LINKS) == []
        for text in ("Payload SendMessage", "Ack SendMessageAck", "IDEMPOTENCY_CONFLICT"):
            shown = " ".join((await article(page, "event/sendMessage").inner_text()).split())
            assert text in shown
        await page.evaluate(AXE.read_text())
        assert await page.evaluate(RUN_AXE) == []

    await reference(check)


@pytest.mark.usefixtures("node_modules")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, NARROW])
async def test_axe_finds_nothing(reference, scheme, size):
    """By day, by night, on a phone; nothing is wider than the window."""

    async def check(open_page):
        page = await open_page(size=size, scheme=scheme)
        await page.evaluate(AXE.read_text())
        assert await page.evaluate(RUN_AXE) == []
        assert await page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0

    await reference(check)


async def test_the_filter_finds_names_sentences_and_codes(reference):
    """All words have to be there; Escape shows everything again, Enter goes to the first."""

    async def check(open_page):
        page = await open_page()
        operations, found = page.get_by_test_id("operation"), page.get_by_test_id("found")
        field = page.get_by_role("searchbox")
        await page.keyboard.press("/")
        await expect(field).to_be_focused()
        await field.fill("not_participant")
        await expect(found).to_have_text("1 of 5")
        assert await operations.evaluate_all(SHOWN) == ["route/listMessages"]
        assert await page.locator("nav a").all_inner_texts() == ["GET\n/chat-messages"]
        await field.fill("POST message")
        await expect(found).to_have_text("1 of 5")
        await field.press("Enter")
        await page.wait_for_url("**/docs#route/sendMessage")
        await field.fill("no such thing")
        await expect(page.get_by_text("Nothing has all of these words.")).to_be_visible()
        await field.press("Escape")
        assert await operations.evaluate_all(SHOWN) == list(OPERATIONS)

    await reference(check)


async def test_a_link_leads_to_an_operation(reference):
    """An address with a fragment opens at it, and a link shows what the filter had hidden."""

    async def check(open_page):
        page = await open_page(path="/docs#route/sendMessage")
        target = article(page, "route/sendMessage")
        await expect(target).to_be_in_viewport()
        await page.wait_for_function(
            f"({AT_THE_TOP})(document.getElementById('route/sendMessage'))"
        )
        await page.get_by_role("searchbox").fill("typing")
        await expect(target).to_be_hidden()
        await page.evaluate("location.hash = 'route/listMessages'")
        await expect(article(page, "route/listMessages")).to_be_in_viewport()
        await page.get_by_role("link", name="Message", exact=True).first.click()
        await page.wait_for_url("**/docs#schema/Message")
        await expect(article(page, "schema/Message")).to_be_in_viewport()

    await reference(check)


async def test_on_a_phone_the_contents_open_and_close(reference):
    """The list of operations is behind a button, and closes when one is chosen."""

    async def check(open_page):
        page = await open_page(size=NARROW)
        links = page.get_by_role("navigation", name="Operations")
        await expect(links).to_be_hidden()
        await page.get_by_role("button", name="Contents").click()
        await links.get_by_role("link", name="newMessage").click()
        await expect(links).to_be_hidden()
        await expect(article(page, "push/newMessage")).to_be_in_viewport()

    await reference(check)


async def test_a_missing_specification_is_told_and_the_other_shown(reference):
    """The page says which one it could not read, and works with what it has."""

    async def check(open_page):
        page = await open_page(answers={**BOTH, "/openapi.json": None})
        assert await page.get_by_test_id("operation").count() == 2
        await expect(page.get_by_role("alert")).to_have_text(
            "This page could not read openapi.json: it is no specification."
        )

    await reference(check)


async def test_it_works_under_a_path(reference):
    """Behind a proxy that serves the server under /im, nothing is asked for outside of it."""

    async def check(open_page):
        answers = {f"/im{path}": document for path, document in BOTH.items()}
        page = await open_page(path="/im/docs", answers=answers)
        assert await page.get_by_test_id("operation").count() == len(OPERATIONS)
        asked = await page.evaluate(
            "performance.getEntriesByType('resource').map(({ name }) => new URL(name).pathname)"
        )
        assert len(asked) > 5
        assert [path for path in asked if not path.startswith("/im/")] == []

    await reference(check, public_path="/im")
