"""Seats: roles in chats of externalRefs, given by a token, a plugin or the host, never stored.

A token claims its seats. Without a claim the server asks the plugins, then the host, and keeps a
seat that they give in memory until it ends. Only a user with a seat makes a chat by asking for it.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final
from weakref import WeakValueDictionary

import structlog

from chat.entities import Role, Seat
from chat.errors import ChatError, ErrorCode
from chat.hooks.events import SeatQuestion
from chat.hooks.manager import PluginManager
from chat.hooks.specs import resolve_seat
from chat.identity import SEAT_ROLES, Identity, UserKey
from chat.ports import Clock, SeatSource
from chat.services.budget import Turns
from chat.services.chat_states import ChatState, ChatStates
from chat.services.chats import MAX_TRIES, ChatService, contended
from chat.services.existing_chats import ExistingChats
from chat.services.grants import Grant, Holder, holder_of
from chat.services.pace import Pace

MAX_GRANTS: Final = 200
"""The most seats of one user that are kept in memory; the oldest ends first."""

ASKED_AT_ONCE: Final = 8
"""Questions of all refreshes that run at a time: users who join have to be asked about, too."""

ASKED_OF_A_USER: Final = 4
"""Questions of one user that run at a time: a host that hangs is there for the others still."""

ASKED_OF_ALL: Final = 10_000
"""Far above what the host is asked at once, which has a bound of its own."""

_Question = tuple[UserKey, str, str | None, str]
_log = structlog.get_logger("chat.seats")


@dataclass(slots=True, eq=False, weakref_slot=True)
class _Record:
    """An externalRef of a tenant, while somebody asks about it: `refreshes` were asked for."""

    making: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)
    refreshes: int = field(default=0, init=False)


@dataclass(slots=True, eq=False, kw_only=True)
class SeatService:
    """`source` is the host, None where it is not asked.

    `changed(state)` removes from the chat's room the sockets that have lost their seat.
    """

    states: ChatStates
    existing: ExistingChats
    chats: ChatService
    pace: Pace
    hooks: PluginManager
    source: SeatSource | None
    clock: Clock
    changed: Callable[[ChatState], None]
    _turns: Turns = field(default_factory=lambda: Turns(ASKED_OF_ALL, ASKED_OF_A_USER), init=False)
    _refreshing: asyncio.Semaphore = field(
        default_factory=lambda: asyncio.Semaphore(ASKED_AT_ONCE), init=False
    )
    _seating: dict[_Question, asyncio.Task[ChatState | None]] = field(
        default_factory=dict, init=False
    )
    _records: WeakValueDictionary[tuple[str, str], _Record] = field(
        default_factory=WeakValueDictionary, init=False
    )
    _ending: set[asyncio.Task[None]] = field(default_factory=set, init=False)
    _timers: dict[tuple[int, Holder], asyncio.TimerHandle] = field(default_factory=dict, init=False)

    async def open(self, identity: Identity, external_ref: str) -> ChatState:
        """The chat of that externalRef, made if there is none and the caller has a seat in it.

        Raises NOT_FOUND for a caller who may not see it, whether it exists or not, and
        AUTH_UNAVAILABLE or PLUGIN_ERROR if the host or a plugin gave no answer.
        """
        claimed = _claimed(identity, external_ref)
        state: ChatState | None
        if claimed is not None:
            state = await self._find_or_make(identity, external_ref, claimed)
        else:
            state = await self._open_unclaimed(identity, external_ref)
        self.states.check_identity(identity)
        if state is None or state.rank_of(identity) < 0 or state.closed:
            # Also whom a moderator has removed: the host was asked in vain.
            self.pace.found_nothing(identity)
            raise _no_seat()
        return state

    async def refresh(self, by: Identity, external_ref: str) -> tuple[int, int]:
        """Ask again about each seat from a plugin or the host in that chat; end those refused.

        Returns how many were asked and how many lost their seat. Raises AUTH_UNAVAILABLE if there
        was no answer for some: these keep their seats, and the other answers hold.
        """
        # A question that is on its way is asked again: its answer may be from before this call.
        record = self._record(by, external_ref)
        record.refreshes += 1
        state = await self.existing.of_ref(by, external_ref)
        if state is None:
            return 0, 0
        grants = list((state.granted or {}).values())

        async def again(grant: Grant) -> bool | None:
            async with self._refreshing:
                try:
                    seat = await self._ask_anew(grant.identity, external_ref, record)
                except ChatError:
                    return None
            # One that has ended meanwhile does not come back; one given meanwhile is as new.
            now = self.states.grants.in_chat(state.chat.id) or {}
            if now.get(grant.holder) is grant:
                if seat is None:
                    self._end(state, grant)
                else:
                    self._give(state, grant.identity, seat)
            return seat is None

        outcomes = await asyncio.gather(*[again(each) for each in grants])
        self.changed(state)
        if None in outcomes:
            raise ChatError(
                ErrorCode.AUTH_UNAVAILABLE,
                f"{outcomes.count(None)} of {len(outcomes)} could not be asked about, try again",
                retry_after_s=1,
            )
        return len(outcomes), outcomes.count(True)

    def renewed(self, fresh: Identity) -> None:
        """Prolong the seats that follow the user's token until the renewed token ends."""
        for chat_id, grant in self.states.grants.of_user(fresh.key):
            later = fresh.expires_at > grant.ends_at
            if later and grant.follows_token and grant.holder == holder_of(fresh):
                grant.identity, grant.ends_at = fresh, fresh.expires_at
                self._time(chat_id, grant)

    def stop(self) -> None:
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()

    async def _open_unclaimed(self, identity: Identity, external_ref: str) -> ChatState | None:
        self.pace.may_look_up(identity)
        state = await self.existing.visible_of_ref(identity, external_ref)
        if state is None and not identity.is_privileged:
            state = await self._seat_once(identity, external_ref)
        if state is not None:
            self.renewed(identity)
        return state

    async def _seat_once(self, identity: Identity, external_ref: str) -> ChatState | None:
        """Give the caller a seat, once for all calls that wait for one answer; None = no seat."""
        key = (identity.key, identity.type, identity.role, external_ref)
        seating = self._seating.get(key)
        if seating is None:
            seating = asyncio.get_running_loop().create_task(self._seat(identity, external_ref))
            self._seating[key] = seating
            seating.add_done_callback(lambda _: self._seating.pop(key, None))
        return await asyncio.shield(seating)

    async def _seat(self, identity: Identity, external_ref: str) -> ChatState | None:
        record = self._record(identity, external_ref)
        for _ in range(MAX_TRIES):
            before = record.refreshes
            async with self._turns.of(identity.key):
                # Asked here: those who wait for their turn have not been charged yet.
                self.pace.may_look_up(identity)
                seat = await self._ask(identity, external_ref)
            if seat is None:
                return None
            self.states.check_identity(identity)
            state = await self._find_or_make(identity, external_ref, seat)
            if before == record.refreshes:
                self._give(state, identity, seat)
                return state
        raise _being_refreshed()

    def _record(self, identity: Identity, external_ref: str) -> _Record:
        return self._records.setdefault((identity.tenant, external_ref), _Record())

    async def _find_or_make(self, identity: Identity, external_ref: str, seat: Seat) -> ChatState:
        record = self._record(identity, external_ref)
        for _ in range(MAX_TRIES):
            state = await self.existing.of_ref(identity, external_ref)
            if state is None:
                # If many users open a new record at once, they wait for the first of them.
                async with record.making:
                    state = await self.existing.of_ref(identity, external_ref)
                    if state is None:
                        state = await self.chats.make_for_seat(identity, external_ref, seat.title)
            if state is not None:
                return state
        raise contended()

    async def _ask_anew(
        self, identity: Identity, external_ref: str, record: _Record
    ) -> Seat | None:
        """Ask until no refresh has come in between; AUTH_UNAVAILABLE after MAX_TRIES."""
        for _ in range(MAX_TRIES):
            before = record.refreshes
            seat = await self._ask(identity, external_ref)
            if before == record.refreshes:
                return seat
        raise _being_refreshed()

    async def _ask(self, identity: Identity, external_ref: str) -> Seat | None:
        seat = None
        if self.hooks.has(resolve_seat):
            question = SeatQuestion(identity=identity, external_ref=external_ref)
            seat = await self.hooks.ask(resolve_seat, question, Seat)
            if seat is not None and seat.role not in SEAT_ROLES:
                _log.warning("bad_seat", role=str(seat.role))
                raise ChatError(ErrorCode.PLUGIN_ERROR, "a plugin gave a seat of no known role")
        if seat is None and self.source is not None:
            seat = await self.source.seat(identity, external_ref)
        ended = seat is not None and seat.until is not None and seat.until <= self.clock.now()
        return None if ended else seat

    def _give(self, state: ChatState, identity: Identity, seat: Seat) -> None:
        held = self.states.grants.of_user(identity.key)
        known = self.states.grants.in_chat(state.chat.id) or {}
        if len(held) >= MAX_GRANTS and holder_of(identity) not in known:
            self._ended(*held[0])
        until = seat.until
        grant = Grant(
            identity=identity,
            external_ref=state.chat.external_ref or "",
            role=Role(seat.role),
            ends_at=identity.expires_at if until is None else min(until, identity.expires_at),
            follows_token=until is None,
        )
        state.reseated(self.states.grants.put(state.chat.id, grant))
        self._time(state.chat.id, grant)

    def _time(self, chat_id: int, grant: Grant) -> None:
        key = (chat_id, grant.holder)
        earlier = self._timers.pop(key, None)
        if earlier is not None:
            earlier.cancel()
        left_s = (grant.ends_at - self.clock.now()).total_seconds()
        loop = asyncio.get_running_loop()
        self._timers[key] = loop.call_later(max(left_s, 0), self._ended, chat_id, grant)

    def _ended(self, chat_id: int, grant: Grant) -> None:
        state = self.states.loaded(chat_id)
        if state is not None:
            self._end(state, grant)
            self.changed(state)
            return
        self._forget(chat_id, grant)
        task = asyncio.get_running_loop().create_task(self._put_out_later(chat_id))
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    def _end(self, state: ChatState, grant: Grant) -> None:
        state.reseated(self._forget(state.chat.id, grant))

    def _forget(self, chat_id: int, grant: Grant) -> dict[Holder, Grant]:
        timer = self._timers.pop((chat_id, grant.holder), None)
        if timer is not None:
            timer.cancel()
        return self.states.grants.remove(chat_id, grant)

    async def _put_out_later(self, chat_id: int) -> None:
        """Load the chat, then take the sockets without a seat out of its room.

        This may be late: nothing is pushed to the room of a chat that is not in memory.
        """
        try:
            state = await self.states.get(chat_id)
        except ChatError as error:
            _log.warning("seats_not_ended", chat_id=chat_id, code=error.code.value)
            return
        if state is not None:
            self.changed(state)


def _claimed(identity: Identity, external_ref: str) -> Seat | None:
    if identity.seats is None or identity.is_privileged:
        return None
    role = identity.seats.role_in(external_ref)
    return None if role is None else Seat(role=role)


def _being_refreshed() -> ChatError:
    return ChatError(
        ErrorCode.AUTH_UNAVAILABLE, "seats are being refreshed, try again", retry_after_s=1
    )


def _no_seat() -> ChatError:
    return ChatError(ErrorCode.NOT_FOUND, "no chat with this externalRef is open to you")
