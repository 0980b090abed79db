"""The plugins and the clients that the pages show: they load, and do what is said of them."""

import os
import subprocess
import sys

import pytest

from chat.settings import DEFAULT_PLUGINS
from docs.examples.house_rules import HouseRules
from plugins.rate_limit import RateLimit
from tests.support.docs_node import needs_node, running_script
from tests.support.markdown import DOCS, ROOT, blocks, pages

PIECES = [each for page in pages() for each in blocks(page) if "file" in each.tags]
PLUGINS = sorted(path.stem for path in (DOCS / "examples").glob("*.py"))
README_URL = "http://127.0.0.1:3000"


def with_examples(*names):
    return (*DEFAULT_PLUGINS, *(f"docs.examples.{name}" for name in names))


@pytest.mark.parametrize("piece", PIECES, ids=str)
def test_a_piece_of_a_file_is_in_that_file(piece):
    """What a page shows of an example is the example, word for word."""
    assert piece.text in (ROOT / piece.tags["file"]).read_text()


@pytest.mark.parametrize("name", PLUGINS)
def test_an_example_loads_by_its_name_beside_the_server(name):
    """PLUGINS=default,<name> with the file on PYTHONPATH is all it takes."""
    done = subprocess.run(
        [sys.executable, "server.py", "check"],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(DOCS / "examples"),
            "PLUGINS": f"default,{name}",
        },
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert f"plugin {name}: " in done.stdout


async def test_the_plugin_of_the_readme_calms_capitals_down(serve):
    """HELLO THERE becomes "Hello there", stored and pushed; other messages stay as they are."""
    async with serve(plugin_names=with_examples("shout_guard")) as chat:
        chat_id = await chat.create_chat([1, 2])
        ada, grace = await chat.connect(1), await chat.connect(2, join=chat_id)
        for said in ("HELLO THERE", "Hello THERE"):
            ack = await ada.call("sendMessage", {"chatId": chat_id, "content": said})
            pushed = await grace.next("newMessage")
            assert ack["data"]["message"] == pushed["message"]["message"]
        assert [each["message"]["message"] for each in grace.of("newMessage")] == [
            "Hello there",
            "Hello THERE",
        ]


async def test_the_empty_file_of_the_tutorial_refuses_spam(serve):
    """The first plugin of docs/writing-plugins.md works as it stands."""
    first = next(each for each in blocks(DOCS / "writing-plugins.md") if each.language == "python")
    found = {"__name__": "first_plugin"}
    exec(compile(first.text, str(first), "exec"), found)  # noqa: S102  # it is our own page
    async with serve(plugins=[found["HouseRules"]()]) as chat:
        chat_id = await chat.create_chat([1])
        ada = await chat.connect(1)
        refused = await ada.call("sendMessage", {"chatId": chat_id, "content": "Spam, spam"})
        assert refused["error"]["code"] == "REJECTED"
        assert refused["message"] == "please mind the house rules"


async def test_house_rules_hold_for_edits_and_titles_and_the_tally_is_for_admins(
    serve, monkeypatch
):
    """No banned word comes in by an edit, over either door; settings are of the environment."""
    monkeypatch.setenv("CHAT_HOUSE_RULES_BANNED", "spam, casino")
    async with serve(plugin_names=with_examples("house_rules")) as chat:
        chat_id = await chat.create_chat([1])
        ada = await chat.connect(1)
        ack = await ada.call("sendMessage", {"chatId": chat_id, "content": "Hello"})
        message_id = ack["data"]["id"]
        edit = await ada.call("editMessage", {"messageId": message_id, "content": "Casino!"})
        assert edit["error"]["code"] == "REJECTED"
        path = f"/chat-messages/{message_id}"
        patch = await chat.request("PATCH", path, 1, json={"content": "spam"})
        assert (patch.status, patch.code) == (422, "REJECTED")
        assert (await chat.request("GET", "/house-rules", 1)).code == "FORBIDDEN"
        assert (await chat.request("GET", "/house-rules", None)).code == "UNAUTHENTICATED"
        tally = await chat.request("GET", "/house-rules", 9, "admin")
        assert tally.data == {"refused": {"1": 2}}
        titled = await chat.request("POST", "/chats", 1, json={"title": "Casino, anyone?"})
        assert (titled.status, titled.code) == (422, "REJECTED")


async def test_a_report_needs_the_fields_of_its_model(serve):
    """The payload of a plugin's event is checked like any other, and the moderator is told."""
    rules = HouseRules(HouseRules.Settings(moderator_id=2))
    async with serve(plugins=[rules], custom_events=["messageReported"]) as chat:
        ada, grace = await chat.connect(1), await chat.connect(2)
        bad = await ada.call("reportMessage", {"messageId": "x"})
        assert bad["error"]["code"] == "VALIDATION_ERROR"
        assert await ada.call("reportMessage", {"messageId": 456, "reason": "rude"}) == {
            "success": True
        }
        told = await grace.next("messageReported")
        assert told == {"messageId": 456, "reason": "rude", "by": 1}


async def test_the_welcome_bot_greets_everybody_once(serve):
    """A second tab of the same user is not greeted again, another user is."""
    async with serve(plugin_names=with_examples("welcome_bot")) as chat:
        chat_id = await chat.create_chat([1, 2])
        ada = await chat.connect(token=chat.token(1, name="Ada"), join=chat_id)
        assert (await ada.next("newMessage"))["message"]["message"] == "Welcome, Ada!"
        await chat.connect(token=chat.token(1, name="Ada"), join=chat_id)
        await chat.connect(token=chat.token(2, name="Grace"), join=chat_id)
        assert (await ada.next("newMessage"))["message"]["message"] == "Welcome, Grace!"
        page = await chat.request("GET", f"/chat-messages?chatId={chat_id}", 1)
        assert [each["senderId"] for each in page.data] == ["welcome-bot", "welcome-bot"]


@needs_node
async def test_the_client_of_the_readme_joins_and_sends(serve, tmp_path):
    """The README's lines run as they stand, and print the pushed message, then the stored id."""
    shown = [each for each in blocks(ROOT / "README.md") if each.tags.get("runs")]
    assert [each.tags["runs"] for each in shown] == ["readme-client"]
    async with serve() as chat:
        await chat.create_chat([1, 2])
        source = shown[0].text.replace(README_URL, chat.url)
        assert chat.url in source
        async with running_script(tmp_path, source, TOKEN=chat.token(1)) as script:
            assert await script.line() == "1: Hello, world!"
            assert await script.line() == "stored as 1"


@needs_node
async def test_the_example_client_catches_up_after_a_lost_connection(serve, tmp_path):
    """What was sent while it was away is there after the reconnect, once and in order."""
    source = (DOCS / "examples" / "client.mjs").read_text()
    async with serve() as chat:
        chat_id = await chat.create_chat([1, 2])
        grace = await chat.connect(2, join=chat_id)
        settings = {"CHAT_URL": chat.url, "CHAT_ID": str(chat_id), "TOKEN": chat.token(1)}
        async with running_script(tmp_path, source, "Hello", **settings) as script:
            first = await grace.next("newMessage")
            assert first["message"]["message"] == "Hello"
            lines = {await script.line() for _ in range(3)}
            assert lines == {"new 1 Hello", f"stored {first['message']['id']}", "joined member"}
            cut = await chat.request("POST", "/admin/users/1/disconnect", "host", "service")
            assert cut.data["disconnected"] == 1
            await grace.call("sendMessage", {"chatId": chat_id, "content": "missed"})
            assert (await script.until("joined member"))[3:] == ["new 2 missed", "joined member"]
            await grace.call("sendMessage", {"chatId": chat_id, "content": "live"})
            assert await script.line() == "new 2 live"


@needs_node
async def test_the_guides_join_gets_every_chat_joined_in_the_end(serve, tmp_path):
    """More chats than may be joined at once: what is refused for now is asked again, what is
    refused for good is told, and no rejection goes unhandled."""
    pieces = {each.tags.get("runs"): each.text for each in blocks(DOCS / "guide.md")}
    limits = RateLimit.Settings(join_per_s=20, join_burst=5, action_per_s=1e6, action_burst=1e6)
    async with serve(plugin_names=("plugins.access_log",), plugins=[RateLimit(limits)]) as chat:
        made = [await chat.create_chat([1]) for _ in range(12)]
        source = f"""
            import {{ io }} from 'socket.io-client';
            const openChats = {[{"id": each} for each in [*made, 4040]]};
            const clearUI = () => {{}}, mergeIntoUI = () => {{}};
            const {{ CHAT_URL, TOKEN: token }} = process.env;
            const socket = io(`${{CHAT_URL}}/chat`, {{ auth: {{ token }} }});
            {pieces["guide-ask"]}
            {pieces["guide-join"]}
            const outcome = (chat) => join(chat).then(() => 'joined', (error) => error.code);
            console.log((await Promise.all(openChats.map(outcome))).join(' '));
            process.exit(0);
        """
        settings = {"CHAT_URL": chat.url, "TOKEN": chat.token(1)}
        async with running_script(tmp_path, source, **settings) as script:
            assert await script.line() == " ".join(["joined"] * 12 + ["NOT_PARTICIPANT"])
