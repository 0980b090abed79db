"""The ServerApi port: what plugins may do, on the services and the gateway."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from chat.contracts.pushes import ServerEvent
from chat.entities import Message
from chat.errors import ChatError, DiskFullError
from chat.gateway.namespace import ChatGateway
from chat.hook_events import MessageDraft
from chat.identity import Identity, UserId
from chat.ports import Broadcaster, Clock, Store
from chat.services.domain import Domain


class PluginServerApi:
    """One for each plugin, so that what it sends bears its name."""

    def __init__(
        self,
        *,
        plugin: str,
        domain: Domain,
        gateway: ChatGateway,
        broadcaster: Broadcaster,
        store: Store,
        clock: Clock,
        draining: Callable[[], bool],
    ) -> None:
        self._plugin = plugin
        self._domain = domain
        self._gateway = gateway
        self._broadcaster = broadcaster
        self._store = store
        self._clock = clock
        self._draining = draining

    async def send_message(
        self,
        chat_id: int,
        content: str,
        *,
        sender_id: UserId,
        sender_type: str = "bot",
        metadata: Mapping[str, Any] | None = None,
        client_message_id: str | None = None,
    ) -> Message:
        draft = MessageDraft(
            chat_id=chat_id,
            sender_id=sender_id,
            sender_type=sender_type,
            content=content,
            client_message_id=client_message_id,
            metadata=dict(metadata) if metadata is not None else None,
            origin=self._plugin,
        )
        expires_at = self._clock.now() + timedelta(minutes=1)
        identity = Identity(
            user_id=sender_id, type="service", expires_at=expires_at, plugin=self._plugin
        )
        return (await self._domain.messages.send(identity, draft)).message

    def push_to_user(self, user_id: UserId, event: str, payload: dict[str, Any]) -> None:
        self._broadcaster.to_user(user_id, ServerEvent(event, payload))

    def push_to_chat(self, chat_id: int, event: str, payload: dict[str, Any]) -> None:
        self._broadcaster.to_chat(chat_id, ServerEvent(event, payload))

    def is_user_online(self, user_id: UserId) -> bool:
        return self._gateway.is_user_online(user_id)

    def active_users_count(self) -> int:
        return self._gateway.get_active_users_count()

    async def readiness(self) -> dict[str, str]:
        parts = {"server": "draining" if self._draining() else "ok"}
        try:
            await self._store.ping()
            parts["store"] = "in doubt" if self._domain.journal.in_doubt else "ok"
        except DiskFullError:
            parts["store"] = "disk full"
        except ChatError:
            parts["store"] = "unreachable"
        return parts
