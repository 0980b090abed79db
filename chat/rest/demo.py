"""Demo mode's routes: who is there, and a token for a name.

Not registered in a server that has a key of the host.
"""

from typing import Final

from chat.contracts.base import iso, parse
from chat.contracts.rest import DemoName
from chat.errors import ChatError, ErrorCode
from chat.net.addresses import is_loopback
from chat.rest.base import ApiHandler
from chat.rest.gate import Gate
from chat.services.demo import DemoService

PROXY_HEADERS: Final = ("Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip")


class DemoHandler(ApiHandler):
    """Base: answers only a page of this very server, to a browser on this machine."""

    needs_token = False

    def initialize(self, gate: Gate, demo: DemoService, hosts: frozenset[str]) -> None:  # type: ignore[override]
        super().initialize(gate)
        self.demo = demo
        self._hosts = hosts

    async def prepare(self) -> None:
        # A foreign name that resolves to this machine (DNS rebinding) makes a stranger's page
        # same-origin.
        if self.request.host.lower() not in self._hosts:
            raise ChatError(ErrorCode.FORBIDDEN, "demo tokens are for this server's own page")
        # Host is whatever the client says. Behind a proxy on this machine everybody comes from
        # loopback, and behind a packet filter that rewrites addresses nobody need.
        told = any(name in self.request.headers for name in PROXY_HEADERS)
        if told or not is_loopback(self.request.remote_ip or ""):
            raise ChatError(ErrorCode.FORBIDDEN, "demo tokens are for browsers on this machine")
        await super().prepare()


class DemoInfoHandler(DemoHandler):
    async def get(self) -> None:
        users = await self.demo.first_users()
        self.reply(
            {
                "chatId": self.demo.chat_id,
                "users": [{"id": user_id, "name": name} for user_id, name in users],
            }
        )


class DemoTokenHandler(DemoHandler):
    async def post(self) -> None:
        wanted = parse(DemoName, await self.body_json())
        made = await self.demo.token_for(wanted.name.strip())
        self.reply(
            {
                "token": made.token,
                "expiresAt": iso(made.expires_at),
                "user": {"id": made.user_id, "name": made.name},
                "chatId": self.demo.chat_id,
            }
        )
