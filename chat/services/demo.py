"""Demo mode: a chat with two participants to begin with, and tokens for whoever gives a name.

Exists only while the host has set no key: otherwise the composition root makes neither this nor its
routes. A token opens every chat in DATA_DIR, so the demo runs only in a folder of its own, which is
marked by the file that holds its secret.
"""

import asyncio
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import structlog

from chat.auth import mint
from chat.contracts.view_writers import path_of
from chat.data_dir import holds_only_a_store, is_unused, private_folder, unusable, write_private
from chat.entities import ChatType, Role
from chat.errors import ChatConflictError, ChatError, ErrorCode, SetupError
from chat.identity import Identity, UserKey, user_id_of, user_key
from chat.ports import ChatRepository, Clock, IdRepository
from chat.services.chat_states import ChatState
from chat.services.domain import Domain
from chat.services.existing_chats import NewChat
from chat.settings import MIN_SECRET_BYTES

SECRET_FILE: Final = "demo.key"  # noqa: S105  # the name of a file
OLD_SECRET_FILE: Final = "demo-secret"  # noqa: S105  # the name of a file
"""The file that 0.1.x made, and left in a folder that the host's own key then used."""

FIRST_USERS: Final = {1: "Ada", 2: "Grace"}
NO_TENANT: Final = ""
"""Everybody in the demo is of the tenant `''`, as are tokens that name no tenant."""

CHAT_TITLE: Final = "Welcome"
EXTERNAL_REF: Final = "chatgateway:demo"
TOKEN_VALID_S: Final = 12 * 3600
MAX_PEOPLE: Final = 100
NEWCOMERS_PER_MIN: Final = 60
_WINDOW_S: Final = 60.0
_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)

_log = structlog.get_logger("chat.demo")


def demo_secret(data_dir: Path, *, adopting: bool = False) -> str:
    """The random secret of demo mode, kept from the first start on, so tokens outlive a restart.

    Raises SetupError if the folder is in use by something other than the demo. With `adopting`, a
    folder that holds a store gets a secret that only `adopt_folder` keeps, once the store is known
    to be empty.
    """
    private_folder(data_dir)
    path, old = data_dir / SECRET_FILE, data_dir / OLD_SECRET_FILE
    try:
        if old.exists() and not path.exists():
            path = old
        elif not path.exists() and not is_unused(data_dir):
            if adopting and holds_only_a_store(data_dir):
                return secrets.token_urlsafe(48)
            raise _not_of_the_demo(data_dir)
        kept = path.read_text().strip() if path.exists() else ""
        if len(kept) < MIN_SECRET_BYTES:
            kept = secrets.token_urlsafe(48)
            write_private(path, kept)
        return kept
    except OSError as error:
        raise unusable(data_dir, error) from None


async def adopt_folder(data_dir: Path, secret: str, chats: ChatRepository) -> None:
    """Mark a folder as the demo's if its store holds no chat.

    A folder of 0.1.x may hold the demo chat. Raises SetupError if the store holds any other chat:
    0.1.x did not mark a folder that was used with the host's key after it was used as demo.
    """
    path, old = data_dir / SECRET_FILE, data_dir / OLD_SECRET_FILE
    if path.exists():
        return
    of_the_demo: list[str | None] = [EXTERNAL_REF] if old.exists() else []
    if await chats.external_refs(2) not in ([], of_the_demo):
        raise _not_of_the_demo(data_dir)
    write_private(path, secret)
    old.unlink(missing_ok=True)


def end_demo(data_dir: Path) -> None:
    """Make sure that demo mode never opens this folder again: the host's own key is in use."""
    try:
        for name in (SECRET_FILE, OLD_SECRET_FILE):
            if (data_dir / name).exists():
                (data_dir / name).unlink()
                _log.warning("demo_ended", folder=str(data_dir), why="a key of the host is set")
    except OSError as error:
        raise unusable(data_dir, error) from None


def _not_of_the_demo(data_dir: Path) -> SetupError:
    return SetupError(
        f"JWT_SECRET is not set, and the folder {data_dir} is in use by more than the demo, which "
        f"would give everybody a token for it: set JWT_SECRET as before, or set DATA_DIR to an "
        f"empty folder; if you know that all in it is demo data, run "
        f"`touch {data_dir / SECRET_FILE}`."
    )


@dataclass(frozen=True, slots=True)
class DemoToken:
    token: str
    expires_at: datetime
    user_id: int
    name: str


@dataclass(slots=True, eq=False)
class DemoService:
    """`open` makes the chat; `token_for` lets anybody in who can reach this machine."""

    domain: Domain
    ids: IdRepository
    secret: str = field(repr=False)
    clock: Clock
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)
    _next_at: float = field(default=0.0, init=False)
    chat_id: int = field(default=0, init=False)

    async def open(self) -> None:
        host = self._host()
        new = NewChat(
            type=ChatType.GROUP,
            title=CHAT_TITLE,
            participant_ids=list(FIRST_USERS),
            external_ref=EXTERNAL_REF,
        )
        try:
            state, created = await self.domain.chats.create(host, new)
        except ChatConflictError as error:
            # The first users may leave the chat; nothing else of it can change.
            differ = {each["path"] for each in error.details or ()}
            if error.chat_id is None or differ != {path_of("participant_ids")}:
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
        """A token for the user of that name, who is added to the demo chat if new.

        Raises RATE_LIMITED if too many new names come at once.
        """
        async with self._lock:
            state = await self._state()
            user_id = await self._find(state, name)
            if user_id is None:
                self._check_rate()
                # Never an id that was given before: somebody's messages would come with it.
                user_id = max(FIRST_USERS) + await self.ids.reserve("demo_users", 1)
                self._name(user_id, name)
            if user_id not in state.members:
                await self._make_room(state)
                await self.domain.participants.add(
                    self._host(), self.chat_id, [user_id], Role.MEMBER
                )
        known = self.domain.people.known(user_key(NO_TENANT, user_id))
        shown = known.name if known and known.name else name
        token, expires_at = mint(
            self.secret,
            user_id,
            user_type="employee",
            clock=self.clock,
            valid_s=TOKEN_VALID_S,
            name=shown,
        )
        return DemoToken(token, expires_at, user_id, shown)

    async def first_users(self) -> list[tuple[int, str]]:
        """Up to twelve participants of the chat, for the page to offer."""
        state = await self._state()
        people = await self.domain.people.find(state.member_keys())
        named = [(each.id, each.name) for each in people.values() if each.name]
        return [(user_id, name) for user_id, name in named if isinstance(user_id, int)][:12]

    def _check_rate(self) -> None:
        """Count a new name (GCRA): each is kept in the store for good."""
        now = self.clock.monotonic()
        next_at = max(self._next_at, now) + _WINDOW_S / NEWCOMERS_PER_MIN
        wait_s = next_at - now - _WINDOW_S
        # Rounding errors of the sums are smaller than that.
        if wait_s > 1e-6:
            raise ChatError(
                ErrorCode.RATE_LIMITED, "too many new names, try again", retry_after_s=wait_s
            )
        self._next_at = next_at

    async def _make_room(self, state: ChatState) -> None:
        """If the chat is full, remove the participant who has been away the longest."""
        if len(state.members) < MAX_PEOPLE:
            return
        guests = [each.key for each in state.members.values() if each.user_id not in FIRST_USERS]
        away = [
            (last_seen or _LONG_AGO, state.members[user_id_of(key)].joined_seq, user_id_of(key))
            for key, online, last_seen in await self.domain.presence.look_up(guests)
            if not online
        ]
        if not away:
            raise ChatError(
                ErrorCode.RATE_LIMITED,
                "the demo chat is full, try again when somebody has left",
                retry_after_s=_WINDOW_S,
            )
        await self.domain.participants.remove(self._host(), self.chat_id, min(away)[2])

    async def _state(self) -> ChatState:
        return await self.domain.states.require(self.chat_id, self._host())

    async def _find(self, state: ChatState, name: str) -> int | None:
        wanted = name.casefold()
        first: list[UserKey] = [user_key(NO_TENANT, each) for each in FIRST_USERS]
        people = await self.domain.people.find([*state.member_keys(), *first])
        for user in people.values():
            if isinstance(user.id, int) and user.name and user.name.casefold() == wanted:
                return user.id
        return None

    def _name(self, user_id: int, name: str) -> None:
        self.domain.people.remember(
            Identity(user_id=user_id, type="employee", expires_at=self.clock.now(), name=name)
        )

    def _host(self) -> Identity:
        expires_at = self.clock.now() + timedelta(minutes=1)
        return Identity(user_id="demo-host", type="service", expires_at=expires_at)
