"""How chats look to one of their participants: one chat, a list of them, and who is in a chat."""

import contextlib
from dataclasses import dataclass, replace

from chat.contracts.view_writers import chat_view_to_wire, participant_view_to_wire
from chat.entities import ChatType, Participant
from chat.errors import NotParticipantError
from chat.identity import Identity
from chat.services.budget import Budget
from chat.services.chat_states import ChatState, ChatStates
from chat.services.existing_chats import ExistingChats
from chat.services.people import People
from chat.services.reads import ReadService
from chat.views import ChatView, Json, ParticipantView


@dataclass(slots=True, eq=False, kw_only=True)
class ChatViews:
    states: ChatStates
    existing: ExistingChats
    people: People
    reads: ReadService

    async def of_chat(self, identity: Identity, chat_id: int) -> ChatView:
        """The chat as the caller sees it, with its participants. NOT_PARTICIPANT."""
        state = await self.states.require(chat_id, identity)
        return await self.of_state(state, identity, with_participants=True)

    async def of_ref(self, identity: Identity, external_ref: str) -> list[ChatView]:
        """The chat of that externalRef, as `overview` shows a chat, if the caller may see it."""
        state = await self.existing.visible_of_ref(identity, external_ref)
        if state is None:
            return []
        is_direct = state.chat.type is ChatType.DIRECT
        return [await self.of_state(state, identity, with_participants=is_direct)]

    async def of_state(
        self, state: ChatState, identity: Identity, *, with_participants: bool
    ) -> ChatView:
        """The chat as the caller sees it; raises if the caller has lost it meanwhile."""
        mine = state.members.get(identity.user_id)
        unread = await self.reads.unread_count(state, mine)
        mine = state.mine_of(identity)
        participants = await self.participants(state) if with_participants else None
        if not identity.is_service:
            self.states.check(state, identity)
        return view_of(state, mine, unread, participants)

    async def participants(
        self, state: ChatState, most: int | None = None
    ) -> list[ParticipantView]:
        """The participants with their names, in the order in which they joined; all, or the first.

        Asks the store for names that are not in memory.
        """
        users = await self.people.find([each.key for each in in_order(state)[:most]])
        # Sorted once more: somebody may have joined or left meanwhile.
        return [ParticipantView(each, users.get(each.key)) for each in in_order(state)[:most]]

    async def participants_page(
        self, state: ChatState, after: int, budget: Budget
    ) -> tuple[list[Json], int | None]:
        """The first participants who joined after the number `after`, as many as fit.

        The second value is `after` for the next page, None after the last one.
        """
        rest = [each for each in in_order(state) if each.joined_seq > after]
        users = await self.people.find([each.key for each in rest])
        views = (ParticipantView(each, users.get(each.key)) for each in rest)
        fitting = budget.fit(map(participant_view_to_wire, views))
        more = len(fitting) < len(rest)
        return fitting, rest[len(fitting) - 1].joined_seq if more else None

    async def overview(
        self,
        identity: Identity,
        budget: Budget,
        *,
        limit: int,
        cursor: tuple[str, int] | None = None,
        shorten: bool = False,
    ) -> tuple[list[Json], tuple[str, int] | None]:
        """The caller's chats behind `cursor`, last changed first, and the cursor of the next page.

        Direct chats have their two participants, whose names stand for a title. Over budget, the
        list ends, or with `shorten` its chats become shorter.
        """
        states = await self.states.of_user(identity.key)
        keyed = sorted(
            ((_last_change(state), state.chat.id, state) for state in states), reverse=True
        )
        if cursor is not None:
            keyed = [each for each in keyed if (each[0], each[1]) < cursor]
        page = keyed[:limit]
        pairs = [state.member_keys() for _, _, state in page if state.chat.type is ChatType.DIRECT]
        users = await self.people.find({key for pair in pairs for key in pair})
        encoded: list[Json] = []
        before = None
        for changed, chat_id, state in page:
            # A chat that the caller loses while the list is made is left out.
            if identity.user_id in state.members:
                with contextlib.suppress(NotParticipantError):
                    view = await self.of_state(state, identity, with_participants=False)
                    if state.chat.type is ChatType.DIRECT:
                        pair = [
                            ParticipantView(each, users.get(each.key)) for each in in_order(state)
                        ]
                        view = replace(view, participants=pair)
                    if shorten:
                        encoded.append(budget.shortened(view, chat_view_to_wire))
                    else:
                        chat = budget.encode(chat_view_to_wire(view))
                        if budget.spent and encoded:
                            return encoded, before
                        encoded.append(chat)
            before = (changed, chat_id)
        following = (page[-1][0], page[-1][1]) if len(keyed) > limit else None
        return encoded, following


def view_of(
    state: ChatState,
    mine: Participant | None,
    unread_count: int,
    participants: list[ParticipantView] | None,
) -> ChatView:
    return ChatView(
        chat=state.chat,
        seq=state.head,
        participant_count=len(state.members),
        mine=mine,
        unread_count=unread_count,
        last_message=state.last_message,
        participants=participants,
    )


def in_order(state: ChatState) -> list[Participant]:
    """The participants in the order in which they joined."""
    return sorted(state.members.values(), key=lambda each: each.joined_seq)


def _last_change(state: ChatState) -> str:
    last = state.last_message.created_at if state.last_message else state.chat.updated_at
    return max(last, state.chat.updated_at).isoformat()
