"""The memory of recent sends by clientMessageId: a retry is answered before limits and plugins see
it.

The unique index of the store decides for good; this only spares it, and joins a retry to its first
try while that is on its way to the disk.
"""

import hashlib
from collections import OrderedDict
from typing import Final

import orjson

from chat.entities import Message
from chat.errors import idempotency_conflict
from chat.hook_events import MessageDraft
from chat.identity import UserId
from chat.services.journal_entries import Sent
from chat.services.outcome import Outcome

MAX_RECENT: Final = 20_000
"""Retries come within seconds of a lost ack. About 0.4 kB each."""

Key = tuple[int, UserId, str]


class RecentSends:
    """By key: the digest, and the send on its way or the id of the message that it made. (Whole
    messages of 10,000 characters would be 200 MB of memory.)
    """

    def __init__(self) -> None:
        self._recent: OrderedDict[Key, tuple[str, Outcome[Sent] | int]] = OrderedDict()

    def find(self, key: Key, digest: str) -> Outcome[Sent] | int | None:
        """The earlier send under this key, None also where it failed; IDEMPOTENCY_CONFLICT when it
        had another body.
        """
        recent = self._recent.get(key)
        if recent is None:
            return None
        known, sent = recent
        if isinstance(sent, Outcome) and sent.exception() is not None:
            return None
        if known != digest:
            raise idempotency_conflict()
        return sent

    def begin(self, key: Key, digest: str, sent: Outcome[Sent]) -> None:
        """Know a send from here on."""
        self._put(key, digest, sent)

    def failed(self, key: Key, sent: Outcome[Sent]) -> None:
        """A send was refused: the next under this key is a first one. (Its error would keep the
        whole call alive, 20,000 times over.)
        """
        known = self._recent.get(key)
        if known is not None and known[1] is sent:
            del self._recent[key]

    def landed(self, message: Message) -> None:
        """A message is stored, whatever its sender was told."""
        if message.client_message_id is not None and message.body_digest is not None:
            key = (message.chat_id, message.sender_id, message.client_message_id)
            self._put(key, message.body_digest, message.id)

    def _put(self, key: Key, digest: str, sent: Outcome[Sent] | int) -> None:
        self._recent[key] = (digest, sent)
        if len(self._recent) > MAX_RECENT:
            self._recent.popitem(last=False)


def key_of(draft: MessageDraft) -> Key | None:
    """The key of a message that has a clientMessageId."""
    if draft.client_message_id is None:
        return None
    return draft.chat_id, draft.sender_id, draft.client_message_id


def digest_of(draft: MessageDraft) -> str:
    """What makes two bodies the same: text, what it answers, metadata in any order of keys."""
    body = {"content": draft.content, "replyToId": draft.reply_to_id, "metadata": draft.metadata}
    canonical = orjson.dumps(body, option=orjson.OPT_SORT_KEYS)
    return hashlib.blake2b(canonical, digest_size=16).hexdigest()


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
