"""Turns messages in capitals into calm ones: the plugin of the README."""

from dataclasses import replace

from chat.plugin_api import MessageDraft, Plugin, before_message_send, hookimpl


class ShoutGuard(Plugin):
    name = "shout_guard"

    @hookimpl(before_message_send)
    async def calm_down(self, draft: MessageDraft) -> MessageDraft | None:
        if draft.content.isupper():
            return replace(draft, content=draft.content.capitalize())
        return None
