"""The page "Into your application", followed from top to bottom: every piece of code runs."""

import os
import shutil
import socket
import subprocess
import sys

import pytest
from tornado.httpclient import AsyncHTTPClient, HTTPRequest

from chat.testing import SECRET
from tests.support.delivery.chats import gone
from tests.support.docs_node import needs_node, running_script
from tests.support.markdown import DOCS, blocks
from tests.support.waiting import eventually

PAGE = DOCS / "into-your-application.md"
PIECES = {each.tags["runs"]: each.text for each in blocks(PAGE) if "runs" in each.tags}
URL = "https://chat.example.com"
CLAIMS = {"id": 123, "name": "Zoë Ångström"}

SHOW = {
    "node": "\nconsole.log(chatToken({ id: 123, name: 'Zoë Ångström' }));",
    "python": "\nprint(chat_token({'id': 123, 'name': 'Zoë Ångström'}))",
    "php": "\necho chatToken(['id' => 123, 'name' => 'Zoë Ångström']);",
}
PROGRAMS = {
    "node": ["node", "--input-type=module", "-"],
    "python": [sys.executable, "-"],
    "php": ["php"],
}


def test_every_piece_of_code_is_one_that_a_test_runs():
    """No block of a language is without its tag."""
    code = [each for each in blocks(PAGE) if each.language in ("javascript", "python", "php")]
    assert [each.tags.get("runs") for each in code] == list(PIECES)


def printed_by(language):
    """The token that the function of that language makes."""
    if shutil.which(PROGRAMS[language][0]) is None:
        pytest.skip(f"{language} is not installed")
    begin = "<?php\n" if language == "php" else ""
    done = subprocess.run(
        PROGRAMS[language],
        input=begin + PIECES[f"token-{language}"] + SHOW[language],
        env={"PATH": os.environ["PATH"], "JWT_SECRET": SECRET},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("language", PROGRAMS)
async def test_the_token_of_each_language_signs_a_user_in(serve, language):
    """With the user's name and the right to chat, and with an `iat`, so that it can be revoked."""
    token = printed_by(language)
    async with serve() as chat:
        chat_id = await chat.create_chat([123, 2])
        ada = await chat.connect(token=token, join=chat_id)
        user = (await ada.call("authenticate"))["data"]["user"]
        assert {key: user[key] for key in CLAIMS} == CLAIMS
        assert user["type"] == "employee"
        revoked = await chat.request("POST", "/admin/users/123/revoke", "host", "service")
        assert revoked.data["disconnected"] == 1
        await gone(ada)


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@needs_node
async def test_the_route_for_tokens_gives_them_to_users_only(serve, tmp_path):
    """Who is signed in gets a token of their own; everybody else gets 401."""
    port = free_port()
    session = """
        const ada = { id: 7, name: 'Ada' };
        const signedInUser = ({ headers }) => (headers.cookie === 'session=ada' ? ada : null);
    """
    source = f"{PIECES['token-node']}{session}{PIECES['token-route']}\nconsole.log('ready');"
    names = {"JWT_SECRET": SECRET, "PORT": str(port)}

    async def ask(path, **headers):
        request = HTTPRequest(f"http://127.0.0.1:{port}{path}", headers=headers)
        return await AsyncHTTPClient().fetch(request, raise_error=False)

    async with serve() as chat, running_script(tmp_path, source, **names) as script:
        await script.line()

        async def refuses():
            return (await ask("/chat-token")).code == 401

        await eventually(refuses)
        assert (await ask("/else", Cookie="session=ada")).code == 404
        answer = await ask("/chat-token", Cookie="session=ada")
        assert answer.headers["Cache-Control"] == "no-store"
        token = answer.body.decode().split('"')[3]
        assert (await (await chat.connect(token=token)).call("authenticate"))["userId"] == 7


@needs_node
async def test_a_chat_for_a_record_is_made_once_and_follows_its_team(serve, tmp_path):
    """The same order gives the same chat; a team that has grown is added to it."""
    source = f"""{PIECES["token-node"]}{PIECES["order-chat"]}
        for (const team of [[1, 2], [2, 1], [1, 2, 3]]) {{
          const chat = await chatOfOrder({{ id: 1001, team }});
          const ids = chat.participants.map(({{ userId }}) => userId).sort();
          console.log(chat.id, chat.title, ids.join(' '));
        }}"""
    async with serve() as chat:
        names = {"JWT_SECRET": SECRET, "CHAT_URL": chat.url}
        async with running_script(tmp_path, source, **names) as script:
            assert await script.line() == "1 Order 1001 1 2"
            assert await script.line() == "1 Order 1001 1 2"
            assert await script.line() == "1 Order 1001 1 2 3"


@needs_node
async def test_the_front_end_gets_its_token_and_chats(serve, tmp_path):
    """The library asks the host's route for a token, shows what it gets, and sends."""
    async with serve() as chat:
        chat_id = await chat.create_chat([1, 2])
        grace = await chat.connect(2, join=chat_id)
        source = f"""
            globalThis.fetch = async () => Response.json({{ token: process.env.TOKEN }});
            const chatId = {chat_id};
            const showMessage = ({{ message }}) => console.log(message);
            const showState = () => {{}};
            {PIECES["front-end"].replace(URL, chat.url)}"""
        async with running_script(tmp_path, source, TOKEN=chat.token(1)) as script:
            assert (await grace.next("newMessage"))["message"]["message"] == "Hello, world!"
            await grace.call("sendMessage", {"chatId": chat_id, "content": "Hello, Ada!"})
            await script.until("Hello, Ada!")


@needs_node
async def test_a_socket_renews_its_token_and_goes_on(serve, tmp_path):
    """`tokenExpiring` is answered with a new token: the socket stays, with the new end."""
    async with serve() as chat:
        source = f"""
            const tokens = process.env.TOKENS.split(' ');
            const freshToken = async () => tokens.shift();
            {PIECES["renewal"].replace(URL, chat.url)}
            let first;
            socket.on('connect', () => {{
              first ??= socket.id;
              console.log('connected');
            }});
            socket.on('tokenExpiring', async () => {{
              let left = 0;
              while (left < 60_000) {{
                const {{ data }} = await socket.emitWithAck('authenticate');
                left = Date.parse(data.expiresAt) - Date.now();
              }}
              console.log(socket.id === first ? 'renewed' : 'reconnected');
            }});
        """
        tokens = f"{chat.token(1, valid_s=-1)} {chat.token(1, valid_s=20)} {chat.token(1)}"
        async with running_script(tmp_path, source, TOKENS=tokens) as script:
            # The first is expired, and refused; the second ends within a minute.
            assert await script.line() == "connected"
            assert await script.line() == "renewed"


@needs_node
async def test_a_leaver_is_refused_until_unblocked_and_a_revoked_user_signs_in_again(
    serve, tmp_path
):
    """Block closes the sockets and refuses the token, unblock admits it, revoke closes them too."""
    pieces = PIECES["token-node"] + PIECES["order-chat"] + PIECES["leaver"]

    async with serve() as chat:
        names = {"JWT_SECRET": SECRET, "CHAT_URL": chat.url}

        async def disconnected_by(act):
            folder = tmp_path / act
            folder.mkdir()
            source = f"{pieces}\nconsole.log((await {act}('a/b')).disconnected);"
            async with running_script(folder, source, **names) as script:
                return await script.line()

        async def code():
            return (await chat.request("GET", "/chats", "a/b")).code

        ada = await chat.connect("a/b")
        assert await disconnected_by("block") == "1"
        await gone(ada)
        assert await code() == "USER_BLOCKED"
        assert await disconnected_by("unblock") == "0"
        assert await code() is None
        ada = await chat.connect("a/b")
        assert await disconnected_by("revoke") == "1"
        await gone(ada)
        assert await code() in ("AUTH_UNAVAILABLE", "TOKEN_REVOKED")
