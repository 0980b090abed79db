"""The routes of demo mode: the first users, and a token for a name.

A server that has a key of the host does not register them.
"""

from typing import Final

from chat.contracts.admin_answers import demo_info, demo_token
from chat.contracts.base import parse
from chat.contracts.rest import DemoName
from chat.errors import ChatError, ErrorCode
from chat.net.addresses import is_loopback
from chat.rest.base import ApiHandler
from chat.rest.gate import Gate
from chat.services.demo import DemoService

PROXY_HEADERS: Final = ("Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip")


class DemoHandler(ApiHandler):
    """Base: answers only this server's own page, in a browser on this machine."""

    needs_token = False

    def initialize(self, gate: Gate, demo: DemoService, hosts: frozenset[str]) -> None:  # type: ignore[override]
        super().initialize(gate)
        self.demo = demo
        self._hosts = hosts

    async def prepare(self) -> None:
        # A name of another site that resolves to this machine (DNS rebinding) would make that
        # site's page same-origin.
        if self.request.host.lower() not in self._hosts:
            raise ChatError(ErrorCode.FORBIDDEN, "demo tokens are for this server's own page")
        # The client chooses Host. Behind a proxy on this machine, every client has a loopback
        # address; behind a packet filter that rewrites addresses, perhaps no client has one.
        is_proxied = any(name in self.request.headers for name in PROXY_HEADERS)
        if is_proxied or not is_loopback(self.remote_ip):
            raise ChatError(ErrorCode.FORBIDDEN, "demo tokens are for browsers on this machine")
        await super().prepare()


class DemoInfoHandler(DemoHandler):
    async def get(self) -> None:
        self.answer(demo_info(self.demo.chat_id, await self.demo.first_users()))


class DemoTokenHandler(DemoHandler):
    async def post(self) -> None:
        wanted = parse(DemoName, await self.body_json())
        made = await self.demo.token_for(wanted.name.strip())
        chat_id = self.demo.chat_id
        self.answer(demo_token(made.token, made.expires_at, made.user_id, made.name, chat_id))
