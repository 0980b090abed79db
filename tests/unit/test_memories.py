"""What is kept in memory to spare the store or the loop, beside the plain way to know it."""

import asyncio
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from chat.entities import Chat, ChatType, Message, Participant, Role
from chat.errors import ChatError, ErrorCode
from chat.gateway.inbox import Inbox, ReceivedEvent, Workers
from chat.hooks.events import MessageDraft
from chat.identity import Identity
from chat.services import chat_states, idempotency
from chat.services.chat_states import ChatState, ChatStates
from chat.services.idempotency import RecentSends
from chat.services.journal.entries import Sent
from chat.services.journal.outcome import Outcome
from chat.services.pace import Pace
from chat.services.reads import UNREAD_CAP, ReadService
from tests.support.pace import no_limits
from tests.support.virtual_time import run
from tests.support.waiting import turns

RUNS = settings(max_examples=150, deadline=None)
NOW = datetime(2025, 10, 9, tzinfo=UTC)
GENERATION = 5


def _message(seq: int, sender_id: int, **more: Any) -> Message:
    return Message(
        id=1_000 + seq, chat_id=1, seq=seq, updated_seq=seq, revision=1, sender_id=sender_id,
        sender_type="employee", message="hi", client_message_id=more.pop("key", None),
        reply_to=None, metadata=None, created_at=NOW, updated_at=NOW, **more,
    )  # fmt: skip


def _state(chat_id: int = 1, tail: list[Message] | None = None) -> ChatState:
    chat = Chat(
        id=chat_id, tenant="", type=ChatType.GROUP, title=None, external_ref=None, metadata=None,
        created_by=1, created_at=NOW, updated_at=NOW, updated_seq=0, seq_reserved=10_000,
    )  # fmt: skip
    member = Participant(
        chat_id=chat_id, tenant="", user_id=1, role=Role.MEMBER, joined_at=NOW, updated_seq=0
    )
    return ChatState(chat, [member], len(tail or ()), tail or [])


# ---- unread counts from the tail


class Stored:
    """The messages of one chat as the store has them."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    async def brief_window(self, _chat_id: int, low: int, high: int) -> list[Message]:
        return [each for each in self.messages if low <= each.seq < high]


@RUNS
@given(
    st.integers(0, 700),
    st.lists(st.tuples(st.integers(1, 2), st.booleans()), max_size=130),
    st.integers(0, 830),
    st.integers(2, 9),
)
def test_an_unread_count_is_what_counting_all_messages_gives(before, later, cursor, every) -> None:
    """Whether the cursor is within the tail or before it, and where messages were deleted since."""
    stored = Stored()
    stored.messages = [
        _message(seq, seq % every % 2 + 1, deleted_at=NOW if seq % (every + 1) == 0 else None)
        for seq in range(1, before + 1)
    ]
    state = _state(tail=stored.messages[-chat_states.TAIL_MESSAGES :])
    for number, (sender_id, deletes) in enumerate(later):
        message = _message(before + number + 1, sender_id)
        stored.messages.append(message)
        state.created(message)
        if deletes:
            gone = stored.messages[-1 - number // 2]
            gone.deleted_at = NOW
            state.changed(gone)
    me = Participant(
        chat_id=1, tenant="", user_id=1, role=Role.MEMBER, joined_at=NOW, updated_seq=0,
        last_read_seq=cursor,
    )  # fmt: skip
    plain = sum(
        each.seq > cursor and each.sender_id != 1 and each.deleted_at is None
        for each in stored.messages
    )
    reads: Any = SimpleNamespace(messages=stored)
    assert run(ReadService.unread_count(reads, state, me)) == min(plain, UNREAD_CAP)


# ---- which chats are in memory


@RUNS
@given(st.lists(st.tuples(st.booleans(), st.integers(1, 6)), max_size=30))
def test_a_chat_that_is_written_to_is_kept_as_one_that_is_asked_for_is(asked) -> None:
    """The way without a coroutine keeps the same order of what was used last."""
    one, other = ChatStates(*_no_store()), ChatStates(*_no_store())
    for states in (one, other):
        for chat_id in range(1, 5):
            states.put(_state(chat_id))
    who = Identity(user_id=1, type="employee", expires_at=NOW + timedelta(days=1))
    for directly, chat_id in asked:
        if chat_id > 4:
            assert one.require_loaded(chat_id, who) is None
            continue
        plain = run(other.require(chat_id, who)).chat.id
        if directly:
            found = one.require_loaded(chat_id, who)
            assert found is not None
            assert found.chat.id == plain
        else:
            assert run(one.require(chat_id, who)).chat.id == plain
    assert list(one._states) == list(other._states)


def test_a_state_that_somebody_holds_is_the_one_that_is_found_again() -> None:
    """Forgotten or not: two states of one chat would be two truths about it."""
    states = ChatStates(*_no_store(), most_bytes=0)  # keeps the latest one only
    held: Any = states.put(_state(1))
    states.put(_state(2))
    assert list(states._states) == [2]
    assert states.loaded(1) is held
    assert run(states.get(1)) is held
    states.put(_state(3))
    states.drop(held)
    assert states.loaded(1) is None


def test_a_state_that_nobody_holds_is_forgotten() -> None:
    """Nothing else keeps it in memory."""
    states = ChatStates(*_no_store(), most_bytes=0)  # keeps the latest one only
    states.put(_state(1))
    states.put(_state(2))
    assert states.loaded(1) is None
    assert len(states._held) == 0


def test_a_change_of_a_forgotten_chat_brings_it_back() -> None:
    """So that what is known of its people is complete: who is told of presence, say."""
    states = ChatStates(*_no_store(), most_bytes=0)  # keeps the latest one only
    held = states.put(_state(1))
    states.put(_state(2))
    newcomer = Participant(
        chat_id=1, tenant="", user_id=9, role=Role.MEMBER, joined_at=NOW, updated_seq=5
    )
    states.set_member(held, newcomer)
    assert states.loaded_chats_of(9) == [held]


def test_the_first_state_of_a_chat_is_the_one_that_holds() -> None:
    """Where a chat is loaded by one request while another one makes it."""
    states = ChatStates(*_no_store())
    first = states.put(_state(1))
    assert states.put(_state(1)) is first
    assert states.loaded(1) is first


def _no_store() -> tuple[Any, Any, Pace, Any]:
    return None, None, no_limits(), lambda _identity: None


# ---- recent sends, in two generations


keys = st.integers(0, 12).map(lambda number: (1, number % 3, f"key{number}"))


@RUNS
@given(st.lists(st.tuples(st.sampled_from(["begin", "land", "fail", "find"]), keys), max_size=60))
def test_the_last_sends_are_known_and_what_is_known_is_right(acts) -> None:
    """At least those of one generation; never one that failed, never another one's."""
    was, idempotency.GENERATION = idempotency.GENERATION, GENERATION
    try:
        _send(acts)
    finally:
        idempotency.GENERATION = was


def _send(acts: list[tuple[str, tuple[int, int, str]]]) -> None:
    recent = RecentSends()
    plain: dict[Any, Outcome[Sent] | int] = {}
    order: list[Any] = []
    for number, (what, key) in enumerate(acts):
        chat_id, sender_id, text = key
        draft = MessageDraft(
            chat_id=chat_id, sender_id=sender_id, sender_type="employee", content="hi",
            client_message_id=text,
        )  # fmt: skip
        # A send begins only where none is known, as MessageService has it.
        if what == "begin" and recent.find(key, draft) is None:
            plain[key] = Outcome()
            recent.begin(key, draft, plain[key])
            order.append(key)
        elif what == "land":
            plain[key] = number + 1
            recent.landed(_landed(key, number + 1))
            order.append(key)
        elif what == "fail" and isinstance(sent := plain.get(key), Outcome):
            sent.set_exception(ChatError(ErrorCode.REJECTED, "no"))
            recent.failed(key, sent)
            del plain[key]
        found = recent.find(key, draft)
        assert found is None or found is plain.get(key) or found == plain.get(key)
        if key in order[-(GENERATION - 1) :]:
            assert found == plain.get(key)
    assert len(recent._recent) + len(recent._older) <= 2 * GENERATION


def _landed(key: tuple[int, int, str], message_id: int) -> Message:
    message = _message(1, key[1], key=key[2])
    message.id = message_id
    return message


# ---- the events of sockets, by shared workers


@RUNS
@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.sampled_from([None, 0.0, 0.5, 20.0]), st.booleans()),
        max_size=40,
    )
)
def test_events_are_handled_one_by_one_in_the_order_in_which_their_socket_sent_them(sent) -> None:
    """As by a task of its own for each socket, whoever else is held up meanwhile."""
    run(_work(sent))


async def _work(sent: list[tuple[int, float | None, bool]]) -> None:
    loop = asyncio.get_running_loop()
    handled: list[int] = []
    began: dict[int, float] = {}
    ended: dict[int, float] = {}
    waits = dict(enumerate(sent))

    async def handle(event: ReceivedEvent) -> None:
        number = event.ack_id
        assert number is not None
        began[number] = loop.time()
        socket, wait_s, _ = waits[number]
        assert all(other in ended for other in handled if waits[other][0] == socket)
        handled.append(number)
        if wait_s is not None:
            await asyncio.sleep(wait_s)  # of the virtual loop
        ended[number] = loop.time()

    workers = Workers(handle, 1_000, 10**9)
    inboxes = [Inbox() for _ in range(4)]
    came: dict[int, float] = {}
    for number, (socket, _, pauses) in enumerate(sent):
        came[number] = loop.time()
        assert workers.put(inboxes[socket], ReceivedEvent(None, "x", [], number, 1))
        if pauses:
            await asyncio.sleep(0.1)  # of the virtual loop
    for each in inboxes:
        await each.wait_idle()
    workers.stop()
    assert sorted(handled) == list(range(len(sent)))
    free = [0.0] * 4
    for number, (socket, wait_s, _) in enumerate(sent):
        plain = max(free[socket], came[number])
        assert abs(began[number] - plain) < 1e-6
        free[socket] = plain + (wait_s or 0.0)


# ---- outcomes, beside futures


@RUNS
@given(st.lists(st.sampled_from(["await", "callback", "settle", "refuse", "turn"]), max_size=12))
def test_an_outcome_tells_whom_a_future_would_tell(acts) -> None:
    """The same to everybody, once; sooner, as long as nobody waits for a turn of the loop."""
    assert run(_settle(Outcome(), acts)) == run(_settle(asyncio.Future, acts))


async def _settle(kind: Any, acts: list[str]) -> Any:
    made: Any = kind if isinstance(kind, Outcome) else kind()
    told: list[Any] = []
    waiting = []

    async def wait() -> Any:
        try:
            return await made
        except ChatError as error:
            return error.message

    for act in acts:
        if act == "await":
            waiting.append(asyncio.ensure_future(wait()))
        elif act == "callback":
            made.add_done_callback(lambda done: told.append(str(done.exception() or done.result())))
        elif act == "turn":
            await turns(1)
        elif not made.done():
            if act == "settle":
                made.set_result("done")
            else:
                made.set_exception(ChatError(ErrorCode.REJECTED, "refused"))
    if not made.done():
        made.set_result("at last")
    heard = await asyncio.gather(*waiting)
    await turns(1)
    if made.exception() is None:
        made.result()
    return told, heard
