"""Existing chats: found by externalRef or direct pair, and compared with what was asked for."""

from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

from chat.contracts.view_writers import detail
from chat.entities import ChatType
from chat.errors import ChatConflictError, ChatError, ErrorCode
from chat.identity import SERVICE, Identity, UserId
from chat.ports import ChatRepository
from chat.services.chat_states import ChatState, ChatStates

MAX_NAMED: Final = 10
"""The most missing participants that a conflict names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewChat:
    """The chat that the caller of POST /chats asks for."""

    type: ChatType
    title: str | None = None
    participant_ids: Sequence[UserId] = ()
    external_ref: str | None = None
    metadata: dict[str, Any] | None = None


@dataclass(slots=True, eq=False, kw_only=True)
class ExistingChats:
    """`external_ref_types`: types of tokens that may set an externalRef, besides `service`."""

    states: ChatStates
    chats: ChatRepository
    external_ref_types: Collection[str]

    def check_may_refer(self, identity: Identity) -> None:
        """Raise FORBIDDEN unless the caller may set an externalRef, whichever exist."""
        if not (identity.is_service or identity.type in self.external_ref_types):
            raise ChatError(ErrorCode.FORBIDDEN, "your token may not set an externalRef")

    async def find(
        self, identity: Identity, new: NewChat, people: Sequence[UserId]
    ) -> ChatState | None:
        """The chat of that externalRef or direct pair, None where there is none.

        Raises ChatConflictError if that chat is not what the caller asks for.
        """
        state = None if new.external_ref is None else await self.of_ref(identity, new.external_ref)
        if state is None and new.type is ChatType.DIRECT:
            state = await self._of_pair(identity.tenant, people)
        if state is None:
            return None
        different = [each async for each in self._differences(state, identity, new, people)]
        if different:
            raise _conflict(identity, state, different)
        return state

    async def of_ref(self, identity: Identity, external_ref: str) -> ChatState | None:
        """The chat of that externalRef in the caller's tenant, visible to the caller or not."""
        chat_id = await self.chats.find_by_external_ref(identity.tenant, external_ref)
        return None if chat_id is None else await self.states.get(chat_id)

    async def visible_of_ref(self, identity: Identity, external_ref: str) -> ChatState | None:
        """The chat of that externalRef, if the caller may see it.

        A chat of other users costs the same queries as a missing chat.
        """
        chat_id = await self.chats.find_by_external_ref(identity.tenant, external_ref)
        if not identity.is_privileged:
            own = await self.chats.memberships(identity.key)
            if chat_id not in own and not self.states.has_seat(identity, external_ref, chat_id):
                chat_id = None
        state = None if chat_id is None else await self.states.get(chat_id)
        return state if state is not None and state.rank_of(identity) >= 0 else None

    async def check_free(self, identity: Identity, external_ref: str) -> None:
        """Raise ChatConflictError if a chat has the externalRef."""
        state = await self.of_ref(identity, external_ref)
        if state is not None:
            raise _conflict(identity, state, [_TAKEN])

    async def _of_pair(self, tenant: str, people: Sequence[UserId]) -> ChatState | None:
        key, old_key = direct_key(people), _key_of_0_1(people)
        chat_id = await self.chats.find_direct(tenant, key)
        if chat_id is not None or old_key == key:
            return None if chat_id is None else await self.states.get(chat_id)
        chat_id = await self.chats.find_direct(tenant, old_key)
        state = None if chat_id is None else await self.states.get(chat_id)
        # Another pair may have the same old key.
        return state if state is not None and state.members.keys() == set(people) else None

    async def _differences(
        self, state: ChatState, identity: Identity, new: NewChat, people: Sequence[UserId]
    ) -> AsyncIterator[dict[str, str]]:
        chat = state.chat
        if chat.type is not new.type:
            yield detail("type", f"the chat's type is {chat.type.value}")
        missing = [str(each) for each in people if each not in state.members]
        if missing:
            more = f" and {len(missing) - MAX_NAMED} more" if len(missing) > MAX_NAMED else ""
            named = ", ".join(missing[:MAX_NAMED])
            yield detail("participant_ids", f"not in the chat: {named}{more}")
        if new.external_ref is not None:
            if chat.external_ref is None:
                yield detail("external_ref", "the chat has none")
            elif chat.external_ref != new.external_ref:
                yield detail("external_ref", "the chat has another one")
            elif not await self._trusts(identity, state):
                yield detail("external_ref", "was not set by a service, nor by you")
        elif (
            # The user who opens a direct chat first gives it its metadata.
            identity.is_service
            and chat.created_by != identity.user_id
            and new.metadata not in (None, chat.metadata)
        ):
            yield detail("metadata", "the chat has other metadata, and somebody else made it")

    async def _trusts(self, identity: Identity, state: ChatState) -> bool:
        """Whether the externalRef was set by a service or by the caller."""
        setter = state.chat.external_ref_by
        if setter is not None:
            return setter.user_type == SERVICE or setter.user_id == identity.user_id
        # Version 0.1 did not store who set it, but made every maker except services a participant.
        maker = state.chat.created_by
        if maker == identity.user_id:
            return True
        participants = await self.chats.participants(state.chat.id)
        return all(each.user_id != maker for each in participants)


_SUMMARY: Final = "there is such a chat, and it is not what you asked for"
_TAKEN: Final = detail("external_ref", "belongs to another chat")


def direct_key(people: Sequence[UserId]) -> str:
    """The unique name of a pair of users.

    A text id may hold `|` but no blank, so the keys of different pairs differ.
    """
    old_key = _key_of_0_1(people)
    if old_key.count("|") < len(people):
        return old_key
    return " ".join(_spelt(people))


def _key_of_0_1(people: Sequence[UserId]) -> str:
    return "|".join(_spelt(people))


def _spelt(people: Sequence[UserId]) -> list[str]:
    return sorted(f"{type(each).__name__}:{each}" for each in people)


def _conflict(
    identity: Identity, state: ChatState, different: list[dict[str, str]]
) -> ChatConflictError:
    if state.rank_of(identity) >= 0:
        fields = ", ".join(each["path"] for each in different)
        return ChatConflictError(f"{_SUMMARY}: {fields}", different, state.chat.id)
    # A caller who may not see the chat learns only what a unique name cannot hide.
    return ChatConflictError(_SUMMARY, [_TAKEN], None)
