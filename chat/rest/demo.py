"""Demo mode's routes: who is there, and a token for a name. Not registered in a server that has a
JWT_SECRET.
"""

from chat.contracts.base import iso, parse
from chat.contracts.rest import DemoName
from chat.errors import ChatError, ErrorCode
from chat.rest.base import ApiHandler, Gate
from chat.services.demo import DemoService


class DemoHandler(ApiHandler):
    """Base: answers only a page of this very server."""

    needs_token = False

    def initialize(self, gate: Gate, demo: DemoService, hosts: frozenset[str]) -> None:  # type: ignore[override]
        super().initialize(gate)
        self.demo = demo
        self._hosts = hosts

    async def prepare(self) -> None:
        # A foreign name that resolves to this machine (DNS rebinding) makes a stranger's page
        # same-origin.
        # A proxy's word for the name does not count: such a page can set X-Forwarded-Host.
        context = getattr(self.request.connection, "context", None)
        asked = {self.request.host, getattr(context, "asked_host", self.request.host)}
        if not {each.lower() for each in asked} <= self._own_hosts():
            raise ChatError(ErrorCode.FORBIDDEN, "demo tokens are for this server's own page")
        await super().prepare()

    def _own_hosts(self) -> frozenset[str]:
        connection = self.request.connection
        stream = getattr(connection, "stream", None)
        if stream is None or stream.socket is None:
            return self._hosts
        # Listening on all addresses, the server is whoever the client has connected to.
        address, port = stream.socket.getsockname()[:2]
        name = f"[{address}]" if ":" in address else address
        return self._hosts | {f"{name}:{port}"} | ({name} if port == 80 else set())


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
        wanted = parse(DemoName, self.body_json())
        made = await self.demo.token_for(wanted.name.strip())
        self.reply(
            {
                "token": made.token,
                "expiresAt": iso(made.expires_at),
                "user": {"id": made.user_id, "name": made.name},
                "chatId": self.demo.chat_id,
            }
        )
