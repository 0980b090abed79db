"""Lists of chats and of their participants, in pages."""

import contextlib
from typing import Any

import orjson

from chat.contracts.models import participant_to_wire, participants_to_wire
from chat.entities import ChatType
from chat.errors import NotParticipantError
from chat.identity import Identity
from chat.services.budget import Budget
from chat.services.chat_states import ChatState, ChatStates
from chat.services.chats import ChatService, in_order
from chat.services.people import People


class ChatLists:
    def __init__(self, *, states: ChatStates, chats: ChatService, people: People) -> None:
        self._states = states
        self._chats = chats
        self._people = people

    async def people_page(
        self, state: ChatState, after: int, budget: Budget
    ) -> tuple[list[orjson.Fragment], int | None]:
        """The first participants that came after the number `after`, as many as fit; and what to
        ask for the next ones with, None when there are none.
        """
        seats = [each for each in in_order(state) if each.joined_seq > after]
        users = await self._people.find([each.user_id for each in seats])
        fitting = budget.fit(participant_to_wire(each, users.get(each.user_id)) for each in seats)
        more = len(fitting) < len(seats)
        return fitting, seats[len(fitting) - 1].joined_seq if more else None

    async def overview(
        self,
        identity: Identity,
        *,
        limit: int,
        cursor: tuple[str, int] | None,
        budget: Budget | None = None,
    ) -> tuple[list[Any], tuple[str, int] | None]:
        """The caller's chats, the last changed first, behind `cursor`; and the cursor of the next
        page. Direct chats come with their two participants, whose names stand for a title.

        With a budget they come as JSON, as many as fit.
        """
        states = await self._states.of_user(identity.user_id)
        keyed = sorted(
            ((_last_change(state), state.chat.id, state) for state in states), reverse=True
        )
        if cursor is not None:
            keyed = [each for each in keyed if (each[0], each[1]) < cursor]
        page = keyed[:limit]
        pairs = [state.members for _, _, state in page if state.chat.type is ChatType.DIRECT]
        users = await self._people.find({user_id for pair in pairs for user_id in pair})
        wire: list[Any] = []
        before = None
        for changed, chat_id, state in page:
            # Lost while the list is made: then it is just not in it.
            if identity.user_id in state.members:
                with contextlib.suppress(NotParticipantError):
                    chat = await self._chats.describe(state, identity, with_people=False)
                    if state.chat.type is ChatType.DIRECT:
                        chat["participants"] = participants_to_wire(in_order(state), users)
                    if budget is not None:
                        encoded = budget.encode(chat)
                        if budget.spent and wire:
                            return wire, before
                    wire.append(chat if budget is None else encoded)
            before = (changed, chat_id)
        following = (page[-1][0], page[-1][1]) if len(keyed) > limit else None
        return wire, following


def _last_change(state: ChatState) -> str:
    last = state.last_message.created_at if state.last_message else state.chat.updated_at
    return max(last, state.chat.updated_at).isoformat()
