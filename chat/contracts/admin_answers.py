"""The answers of /admin and /demo that succeed, each with its writer."""

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

from typing_extensions import TypedDict

from chat.contracts.acks import Ack
from chat.contracts.base import AnyUserId, Count, Id, Timestamp, iso
from chat.identity import UserId


class SocketsEndedModel(TypedDict):
    """A user, and how many of their sockets were ended."""

    userId: AnyUserId
    disconnected: Count


class SocketsEndedAnswer(Ack):
    data: SocketsEndedModel


class SeatsRefreshedModel(TypedDict):
    """How many seats the host was asked about again, and how many of them ended."""

    asked: Count
    ended: Count


class SeatsRefreshedAnswer(Ack):
    data: SeatsRefreshedModel


class StatsModel(TypedDict):
    """The state of the server at this moment."""

    users: Count
    sockets: Count
    journal: Literal["ok", "in doubt"]
    epoch: str
    logLinesLost: Count


class StatsAnswer(Ack):
    data: StatsModel


class HookModel(TypedDict):
    """A hook of a plugin: whether it is switched off after failures, or for so many users."""

    hook: str
    failures: Count
    off: bool
    usersOff: Count


class NoticesModel(TypedDict):
    """The notices that wait for a plugin."""

    waiting: Count
    oldestAgeS: float
    dropped: Count


class PluginModel(TypedDict):
    """A plugin, its hooks and its queue."""

    name: str
    hooks: list[HookModel]
    notices: NoticesModel


class PluginsAnswer(Ack):
    data: list[PluginModel]


def sockets_ended(user_id: UserId, count: int) -> SocketsEndedAnswer:
    return {"success": True, "data": {"userId": user_id, "disconnected": count}}


def seats_refreshed(asked: int, ended: int) -> SeatsRefreshedAnswer:
    return {"success": True, "data": {"asked": asked, "ended": ended}}


def stats(
    *, users: int, sockets: int, in_doubt: bool, epoch: str, log_lines_lost: int
) -> StatsAnswer:
    return {
        "success": True,
        "data": {
            "users": users,
            "sockets": sockets,
            "journal": "in doubt" if in_doubt else "ok",
            "epoch": epoch,
            "logLinesLost": log_lines_lost,
        },
    }


def hook_state(hook: str, failures: int, *, off: bool, users_off: int) -> HookModel:
    return {"hook": hook, "failures": failures, "off": off, "usersOff": users_off}


def plugin_state(
    name: str, hooks: list[HookModel], *, waiting: int, oldest_age_s: float, dropped: int
) -> PluginModel:
    notices: NoticesModel = {
        "waiting": waiting,
        "oldestAgeS": round(oldest_age_s, 3),
        "dropped": dropped,
    }
    return {"name": name, "hooks": hooks, "notices": notices}


def plugins(described: list[PluginModel]) -> PluginsAnswer:
    return {"success": True, "data": described}


class DemoUserModel(TypedDict):
    """A user of the demo chat."""

    id: AnyUserId
    name: str


class DemoInfoModel(TypedDict):
    """The demo chat, and the users to begin with."""

    chatId: Id
    users: list[DemoUserModel]


class DemoInfoAnswer(Ack):
    data: DemoInfoModel


class DemoTokenModel(TypedDict):
    """A token, whose it is, and the chat that its user is in."""

    token: str
    expiresAt: Timestamp
    user: DemoUserModel
    chatId: Id


class DemoTokenAnswer(Ack):
    data: DemoTokenModel


def demo_info(chat_id: int, users: Iterable[tuple[UserId, str]]) -> DemoInfoAnswer:
    named: list[DemoUserModel] = [{"id": user_id, "name": name} for user_id, name in users]
    return {"success": True, "data": {"chatId": chat_id, "users": named}}


def demo_token(
    token: str, expires_at: datetime, user_id: UserId, name: str, chat_id: int
) -> DemoTokenAnswer:
    return {
        "success": True,
        "data": {
            "token": token,
            "expiresAt": iso(expires_at),
            "user": {"id": user_id, "name": name},
            "chatId": chat_id,
        },
    }
