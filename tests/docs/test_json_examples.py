"""Every JSON example validates: payloads by their pydantic model, errors by the error model."""

import json

import pytest
from pydantic import BaseModel, TypeAdapter
from typing_extensions import is_typeddict

from chat.contracts import client_events, models, pushes, rest
from chat.contracts.operations import CLIENT_EVENTS
from chat.contracts.pushes import SERVER_EVENTS
from chat.errors import ERROR_KINDS, ChatConflictError, ChatError, ErrorCode
from tests.support.markdown import DOCS, blocks, pages

MODELS = {
    name: value
    for module in (models, client_events, pushes, rest)
    for name, value in vars(module).items()
    if is_typeddict(value) or (isinstance(value, type) and issubclass(value, BaseModel))
}
EXAMPLES = [each for page in pages() for each in blocks(page) if each.language == "json"]
BY_MODEL = [each for each in EXAMPLES if "model" in each.tags]
ERRORS = [each for each in EXAMPLES if "error" in each.tags]


def dumped(model, value):
    """What the model keeps of a value: a field that it does not know is missing from it."""
    adapter = TypeAdapter(model)
    kept = adapter.validate_python(value)
    return adapter.dump_python(kept, mode="json", by_alias=True, exclude_unset=True)


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_a_json_example_says_what_it_is_an_example_of(example):
    """Each JSON block bears a tag, so that a test can hold it against the code."""
    assert example.tags, f"{example}: put a comment like <!-- model=NewMessage --> above it"
    assert set(example.tags) <= {"model", "at", "besides", "ack", "answer", "error"}


@pytest.mark.parametrize("example", BY_MODEL, ids=str)
def test_an_example_of_a_model_is_just_what_the_model_describes(example):
    """The example validates, and has no field that the model does not have."""
    value = json.loads(example.text)
    if example.tags.get("at"):
        value = value[example.tags["at"]]
    model = MODELS[example.tags["model"]]
    known = set(example.tags.get("besides", "").split())
    for each in value if isinstance(value, list) else [value]:
        assert dumped(model, each) == {key: each[key] for key in each.keys() - known}


@pytest.mark.parametrize("example", ERRORS, ids=str)
def test_an_example_of_an_error_has_the_fields_of_the_error_model(example):
    """Code, message, retryable and requestId are there, and agree with the table in the code."""
    value = json.loads(example.text)
    if example.tags["error"] == "answer":
        assert list(value) == ["success", "message", "error"]
        assert value["success"] is False
        assert value["message"] == value["error"]["message"]
        value = value["error"]
    else:
        value.pop("event", None)
    code = ErrorCode(value["code"])
    details = [{"path": "x", "message": "y"}]
    whole = ChatError(code, "", retry_after_s=1, details=details).to_wire()
    if code is ErrorCode.CONFLICT:
        whole |= ChatConflictError("", details, 1).to_wire()
    bare_one = ChatError(code, "").to_wire()
    assert bare_one.keys() <= value.keys() <= whole.keys()
    assert value["retryable"] is ERROR_KINDS[code].retryable


def test_every_request_model_has_an_example():
    """Each client event with fields, and each server event, has an example of its model."""
    shown = {each.tags["model"] for each in BY_MODEL if each.page == "docs/events.md"}
    needed = {each.model.__name__ for each in CLIENT_EVENTS.values() if each.model.model_fields}
    needed |= {model.__name__ for model in SERVER_EVENTS.values()}
    assert needed <= shown


def test_every_body_of_a_rest_route_has_an_example():
    """Each model of a REST body is shown."""
    shown = {each.tags["model"] for each in BY_MODEL if each.page == "docs/rest.md"}
    own = (name for name, value in vars(rest).items() if name in MODELS)
    assert {name for name in own if MODELS[name].__module__ == rest.__name__} <= shown


def test_every_ack_has_an_example():
    """Each client event's ack is shown, tagged with the event."""
    acks = {each.tags["ack"] for each in blocks(DOCS / "events.md") if "ack" in each.tags}
    assert acks == set(CLIENT_EVENTS) | {"ping"}
