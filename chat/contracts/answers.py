"""The answers of REST routes and of some events, as far as `models` does not have them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from chat.contracts.base import iso
from chat.identity import UserId


def chat_reference(chat_id: int) -> dict[str, Any]:
    return {"chatId": chat_id}


def participant_reference(chat_id: int, user_id: UserId) -> dict[str, Any]:
    return {"chatId": chat_id, "participantId": user_id}


def read_cursor(
    chat_id: int, last_read_message_id: int | None, unread_count: int
) -> dict[str, Any]:
    return {
        "chatId": chat_id,
        "lastReadMessageId": last_read_message_id,
        "unreadCount": unread_count,
    }


def page_to(next_cursor: str | None) -> dict[str, Any]:
    """Write the `page` of a list; without a cursor it is the last one."""
    return {"nextCursor": next_cursor}


def page_of_users(*, has_more: bool) -> dict[str, Any]:
    return {"hasMore": has_more}


def page_of_messages(
    *,
    has_before: bool,
    has_after: bool,
    oldest_id: int | None,
    newest_id: int | None,
    seq: int,
) -> dict[str, Any]:
    return {
        "hasBefore": has_before,
        "hasAfter": has_after,
        "oldestId": oldest_id,
        "newestId": newest_id,
        "seq": seq,
    }


def page_of_revisions(*, has_before: bool, oldest_revision: int | None) -> dict[str, Any]:
    return {"hasBefore": has_before, "oldestRevision": oldest_revision}


def sockets_ended(user_id: UserId, count: int) -> dict[str, Any]:
    return {"userId": user_id, "disconnected": count}


def hook_state(hook: str, failures: int, *, off: bool, users_off: int) -> dict[str, Any]:
    return {"hook": hook, "failures": failures, "off": off, "usersOff": users_off}


def notice_queue(waiting: int, oldest_age_s: float, dropped: int) -> dict[str, Any]:
    return {"waiting": waiting, "oldestAgeS": round(oldest_age_s, 3), "dropped": dropped}


def demo_info(chat_id: int, users: Sequence[tuple[UserId, str]]) -> dict[str, Any]:
    return {
        "chatId": chat_id,
        "users": [{"id": user_id, "name": name} for user_id, name in users],
    }


def demo_token(
    token: str, expires_at: datetime, user_id: UserId, name: str, chat_id: int
) -> dict[str, Any]:
    return {
        "token": token,
        "expiresAt": iso(expires_at),
        "user": {"id": user_id, "name": name},
        "chatId": chat_id,
    }
