"""The memory of recent sends, so that a retry is answered before limits and plugins see it.

The unique index of the store has the last word. The memory spares it the question, and joins a
retry to a first try that is still on its way to the disk.
"""

from typing import Final

from chat.entities import Message
from chat.errors import idempotency_conflict
from chat.hooks.events import MessageDraft
from chat.identity import UserId
from chat.services.body_digest import digest_of_draft
from chat.services.journal.entries import Sent
from chat.services.journal.outcome import Outcome

GENERATION: Final = 10_000
"""The last 10,000 to 20,000 sends are known; retries come within seconds of a lost ack. About 0.3
kB each.
"""

Key = tuple[int, UserId, str]
_Recent = tuple[MessageDraft, Outcome[Sent]] | int


class RecentSends:
    """Recent sends by clientMessageId: the outcome of a pending one, or the id of its message.

    Keeping messages of 10,000 characters would take 200 MB. There are two generations, of which the
    older is forgotten whole: forgetting one entry for each new one takes 0.4 us more.
    """

    def __init__(self) -> None:
        self._recent: dict[Key, _Recent] = {}
        self._older: dict[Key, _Recent] = {}

    def find(self, key: Key, draft: MessageDraft) -> Outcome[Sent] | int | None:
        """Find the earlier send under this key, None also if it failed.

        Raises IDEMPOTENCY_CONFLICT if a pending send has another body.
        """
        recent = self._recent.get(key) or self._older.get(key)
        if recent is None or isinstance(recent, int):
            return recent
        first, sent = recent
        if sent.exception() is not None:
            return None
        if digest_of_draft(first) != digest_of_draft(draft):
            raise idempotency_conflict()
        return sent

    def begin(self, key: Key, draft: MessageDraft, sent: Outcome[Sent]) -> None:
        """Remember a send that begins."""
        self._put(key, (draft, sent))

    def failed(self, key: Key, sent: Outcome[Sent]) -> None:
        """Forget a send that was refused: the next send under this key counts as the first.

        The stored errors would keep up to 20,000 whole calls alive.
        """
        for generation in (self._recent, self._older):
            recent = generation.get(key)
            if isinstance(recent, tuple) and recent[1] is sent:
                del generation[key]

    def landed(self, message: Message) -> None:
        """Remember a message that is stored, whatever answer its sender got."""
        if message.client_message_id is not None:
            self._put((message.chat_id, message.sender_id, message.client_message_id), message.id)

    def _put(self, key: Key, recent: _Recent) -> None:
        self._recent[key] = recent
        if len(self._recent) >= GENERATION:
            self._older, self._recent = self._recent, {}


def key_of(draft: MessageDraft) -> Key | None:
    """The key of a message that has a clientMessageId."""
    if draft.client_message_id is None:
        return None
    return draft.chat_id, draft.sender_id, draft.client_message_id


def follow(first: Outcome[Sent]) -> Outcome[Sent]:
    """An outcome of its own with the first one's answer, marked as a duplicate."""
    result: Outcome[Sent] = Outcome()

    def answer(done: Outcome[Sent]) -> None:
        error = done.exception()
        if error is not None:
            result.set_exception(error)
        else:
            result.set_result(Sent(done.result().message, duplicate=True))

    first.add_done_callback(answer)
    return result
