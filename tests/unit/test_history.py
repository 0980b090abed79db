"""Reading by bounded windows finds what one open query would, and never reads the whole chat for
it.
"""

from hypothesis import given, settings
from hypothesis import strategies as st

from chat.services.history import read_back, read_on
from tests.support.rest.store import draft


class Windows:
    """The messages at these numbers; remembers which windows were asked for."""

    def __init__(self, numbers):
        self.numbers, self.asked = sorted(numbers), []

    async def window(self, chat_id, low, high):
        assert low < high
        self.asked.append((low, high))
        return [draft(chat_id, seq=each) for each in self.numbers if low <= each < high]

    brief_window = window


def run(work):
    """The result of a coroutine that waits for nothing."""
    try:
        work.send(None)
    except StopIteration as done:
        return [each.seq for each in done.value]
    raise AssertionError("it waits")


numbers = st.sets(st.integers(1, 5_000), max_size=40)


@given(numbers, st.integers(1, 5_001), st.integers(1, 201))
@settings(max_examples=200, deadline=None)
def test_reading_back_finds_the_newest_before(there, before, limit):
    """However thin the numbers are, in order, and no more than asked for."""
    expected = sorted(each for each in there if each < before)[-limit:]
    assert run(read_back(Windows(there), 1, before, limit)) == expected


@given(numbers, st.integers(0, 5_000), st.integers(0, 5_000), st.integers(1, 201))
@settings(max_examples=200, deadline=None)
def test_reading_on_finds_the_oldest_after_up_to_the_head(there, after, head, limit):
    """Nothing beyond the head is seen, whatever is stored there."""
    expected = sorted(each for each in there if after < each <= head)[:limit]
    assert run(read_on(Windows(there), 1, after, head, limit)) == expected


def test_a_dense_chat_is_read_in_one_window():
    """A page of a long chat costs one bounded query."""
    windows = Windows(range(1, 100_001))
    assert run(read_back(windows, 1, 100_001, 50)) == list(range(99_951, 100_001))
    assert len(windows.asked) == 1
    low, high = windows.asked[0]
    assert high - low <= 64


def test_a_thin_chat_is_read_in_few_windows():
    """Windows widen while they are empty."""
    windows = Windows([1])
    assert run(read_back(windows, 1, 100_001, 50)) == [1]
    assert len(windows.asked) < 25
