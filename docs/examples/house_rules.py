"""Banned words, reports to a moderator, a tally: the plugin of docs/writing-plugins.md."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, Field

from chat.plugin_api import (
    ChatDraft,
    ClientEvent,
    ErrorCode,
    HttpRequest,
    HttpResponse,
    Identity,
    MessageDraft,
    Plugin,
    PluginSettings,
    Registration,
    Reject,
    Route,
    ServerApi,
    Startup,
    UserId,
    before_chat_change,
    before_message_send,
    hookimpl,
    register_events,
    register_routes,
    startup,
)


class Report(BaseModel):
    messageId: int
    reason: str = Field(max_length=200)


class HouseRules(Plugin):
    name = "house_rules"
    server: ServerApi

    class Settings(PluginSettings):
        banned: str = Field("", description="Words, comma-separated, that no message may hold.")
        moderator_id: int = Field(1, description="The user who is told of reports.")

    def __init__(self, settings: Settings | None = None) -> None:
        super().__init__(settings)
        self.banned = {word.strip().lower() for word in self.settings.banned.split(",")} - {""}
        self.refused: Counter[UserId] = Counter()

    @hookimpl(startup)
    async def keep_server(self, started: Startup) -> None:
        self.server = started.server

    @hookimpl(before_message_send)
    async def check_text(self, draft: MessageDraft) -> None:
        self.check(draft.sender_id, draft.content)

    @hookimpl(before_chat_change)
    async def check_chat(self, draft: ChatDraft) -> None:
        self.check(draft.identity.user_id, f"{draft.title} {draft.metadata}")

    def check(self, user_id: UserId, content: str) -> None:
        words = {word.strip(".,:;!?").lower() for word in content.split()}
        if words & self.banned:
            self.refused[user_id] += 1
            raise Reject(ErrorCode.REJECTED, "please mind the house rules")

    @hookimpl(register_routes)
    async def routes(self, _start: Registration) -> Sequence[Route]:
        return [Route(method="GET", path="/house-rules", handler=self.tally)]

    async def tally(self, request: HttpRequest) -> HttpResponse:
        if request.identity is None or request.identity.type != "admin":
            raise Reject(ErrorCode.FORBIDDEN, "for admins")
        refused = {str(user_id): count for user_id, count in self.refused.items()}
        return HttpResponse(body={"success": True, "data": {"refused": refused}})

    @hookimpl(register_events)
    async def events(self, _start: Registration) -> Sequence[ClientEvent]:
        return [ClientEvent(name="reportMessage", handler=self.report, model=Report)]

    async def report(self, identity: Identity, report: Report) -> dict[str, Any]:
        told = {"messageId": report.messageId, "reason": report.reason, "by": identity.user_id}
        self.server.push_to_user(self.settings.moderator_id, "messageReported", told)
        return {"success": True}
