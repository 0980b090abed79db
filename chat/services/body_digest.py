"""Digests that tell whether two bodies under one clientMessageId are the same.

A body is its text, what it answers, and its metadata in any order of keys. A digest is computed
only for repeats. Nearly every message still says what its client sent, so its digest can be
computed from itself; if a hook or an edit has changed it, the digest is stored with the message.
"""

import hashlib
from typing import Any

from chat.contracts.view_writers import canonical_body
from chat.entities import Message
from chat.hooks.events import MessageDraft


def digest_of_draft(draft: MessageDraft) -> str:
    return _digest(draft.content, draft.reply_to_id, draft.metadata)


def digest_of_message(message: Message) -> str:
    """The digest of what was sent, whatever the message says now."""
    if message.body_digest is not None:
        return message.body_digest
    reply = message.reply_to
    return _digest(message.message, None if reply is None else reply.id, message.metadata)


def _digest(content: str, reply_to_id: int | None, metadata: dict[str, Any] | None) -> str:
    body = canonical_body(content, reply_to_id, metadata)
    return hashlib.blake2b(body, digest_size=16).hexdigest()
