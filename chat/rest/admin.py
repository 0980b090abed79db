"""What the host application and admins may do with users and ask of the server."""

from typing import Any

from pydantic import BaseModel

from chat.errors import ChatError, ErrorCode
from chat.rest.base import ApiHandler
from chat.rest.paths import path_user_id


class UserTarget(BaseModel):
    """The user in a path, as plugins see it."""

    user_id: int | str


class Nothing(BaseModel):
    """A call without a payload."""


class AdminHandler(ApiHandler):
    """Base: admin and service tokens only."""

    def check_caller(self) -> None:
        if not self.identity.is_privileged:
            raise ChatError(ErrorCode.FORBIDDEN, "admin and service tokens only")


class UserAccessHandler(AdminHandler):
    async def post(self, user: str, what: str) -> None:
        """Disconnect, revoke, block or unblock; live sockets feel it before this answers."""
        asked = UserTarget(user_id=path_user_id(user))
        target = await self.begin(f"POST /admin/users/:id/{what}", asked)
        user_id, access = target.user_id, self.gate.domain.access
        ended = 0
        if what == "disconnect":
            ended = access.disconnect(user_id)
        elif what == "revoke":
            ended = await access.revoke(self.identity, user_id)
        elif what == "block":
            ended = await access.block(self.identity, user_id)
        else:
            await access.unblock(self.identity, user_id)
        self.reply({"userId": user_id, "disconnected": ended})


class StatsHandler(AdminHandler):
    async def get(self) -> None:
        await self.begin("GET /admin/stats", Nothing())
        self.reply(self.gate.stats())


class PluginsHandler(AdminHandler):
    async def get(self) -> None:
        """Every hook that a plugin listens to, with its record; `off` = switched off after
        failures, `usersOff` = for so many users only.
        """
        await self.begin("GET /admin/plugins", Nothing())
        self.reply([self._describe(name) for name in self.gate.hooks.plugins])

    def _describe(self, name: str) -> dict[str, Any]:
        hooks = [
            {
                "hook": impl.hook.name,
                "failures": impl.failures,
                "off": impl.off,
                "usersOff": impl.users_off,
            }
            for impl in self.gate.hooks.impls()
            if impl.plugin == name
        ]
        queue = self.gate.hooks.queues[name]
        notices = {
            "waiting": queue.waiting,
            "oldestAgeS": round(queue.oldest_age_s, 3),
            "dropped": queue.dropped,
        }
        return {"name": name, "hooks": hooks, "notices": notices}
