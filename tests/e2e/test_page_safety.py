"""The demo page lets nothing out of a message, and its content policy would stop what got out."""

from playwright.async_api import expect

from tests.e2e.xss import STRINGS

ADDRESSES = "links => links.map((link) => link.protocol)"
ELEMENTS = "texts => texts.flatMap((text) => [...text.children].map(({ tagName }) => tagName))"
INLINE_SCRIPT = """() => {
  const script = document.createElement('script');
  script.append('window.wasRun = true');
  document.body.append(script);
  return Boolean(window.wasRun);
}"""
SINKS = """() => {
  const refused = (write) => {
    try {
      write(document.createElement('div'), document.createElement('script'));
      return false;
    } catch (error) {
      return error instanceof TypeError;
    }
  };
  return [
    refused((element) => { element.innerHTML = '<b>x</b>'; }),
    refused((element) => element.insertAdjacentHTML('beforeend', '<b>x</b>')),
    refused((_, script) => { script.src = '/static/app.js'; }),
    refused((_, script) => { script.textContent = 'window.wasRun = true'; }),
    refused(() => window.trustedTypes.createPolicy('mine', {})),
  ];
}"""
FOREIGN_IMAGE = """() => new Promise((done) => {
  const image = new Image();
  image.onload = () => done('loaded');
  image.onerror = () => done('refused');
  image.src = 'http://127.0.0.2:9/x.png';
})"""


async def test_forty_scripts_are_forty_texts(demo, monkeypatch):
    """Each is shown letter by letter, at both ends and after a reload, and nothing else happens."""
    assert len(set(STRINGS)) == 40
    monkeypatch.setenv("CHAT_RATE_LIMIT_SEND_BURST", "1000")
    async with demo() as (_chat, pages):
        ada, grace = await pages.open(), await pages.open()
        await grace.sign_in("Grace")
        # A name is shown in more places than a message.
        await ada.sign_in("<img src=x onerror=alert(1)>")
        for text in STRINGS:
            await ada.input.fill(text)
            await ada.input.press("Enter")
        await expect(grace.texts).to_have_count(len(STRINGS), timeout=20_000)
        await grace.page.reload()
        for page in (ada, grace):
            await expect(page.texts).to_have_count(len(STRINGS))
            assert await page.texts.all_text_contents() == list(STRINGS)
            assert set(await page.texts.evaluate_all(ELEMENTS)) == {"A"}
            links = page.texts.locator("a")
            assert set(await links.evaluate_all(ADDRESSES)) <= {"http:", "https:"}
        await expect(grace.page.locator(".sender").first).to_have_text(
            "<img src=x onerror=alert(1)>"
        )


async def test_the_content_policy_would_stop_a_script_that_got_in(serve_demo, chromium):
    """An inline script, a foreign image, and a text that is to become HTML or a script are refused
    by the browser itself.
    """
    async with serve_demo() as chat, chromium() as browser:
        page = await browser.new_page()
        response = await page.goto(chat.url)
        policy = response.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        refused = []
        page.on("console", lambda line: refused.append(line.text))
        assert await page.evaluate(INLINE_SCRIPT) is False
        assert await page.evaluate(SINKS) == [True] * 5
        assert await page.evaluate(FOREIGN_IMAGE) == "refused"
        assert any("img-src" in line for line in refused)
