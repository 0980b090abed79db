"""The snippets of client/README.md, word for word but for addresses and chats."""

import json
import subprocess
from pathlib import Path

from tests.e2e.servers import blank_site
from tests.support.docs_node import needs_node, running_script
from tests.support.markdown import ROOT, blocks

CLIENT = ROOT / "client"
README = blocks(CLIENT / "README.md")
URL = "http://localhost:3000"
TSCONFIG = json.loads((CLIENT / "tests" / "types" / "tsconfig.json").read_text())

AROUND_THE_RECORD = f"""
import {{ ChatClient }} from '@chatgateway/client';
const chat = new ChatClient({{ url: '{URL}', getToken: () => process.env.TOKEN }});
chat.on('sent', ({{ message }}) => console.log(`stored: ${{message}}`));
chat.on('newMessage', ({{ message }}) => {{
  if (message.senderId === 1) return;
  console.log(`received: ${{message.message}}`);
  chat.disconnect();
}});
chat.connect();
"""


def snippet(name: str) -> str:
    return next(each.text for each in README if each.tags.get("run") == name)


async def test_the_page_without_a_bundler_shows_what_is_sent(serve_demo, chromium):
    """One HTML file of another origin: it signs in, sends, and shows the message."""
    async with (
        blank_site() as port,
        serve_demo(cors_origins=(f"http://127.0.0.1:{port}",)) as chat,
        chromium() as browser,
    ):
        page = await browser.new_page()
        await page.goto(f"http://127.0.0.1:{port}")
        await page.set_content(snippet("readme-vanilla").replace(URL, chat.url))
        await page.fill("#text", "Hello from one file")
        await page.press("#text", "Enter")
        await page.wait_for_function("document.querySelector('#log li:last-child')?.textContent")
        shown = await page.inner_text("#log li:last-child")
        assert shown == "Hello from one file"


@needs_node
async def test_the_script_sends_and_ends(serve, tmp_path):
    """Node: the message is stored, the client disconnects, and the process ends by itself."""
    async with serve() as chat:
        chat_id = await chat.create_chat([1, 2])
        grace = await chat.connect(2, join=chat_id)
        source = snippet("readme-node").replace(URL, chat.url).replace("(1,", f"({chat_id},")
        async with running_script(tmp_path, source, TOKEN=chat.token(1)) as script:
            message = (await grace.next("newMessage"))["message"]
            assert message["message"] == "Hello, world!"
            assert await script.line() == f"stored as {message['id']}"
            assert await script.end() == 0


@needs_node
async def test_the_chat_of_a_record_is_opened_by_its_reference(serve, tmp_path):
    """The first user with a seat makes the chat, sends there, and receives what others send."""
    async with serve() as chat:
        seats = {"order:*": "member"}
        source = AROUND_THE_RECORD.replace(URL, chat.url) + snippet("readme-record")
        async with running_script(tmp_path, source, TOKEN=chat.token(1, seats=seats)) as script:
            assert await script.line() == "stored: Is it paid?"
            grace = await chat.connect(token=chat.token(2, seats=seats))
            joined = await grace.call("joinChat", {"externalRef": "order:1001"})
            messages = joined["data"]["sync"]["messages"]
            assert [each["message"] for each in messages] == ["Is it paid?"]
            answer = {"chatId": joined["data"]["chatId"], "content": "It is."}
            await grace.call("sendMessage", answer)
            assert await script.line() == "received: It is."
            assert await script.end() == 0


def test_the_snippets_in_typescript_compile(node_modules: None, tmp_path: Path) -> None:
    """The hook and the other snippets, under the strictest settings."""
    folder = CLIENT / "build" / "readme"
    folder.mkdir(parents=True, exist_ok=True)
    found = [each for each in README if each.language in ("tsx", "typescript")]
    assert len(found) == 3
    for number, each in enumerate(found):
        suffix = "tsx" if each.language == "tsx" else "ts"
        (folder / f"snippet{number}.{suffix}").write_text(each.text)
    options = {**TSCONFIG["compilerOptions"], "jsx": "react-jsx", "noUnusedLocals": True}
    (folder / "tsconfig.json").write_text(json.dumps({"compilerOptions": options}))
    done = subprocess.run(
        ["node_modules/.bin/tsc", "-p", str(folder)],
        cwd=CLIENT, capture_output=True, text=True, timeout=50,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
