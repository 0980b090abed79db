"""Many deadlines on one timer."""

import asyncio

from chat.gateway.timers import Deadlines
from tests.support.waiting import eventually

WITHIN_S = 0.1


async def test_what_is_not_forgotten_expires_in_the_order_of_its_beginning():
    """Each once, those that began earlier first, and what is forgotten never."""
    expired = []
    deadlines = Deadlines(WITHIN_S, expired.append)
    now = asyncio.get_running_loop().time()
    for number in range(6):
        deadlines.watch(number, now - 0.05 + number / 100)
    deadlines.forget(0)
    deadlines.forget(3)
    await eventually(lambda: len(expired) == 4)
    assert expired == [1, 2, 4, 5]
    deadlines.watch(6, asyncio.get_running_loop().time())
    await eventually(lambda: expired[4:] == [6])


async def test_those_that_are_nearly_due_cost_no_look_of_their_own():
    """An idle server is not woken a thousand times by a thousand deadlines of one moment."""
    expired, looks = [], []
    deadlines = Deadlines(10, expired.append)
    looked = deadlines._look
    deadlines._look = lambda: (looks.append(len(expired)), looked())
    nearly_due = asyncio.get_running_loop().time() - 9.95
    for number in range(1_000):
        deadlines.watch(number, nearly_due + number * 1e-4)
    await eventually(lambda: len(expired) == 1_000)
    assert len(looks) <= 3


async def test_what_expires_may_be_watched_anew():
    """By `expire` itself, as a session that is given another chance."""
    expired = []
    loop = asyncio.get_running_loop()

    def expire(item):
        expired.append(item)
        if len(expired) < 3:
            deadlines.watch(item, loop.time())

    deadlines = Deadlines(0.02, expire)
    deadlines.watch("again", loop.time())
    await eventually(lambda: len(expired) == 3)
    deadlines.watch("stopped", loop.time())
    deadlines.stop()
