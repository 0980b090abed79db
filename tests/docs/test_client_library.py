"""The guide's part on the client library: what the library has is there, and it works."""

from tests.support.client_library import (
    CODES_OF_THE_CLIENT_LIBRARY,
    EVENTS_OF_THE_CLIENT_LIBRARY,
    MEMBERS,
    OPTIONS,
    STATES,
)
from tests.support.docs_node import needs_node, running_script
from tests.support.markdown import DOCS, ROOT, blocks, inline_code, rows, section

GUIDE = DOCS / "guide.md"
PART = section(GUIDE, "The client library").body
CLIENT = next(each.text for each in blocks(GUIDE) if each.tags.get("run") == "client")
URL = "http://localhost:3000"
AROUND_THE_CLIENT = """
const currentToken = () => process.env.TOKEN;
const freshToken = currentToken;
const showInUI = (messages) => console.log(messages.map(({ message }) => message).join(', '));
const signOut = (why) => console.log('signed out:', why);
"""


def first_cells(title):
    """The names in the first column of the table below a heading, or of the first one there."""
    names = rows(section(GUIDE, title).body)
    return {name.strip(" `") for row in names for name in row[0].split(",")}


def test_every_option_is_in_the_table_and_no_other():
    """The table has what the constructor takes."""
    assert first_cells("Options") - {"option"} == OPTIONS


def test_every_method_and_property_is_in_the_table_and_no_other():
    """The table has the public members of ChatClient."""
    assert first_cells("Methods and properties") - {"name"} == MEMBERS


def test_every_event_state_and_code_is_in_the_tables_and_no_other():
    """Three tables under one heading: the events, the states, the codes that no server sends."""
    named = first_cells("Events of its own") - {"event", "state", "code"}
    known = EVENTS_OF_THE_CLIENT_LIBRARY | STATES | CODES_OF_THE_CLIENT_LIBRARY
    assert named | {"state"} == known - {"TIMEOUT"}


def test_the_files_of_the_library_are_named():
    """A reader finds the entry and the folder."""
    assert {"/static/chat-client.js", "client/"} <= set(inline_code(GUIDE))
    assert (ROOT / "static/chat-client.js").exists()
    assert (ROOT / "client" / "package.json").exists()
    assert PART


@needs_node
async def test_the_guides_client_sends_and_receives_in_node(serve, tmp_path):
    """The snippet, word for word but for the address, with the package installed."""
    async with serve() as chat:
        chat_id = await chat.create_chat([1, 2])
        grace = await chat.connect(2, join=chat_id)
        source = AROUND_THE_CLIENT + CLIENT.replace(URL, chat.url).replace("(1", f"({chat_id}")
        async with running_script(tmp_path, source, TOKEN=chat.token(1)) as script:
            assert (await grace.next("newMessage"))["message"]["message"] == "Hello, world!"
            await script.until("Hello, world!")
            await grace.call("sendMessage", {"chatId": chat_id, "content": "Hello, Ada!"})
            await script.until("Hello, world!, Hello, Ada!")


@needs_node
async def test_the_guides_client_says_why_it_was_signed_out(serve, tmp_path):
    """A token that the server refuses ends it, with the server's words."""
    async with serve() as chat:
        source = AROUND_THE_CLIENT + CLIENT.replace(URL, chat.url)
        async with running_script(tmp_path, source, TOKEN="nonsense") as script:
            while not (line := await script.line()).startswith("signed out:"):
                pass
            assert line == "signed out: the token cannot be verified"
