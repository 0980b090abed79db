"""The checker of the kill rounds finds what it is there to find."""

import pytest

from tests.support.delivery.checker import Send, Story, faults


def message(number, **fields):
    """The message that user 1 sent with key `k<number>` as chat 7's change number 3 + number."""
    return {
        "id": 100 + number,
        "seq": 3 + number,
        "senderId": 1,
        "clientMessageId": f"k{number}",
        "message": f"text {number}",
        **fields,
    }


def send(number, **fields):
    return Send(7, 1, f"k{number}", f"text {number}", **fields)


def good_story():
    story = Story()
    story.sends = [send(number, acked=[message(number)]) for number in range(3)]
    story.sends += [send(3, code="STORAGE_UNAVAILABLE"), send(4, unknown=True)]
    story.pushed["a tab", 7] = [message(1), message(2)]
    return story


def test_a_story_without_faults_has_none():
    """Acked and stored, refused and not stored, unknown and either."""
    stored = [message(number) for number in range(3)]
    assert faults(good_story(), {7: stored}) == []
    late = [*stored, message(4, id=103, seq=6)]
    assert faults(good_story(), {7: late}) == []


@pytest.mark.parametrize(
    ("stored", "words"),
    [
        ([0, 1], "k2 was acknowledged and is lost"),
        ([0, 1, 2, 2], "k2 is stored 2 times"),
        ([0, 1, 2, 3], "k3 was refused with STORAGE_UNAVAILABLE and is stored"),
        ([0, 1, 2, 9], "is stored and was never sent"),
        ([0, 2], "3 is followed by 5"),
        ([1, 0, 2], "the id 100 comes after 101"),
    ],
)
def test_what_is_stored_wrongly_is_found(stored, words):
    """Lost, doubled, refused but there, never sent, with a hole, out of order."""
    wording = faults(good_story(), {7: [message(number) for number in stored]})
    assert any(words in each for each in wording), wording


@pytest.mark.parametrize(
    ("pushed", "words"),
    [
        ([message(0), message(2)], "5 was pushed after 3"),
        ([message(1), message(0)], "3 was pushed after 4"),
        ([message(1), message(1)], "4 was pushed after 4"),
        ([message(1, message="another")], "4 was pushed and is not what is stored"),
        ([message(2), message(5)], "8 was pushed and is not what is stored"),
    ],
)
def test_what_is_pushed_wrongly_is_found(pushed, words):
    """With a hole, out of order, twice, with another text, not stored at all."""
    story = good_story()
    story.pushed["a tab", 7] = pushed
    wording = faults(story, {7: [message(number) for number in range(3)]})
    assert any(words in each for each in wording), wording


def test_an_ack_that_names_another_message_is_found():
    """The id, the number and the text of the ack are those that are stored."""
    story = good_story()
    story.sends[0].acked.append(message(0, id=999))
    wording = faults(story, {7: [message(number) for number in range(3)]})
    assert wording == ["k0 was acknowledged as another message"]
