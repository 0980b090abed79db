"""How many get a turn at a time: requests of the loop, reads of the store, refused events."""

import asyncio

from chat.gateway.engineio.poller import EpollPoller
from chat.gateway.inbox import EVENTS_A_TURN, EVENTS_OF_A_REFUSAL, Inbox, ReceivedEvent, Workers
from chat.http.turnstile import Turnstile
from chat.services.budget import Turns
from tests.support.waiting import turns
from tests.unit.test_poller import Reader


async def turn():
    await turns(1)


async def enter(turnstile, user_id, entered):
    await turnstile.enter(user_id)
    entered.append(user_id)


async def test_so_many_requests_enter_in_a_turn_of_the_loop():
    """The next ones follow with the next turns; when all have entered, new ones need not wait."""
    turnstile, entered = Turnstile(2), []
    tasks = [asyncio.ensure_future(enter(turnstile, 1, entered)) for _ in range(5)]
    counts = []
    while len(entered) < 5:
        await turn()
        counts.append(len(entered))
    assert all(later - sooner <= 2 for sooner, later in zip([0, *counts], counts, strict=False))
    await asyncio.gather(*tasks)
    await turn()
    await asyncio.wait_for(turnstile.enter(1), 1)


async def test_users_whose_requests_wait_take_turns():
    """A hundred requests of one user are no line for the one of another."""
    turnstile, entered = Turnstile(1), []
    tasks = [asyncio.ensure_future(enter(turnstile, 1, entered)) for _ in range(100)]
    await turn()
    tasks.append(asyncio.ensure_future(enter(turnstile, 2, entered)))
    await asyncio.gather(*tasks)
    assert entered.index(2) <= 4


async def test_a_request_whose_client_is_gone_takes_nobodys_turn():
    """It was cancelled while it waited: the one behind it enters in its place."""
    turnstile, entered, faults = Turnstile(1), [], []
    asyncio.get_running_loop().set_exception_handler(lambda _, fault: faults.append(fault))
    tasks = [asyncio.ensure_future(enter(turnstile, 1, entered)) for _ in range(3)]
    await turn()
    tasks[1].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert (entered, faults) == ([1, 1], [])


async def test_all_users_together_have_a_bound_and_each_has_one():
    """Two of a user at once and four of all; the others wait for theirs."""
    turns, running, most = Turns(4, at_once=2), [], []

    async def read(user_id):
        async with turns.of(user_id):
            running.append(user_id)
            most.append((len(running), running.count(user_id)))
            await turn()
            await turn()
            running.remove(user_id)

    await asyncio.gather(*(read(user_id) for user_id in range(5) for _ in range(6)))
    assert (max(all_ for all_, _ in most), max(of_one for _, of_one in most)) == (4, 2)
    assert running == []


async def test_refused_events_make_a_turn_short():
    """A flood of them leaves the loop to others ten times as often as good events do."""
    handled, refused = [0], [False]

    async def handle(_event):
        handled[0] += 1
        if refused[0]:
            workers.count_refusal()

    workers = Workers(handle, 10_000, 10_000_000)

    async def most_in_a_turn():
        for _ in range(1_000):
            assert workers.put(Inbox(), ReceivedEvent(None, "x", [], None, 1))
        seen, most, end = handled[0], 0, handled[0] + 1_000
        while handled[0] < end:
            await turn()
            most, seen = max(most, handled[0] - seen), handled[0]
        return most

    assert await most_in_a_turn() == EVENTS_A_TURN
    refused[0] = True
    assert await most_in_a_turn() == EVENTS_A_TURN // (1 + EVENTS_OF_A_REFUSAL)
    workers.stop()


async def test_in_a_hurry_calm_connections_are_read_first():
    """Those that were refused something come last, and each of them in its turn."""
    poller, heard = EpollPoller(), []
    readers = [Reader(poller, heard) for _ in range(4)]
    readers[0].hasty = readers[2].hasty = True
    poller.hurry()
    for each in readers:
        each.peer.send(b"x")
    while len(heard) < 4:
        await turn()
    assert heard == [readers[1], readers[3], readers[0], readers[2]]
    poller.close()
    for each in readers:
        each.peer.close()
        each.own.close()
