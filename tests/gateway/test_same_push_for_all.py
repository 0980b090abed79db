"""A push is encoded once: everybody receives the same text, by whatever way it comes."""

import socketio

from chat.plugin_api import Plugin, hookimpl, register_namespaces
from tests.support.gateway.servers import generous
from tests.support.gateway.wire import RawPolling, RawSocket

TEXTS = ["a", "é" * 40, "x" * 300, "😀" * 10_000]
LARGE = {"text": "😀" * 15_000}
"""With it a push takes more than 65,535 bytes: the third spelling of a frame's length."""


def _pushes(frames):
    return [each for each in frames if str(each).startswith('42/chat,["newMessage"')]


async def test_a_push_is_the_same_text_by_websocket_by_polling_and_across_an_upgrade(serve):
    """In the same order too; what waited for a poll leaves first on the new websocket."""
    async with serve(**generous()) as chat:
        chat_id = await chat.create_chat([1, 2, 3])
        socket, polling, moving = (
            await RawSocket.enter(chat, 1),
            await RawPolling.enter(chat, 2),
            await RawPolling.enter(chat, 3),
        )
        for each in (socket, polling, moving):
            assert (await each.event(f'["joinChat",{{"chatId":{chat_id}}}]'))["success"]
        sent = [{"content": text} for text in TEXTS] + [
            {"content": "😀" * 9_000, "metadata": LARGE}
        ]
        for at, message in enumerate(sent):
            if at == 2:
                moved = await RawSocket.upgrade(chat, moving.session_id)
                await moved.send("2probe")
                assert await moved.next() == "3probe"
            if at == 4:
                await moved.send("5")
            assert (await socket.call("sendMessage", {"chatId": chat_id, **message}))["success"]
        expected = _pushes(socket.frames)
        assert len(expected) == len(sent)
        assert len(expected[-1].encode()) > 65_535
        while len(_pushes(polling.frames)) < len(sent):
            await polling.take()
        assert _pushes(polling.frames) == expected
        while len(_pushes(moving.frames + moved.frames)) < len(sent):
            await moved.next()
        assert _pushes(moving.frames + moved.frames) == expected


class Marks(socketio.AsyncNamespace):
    """Writes into the environ of each socket that comes."""

    def __init__(self):
        super().__init__("/marks")
        self.found = []

    async def on_connect(self, _sid, environ, _auth):
        self.found.append(environ.get("mark"))
        environ["mark"] = "somebody's"


class Marking(Plugin):
    name = "marking"

    def __init__(self):
        super().__init__()
        self.marks = Marks()

    @hookimpl(register_namespaces)
    async def namespaces(self, _start):
        return [self.marks]


async def test_what_a_plugin_writes_into_an_environ_is_seen_by_no_other_socket(serve):
    """Sockets of one address share one, to save memory."""
    marking = Marking()
    async with serve(plugins=[marking]) as chat:
        for user_id in (1, 2):
            raw = await RawSocket.enter(chat, user_id)
            await raw.send("40/marks,")
            await raw.until("40/marks,")
        assert marking.marks.found == [None, None]
