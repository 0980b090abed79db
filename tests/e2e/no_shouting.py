"""A plugin by which a test makes the server refuse a message."""

from chat.plugin_api import ErrorCode, MessageDraft, Plugin, Reject, before_message_send, hookimpl


class NoShouting(Plugin):
    """Refuses what is written in capitals."""

    name = "no_shouting"

    @hookimpl(before_message_send)
    async def refuse(self, draft: MessageDraft) -> None:
        if draft.content.isupper():
            raise Reject(ErrorCode.REJECTED, "not so loud, please")
