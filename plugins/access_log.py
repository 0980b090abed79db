"""Log a line for each connect, disconnect, join, leave, send, edit, deletion and refusal.

A line says who, where and what happened; never a message's content, never a token. The plugin's own
queue of notices keeps the lines in time, however slow another plugin is.
"""

from logging import INFO, WARNING
from typing import Any

import structlog

from chat.plugin_api import (
    ActionDone,
    AuthFailure,
    Connected,
    Disconnected,
    Hook,
    MessageEvent,
    MessageReadEvent,
    Plugin,
    RoomChange,
    Shutdown,
    UserId,
    after_auth_failure,
    after_connect,
    after_disconnect,
    after_join,
    after_leave,
    after_message_created,
    after_message_deleted,
    after_message_read,
    after_message_updated,
    after_refusal,
    hookimpl,
    shutdown,
)

_log = structlog.get_logger("chat.access")


class AccessLog(Plugin):
    name = "access_log"

    def wants(self, hook: Hook[Any]) -> bool:
        # A hook whose lines LOG_LEVEL drops is not called; this matters for messages most.
        level = WARNING if hook in (after_auth_failure, after_refusal) else INFO
        return bool(_log.is_enabled_for(level))

    @hookimpl(after_connect)
    async def connected(self, event: Connected) -> None:
        _log.info(
            "connected",
            **_user(event.identity.user_id, event.identity.tenant),
            socket_id=event.socket_id,
            remote_ip=event.remote_ip,
        )

    @hookimpl(after_disconnect)
    async def disconnected(self, event: Disconnected) -> None:
        _log.info(
            "disconnected",
            **_user(event.identity.user_id, event.identity.tenant),
            socket_id=event.socket_id,
            reason=event.reason,
            connected_s=round(event.connected_s, 1),
        )

    @hookimpl(after_auth_failure)
    async def auth_failed(self, event: AuthFailure) -> None:
        _log.warning(
            "auth_failed",
            code=event.code.value,
            reason=event.reason,
            **_user(event.user_id, event.tenant),
            remote_ip=event.remote_ip,
            door=event.door,
            request_id=event.request_id,
        )

    @hookimpl(after_join)
    async def joined(self, event: RoomChange) -> None:
        user = _user(event.identity.user_id, event.identity.tenant)
        _log.info("joined", **user, chat_id=event.chat_id)

    @hookimpl(after_leave)
    async def left(self, event: RoomChange) -> None:
        user = _user(event.identity.user_id, event.identity.tenant)
        _log.info("left", **user, chat_id=event.chat_id)

    @hookimpl(after_message_created)
    async def sent(self, event: MessageEvent) -> None:
        self._message("message_sent", event)

    @hookimpl(after_message_updated)
    async def edited(self, event: MessageEvent) -> None:
        self._message("message_edited", event)

    @hookimpl(after_message_deleted)
    async def deleted(self, event: MessageEvent) -> None:
        self._message("message_deleted", event)

    @hookimpl(after_message_read)
    async def read(self, event: MessageReadEvent) -> None:
        _log.debug(
            "message_read",
            **_user(event.user_id, event.tenant),
            chat_id=event.chat_id,
            message_id=event.message_id,
        )

    @hookimpl(after_refusal)
    async def refused(self, event: ActionDone) -> None:
        _log.warning(
            "refused",
            action=event.name,
            code=event.code.value if event.code else None,
            **_user(event.identity.user_id, event.identity.tenant),
            remote_ip=event.remote_ip,
            door=event.door,
            request_id=event.request_id,
        )

    @hookimpl(shutdown)
    async def stopping(self, _event: Shutdown) -> None:
        _log.info("drained")

    @staticmethod
    def _message(what: str, event: MessageEvent) -> None:
        message = event.message
        _log.info(
            what,
            message_id=message.id,
            chat_id=message.chat_id,
            **_user(message.sender_id if event.by is None else event.by, event.tenant),
            seq=message.updated_seq,
        )


def _user(user_id: UserId | None, tenant: str) -> dict[str, UserId | str | None]:
    """Name a user in a line; the tenant only where there is one."""
    return {"user_id": user_id, "tenant": tenant} if tenant else {"user_id": user_id}
