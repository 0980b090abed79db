"""Entities and documents: what is written is what is read, through BSON and back."""

from datetime import UTC, datetime, timedelta

import bson
from bson.codec_options import CodecOptions
from hypothesis import given, settings
from hypothesis import strategies as st

from chat.entities import (
    Chat,
    ChatType,
    ExternalRefSetter,
    Message,
    Participant,
    ReplyPreview,
    Role,
    User,
    UserAccess,
    Verdict,
)
from chat.identity import MAX_INTEGER, user_key
from chat.repositories import documents

AWARE = CodecOptions(tz_aware=True, tzinfo=UTC)
EPOCH = datetime(2000, 1, 1, tzinfo=UTC)

ids = st.integers(1, MAX_INTEGER)
counts = st.integers(0, MAX_INTEGER)
text = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=30
)
names = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=64)
user_ids = st.integers(0, MAX_INTEGER) | names.filter(lambda each: not each.isdigit())
tenants = st.just("") | names
keys = st.builds(user_key, tenants, user_ids)
# The clock cuts to milliseconds, which is what BSON keeps.
moments = st.integers(0, 4_000_000_000_000).map(lambda ms: EPOCH + timedelta(milliseconds=ms))
json = st.recursive(
    st.none() | st.booleans() | st.integers(-MAX_INTEGER, MAX_INTEGER)
    | st.floats(allow_nan=False, allow_infinity=False) | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=5,
)  # fmt: skip
metadata = st.none() | st.dictionaries(text, json, max_size=3)
previews = st.builds(ReplyPreview, id=ids, sender_id=user_ids, message=text | st.just(""))


@st.composite
def messages(draw):
    key = draw(st.none() | names)
    deleted = draw(st.booleans())
    return Message(
        id=draw(ids), chat_id=draw(ids), seq=draw(counts), updated_seq=draw(counts),
        revision=draw(counts), sender_id=draw(user_ids), sender_type=draw(text),
        message="" if deleted else draw(text), client_message_id=key,
        body_digest=None if key is None else draw(names), reply_to=draw(st.none() | previews),
        metadata=draw(metadata), created_at=draw(moments), updated_at=draw(moments),
        edited_at=draw(st.none() | moments), deleted_at=draw(moments) if deleted else None,
        deleted_by=draw(user_ids) if deleted else None, type=draw(text),
    )  # fmt: skip


setters = st.none() | st.builds(ExternalRefSetter, user_id=user_ids, user_type=text)
references = st.just({}) | st.fixed_dictionaries({"external_ref": text, "external_ref_by": setters})


@st.composite
def a_chat(draw):
    reference = {"external_ref": None, **draw(references)}
    return Chat(
        id=draw(ids), tenant=draw(tenants), type=draw(st.sampled_from(ChatType)),
        title=draw(st.none() | text),
        metadata=draw(metadata), created_by=draw(user_ids), created_at=draw(moments),
        updated_at=draw(moments), updated_seq=draw(counts), seq_reserved=draw(counts),
        deleted_at=draw(st.none() | moments), **reference,
    )  # fmt: skip


chats = a_chat()
verdicts = st.builds(Verdict, blocked=st.booleans(), revoked_at=st.none() | moments)
decisions = st.builds(UserAccess, key=keys, ordinary=verdicts, privileged=verdicts)
participants = st.builds(
    Participant, chat_id=ids, tenant=tenants, user_id=user_ids, role=st.sampled_from(Role),
    joined_at=moments, updated_seq=counts, removed_at=st.none() | moments,
    last_read_message_id=st.none() | ids, last_read_seq=counts,
)  # fmt: skip
users = st.builds(
    User, key=keys, name=st.none() | text, avatar_url=st.none() | text,
    last_seen_at=st.none() | moments,
)  # fmt: skip


def stored(document):
    """The document as the store gives it back."""
    return bson.decode(bson.encode(document), AWARE)


@given(messages())
@settings(max_examples=150, deadline=None)
def test_a_message_comes_back_as_it_was(message):
    """Every field, whatever is set."""
    document = stored(documents.message_to_document(message))
    assert documents.message_from_document(document) == message
    assert document["v"] == documents.SCHEMA_VERSION


@given(messages())
@settings(max_examples=50, deadline=None)
def test_what_a_message_has_not_is_not_written(message):
    """Partial indexes count on it: no key, no reply, no field."""
    document = documents.message_to_document(message)
    assert None not in document.values()
    assert ("clientMessageId" in document) is (message.client_message_id is not None)
    assert ("replyToId" in document) is (message.reply_to is not None)


@given(chats, st.none() | text)
@settings(max_examples=60, deadline=None)
def test_a_chat_comes_back_as_it_was(chat, direct_key):
    """Every field; the pair's key is the repository's own."""
    document = stored(documents.chat_to_document(chat, direct_key))
    assert documents.chat_from_document(document) == chat
    assert document.get("directKey") == direct_key
    assert ("externalRef" in document) is (chat.external_ref is not None)


@given(chats, chats)
@settings(max_examples=30, deadline=None)
def test_changed_settings_leave_the_rest_of_a_chat_alone(chat, other):
    """A change of settings overwrites neither who made it nor the numbers that are reserved."""
    document = documents.chat_to_document(chat, None) | documents.chat_settings(other)
    changed = documents.chat_from_document(document)
    kept = ("id", "tenant", "type", "external_ref", "created_by", "created_at", "seq_reserved")
    taken = ("title", "metadata", "updated_at", "updated_seq", "deleted_at")
    assert [getattr(changed, name) for name in kept] == [getattr(chat, name) for name in kept]
    assert [getattr(changed, name) for name in taken] == [getattr(other, name) for name in taken]


@given(decisions)
@settings(max_examples=60, deadline=None)
def test_a_decision_about_a_user_comes_back_as_it_was(decision):
    """Both verdicts, one for ordinary tokens and one for admins and services."""
    document = stored(documents.access_to_document(decision))
    assert documents.access_from_document(document) == decision


@given(verdicts, user_ids)
@settings(max_examples=30, deadline=None)
def test_a_decision_of_version_0_1_holds_for_tokens_of_every_type(verdict, user_id):
    """Its document has one verdict."""
    key = user_key("", user_id)
    document = documents.access_to_document(UserAccess(key=key, ordinary=verdict))
    del document["privileged"]
    read = documents.access_from_document(stored(document))
    assert (read.ordinary, read.privileged) == (verdict, verdict)


@given(chats, participants)
@settings(max_examples=30, deadline=None)
def test_what_names_no_tenant_is_of_the_tenant_without_a_name(chat, participant):
    """Data of versions before the third."""
    old_chat = documents.chat_to_document(chat, None)
    old_participant = documents.participant_to_document(participant)
    del old_chat["tenant"], old_participant["tenant"]
    assert documents.chat_from_document(old_chat).tenant == ""
    assert documents.participant_from_document(old_participant).tenant == ""


@given(participants)
@settings(max_examples=60, deadline=None)
def test_a_participant_comes_back_as_it_was(participant):
    """Every field, integers and names as ids alike."""
    document = stored(documents.participant_to_document(participant))
    assert documents.participant_from_document(document) == participant
    assert type(document["userId"]) in (int, str, bson.Int64)


@given(st.lists(st.tuples(ids, user_ids), unique=True, max_size=10))
@settings(max_examples=60, deadline=None)
def test_no_two_seats_share_an_id(seats):
    """Of different people or chats."""
    made = {documents.participant_id(chat_id, user_id) for chat_id, user_id in seats}
    assert len(made) == len(seats)


@given(users)
@settings(max_examples=40, deadline=None)
def test_a_user_comes_back_as_far_as_they_are_known(user):
    """Names and last seen are written apart, so any of them may be missing."""
    fields = {"name": user.name, "avatarUrl": user.avatar_url, "lastSeenAt": user.last_seen_at}
    document = {"_id": user.key} | {name: each for name, each in fields.items() if each is not None}
    assert documents.user_from_document(stored(document)) == user
