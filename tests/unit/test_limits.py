"""The one algorithm of all limits: what it lets pass, and when it lets pass again."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chat.limits import SWEEP_AT, Limit


@pytest.fixture
def clock():
    """The limits' clock, in the test's hands."""

    class Time:
        now = 1000.0

        def monotonic(self):
            return self.now

    return Time()


def test_a_burst_passes_and_then_the_rate(clock):
    """`burst` at once, then one each 1/rate seconds; the wait that is told is the wait it takes."""
    limit = Limit(rate_per_s=2, burst=3, now=clock.monotonic)
    assert [limit.wait_s("a") for _ in range(3)] == [0, 0, 0]
    assert limit.wait_s("a") == 0.5
    clock.now += 0.25
    assert limit.wait_s("a") == 0.25
    clock.now += 0.25
    assert limit.wait_s("a") == 0
    assert limit.wait_s("a") == 0.5


def test_a_limit_fills_up_to_its_burst_and_no_further(clock):
    """Who was silent for a day may burst once, not for a day's worth."""
    limit = Limit(rate_per_s=10, burst=3, now=clock.monotonic)
    for _ in range(3):
        limit.wait_s("a")
    clock.now += 86_400
    assert [limit.wait_s("a") > 0 for _ in range(4)] == [False, False, False, True]


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.floats(0.1, 50),
    st.floats(1, 20),
    st.lists(st.tuples(st.sampled_from("ab"), st.floats(0, 3)), max_size=60),
)
def test_the_moment_at_which_a_bucket_is_full_says_what_counting_its_tokens_would(
    clock, rate, burst, asked
):
    """Beside a bucket that is filled and emptied token by token, for each key."""
    limit = Limit(rate_per_s=rate, burst=burst, now=clock.monotonic)
    tokens, counted_at = dict.fromkeys("ab", burst), dict.fromkeys("ab", clock.now)
    for key, pause_s in asked:
        clock.now += pause_s
        tokens[key] = min(burst, tokens[key] + (clock.now - counted_at[key]) * rate)
        counted_at[key] = clock.now
        wait_s = limit.wait_s(key)
        if wait_s:
            assert wait_s == pytest.approx((1 - tokens[key]) / rate, abs=1e-5)
            assert tokens[key] < 1
        else:
            tokens[key] -= 1
            assert tokens[key] > -1e-4


def test_keys_do_not_share_a_limit(clock):
    """The integer 1 and the string "x" are different people."""
    limit = Limit(rate_per_s=1, burst=1, now=clock.monotonic)
    assert [limit.wait_s(key) for key in (1, 2, "x")] == [0, 0, 0]
    assert limit.wait_s(1) > 0


def test_full_buckets_are_forgotten(clock):
    """Memory is bounded by who was active lately; nobody gains by being forgotten."""
    limit = Limit(rate_per_s=1, burst=2, now=clock.monotonic)
    for key in range(SWEEP_AT // 2):
        limit.wait_s(key)
    clock.now += 3
    limit.wait_s("busy")
    limit.wait_s("busy")
    for key in range(SWEEP_AT, 2 * SWEEP_AT):
        limit.wait_s(key)
    assert len(limit) <= 1.1 * SWEEP_AT
    assert limit.wait_s("busy") > 0


def test_what_is_charged_may_go_into_debt(clock):
    """A debt is paid at the rate; until then nothing is granted."""
    limit = Limit(rate_per_s=2, burst=3, now=clock.monotonic)
    assert limit.charge("a", 3) == 0
    assert limit.charge("a", 4) == 2
    assert limit.owed_s("a") == 2.5
    clock.now += 2.5
    assert limit.owed_s("a") == 0
    assert limit.wait_s("a") == 0
    assert limit.wait_s("a") == 0.5


def test_asking_what_is_owed_takes_nothing(clock):
    """A key that nobody has charged owes nothing, and is not kept."""
    limit = Limit(rate_per_s=1, burst=1, now=clock.monotonic)
    assert [limit.owed_s("a") for _ in range(5)] == [0] * 5
    assert len(limit) == 0
    assert limit.wait_s("a") == 0
    assert [limit.owed_s("a") for _ in range(3)] == [1, 1, 1]
