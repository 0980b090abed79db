"""The memory of what is not there, beside the plain way to know it."""

from hypothesis import given, settings
from hypothesis import strategies as st

from chat.services.absences import GENERATION, GENERATION_S, Absences

key = st.integers(0, 4)


class Time:
    """A clock in the test's hands."""

    def __init__(self):
        self.now = 50.0

    def __call__(self):
        return self.now


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("look"), key),
            st.tuples(st.just("found nothing"), key),
            st.tuples(st.just("made"), key),
            st.tuples(st.just("wait"), st.floats(0, 3)),
        ),
        max_size=60,
    )
)
def test_nothing_that_is_there_is_ever_held_missing(story):
    """Whatever looks are on their way while something is made, and in whatever order they end."""
    time = Time()
    absent = Absences(time)
    there, looks, noted_at = set(), {}, {}
    for what, value in story:
        if what == "look" and value not in there:
            looks[value] = absent.since
        elif what == "found nothing" and value in looks:
            since = looks.pop(value)
            absent.note(value, since)
            noted_at[value] = time.now
        elif what == "made":
            there.add(value)
            absent.appeared(value)
        elif what == "wait":
            time.now += value
        for each in range(5):
            held = absent.holds(each)
            assert not (held and each in there)
            assert not held or time.now - noted_at[each] <= 2 * GENERATION_S


def test_what_was_found_missing_is_remembered_for_a_second():
    """And forgotten after two, so that nobody waits long for what comes to be in some other way."""
    time = Time()
    absent = Absences(time)
    absent.note("a", absent.since)
    time.now += 0.9 * GENERATION_S
    assert absent.holds("a")
    time.now += 1.2 * GENERATION_S
    assert not absent.holds("a")


def test_a_note_ends_in_time_when_nobody_asked_at_its_turn():
    """A look in the middle of a turn gives it no more time."""
    time = Time()
    absent = Absences(time)
    absent.note("a", absent.since)
    time.now += 1.75 * GENERATION_S
    assert absent.holds("a")
    time.now += 0.5 * GENERATION_S
    assert not absent.holds("a")


def test_a_flood_of_names_does_not_fill_the_memory():
    """The oldest are forgotten first."""
    absent = Absences(Time())
    for number in range(4 * GENERATION):
        absent.note(number, absent.since)
    assert sum(absent.holds(number) for number in range(4 * GENERATION)) <= 2 * GENERATION
    assert absent.holds(4 * GENERATION - 1)
