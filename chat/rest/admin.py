"""/admin: what the host application and admins may do with users, and ask of the server."""

from pydantic import BaseModel

from chat.contracts import admin_answers as answers
from chat.contracts.base import parse
from chat.contracts.rest import ByExternalRef
from chat.errors import ChatError, ErrorCode
from chat.rest.base import ApiHandler
from chat.rest.paths import path_user_id


class UserTarget(BaseModel):
    """The user in a path, as plugins see it."""

    user_id: int | str


class Nothing(BaseModel):
    """The payload of a request that has none, as plugins see it."""


class AdminHandler(ApiHandler):
    """Base: for admin and service tokens only."""

    def check_caller(self) -> None:
        if not self.identity.is_privileged:
            raise ChatError(ErrorCode.FORBIDDEN, "admin and service tokens only")


class UserAccessHandler(AdminHandler):
    async def post(self, user: str, what: str) -> None:
        """Disconnect, revoke, block or unblock a user, live sockets included, then answer."""
        asked = UserTarget(user_id=path_user_id(user))
        target = await self.begin(f"POST /admin/users/:id/{what}", asked)
        user_id, access = target.user_id, self.gate.domain.access
        ended = 0
        if what == "disconnect":
            ended = access.disconnect(self.identity, user_id)
        elif what == "revoke":
            ended = await access.revoke(self.identity, user_id)
        elif what == "block":
            ended = await access.block(self.identity, user_id)
        else:
            await access.unblock(self.identity, user_id)
        self.answer(answers.sockets_ended(user_id, ended))


class RefreshSeatsHandler(AdminHandler):
    async def post(self) -> None:
        """Ask the host again about the seats in one chat; users whose seat ended leave it."""
        asked = await self.begin(
            "POST /admin/seats/refresh", parse(ByExternalRef, await self.body_json())
        )
        self.about(external_ref=asked.external_ref)
        seats, ref = self.gate.domain.seats, asked.external_ref
        self.answer(answers.seats_refreshed(*await seats.refresh(self.identity, ref)))


class StatsHandler(AdminHandler):
    async def get(self) -> None:
        await self.begin("GET /admin/stats", Nothing())
        self.answer(self.gate.stats(self.identity.tenant))


class PluginsHandler(AdminHandler):
    async def get(self) -> None:
        """List the hooks of every plugin with their failures.

        `off` = the hook is switched off after failures, `usersOff` = for how many users it is.
        """
        await self.begin("GET /admin/plugins", Nothing())
        self.answer(answers.plugins([self._describe(name) for name in self.gate.hooks.plugins]))

    def _describe(self, name: str) -> answers.PluginModel:
        hooks = [
            answers.hook_state(
                impl.hook.name, impl.failures, off=impl.off, users_off=impl.users_off
            )
            for impl in self.gate.hooks.impls()
            if impl.plugin == name
        ]
        queue = self.gate.hooks.queues[name]
        return answers.plugin_state(
            name,
            hooks,
            waiting=queue.waiting,
            oldest_age_s=queue.oldest_age_s,
            dropped=queue.dropped,
        )
