"""Names and pictures of users: who may look them up, and who gets their changes.

The module also says who may see that a user is online.
"""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import structlog

from chat.contracts.pushes import user_updated
from chat.entities import User
from chat.errors import ChatError, ErrorCode
from chat.identity import Identity, UserId, UserKey, user_id_of
from chat.ports import Broadcaster, Clock
from chat.services.chat_states import ChatState, ChatStates
from chat.services.contacts import Contacts
from chat.services.people import People
from chat.services.presence import Attendance, PresenceService
from chat.timings import Timings

PUSHES_A_TURN: Final = 10
"""After so many pushes comes a pause, `profile_pause_s`. No message waits for more than ten pushes.

Without a bound, the first logins of 1,000 users who share a chat are a million pushes, which took
three quarters of the server for ten seconds.
"""

_log = structlog.get_logger("chat.profiles")


@dataclass(slots=True, eq=False)
class ProfilePushes:
    """Pushes `userUpdated` to the user's own sockets and to everybody who shares a chat."""

    states: ChatStates
    broadcaster: Broadcaster
    clock: Clock
    timings: Timings
    _changed: dict[UserKey, User] = field(default_factory=dict, init=False)
    _pusher: asyncio.Task[None] | None = field(default=None, init=False)
    _pushed: int = field(default=0, init=False)

    def changed(self, user: User) -> None:
        """Push the profile within a second, or later if many profiles change.

        If the profile changes again until then, only its latest state is pushed.
        """
        self._changed[user.key] = user
        if self._pusher is None:
            self._pusher = asyncio.get_running_loop().create_task(self._push_later())

    def stop(self) -> None:
        if self._pusher is not None:
            self._pusher.cancel()

    async def _push_later(self) -> None:
        while self._changed:
            await asyncio.sleep(self.timings.profile_push_after_s)
            # A profile that changes again before its turn is pushed once.
            for key in list(self._changed):
                user = self._changed.pop(key)
                try:
                    await self._push(user)
                except ChatError as error:
                    _log.warning("profile_not_pushed", code=error.code.value)
                except Exception:  # noqa: BLE001  # the next profile is pushed all the same
                    _log.exception("profile_not_pushed")
        self._pusher = None

    async def _push(self, user: User) -> None:
        peers = {user.key}
        for state in await self.states.of_user(user.key):
            peers.update(state.member_keys())
        event = user_updated(user, self.clock.now())
        for peer in peers:
            self._pushed += self.broadcaster.to_user(peer, event)
            if self._pushed >= PUSHES_A_TURN:
                self._pushed = 0
                await asyncio.sleep(self.timings.profile_pause_s)


@dataclass(slots=True, eq=False, kw_only=True)
class Directory:
    """Look-ups of profiles, and of who is online.

    A user sees the profiles of the participants of their chats, of the users whom the history of
    these chats names, and of those who have one of them open; so does a user with a seat, while the
    chat is open. Admins and services see all profiles of their tenant: one with nulls for an
    unknown id. Only users who share a chat now see each other's presence. In an `is_open` directory
    every user but guests sees all of their tenant.
    """

    states: ChatStates
    attendance: Attendance
    people: People
    online: PresenceService
    contacts: Contacts
    is_open: bool

    async def get(self, identity: Identity, user_id: UserId) -> User:
        """One profile; NOT_FOUND alike for unknown users and for those the caller may not see."""
        found = await self.find(identity, [user_id])
        if not found:
            raise ChatError(ErrorCode.NOT_FOUND, "there is no such user")
        return found[0]

    async def find(self, identity: Identity, user_ids: Collection[UserId]) -> list[User]:
        """The profiles among `user_ids` that the caller may see, in the order asked.

        Asks the store once for profiles that are not in memory, and loads the caller's chats if
        those in memory do not name all of `user_ids`.
        """
        wanted = list(dict.fromkeys(user_ids))
        if self._sees_all(identity):
            visible = set(wanted)
        else:
            visible = await self._visible(identity, wanted)
        shown = [identity.key_of(each) for each in wanted if each in visible]
        profiles = await self.people.find(shown)
        return [profiles.get(key) or User(key=key) for key in shown]

    async def presence(
        self, identity: Identity, user_ids: Sequence[UserId]
    ) -> list[tuple[UserId, bool, datetime | None]]:
        """`(user id, online, last seen)` of each, in the order asked.

        A user whom the caller may not see looks offline, like a user who does not exist, and costs
        the same time.
        """
        visible = set(user_ids)
        if not self._sees_all(identity):
            others = visible - {identity.user_id}
            visible -= others - await self.states.peers_among(identity.key, others)
        found = {
            user_id_of(key): (online, last_seen)
            for key, online, last_seen in await self.online.look_up(
                [identity.key_of(each) for each in visible]
            )
        }
        return [(each, *found.get(each, (False, None))) for each in user_ids]

    def _sees_all(self, identity: Identity) -> bool:
        return identity.is_privileged or (self.is_open and not self.contacts.is_guest(identity))

    async def _visible(self, viewer: Identity, wanted: Collection[UserId]) -> set[UserId]:
        hidden = set(wanted) - {viewer.user_id}
        for state in self.states.loaded_chats_of(viewer.key):
            hidden -= self._seen_in(state, hidden)
        for state in self._seats_of(viewer):
            hidden -= self._seen_in(state, hidden)
        if hidden:
            for state in await self.states.of_user(viewer.key):
                hidden -= self._seen_in(state, hidden)
        return set(wanted) - hidden

    def _seats_of(self, identity: Identity) -> list[ChatState]:
        """The chats that the caller has open by a seat."""
        sockets = self.attendance.whereabouts.of_user(identity.key)
        opened = {chat_id for each in sockets for chat_id in each.rooms}
        states = [self.states.loaded(each) for each in opened]
        return [each for each in states if each is not None and each.rank_of(identity) >= 0]

    def _seen_in(self, state: ChatState, user_ids: Collection[UserId]) -> set[UserId]:
        is_present, chat_id = self.attendance.is_present, state.chat.id
        return {
            each
            for each in user_ids
            if state.names(each) or is_present(chat_id, state.key_of(each))
        }
