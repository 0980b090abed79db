"""The fast writers of what clients receive, and their one-slot memories, beside the models."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from chat import clock as clocks
from chat.clock import SystemClock
from chat.contracts import models, pushes
from chat.contracts.base import iso
from chat.contracts.pushes import SERVER_EVENTS
from chat.entities import (
    Chat,
    ChatType,
    Message,
    Participant,
    ReplyPreview,
    Revision,
    Role,
    User,
)
from chat.errors import ChatError, ErrorCode
from chat.identity import Identity

RUNS = settings(max_examples=50, deadline=None)

number = st.integers(1, 2**53 - 1)
user_id = st.integers(0, 2**53 - 1) | st.from_regex(r"[a-z]{1,8}", fullmatch=True)
text = st.text(max_size=8).map(lambda each: each.encode("utf-8", "ignore").decode())
moment = st.datetimes(datetime(1970, 1, 1), datetime(9999, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  # hypothesis wants it bare
metadata = st.none() | st.dictionaries(text, st.integers(0, 9) | text, max_size=2)
role = st.sampled_from(Role)
message = st.builds(
    Message,
    id=number, chat_id=number, seq=number, updated_seq=number, revision=st.integers(0, 9),
    sender_id=user_id, sender_type=text, message=text, client_message_id=st.none() | text,
    reply_to=st.none() | st.builds(ReplyPreview, id=number, sender_id=user_id, message=text),
    metadata=metadata, created_at=moment, updated_at=moment, edited_at=st.none() | moment,
    deleted_at=st.none() | moment, deleted_by=st.none() | user_id,
)  # fmt: skip
participant = st.builds(
    Participant,
    chat_id=number, user_id=user_id, role=role, joined_at=moment, updated_seq=number,
    last_read_message_id=st.none() | number,
)  # fmt: skip
user = st.builds(User, key=user_id, name=st.none() | text, avatar_url=st.none() | text)
chat = st.builds(
    Chat,
    id=number, type=st.sampled_from(ChatType), title=st.none() | text,
    external_ref=st.none() | text, metadata=metadata, created_by=user_id, created_at=moment,
    updated_at=moment, updated_seq=number, seq_reserved=number,
)  # fmt: skip
identity = st.builds(
    Identity,
    user_id=user_id, type=text, expires_at=moment, role=st.none() | text,
    department=st.none() | text, permissions=st.lists(text, max_size=2).map(tuple),
    name=st.none() | text, avatar_url=st.none() | text,
)  # fmt: skip
chat_json = st.builds(
    models.chat_to_wire,
    chat, seq=number, participant_count=number, mine=st.none() | participant,
    unread_count=number, last_message=st.none() | message,
)  # fmt: skip
participant_json = st.builds(models.participant_to_wire, participant, st.none() | user)
unread = st.builds(models.unread_to_wire, number, participant, number, st.none() | message)
error = st.builds(
    ChatError,
    st.sampled_from(ErrorCode), text, retry_after_s=st.none() | st.floats(0, 9),
    details=st.none() | st.just([{"path": "a", "message": "b"}]),
)  # fmt: skip
expired = st.builds(
    ChatError,
    st.sampled_from([ErrorCode.TOKEN_EXPIRED, ErrorCode.TOKEN_REVOKED, ErrorCode.USER_BLOCKED]),
    text,
)

EVENTS: dict[str, st.SearchStrategy[pushes.ServerEvent]] = {
    "newMessage": st.builds(pushes.new_message, message),
    "messageUpdated": st.builds(pushes.message_updated, message),
    "messageDeleted": st.builds(pushes.message_deleted, message),
    "userTyping": st.builds(pushes.user_typing, number, user_id, st.booleans(), moment),
    "messageRead": st.builds(pushes.message_read, number, number, user_id, moment),
    "userJoined": st.builds(pushes.user_joined, number, user_id, moment),
    "userUpdated": st.builds(pushes.user_updated, user, moment),
    "userLeft": st.builds(pushes.user_left, number, user_id, moment),
    "unreadUpdated": st.builds(pushes.unread_updated, unread, number, moment),
    "tokenExpiring": st.builds(pushes.token_expiring, moment, st.integers(0, 99)),
    "sessionExpired": st.builds(pushes.session_expired, expired),
    "presenceChanged": st.builds(
        pushes.presence_changed,
        user_id, online=st.booleans(), last_seen_at=st.none() | moment, at=moment,
    ),
    "chatCreated": st.builds(pushes.chat_created, chat_json),
    "chatUpdated": st.builds(pushes.chat_updated, chat),
    "chatDeleted": st.builds(pushes.chat_deleted, number, number, moment),
    **{
        name: st.builds(
            pushes.participant_changed,
            st.just(name), number, participant_json, number, number, moment,
        )
        for name in ("participantAdded", "participantUpdated")
    },
    "participantRemoved": st.builds(
        pushes.participant_removed, number, user_id, number, number, moment
    ),
    "removedFromChat": st.builds(
        pushes.removed_from_chat, number, st.sampled_from(["removed", "left", "deleted"])
    ),
    "serverShutdown": st.builds(pushes.server_shutdown, st.floats(0, 9)),
    "error": st.builds(pushes.error_event, error, st.none() | text),
}  # fmt: skip
THINGS: dict[type[Any], st.SearchStrategy[Any]] = {
    models.MessageModel: st.builds(models.message_to_wire, message),
    models.ChatModel: chat_json,
    models.ParticipantModel: participant_json,
    models.UserModel: st.builds(models.identity_to_wire, identity),
    models.ProfileModel: st.builds(models.profile_to_wire, user),
    models.PresenceModel: st.builds(
        models.presence_to_wire, user_id, st.booleans(), st.none() | moment
    ),
    models.RevisionModel: st.builds(
        models.revision_to_wire, st.builds(Revision, st.integers(0, 9), text, moment)
    ),
}


def _is_as_its_model_says(model: type[Any], written: dict[str, Any]) -> None:
    """The same fields with the same values, in the same order at every depth."""
    assert orjson.dumps(TypeAdapter(model).validate_python(written)) == orjson.dumps(written)


def test_every_push_is_tried() -> None:
    """Those of the table of the contract."""
    assert set(EVENTS) == set(SERVER_EVENTS)


@pytest.mark.parametrize("name", EVENTS)
def test_a_push_is_written_as_its_model_says(name: str) -> None:
    """What `pushes` writes by hand."""

    @RUNS
    @given(EVENTS[name])
    def holds(made: pushes.ServerEvent) -> None:
        assert made.name == name
        _is_as_its_model_says(SERVER_EVENTS[name], orjson.loads(orjson.dumps(made.payload)))

    holds()


@pytest.mark.parametrize("model", THINGS)
def test_what_answers_hold_is_written_as_its_model_says(model: type[Any]) -> None:
    """What `models` writes by hand."""

    @RUNS
    @given(THINGS[model])
    def holds(made: dict[str, Any]) -> None:
        _is_as_its_model_says(model, made)

    holds()


@RUNS
@given(st.lists(message, min_size=1, max_size=3), st.lists(st.integers(0, 2), max_size=12))
def test_the_memory_of_the_last_message_answers_for_no_other(made, asked) -> None:
    """Neither for an equal one with other times nor for one that was asked about before."""
    for at in asked:
        each = made[at % len(made)]
        written = orjson.loads(orjson.dumps(models.message_json(each)))
        assert written == models.message_to_wire(each)


@RUNS
@given(
    st.lists(moment, min_size=1, max_size=3),
    st.lists(st.tuples(st.integers(0, 2), st.integers(-12, 12), st.booleans()), max_size=12),
)
def test_the_memory_of_the_last_moment_answers_for_no_other(moments, asked) -> None:
    """By a plain way of writing it, in whatever zone it is given."""
    for at, hours, again in asked:
        each = moments[at % len(moments)]
        if not again and 1 < each.year < 9_998:
            each = each.astimezone(timezone(timedelta(hours=hours)))
        utc = each.astimezone(UTC)
        plain = f"{utc:%m-%dT%H:%M:%S}.{utc.microsecond // 1_000:03}Z"
        assert iso(each) == f"{utc.year:04}-{plain}"


def test_the_clock_says_the_millisecond_that_it_is(monkeypatch) -> None:
    """Whether the same one was asked for just before, and also where time went back."""
    nanoseconds = st.integers(0, 4 * 10**18)
    near = st.lists(st.integers(-3_000_000, 3_000_000), max_size=8)

    def says(start: int, steps: list[int]) -> None:
        clock = SystemClock()
        for now in (start, *(max(0, start + step) for step in steps)):
            monkeypatch.setattr(clocks.time, "time_ns", lambda now=now: now)
            epoch = datetime(1970, 1, 1, tzinfo=UTC)
            assert clock.now() == epoch + timedelta(milliseconds=now // 1_000_000)

    RUNS(given(nanoseconds, near)(says))()
