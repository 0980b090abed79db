"""The audit log: who used an authority over others, on what, and with which outcome.

The server itself writes it, so that neither the choice of plugins nor LOG_LEVEL silences it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from chat.contracts.client_events import Event
from chat.errors import ChatError, ErrorCode
from chat.identity import Identity
from chat.logs.setup import unfiltered_logger

CHANGES: Final = frozenset(
    {
        "POST /chats",
        "PATCH /chats/:id",
        "DELETE /chats/:id",
        "POST /chats/:id/participants",
        "PATCH /chats/:id/participants/:userId",
        "DELETE /chats/:id/participants/:userId",
        "POST /chats/:id/leave",
        "PUT /users/:id",
        "POST /admin/users/:id/disconnect",
        "POST /admin/users/:id/revoke",
        "POST /admin/users/:id/block",
        "POST /admin/users/:id/unblock",
        "POST /admin/seats/refresh",
        "GET /admin/stats",
        "GET /admin/plugins",
    }
)
"""Logged for every caller: administration, and changes of participants."""

READS: Final = frozenset(
    {
        "GET /chats",
        "POST /chats/join",
        "GET /chats/:id",
        "GET /chats/:id/participants",
        "GET /chats/:id/reads",
        "GET /chats/:id/sync",
        "GET /chat-messages",
        "GET /chat-messages/:id",
        "GET /chat-messages/:id/history",
        Event.JOIN_CHAT,
        Event.SYNC,
    }
)
"""Logged if the caller reads without being in the chat, or is refused."""

OF_MESSAGES: Final = frozenset({Event.EDIT_MESSAGE, Event.DELETE_MESSAGE})
"""Logged if the message is not the caller's own, or the caller is refused."""

AUDITED: Final = CHANGES | READS | OF_MESSAGES
OBJECTS: Final = ("chat_id", "message_id", "user_id", "role")
"""Fields of a payload that say what a call is about. None of them holds content."""

IDS_A_LINE: Final = 50
_DENIED: Final = (ErrorCode.FORBIDDEN, ErrorCode.NOT_PARTICIPANT, ErrorCode.NOT_FOUND)
_PERHAPS_DONE: Final = (
    ErrorCode.TIMEOUT,
    ErrorCode.INTERNAL_ERROR,
    ErrorCode.STORAGE_UNAVAILABLE,
)
_log = unfiltered_logger()


def objects_of(payload: object) -> dict[str, Any]:
    """The chats, users and messages that a payload names."""
    found = {name: getattr(payload, name, None) for name in OBJECTS}
    found["user_ids"] = getattr(payload, "user_ids", getattr(payload, "participant_ids", None))
    chats = getattr(payload, "chats", None)
    found["chat_ids"] = [each.chat_id for each in chats] if chats else None
    return {name: value for name, value in found.items() if value not in (None, [], ())}


@dataclass(slots=True, eq=False)
class Audit:
    """`is_in(chat_id, identity)`: whether the caller is known to be in the chat, or has a seat."""

    is_in: Callable[[int, Identity], bool]

    def answered(
        self,
        action: str | None,
        identity: Identity,
        objects: dict[str, Any],
        error: ChatError | None,
        **where: str | None,
    ) -> None:
        """Write a line, if the call is to be logged; raises nothing.

        `objects` are ids by their kind; `sender_id` among them is the sender of the message.
        """
        try:
            if action in AUDITED and (name := self._name(action, identity, objects, error)):
                code = error.code if error else _code_of(name)
                _write(name, action, identity, objects, code, where)
        except Exception:  # noqa: BLE001  # the call is done, and its answer must go out
            _log.exception("audit_failed", action=action)

    def _name(
        self, action: str, identity: Identity, objects: dict[str, Any], error: ChatError | None
    ) -> str | None:
        """The event of the line; None if the call is not logged."""
        if error is not None:
            if action in CHANGES and error.code in _PERHAPS_DONE:
                return "audit_change"
            return "audit_refused" if action in CHANGES or error.code in _DENIED else None
        if action in CHANGES:
            return "audit_change"
        if action in OF_MESSAGES:
            return "audit_change" if objects.get("sender_id") != identity.user_id else None
        chats = objects.get("chat_ids") or [objects.get("chat_id")]
        foreign = [each for each in chats if each is not None and not self.is_in(each, identity)]
        if not foreign:
            return None
        if action == Event.SYNC:
            # A sync answers for each chat separately.
            objects["chat_ids"] = foreign
        return "audit_read" if identity.is_privileged else "audit_refused"


def _code_of(name: str) -> ErrorCode | None:
    return ErrorCode.NOT_PARTICIPANT if name == "audit_refused" else None


def _write(
    name: str,
    action: str,
    identity: Identity,
    objects: dict[str, Any],
    code: ErrorCode | None,
    where: dict[str, str | None],
) -> None:
    for each in _lines(objects):
        _log.info(
            name,
            actor_id=identity.user_id,
            **({"tenant": identity.tenant} if identity.tenant else {}),
            actor_type=identity.type,
            action=action,
            outcome=code.value if code else "ok",
            **each,
            **where,
        )


def _lines(objects: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The objects, with some of the ids on each line if there are many."""
    users = objects.get("user_ids") or ()
    yield {**objects, **({"user_ids": list(users[:IDS_A_LINE])} if users else {})}
    for start in range(IDS_A_LINE, len(users), IDS_A_LINE):
        yield {**objects, "user_ids": list(users[start : start + IDS_A_LINE])}
