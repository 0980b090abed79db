"""Demo mode: a chat with two people to begin with, and tokens for whoever gives a name.

Exists only while no JWT_SECRET is set: the composition root makes neither this nor its routes
otherwise.
"""

import asyncio
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from chat.auth import mint
from chat.entities import ChatType, Role
from chat.errors import ChatConflictError, SetupError
from chat.identity import Identity
from chat.ports import Clock, IdRepository
from chat.services.chat_states import ChatState
from chat.services.domain import Domain
from chat.services.existing_chats import NewChat
from chat.settings import MIN_SECRET_BYTES

SECRET_FILE: Final = "demo-secret"  # noqa: S105  # the name of a file
FIRST_USERS: Final = {1: "Ada", 2: "Grace"}
CHAT_TITLE: Final = "Welcome"
EXTERNAL_REF: Final = "chatgateway:demo"
TOKEN_VALID_S: Final = 12 * 3600


def demo_secret(data_dir: Path) -> str:
    """The random secret of demo mode, made at the first start and kept, so that tokens outlive a
    restart.
    """
    path = data_dir / SECRET_FILE
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        if path.exists() and len(kept := path.read_text().strip()) >= MIN_SECRET_BYTES:
            return kept
        # Whole or not at all: half a secret would be the key of the next start.
        fresh = path.with_suffix(".new")
        fresh.touch(mode=0o600)
        fresh.write_text(secrets.token_urlsafe(48))
        fresh.replace(path)
        return path.read_text()
    except OSError as error:
        raise SetupError(
            f"DATA_DIR {data_dir} cannot be used ({error.strerror}); "
            "set DATA_DIR to a folder of yours."
        ) from None


@dataclass(frozen=True, slots=True)
class DemoToken:
    token: str
    expires_at: datetime
    user_id: int
    name: str


class DemoService:
    """`open` makes the chat; `token_for` lets anybody in who can reach this machine."""

    def __init__(self, domain: Domain, ids: IdRepository, secret: str, clock: Clock) -> None:
        self._domain = domain
        self._ids = ids
        self._secret = secret
        self._clock = clock
        self._lock = asyncio.Lock()
        self.chat_id = 0

    async def open(self) -> None:
        host = self._host()
        new = NewChat(
            type=ChatType.GROUP,
            title=CHAT_TITLE,
            participant_ids=list(FIRST_USERS),
            external_ref=EXTERNAL_REF,
        )
        try:
            state, created = await self._domain.chats.create(host, new)
        except ChatConflictError as error:
            # The first users may leave the chat; nothing else of it can change.
            if error.chat_id is None or {each["path"] for each in error.details or ()} != {
                "participantIds"
            }:
                raise SetupError(
                    f"the chat {EXTERNAL_REF!r} of the store is not demo mode's; "
                    "set JWT_SECRET, or DATA_DIR to an empty folder."
                ) from None
            self.chat_id = error.chat_id
            return
        self.chat_id = state.chat.id
        if created:
            for user_id, name in FIRST_USERS.items():
                self._name(user_id, name)

    async def token_for(self, name: str) -> DemoToken:
        """A token for the person of that name, who is seated in the demo chat if new."""
        async with self._lock:
            state = await self._state()
            user_id = await self._find(state, name)
            if user_id is None:
                # Never one that was given before: it would come with somebody's messages.
                user_id = max(FIRST_USERS) + await self._ids.reserve("demo_users", 1)
                self._name(user_id, name)
            if user_id not in state.members:
                await self._domain.participants.add(
                    self._host(), self.chat_id, [user_id], Role.MEMBER
                )
        known = self._domain.people.known(user_id)
        shown = known.name if known and known.name else name
        token, expires_at = mint(
            self._secret,
            user_id,
            user_type="employee",
            clock=self._clock,
            valid_s=TOKEN_VALID_S,
            name=shown,
        )
        return DemoToken(token, expires_at, user_id, shown)

    async def first_users(self) -> list[tuple[int, str]]:
        """Up to twelve people of the chat, for the page to offer."""
        state = await self._state()
        people = await self._domain.people.find(list(state.members))
        named = [(each.id, each.name) for each in people.values() if each.name]
        return [(user_id, name) for user_id, name in named if isinstance(user_id, int)][:12]

    async def _state(self) -> ChatState:
        return await self._domain.states.require(self.chat_id, self._host())

    async def _find(self, state: ChatState, name: str) -> int | None:
        wanted = name.casefold()
        people = await self._domain.people.find([*state.members, *FIRST_USERS])
        for user in people.values():
            if isinstance(user.id, int) and user.name and user.name.casefold() == wanted:
                return user.id
        return None

    def _name(self, user_id: int, name: str) -> None:
        self._domain.people.remember(
            Identity(user_id=user_id, type="employee", expires_at=self._clock.now(), name=name)
        )

    def _host(self) -> Identity:
        expires_at = self._clock.now() + timedelta(minutes=1)
        return Identity(user_id="demo-host", type="service", expires_at=expires_at)
