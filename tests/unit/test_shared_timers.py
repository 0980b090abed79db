"""Many deadlines, times and heartbeats on shared timers, beside a timer for every one of them."""

import asyncio
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from chat.gateway.engineio.heartbeat import Heartbeat
from chat.gateway.timers import EARLY, Deadlines, Wheel
from tests.support.virtual_time import run

RUNS = settings(max_examples=150, deadline=None)
NEARLY = 1e-6
"""What sums of fractions are off by."""

pause_s = st.floats(0, 3)


@RUNS
@given(
    st.floats(0.1, 10),
    st.lists(st.tuples(pause_s, st.none() | st.floats(0, 12)), max_size=20),
)
def test_what_is_not_forgotten_in_time_expires_once_and_in_time(within_s, items) -> None:
    """Up to a hundredth early and never late, in the order of the beginnings."""
    run(_watch(within_s, items))


async def _watch(within_s: float, items: list[tuple[float, float | None]]) -> None:
    loop = asyncio.get_running_loop()
    began: dict[int, float] = {}
    expired: dict[int, float] = {}

    def expire(item: int) -> None:
        assert item not in expired
        expired[item] = loop.time()

    deadlines: Deadlines[int] = Deadlines(within_s, expire)
    for item, (pause, forget_after) in enumerate(items):
        await asyncio.sleep(pause)  # of the virtual loop
        began[item] = loop.time()
        deadlines.watch(item, began[item])
        if forget_after is not None:
            loop.call_later(forget_after, deadlines.forget, item)
    await asyncio.sleep(2 * within_s + 13)  # of the virtual loop
    assert list(expired) == sorted(expired)
    for item, (_, forget_after) in enumerate(items):
        if item in expired:
            passed = expired[item] - began[item]
            assert within_s * (1 - EARLY) - NEARLY <= passed <= within_s + NEARLY
            assert forget_after is None or forget_after >= passed - NEARLY
        else:
            assert forget_after is not None
            assert forget_after <= within_s + NEARLY


@RUNS
@given(
    st.floats(0.1, 2),
    st.lists(st.tuples(pause_s, st.floats(0, 9), st.none() | st.floats(0, 9)), max_size=20),
)
def test_a_wheel_calls_for_what_is_not_removed_once_and_in_time(tick_s, items) -> None:
    """Each at its own time: up to a tick early, never late."""
    run(_turn(tick_s, items))


async def _turn(tick_s: float, items: list[tuple[float, float, float | None]]) -> None:
    loop = asyncio.get_running_loop()
    due: dict[int, float] = {}
    called: dict[int, float] = {}

    def on_due(item: int) -> None:
        assert item not in called
        called[item] = loop.time()

    wheel: Wheel[int] = Wheel(tick_s, on_due)
    for item, (pause, after, remove_after) in enumerate(items):
        await asyncio.sleep(pause)
        due[item] = loop.time() + after
        slot = wheel.put(item, due[item])
        if remove_after is not None:
            loop.call_later(remove_after, wheel.remove, item, slot)
    await asyncio.sleep(15)
    for item, (_, after, remove_after) in enumerate(items):
        if item in called:
            # What is due within this tick is called for with the next one.
            early = called[item] - due[item]
            assert -tick_s - NEARLY <= early <= tick_s * 1.001 + NEARLY
            assert after < tick_s or early <= tick_s / 100
        else:
            assert remove_after is not None
            assert remove_after <= after + tick_s * 1.001 + NEARLY
    assert len(wheel) == 0


class Beating:
    """A session whose client answers each PING after a time of its own, or not any more."""

    closing = closed = False

    def __init__(self, heart: Heartbeat, answers_after_s: list[float]) -> None:
        self._heart = heart
        self._answers = list(answers_after_s)
        self._awaited = 0
        self.pings: list[float] = []
        self.pongs: list[float] = []
        self.ended: float | None = None

    def ping(self) -> int:
        loop = asyncio.get_running_loop()
        self.pings.append(loop.time())
        self._awaited = len(self.pings)
        if self._answers:
            loop.call_later(self._answers.pop(0), self._pong, self._awaited)
        return self._awaited

    def _pong(self, number: int) -> None:
        if not self.closed and number == self._awaited:
            self._awaited = 0
            self.begin()

    def begin(self) -> None:
        self.pongs.append(asyncio.get_running_loop().time())
        self._heart.later(self)

    def awaits(self, ping: int) -> bool:
        return self._awaited == ping

    def expire(self) -> None:
        assert self.ended is None
        self.ended = asyncio.get_running_loop().time()
        self.closed = True


@RUNS
@given(
    st.floats(0.5, 30),
    st.floats(0.5, 30),
    st.lists(st.tuples(pause_s, st.lists(st.floats(0, 1.5), max_size=4)), max_size=8),
)
def test_a_heart_beats_in_time_and_ends_who_does_not_answer(interval_s, timeout_s, clients) -> None:
    """A PING an interval after each PONG, the end a timeout after the PING: up to a bucket early,
    never late.
    """
    run(_beat(interval_s, timeout_s, clients))


async def _beat(interval_s: float, timeout_s: float, clients: list[Any]) -> None:
    heart = Heartbeat(interval_s, timeout_s)
    bucket = heart.pings.tick_s * 1.01
    sessions = []
    for pause, answers in clients:
        await asyncio.sleep(pause)  # of the virtual loop
        sessions.append(Beating(heart, [each * timeout_s for each in answers]))
        sessions[-1].begin()
    await asyncio.sleep(6 * (interval_s + timeout_s) * 2)  # of the virtual loop
    for session, (_, answers) in zip(sessions, clients, strict=True):
        for pong, ping in zip(session.pongs, session.pings, strict=True):
            assert -bucket <= ping - pong - interval_s <= bucket / 100
        assert session.ended is not None
        assert -bucket <= session.ended - session.pings[-1] - timeout_s <= bucket / 100
        # Who answers well within the time is never ended for it, who does not always is.
        slow = next(
            (at for at, each in enumerate(answers) if each * timeout_s >= timeout_s - bucket),
            len(answers),
        )
        late = next(
            (at for at, each in enumerate(answers) if each * timeout_s > timeout_s + bucket),
            len(answers),
        )
        assert slow < len(session.pings) <= late + 1
