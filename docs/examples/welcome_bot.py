"""Greets everybody once in each chat: the bot of docs/writing-plugins.md."""

from pydantic import Field

from chat.plugin_api import (
    Plugin,
    PluginSettings,
    RoomChange,
    ServerApi,
    Startup,
    after_join,
    hookimpl,
    startup,
)


class WelcomeBot(Plugin):
    name = "welcome_bot"
    server: ServerApi

    class Settings(PluginSettings):
        text: str = Field("Welcome, {name}!", description="What to say; {name} is the newcomer's.")
        bot_id: str = Field("welcome-bot", description="The user id that greets.")

    @hookimpl(startup)
    async def keep_server(self, started: Startup) -> None:
        self.server = started.server

    @hookimpl(after_join, timeout_s=5)
    async def greet(self, change: RoomChange) -> None:
        newcomer = change.identity
        await self.server.send_message(
            change.chat_id,
            self.settings.text.format(name=newcomer.name or newcomer.user_id),
            sender_id=self.settings.bot_id,
            client_message_id=f"welcome-{newcomer.user_id}",
        )
