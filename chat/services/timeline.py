"""The timeline: messages of type `system`, which tell what was done to a chat and by whom.

The journal stores such a line after the change that it describes, in the same step, under the next
number. Until then the change's document carries the line, so a crash in between loses neither.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from chat.contracts.pushes import new_message
from chat.entities import ChatType, Message, Role, SystemEvent, SystemKind
from chat.errors import ChatError
from chat.identity import Identity, UserId
from chat.ports import Broadcaster, Clock
from chat.services.chat_states import ChatState, ChatStates
from chat.services.journal.entries import Append, Sent
from chat.services.journal.journal import Journal
from chat.services.journal.outcome import Outcome
from chat.services.unread import UnreadService

_TEXTS: Final = {
    SystemKind.PARTICIPANTS_ADDED: "added {people}",
    SystemKind.PARTICIPANT_REMOVED: "removed {people}",
    SystemKind.PARTICIPANT_LEFT: "left the chat",
    SystemKind.ROLE_CHANGED: "changed the role of {people}",
    SystemKind.TITLE_CHANGED: "changed the title",
}
"""The text for clients that know no lines: they show it behind the name of the line's sender."""

_log = structlog.get_logger("chat.timeline")


@dataclass(slots=True, eq=False, kw_only=True)
class Timeline:
    """Makes lines if `is_on`, and applies those that are stored."""

    states: ChatStates
    journal: Journal
    unread: UnreadService
    broadcaster: Broadcaster
    clock: Clock
    is_on: bool

    async def line(
        self,
        state: ChatState,
        identity: Identity,
        kind: SystemKind,
        user_ids: Sequence[UserId] = (),
        *,
        role: Role | None = None,
        title: str | None = None,
    ) -> Message | None:
        """Make the line of a change of a group; None where the timeline is off."""
        if not self.is_on or state.chat.type is ChatType.DIRECT:
            return None
        await self.states.note_author(state, identity.user_id)
        people = "a participant" if len(user_ids) == 1 else f"{len(user_ids)} participants"
        now = self.clock.now()
        return Message(
            id=0, chat_id=state.chat.id, seq=0, updated_seq=0, revision=1,
            sender_id=identity.user_id, sender_type=identity.type,
            message=_TEXTS[kind].format(people=people), client_message_id=None, reply_to=None,
            metadata=None, created_at=now, updated_at=now, type="system",
            system=SystemEvent(kind, identity.user_id, tuple(user_ids), role, title),
        )  # fmt: skip

    def commit(self, state: ChatState, line: Message) -> None:
        """Apply a line that is stored: memory, then the push. Plugins get no hook."""
        state.told(line)
        self.unread.chat_changed(state)
        self.broadcaster.to_chat(state.chat.id, new_message(line))

    def tell(self, state: ChatState, line: Message) -> None:
        """Queue a line by itself, where the change that should carry it was not made."""
        try:
            self.journal.append(_Told(state, line, Outcome[Sent](), self))
        except ChatError as error:
            _log.warning("line_not_told", chat_id=state.chat.id, code=error.code.value)


@dataclass(slots=True, eq=False)
class _Told(Append):
    timeline: Timeline

    def check(self) -> None:
        """Never refuse the line: what it tells has happened."""

    def commit(self, message: Message) -> None:
        self.timeline.commit(self.state, message)
