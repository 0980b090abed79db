"""The recipes run as they stand on the page, each with the common start and a few lines around."""

import pytest

from tests.support.docs_node import needs_node, running_script
from tests.support.markdown import DOCS, blocks

PAGE = DOCS / "recipes.md"
RECIPES = {each.tags["recipe"]: each.text for each in blocks(PAGE) if "recipe" in each.tags}
URL = "http://127.0.0.1:3000"
HOST = ("host", "service")


def test_every_recipe_is_one_that_a_test_runs():
    """No block of JavaScript is without its tag."""
    code = [each for each in blocks(PAGE) if each.language == "javascript"]
    assert [each.tags.get("recipe") for each in code] == list(RECIPES)


@pytest.fixture
def cook(serve, tmp_path):
    """`await cook(recipes, before, after, check)`: a script of user 1; `check(chat, script)`."""

    async def run(names, before, after, check, **settings):
        async with serve(**settings) as chat:
            start = RECIPES["start"].replace(URL, chat.url)
            token = "const currentToken = async () => process.env.TOKEN;"
            parts = [start, token, before, *(RECIPES[each] for each in names), after]
            await chat.create_chat([1, 2])
            names = {"TOKEN": chat.token(1)}
            async with running_script(tmp_path, "\n".join(parts), **names) as script:
                await check(chat, script)

    return run


async def say(chat, content, user_id=2):
    body = {"chatId": 1, "content": content}
    return (await chat.request("POST", "/chat-messages", user_id, json=body)).data


@needs_node
async def test_badges_follow_messages_and_what_was_seen(cook):
    """A count at connect, one more with each message, none after the last one was seen."""
    before = """
        const showBadges = (all) => console.log('badges', JSON.stringify([...all]));
    """
    after = """
        socket.on('unreadUpdated', async ({ chatId, unreadCount }) => {
          if (unreadCount !== 2) return;
          const { data } = await api('GET', `/chat-messages?chatId=${chatId}`);
          await seen(data.at(-1));
        });
    """

    async def check(chat, script):
        assert await script.line() == "badges []"
        await say(chat, "one")
        assert await script.line() == "badges [[1,1]]"
        await say(chat, "two")
        assert await script.line() == "badges [[1,2]]"
        assert await script.line() == "badges [[1,0]]"

    await cook(["unread"], before, after, check)


@needs_node
async def test_pages_of_messages_and_of_chats_are_followed_to_their_end(cook):
    """Every message once, the oldest last page first; every chat once."""
    after = """
        socket.on('chatUpdated', async () => {
          let all = [];
          for (let more = true; more; ) {
            const page = await older(1, all[0]);
            all = [...page.messages, ...all];
            ({ more } = page);
          }
          const numbers = all.map(({ message }) => message);
          console.log(numbers.length, numbers[0], numbers.at(-1), new Set(numbers).size);
          const ids = [];
          for await (const { id } of chats()) ids.push(id);
          console.log(ids.length, new Set(ids).size);
          process.exit();
        });
        socket.on('connect', () => console.log('connected'));
    """

    async def check(chat, script):
        assert await script.line() == "connected"
        for _ in range(59):
            await chat.create_chat([1, 2])
        for number in range(120):
            await chat.request("POST", "/chat-messages", *HOST, json=_numbered(number))
        await chat.request("PATCH", "/chats/1", *HOST, json={"title": "All are sent"})
        assert await script.line() == "120 0 119 120"
        assert await script.line() == "60 60"

    await cook(["older", "chats"], "", after, check)


def _numbered(number):
    return {"chatId": 1, "content": str(number)}


@needs_node
async def test_an_edit_does_not_overwrite_another_one(cook):
    """The first edit is stored; one of the old revision is asked about; a deletion is shown."""
    before = """
        const showMessages = (all) => console.log(all.map(({ message, deletedAt }) =>
          (deletedAt ? 'deleted' : message)).join());
        const askWhatToDo = (theirs, mine) => console.log('conflict', theirs.message, mine);
    """
    after = """
        await ask('joinChat', { chatId: 1 });
        const first = await ask('sendMessage', { chatId: 1, content: 'one' });
        await edit(first, 'two');
        await edit(first, 'three');
        await edit(first, 'two');
        await remove(messages.get(first.id));
        console.log('end');
    """

    async def check(chat, script):
        lines = await script.until("end")
        # Each change is shown by its push and by its ack.
        assert [line for place, line in enumerate(lines) if lines[place - 1 : place] != [line]] == [
            *("one", "two", "conflict two three", "two", "deleted", "end")
        ]

    await cook(["edit"], before, after, check)


@needs_node
async def test_presence_is_asked_for_and_followed(cook):
    """Offline when asked, online when the other connects."""
    before = """
        const people = [2];
        const showPresence = (all) => console.log(all.get(2).status);
    """

    async def check(chat, script):
        assert await script.line() == "offline"
        grace = await chat.connect(2, join=1)
        assert await script.line() == "online"
        await grace.close()
        assert await script.line() == "offline"

    await cook(["presence"], before, "", check, presence_grace_s=0)


@needs_node
async def test_typing_is_shown_and_sent(cook):
    """Others hear of it, and who types in the open chat is shown until the end."""
    before = """
        const openChat = 1;
        const showTyping = (who) => console.log('typing:', who.join());
    """
    after = """
        await ask('joinChat', { chatId: 1 });
        onInput(1, 'H');
        console.log('joined');
    """

    async def check(chat, script):
        assert await script.line() == "joined"
        grace = await chat.connect(2, join=1)
        await grace.call("typing", {"chatId": 1, "isTyping": True})
        assert await script.line() == "typing: 2"
        await grace.call("typing", {"chatId": 1, "isTyping": False})
        assert await script.line() == "typing:"

    await cook(["typing"], before, after, check)


@needs_node
async def test_what_was_missed_arrives_after_a_reconnect(cook):
    """Cut off and back: the missed message is there once, and what is sent is stored once."""
    before = """
        const openChats = [{ id: 1 }];
        const clearMessages = () => console.log('cleared');
        const mergeMessages = (chat, messages) =>
          console.log('page', messages.map(({ message }) => message).join());
        const closeChat = (chat, error) => console.log('closed', error.code);
    """
    after = """
        socket.once('connect', async () => console.log('stored', (await send(1, 'mine')).id));
    """

    async def check(chat, script):
        lines = {await script.line(), await script.line()}
        assert lines in ({"page", "stored 1"}, {"page mine", "stored 1"})
        cut = await chat.request("POST", "/admin/users/1/disconnect", *HOST)
        assert cut.data["disconnected"] == 1
        await say(chat, "missed")
        line = await script.line()
        assert line.startswith("page ")
        assert line.split()[-1].split(",")[-1] == "missed"
        removed = await chat.request("DELETE", "/chats/1/participants/1", *HOST)
        assert removed.status == 200
        await chat.request("POST", "/admin/users/1/disconnect", *HOST)
        assert await script.line() == "closed NOT_PARTICIPANT"

    await cook(["resume", "send"], before, after, check)
