"""The ServerApi of a plugin, made of the services and the gateway."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import timedelta
from math import inf
from typing import Any, Final

from chat.contracts.pushes import ServerEvent
from chat.entities import Message
from chat.errors import ChatError, DiskFullError
from chat.gateway.namespace import ChatGateway
from chat.hooks.events import MessageDraft
from chat.identity import Identity, UserId, user_key
from chat.ports import Broadcaster, Clock, Store
from chat.services.domain import Domain

STORE_STATE_FOR_S: Final = 1.0


class PluginServerApi:
    """The ServerApi of one plugin: what the plugin sends carries its name."""

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
        self._looking: asyncio.Task[str] | None = None
        self._look_again_at = 0.0

    async def send_message(
        self,
        chat_id: int,
        content: str,
        *,
        sender_id: UserId,
        sender_type: str = "bot",
        metadata: Mapping[str, Any] | None = None,
        client_message_id: str | None = None,
        tenant: str = "",
    ) -> Message:
        draft = MessageDraft(
            chat_id=chat_id,
            tenant=tenant,
            sender_id=sender_id,
            sender_type=sender_type,
            content=content,
            client_message_id=client_message_id,
            metadata=dict(metadata) if metadata is not None else None,
            origin=self._plugin,
        )
        expires_at = self._clock.now() + timedelta(minutes=1)
        identity = Identity(
            tenant=tenant,
            user_id=sender_id,
            type="service",
            expires_at=expires_at,
            plugin=self._plugin,
        )
        return (await self._domain.messages.send(identity, draft)).message

    def push_to_user(
        self, user_id: UserId, event: str, payload: dict[str, Any], *, tenant: str = ""
    ) -> None:
        self._broadcaster.to_user(user_key(tenant, user_id), ServerEvent(event, payload))

    def push_to_chat(self, chat_id: int, event: str, payload: dict[str, Any]) -> None:
        self._broadcaster.to_chat(chat_id, ServerEvent(event, payload))

    def is_user_online(self, user_id: UserId, *, tenant: str = "") -> bool:
        return self._gateway.is_user_online(user_id, tenant=tenant)

    def active_users_count(self) -> int:
        return self._gateway.get_active_users_count()

    async def readiness(self) -> dict[str, str]:
        server = "draining" if self._draining() else "ok"
        store = await asyncio.shield(self._store_state())
        if store == "ok" and self._domain.journal.in_doubt:
            store = "in doubt"
        return {"server": server, "store": store}

    def _store_state(self) -> asyncio.Task[str]:
        """Ask the store, or return what it answered less than a second ago.

        The route that shows this is public, so that anyone may ask as often as they like.
        """
        if self._looking is None or self._clock.monotonic() >= self._look_again_at:
            self._look_again_at = inf
            self._looking = asyncio.get_running_loop().create_task(self._look_at_store())
        return self._looking

    async def _look_at_store(self) -> str:
        try:
            await self._store.ping()
            return "ok"
        except DiskFullError:
            return "disk full"
        except ChatError:
            return "unreachable"
        finally:
            self._look_again_at = self._clock.monotonic() + STORE_STATE_FOR_S
