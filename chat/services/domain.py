"""All services over one store, made once, for both entry points."""

from dataclasses import dataclass
from datetime import timedelta

from chat.hooks.manager import PluginManager
from chat.ports import Broadcaster, Clock, SeatSource, Store, Whereabouts
from chat.services.access import AccessService
from chat.services.budget import (
    ANSWERS_IN_A_BACKLOG,
    READS_OF_ALL,
    READS_OF_ALL_IN_MONGODB,
    Turns,
)
from chat.services.catch_up import CatchUpService
from chat.services.chat_states import ChatStates
from chat.services.chat_views import ChatViews
from chat.services.chats import ChatService
from chat.services.contacts import Contacts
from chat.services.existing_chats import ExistingChats
from chat.services.journal.journal import Journal
from chat.services.message_pages import MessagePages
from chat.services.messages import MessageService
from chat.services.pace import Pace
from chat.services.participants import ParticipantService
from chat.services.people import People
from chat.services.presence import Attendance, PresenceService
from chat.services.profiles import Directory, ProfilePushes
from chat.services.reads import ReadService
from chat.services.revisions import RevisionService
from chat.services.rooms import RoomService
from chat.services.seats import SeatService
from chat.services.timeline import Timeline
from chat.services.typing import TypingService
from chat.services.unread import UnreadService
from chat.settings import Settings
from chat.timings import Timings


@dataclass(frozen=True, slots=True)
class Domain:
    """All services: `start` before the first request, `stop` after the last, then `close`.

    Call `close` when all sockets are gone. `stop` writes what is still queued: the journal has
    `timeout_s` for that, and the caller bounds the rest.
    """

    pace: Pace
    states: ChatStates
    journal: Journal
    messages: MessageService
    message_pages: MessagePages
    revisions: RevisionService
    chats: ChatService
    chat_views: ChatViews
    participants: ParticipantService
    reads: ReadService
    people: People
    profile_pushes: ProfilePushes
    directory: Directory
    presence: PresenceService
    attendance: Attendance
    rooms: RoomService
    seats: SeatService
    typing: TypingService
    catch_up: CatchUpService
    unread: UnreadService
    access: AccessService

    def start(self) -> None:
        self.journal.start()

    async def stop(self, timeout_s: float) -> None:
        self.typing.stop()
        self.seats.stop()
        self.unread.stop()
        self.attendance.stop()
        self.presence.stop()
        await self.journal.stop(timeout_s)

    async def close(self) -> None:
        """Write the last small facts, such as the last-seen times of sockets that just ended."""
        await self.people.stop()
        # No socket is left to get the last profiles that `people` has written.
        self.profile_pushes.stop()


def build_domain(
    *,
    store: Store,
    seat_source: SeatSource | None,
    whereabouts: Whereabouts,
    broadcaster: Broadcaster,
    hooks: PluginManager,
    clock: Clock,
    settings: Settings,
    timings: Timings,
) -> Domain:
    """Wire the services to each other; opens nothing yet."""
    pace = Pace(settings, clock)
    reads_of_all = READS_OF_ALL if settings.mongodb_uri is None else READS_OF_ALL_IN_MONGODB
    turns = Turns(reads_of_all)
    answer_bytes = settings.max_backlog_bytes // ANSWERS_IN_A_BACKLOG
    access = AccessService(
        store.access, broadcaster, clock, settings.clock_skew_s, lambda: journal.settled()
    )
    states = ChatStates(
        store.chats,
        store.messages,
        pace,
        access.check_still,
        settings.chats_in_memory_mb * 1_000_000,
        reads_of_all,
    )
    journal = Journal(states, store.messages, store.chats, store.ids)

    profile_pushes = ProfilePushes(states, broadcaster, clock, timings)
    people = People(store.users, store.chats, profile_pushes.changed, timings.people_flush_every_s)
    attendance = Attendance(whereabouts, broadcaster, clock, settings.presence_grace_s)
    contacts = Contacts(states=states, chats=store.chats, clock=clock, settings=settings)
    presence = PresenceService(
        whereabouts=whereabouts,
        states=states,
        people=people,
        broadcaster=broadcaster,
        clock=clock,
        grace_s=settings.presence_grace_s,
    )
    directory = Directory(
        states=states,
        attendance=attendance,
        people=people,
        online=presence,
        contacts=contacts,
        is_open=settings.open_directory,
    )
    typing = TypingService(
        states=states,
        pace=pace,
        broadcaster=broadcaster,
        hooks=hooks,
        clock=clock,
        ttl_s=settings.typing_ttl_s,
        push_every_s=timings.typing_push_every_s,
    )

    reads = ReadService(
        states=states,
        chats=store.chats,
        messages=store.messages,
        broadcaster=broadcaster,
        hooks=hooks,
        clock=clock,
    )
    unread = UnreadService(
        states=states,
        reads=reads,
        broadcaster=broadcaster,
        clock=clock,
        push_every_s=timings.unread_push_every_s,
    )
    message_pages = MessagePages(
        states=states,
        pace=pace,
        messages=store.messages,
        turns=turns,
        answer_bytes=answer_bytes,
    )
    messages = MessageService(
        states=states,
        pace=pace,
        journal=journal,
        messages=store.messages,
        people=people,
        typing=typing,
        unread=unread,
        broadcaster=broadcaster,
        hooks=hooks,
        clock=clock,
        max_content_chars=settings.max_content_chars,
    )
    revisions = RevisionService(
        states=states,
        unread=unread,
        journal=journal,
        messages=store.messages,
        pages=message_pages,
        broadcaster=broadcaster,
        hooks=hooks,
        clock=clock,
        turns=turns,
        max_content_chars=settings.max_content_chars,
        edit_window=timedelta(seconds=settings.edit_window_s),
    )

    timeline = Timeline(
        states=states,
        journal=journal,
        unread=unread,
        broadcaster=broadcaster,
        clock=clock,
        is_on=settings.has_timeline,
    )
    existing = ExistingChats(
        states=states, chats=store.chats, external_ref_types=settings.external_ref_types
    )
    chat_views = ChatViews(states=states, existing=existing, people=people, reads=reads)
    chats = ChatService(
        states=states,
        existing=existing,
        views=chat_views,
        journal=journal,
        chats=store.chats,
        ids=store.ids,
        contacts=contacts,
        attendance=attendance,
        timeline=timeline,
        broadcaster=broadcaster,
        hooks=hooks,
        clock=clock,
        max_participants=settings.max_participants,
        seats_changed=lambda state: rooms.seats_changed(state),
    )
    participants = ParticipantService(
        states=states,
        journal=journal,
        chats=store.chats,
        people=people,
        contacts=contacts,
        typing=typing,
        attendance=attendance,
        timeline=timeline,
        broadcaster=broadcaster,
        sockets=whereabouts,
        clock=clock,
        max_participants=settings.max_participants,
    )
    catch_up = CatchUpService(
        states=states,
        pace=pace,
        messages=store.messages,
        views=chat_views,
        clock=clock,
        turns=turns,
        answer_bytes=answer_bytes,
        epoch=store.epoch,
    )
    seats = SeatService(
        states=states,
        existing=existing,
        chats=chats,
        pace=pace,
        hooks=hooks,
        source=seat_source,
        clock=clock,
        changed=lambda state: rooms.seats_changed(state),
    )
    rooms = RoomService(
        states=states,
        chats=chats,
        seats=seats,
        sockets=whereabouts,
        broadcaster=broadcaster,
        pace=pace,
        attendance=attendance,
        typing=typing,
        reads=reads,
        catch_up=catch_up,
        hooks=hooks,
        max_rooms=settings.max_rooms_per_socket,
    )
    return Domain(
        pace=pace,
        access=access,
        states=states,
        journal=journal,
        people=people,
        profile_pushes=profile_pushes,
        attendance=attendance,
        presence=presence,
        directory=directory,
        typing=typing,
        reads=reads,
        unread=unread,
        messages=messages,
        message_pages=message_pages,
        revisions=revisions,
        chats=chats,
        chat_views=chat_views,
        participants=participants,
        catch_up=catch_up,
        rooms=rooms,
        seats=seats,
    )
