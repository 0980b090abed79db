"""The people of the table of authorization, and chats in which each of them has a place."""

import asyncio
import itertools
from dataclasses import dataclass
from typing import Any, Final

from chat.testing import ChatClient, Response, RunningChat
from tests.security.authorization import ACTORS, SEATED, SHORT, SHUT_OUT
from tests.security.seats import SITTERS
from tests.support.gateway.tokens import hours, signed

HOST: Final = ("host", "service")
MISSING: Final = 2**53 - 1
EVERYBODY: Final = (*SHUT_OUT, *ACTORS, *SITTERS)
IDS: Final = {name: 100 + number for number, name in enumerate(EVERYBODY)} | {"service": "host"}
TYPES: Final = {"guest": "guest", "admin": "admin", "service": "service"}
VICTIM, BOSS, THEIRS, THEIR_BOSS = 201, 202, 203, 204
ROLES: Final = ("readonly", "moderator", "owner")


@dataclass(frozen=True, slots=True)
class Chats:
    """A chat with everybody in it, and one that is none of theirs; a message in each."""

    chat: int
    message: int
    other_chat: int
    other: int
    ref: str


class World:
    """One server with everybody connected. `ask` returns an answer as the table spells it.

    The users of a `tenant` have the ids and types that those of any other have.
    """

    def __init__(self, chat: RunningChat, tenant: str = "") -> None:
        self._chat = chat
        self._tenant = tenant
        self._new = itertools.count(10_000)
        self._sockets: dict[str, ChatClient] = {}
        self.tokens: dict[str, str] = {}
        self.shared: Chats
        # The ids of the latest call.
        self.names: dict[str, Any] = {}

    async def open(self) -> None:
        for name in EVERYBODY[1:]:
            valid_s = -60 if name == "expired" else 3600
            kind = TYPES.get(name, "employee")
            self.tokens[name] = self._chat.token(
                IDS[name], kind, valid_s=valid_s, tenant=self._tenant
            )
        # Of one that was issued when the revocation came, the clocks would have a say.
        self.tokens["revoked"] = signed(id=IDS["revoked"], iat=hours(-1), tenant=self._tenant)
        for name, seats in SITTERS.items():
            self.tokens[name] = signed(
                id=IDS[name], type="employee", seats=seats, tenant=self._tenant
            )
        self.shared = await self.new_chats()
        for name, what in (("revoked", "revoke"), ("blocked", "block")):
            await self._host("POST", f"/admin/users/{IDS[name]}/{what}")
        for name in (*ACTORS, *SITTERS):
            self._sockets[name] = await self._chat.connect(token=self.tokens[name])

    async def new_chats(self) -> Chats:
        """Chats that nobody has asked for anything yet."""
        seated = ["former", *SEATED, *(name for name in SHUT_OUT if name != "nobody")]
        chat, other_chat = await asyncio.gather(
            self._new_chat([*(IDS[name] for name in seated), VICTIM, BOSS]),
            self._new_chat([THEIRS, THEIR_BOSS], externalRef=(ref := self._new_ref())),
        )
        people = f"/chats/{chat}/participants"
        roles = {IDS[role]: role for role in ROLES} | {BOSS: "owner"}
        ids = await asyncio.gather(
            self._send(chat, IDS["sender"]),
            self._send(other_chat, THEIRS),
            *(self._host("PATCH", f"{people}/{who}", role=role) for who, role in roles.items()),
            self._host("DELETE", f"{people}/{IDS['former']}"),
        )
        return Chats(chat, ids[0], other_chat, ids[1], ref)

    async def ask(self, actor: str, call: str, body: Any, chats: Chats) -> str:
        """The outcome of a REST call (`GET /chats`) or of an event (`joinChat`)."""
        self.names = names = self._names(actor, chats)
        method, _, path = call.partition(" ")
        if not path:
            return await self._emit(actor, call, _filled(body, names))
        headers = {}
        if actor in self.tokens:
            headers["Authorization"] = f"Bearer {self.tokens[actor]}"
        answer = await self._chat.request(
            method, _filled(path, names), None, json=_filled(body, names), headers=headers
        )
        return _outcome_of(answer)

    async def _emit(self, actor: str, event: str, payload: Any) -> str:
        ack = await self._sockets[actor].call(event, payload)
        failed = None if ack.get("success", True) else ack["error"]["code"]
        return _short(failed or _page_error(ack.get("data")) or "ok")

    def _names(self, actor: str, chats: Chats) -> dict[str, Any]:
        return {
            "{chat}": chats.chat,
            "{other_chat}": chats.other_chat,
            "{message}": chats.message,
            "{other}": chats.other,
            "{ref}": chats.ref,
            "{victim}": VICTIM,
            "{boss}": BOSS,
            "{theirs}": THEIRS,
            "{missing}": MISSING,
            "{me}": IDS[actor],
            "{host}": HOST[0],
            "{new}": next(self._new),
        }

    async def _new_chat(self, user_ids: list[int], **fields: Any) -> int:
        return await self._chat.create_chat(user_ids, tenant=self._tenant, **fields)

    def _new_ref(self) -> str:
        return f"order-{self._tenant}{next(self._new)}"

    async def _send(self, chat_id: int, sender: int) -> int:
        body = {"chatId": chat_id, "content": "hello"}
        answer = await self._chat.request(
            "POST", "/chat-messages", sender, tenant=self._tenant, json=body
        )
        assert answer.status == 201, answer.body
        return int(answer.data["id"])

    async def _host(self, method: str, path: str, **body: Any) -> None:
        answer = await self._chat.request(
            method, path, *HOST, tenant=self._tenant, json=body or None
        )
        assert answer.status == 200, answer.body


def _filled(template: Any, names: dict[str, Any]) -> Any:
    """A body or path with the ids in it; a text that is one name becomes that id."""
    if isinstance(template, dict):
        return {key: _filled(value, names) for key, value in template.items()}
    if isinstance(template, list):
        return [_filled(value, names) for value in template]
    if not isinstance(template, str):
        return template
    if template in names:
        return names[template]
    for name, value in names.items():
        template = template.replace(name, str(value))
    return template


def _outcome_of(answer: Response) -> str:
    data = answer.body.get("data") if isinstance(answer.body, dict) else None
    return _short(answer.code or _page_error(data) or str(answer.status))


def _page_error(data: Any) -> str | None:
    """A catch-up of several chats answers each for itself; the table asks for one."""
    pages = data.get("chats") if isinstance(data, dict) else None
    error = pages[0].get("error") if pages and len(pages) == 1 else None
    return error["code"] if error else None


def _short(code: str) -> str:
    return next((short for short, meant in SHORT.items() if meant == code), code)
