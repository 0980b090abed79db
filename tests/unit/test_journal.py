"""The journal: what it promises when the store does as it is told."""

import asyncio

import pytest

from chat.errors import ChatError, ErrorCode, OutcomeUnknownError, StoreUnavailableError
from tests.support.rest.journal import Desk, code_of
from tests.support.waiting import turns


@pytest.fixture
def desk():
    """A journal over a store in memory; started by the test, stopped here."""
    return Desk()


async def test_ids_and_numbers_are_given_in_the_order_of_the_queue(desk):
    """Dense from the head on, and a later number has a later id."""
    async with desk:
        sent = await asyncio.gather(*(desk.send(f"{number}") for number in range(20)))
    assert [each.message.seq for each in sent] == list(range(3, 23))
    ids = [each.message.id for each in sent]
    assert ids == sorted(set(ids))
    assert [each.message.message for each in sent] == [str(number) for number in range(20)]
    assert desk.state.head == 22
    assert desk.state.pending == 0


async def test_what_gathers_is_written_at_once(desk):
    """Twenty messages that are there together are one write; one alone does not wait for others."""
    async with desk:
        await asyncio.gather(*(desk.send("x") for _ in range(20)))
        assert [len(each) for each in desk.messages.inserts] == [20]
        await desk.send("alone")
        assert len(desk.messages.inserts[-1]) == 1


async def test_a_push_follows_its_write_and_comes_before_its_answer(desk):
    """Store, memory and push, answer: in this order, and pushes in the order of their numbers."""
    seen = []

    def commit(message):
        assert message.id in desk.messages.stored
        assert desk.state.head == message.seq
        seen.append(("push", message.seq))

    async def send():
        sent = await desk.send("x", commit=commit)
        seen.append(("answer", sent.message.seq))

    async with desk:
        await asyncio.gather(*(send() for _ in range(5)))
    for seq in range(3, 8):
        assert seen.index(("push", seq)) < seen.index(("answer", seq))
    assert [seq for what, seq in seen if what == "push"] == list(range(3, 8))


@pytest.mark.expects_errors
async def test_a_push_that_fails_denies_no_message(desk):
    """It is stored: its sender is told so, and the next ones go on."""

    def commit(_message):
        raise RuntimeError("no push today")

    async with desk:
        assert (await desk.send("x", commit=commit)).message.seq == 3
        assert (await desk.send("y")).message.seq == 4


async def test_changes_take_numbers_between_messages(desk):
    """In the order of the queue, each alone in its batch of the chat."""
    async with desk:
        one = desk.send("one")
        change = desk.change()
        two = desk.send("two")
        first, seq, second = await asyncio.gather(one, change, two)
    assert (first.message.seq, seq, second.message.seq) == (3, 4, 5)
    assert desk.pushed == [3, 4, 5]


async def test_a_refused_change_leaves_no_hole(desk):
    """The number that it would have had is given to the next."""

    async def no(_seq):
        raise ChatError(ErrorCode.EDIT_CONFLICT, "changed meanwhile")

    async with desk:
        results = await asyncio.gather(
            desk.change(), desk.change(no), desk.send("x"), desk.change(no), desk.change(),
            return_exceptions=True,
        )  # fmt: skip
    assert [results[0], results[2].message.seq, results[4]] == [3, 4, 5]
    assert [each.code for each in (results[1], results[3])] == [ErrorCode.EDIT_CONFLICT] * 2
    assert (desk.pushed, desk.state.pending) == ([3, 4, 5], 0)


@pytest.mark.expects_errors
async def test_a_change_that_crashes_is_an_internal_error(desk):
    """Its number is used again, and nothing of the crash is told."""

    async def crash(_seq):
        raise RuntimeError("secret driver text")

    async with desk:
        with pytest.raises(ChatError) as caught:
            await desk.change(crash)
        assert caught.value.code is ErrorCode.INTERNAL_ERROR
        assert "secret" not in str(caught.value.to_answer())
        assert await desk.change() == 3


async def test_chats_do_not_wait_for_each_other(desk):
    """Messages of many chats share a write, each with the numbers of its own chat."""
    other = desk.another_chat()
    async with desk:
        sent = await asyncio.gather(
            desk.send("a"), desk.send("b", state=other), desk.send("c"), desk.send("d", state=other)
        )
    assert [each.message.seq for each in sent] == [3, 3, 4, 4]
    assert len(desk.messages.inserts) == 1


async def test_numbers_are_reserved_before_they_are_given():
    """The block of the chat is renewed in time; the store in memory refuses what was not
    reserved.
    """
    desk = Desk(reserved=4)
    async with desk:
        for _ in range(5):
            await desk.send("x")
    assert desk.chats.reserved[desk.state.chat.id] >= 7
    assert desk.state.reserved == desk.chats.reserved[desk.state.chat.id]


@pytest.mark.parametrize("error", [StoreUnavailableError, OutcomeUnknownError])
@pytest.mark.parametrize("part", ["chats", "ids"])
async def test_what_cannot_be_reserved_is_not_written(part, error):
    """STORAGE_UNAVAILABLE, as nothing was; the next try goes on where this one stood."""
    desk = Desk(reserved=2)
    async with desk:
        getattr(desk, part).error = error()
        assert await code_of(desk.send("x")) == "STORAGE_UNAVAILABLE"
        getattr(desk, part).error = None
        assert (await desk.send("y")).message.seq == 3
    assert desk.state.pending == 0


async def test_stop_writes_what_is_queued_and_refuses_what_comes(desk):
    """Nothing that was accepted is left unanswered."""
    async with desk:
        waiting = [asyncio.ensure_future(desk.send("x")) for _ in range(3)]
        await turns(1)
    assert [(await each).message.seq for each in waiting] == [3, 4, 5]
    assert await code_of(desk.send("late")) == "SHUTTING_DOWN"
    assert desk.state.pending == 0


async def test_a_sender_who_is_gone_changes_nothing(desk):
    """The message is stored and pushed although nobody waits for the answer."""
    async with desk:
        task = asyncio.ensure_future(desk.send("x"))
        await turns(1)
        task.cancel()
        assert (await desk.send("y")).message.seq == 4
    assert desk.pushed == [3, 4]
