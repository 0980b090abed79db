"""The journal when the store refuses, is away, or does not say what became of a write."""

import asyncio

import pytest

from chat.errors import ErrorCode, OutcomeUnknownError, StoreUnavailableError
from tests.support.rest.journal import Desk, code_of
from tests.support.rest.store import draft
from tests.support.waiting import eventually


@pytest.fixture
def desk():
    """A journal over a store in memory; started by the test, stopped here."""
    return Desk()


async def settled(desk):
    """Wait until no write is in doubt any more; the journal repeats it after a tenth of a
    second.
    """
    await eventually(lambda: not desk.journal.in_doubt)


@pytest.mark.parametrize("landed", [0, 1, 2, 3])
async def test_a_write_of_unknown_outcome_is_repeated_until_it_is_known(desk, landed):
    """Callers are told TIMEOUT; whether none, some or all had landed, each is stored, numbered and
    pushed once.
    """
    async with desk:
        desk.messages.mishaps.append((landed, OutcomeUnknownError()))
        codes = await asyncio.gather(*(code_of(desk.send(f"{number}")) for number in range(3)))
        assert codes == ["TIMEOUT"] * 3
        assert desk.journal.in_doubt
        await settled(desk)
        assert desk.pushed == [3, 4, 5]
        assert (await desk.send("next")).message.seq == 6
    stored = sorted(desk.messages.stored.values(), key=lambda each: each.seq)
    assert [each.message for each in stored] == ["0", "1", "2", "next"]
    assert [each.seq for each in stored] == [3, 4, 5, 6]
    first, second = desk.messages.inserts[:2]
    assert first == second
    assert desk.state.pending == 0


async def test_while_a_write_is_in_doubt_nothing_else_is_taken(desk):
    """STORAGE_UNAVAILABLE at once, for what comes and for what was queued behind it."""
    async with desk:
        desk.messages.mishaps += [(0, OutcomeUnknownError()), (0, OutcomeUnknownError())]
        doubtful = asyncio.ensure_future(code_of(desk.send("x")))
        behind = asyncio.ensure_future(code_of(desk.change()))
        assert await doubtful == "TIMEOUT"
        assert await behind == "STORAGE_UNAVAILABLE"
        assert await code_of(desk.send("y")) == "STORAGE_UNAVAILABLE"
        assert await code_of(desk.change()) == "STORAGE_UNAVAILABLE"
        await settled(desk)
        assert await desk.change() == 4
    assert [each.message for each in desk.messages.stored.values()] == ["x"]
    assert desk.state.pending == 0


async def test_a_store_that_went_away_in_doubt_is_waited_for(desk):
    """After an unknown outcome, "cannot be reached" settles nothing: the write is repeated."""
    async with desk:
        desk.messages.mishaps += [(1, OutcomeUnknownError()), (0, StoreUnavailableError())]
        assert await code_of(desk.send("x")) == "TIMEOUT"
        await settled(desk)
        assert (desk.pushed, len(desk.messages.stored)) == ([3], 1)


async def test_a_store_that_is_away_refuses_the_batch_and_the_queue(desk):
    """Nothing was written: STORAGE_UNAVAILABLE to all, and the numbers are given to the next."""
    async with desk:
        desk.messages.mishaps.append((0, StoreUnavailableError()))
        batch = [code_of(desk.send("x")) for _ in range(3)]
        codes = await asyncio.gather(*batch, code_of(desk.change()), code_of(desk.send("behind")))
        assert codes == ["STORAGE_UNAVAILABLE"] * 5
        assert not desk.journal.in_doubt
        assert (await desk.send("y")).message.seq == 3
    assert (desk.pushed, desk.state.pending) == ([3], 0)


@pytest.mark.parametrize("error", [OutcomeUnknownError, StoreUnavailableError])
async def test_a_change_of_unknown_outcome_is_repeated_with_its_number(desk, error):
    """The same number each time, and one push."""
    tried = []

    async def write(seq):
        tried.append(seq)
        if len(tried) == 1:
            raise OutcomeUnknownError
        if len(tried) == 2:
            raise error
        return seq

    async with desk:
        assert await code_of(desk.change(write)) == "TIMEOUT"
        await settled(desk)
        assert await desk.change() == 4
    assert (tried, desk.pushed, desk.state.pending) == ([3, 3, 3], [3, 4], 0)


@pytest.mark.expects_errors
async def test_a_fault_while_in_doubt_does_not_shut_the_door_for_good(desk):
    """Whatever a repeated write raises, the journal takes new ones afterwards."""
    async with desk:
        desk.messages.mishaps += [(0, OutcomeUnknownError()), (0, RuntimeError("refused: 8000"))]
        assert await code_of(desk.send("x")) == "TIMEOUT"

        async def is_open():
            return await code_of(desk.send("y")) != "STORAGE_UNAVAILABLE"

        await eventually(is_open)
    assert desk.state.pending == 0


@pytest.mark.expects_errors
async def test_a_fault_of_the_store_is_an_internal_error_and_no_end(desk):
    """The flusher goes on; what it says holds nothing of the fault."""
    async with desk:
        desk.messages.mishaps.append((0, RuntimeError("secret driver text")))
        assert await code_of(desk.send("x")) == "INTERNAL_ERROR"
        assert (await desk.send("y")).message.seq == 3
    assert desk.state.pending == 0


async def test_a_number_that_is_taken_is_stepped_over(desk):
    """A write of before a restart has landed since: the head is looked up anew, and the message
    numbered again.
    """
    desk.messages.put(draft(desk.state.chat.id, "late", id=900, seq=3, updated_seq=3))
    desk.ids.next["messages"] = 1_000
    async with desk:
        sent = await asyncio.gather(desk.send("x"), desk.send("y"))
    assert sorted(each.message.seq for each in sent) == [4, 5]
    assert len({each.message.id for each in sent} | {900}) == 3
    assert desk.state.head == 5
    numbers = sorted(each.seq for each in desk.messages.stored.values())
    assert numbers == [3, 4, 5]


async def test_a_lone_message_is_numbered_behind_all_that_has_landed(desk):
    """Also when more than one number was taken; what had landed is pushed first."""
    for seq in (3, 4, 7):
        desk.messages.put(draft(desk.state.chat.id, "late", id=900 + seq, seq=seq, updated_seq=seq))
    desk.ids.next["messages"] = 1_000
    async with asyncio.timeout(5), desk:
        assert (await desk.send("x")).message.seq == 8
        assert (await desk.send("y")).message.seq == 9
    assert desk.pushed == [3, 4, 7, 8, 9]


async def test_a_key_that_was_used_answers_the_original(desk):
    """The index says so; nothing is pushed again, and the number is given to the next."""
    chat_id = desk.state.chat.id
    desk.messages.put(draft(chat_id, "hello", "k", id=900, seq=1, updated_seq=1))
    desk.ids.next["messages"] = 1_000
    async with desk:
        again = await desk.send("hello", key="k")
        assert (again.message.id, again.duplicate) == (900, True)
        assert await code_of(desk.send("other", key="k")) == ErrorCode.IDEMPOTENCY_CONFLICT.value
        assert (await desk.send("new", key="k2")).message.seq == 3
    assert (desk.pushed, desk.state.pending) == ([3], 0)


async def test_a_repeat_among_new_messages_harms_none_of_them(desk):
    """Each of a batch is answered by its own; the others are stored once and pushed in order."""
    chat_id = desk.state.chat.id
    desk.messages.put(draft(chat_id, "hello", "k", id=900, seq=1, updated_seq=1))
    desk.ids.next["messages"] = 1_000
    async with desk:
        sent = await asyncio.gather(desk.send("a"), desk.send("hello", key="k"), desk.send("b"))
    assert [each.duplicate for each in sent] == [False, True, False]
    assert desk.pushed == sorted(desk.pushed)
    assert len(desk.messages.stored) == 3
    assert desk.state.pending == 0
