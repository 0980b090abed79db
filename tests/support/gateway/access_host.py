"""A host application behind ACCESS_URL, and its users."""

import asyncio
import json
import time
from contextlib import asynccontextmanager

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler

from tests.support.delivery.chats import HOST
from tests.support.gateway.tokens import signed

SECRET = "the-secret-of-the-access-url-that-is-long"  # it guards nothing
REF = "order:1001"


class Host:
    """The host's side: `answer` is `(status, body)`, by default a seat as a member."""

    def __init__(self):
        self.answer = (200, {"role": "member"})
        self.headers = {}
        self.asked = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.url = ""

    @property
    def settings(self):
        return {"access_url": self.url, "access_secret": SECRET}


@asynccontextmanager
async def serving():
    """A host that listens."""
    the_host = Host()

    class Access(RequestHandler):
        async def post(self):
            the_host.asked.append((dict(self.request.headers), self.request.body))
            status, body = the_host.answer
            await the_host.gate.wait()
            self.set_status(status)
            for name, value in the_host.headers.items():
                self.set_header(name, value)
            self.finish(body if isinstance(body, bytes) else json.dumps(body))

    server = HTTPServer(Application([("/access", Access)]))
    sockets = bind_sockets(0, "127.0.0.1")
    server.add_sockets(sockets)
    the_host.url = f"http://127.0.0.1:{sockets[0].getsockname()[1]}/access"
    try:
        yield the_host
    finally:
        the_host.gate.set()
        server.stop()
        await server.close_all_connections()


def token(user_id=1, valid_s=3600, **claims):
    return signed(**{"id": user_id, "type": "customer", "exp": time.time() + valid_s, **claims})


async def join(client, ref=REF):
    return await client.call("joinChat", {"externalRef": ref})


async def refresh(chat, ref=REF):
    return await chat.request("POST", "/admin/seats/refresh", *HOST, json={"externalRef": ref})
