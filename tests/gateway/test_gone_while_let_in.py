"""A client that goes away while it is being let in, and whose other namespaces end slowly."""

import asyncio

import socketio

from chat.plugin_api import Plugin, before_connect, hookimpl, register_namespaces
from tests.support.gateway.wire import RawSocket
from tests.support.waiting import eventually


class _SlowToEnd(socketio.AsyncNamespace):
    def __init__(self, name):
        super().__init__(name)
        self.ending = asyncio.Event()
        self.go_on = asyncio.Event()

    async def on_connect(self, _sid, _environ, _auth=None):
        pass

    async def on_disconnect(self, _sid, _reason=None):
        self.ending.set()
        await self.go_on.wait()


class _Thoughtful(Plugin):
    """Thinks over who comes until it is told to go on; has a namespace besides."""

    name = "thoughtful"

    @hookimpl(register_namespaces)
    async def namespaces(self, _start):
        self.other = _SlowToEnd("/other")
        self.asked = asyncio.Event()
        self.go_on = asyncio.Event()
        return [self.other]

    @hookimpl(before_connect)
    async def think(self, _attempt):
        self.asked.set()
        await self.go_on.wait()


async def test_nobody_stays_behind_whose_other_namespace_ends_slowly(serve):
    """Let in between the end of the transport and the end of its last handler, it would be online
    for ever.
    """
    plugin = _Thoughtful()
    async with serve(plugins=[plugin], presence_grace_s=0) as chat:
        raw = await RawSocket.open(chat)
        await raw.send(f'40/chat,{{"token":"{chat.token(7)}"}}')
        await plugin.asked.wait()
        await raw.send("40/other,")
        await raw.until("40/other")
        await raw.close()
        await plugin.other.ending.wait()
        plugin.go_on.set()
        await eventually(lambda: not chat.app.gateway.server._connecting)
        assert chat.app.gateway.get_user_sockets(7) == []
        plugin.other.go_on.set()
        await eventually(lambda: not chat.app.gateway.server.eio.sockets)
        assert not chat.app.gateway.is_user_online(7)
