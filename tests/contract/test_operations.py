"""The tables of operations have what the server serves and what the pages say, and nothing else."""

import inspect
import re
from itertools import chain

import pytest

from chat.contracts.acks import Ack
from chat.contracts.operations import (
    BODY_ERRORS,
    CLIENT_EVENTS,
    EVENT_ERRORS,
    ROUTE_ERRORS,
    ROUTES,
    TOKEN_ERRORS,
)
from chat.contracts.pushes import SERVER_EVENTS
from chat.errors import ErrorCode
from chat.gateway.handlers import Handlers
from chat.rest import routes
from tests.docs.test_reference import METHODS, readable
from tests.support.markdown import DOCS, section

SERVED = {
    f"{method.upper()} {path}"
    for pattern, handler in (*routes.ROUTES, *routes.DEMO_ROUTES)
    for method in METHODS
    if method in vars(handler)
    for path in readable(pattern)
}


def codes(text):
    """The codes that a text names."""
    return set(re.findall(r"\b[A-Z_]{5,}\b", text)) & set(ErrorCode)


def errors_of(page, title):
    """The codes that a section names as its own."""
    body = section(DOCS / page, title).body
    return codes(body.partition("Errors:")[2].partition("\n\n")[0])


def test_every_event_has_a_handler_and_every_handler_an_event():
    """The gateway handles the events of the table."""
    parts = dict.fromkeys(list(inspect.signature(Handlers).parameters))
    assert set(Handlers(**parts).table) == set(CLIENT_EVENTS)


def test_every_route_has_an_operation_and_every_operation_a_route():
    """The server serves the routes of the table."""
    assert set(ROUTES) == SERVED


@pytest.mark.parametrize("name", CLIENT_EVENTS)
def test_an_event_pushes_what_its_page_says(name):
    """The links after "Pushed:" are the pushes of the row."""
    body = section(DOCS / "events.md", f"`{name}`").body
    named = body.partition("Pushed:")[2].partition("Errors:")[0]
    assert set(re.findall(r"\[`(\w+)`\]", named)) == set(CLIENT_EVENTS[name].pushes)
    assert set(CLIENT_EVENTS[name].pushes) <= set(SERVER_EVENTS)


@pytest.mark.parametrize("name", CLIENT_EVENTS)
def test_an_event_is_refused_as_its_page_says(name):
    """The codes after "Errors:" are those of the row, and those of any event."""
    own = set(CLIENT_EVENTS[name].errors)
    assert errors_of("events.md", f"`{name}`") - set(EVENT_ERRORS) == own - set(EVENT_ERRORS)


@pytest.mark.parametrize("name", [name for name in ROUTES if "demo" not in name])
def test_a_route_is_refused_as_its_page_says(name):
    """The codes after "Errors:" are those of the row, and those of any route."""
    shared = {*ROUTE_ERRORS, *BODY_ERRORS, *TOKEN_ERRORS}
    if "/admin/" in name:  # the introduction has them
        shared.add(ErrorCode.FORBIDDEN)
    page = name.replace("PUT /chat", "PATCH /chat")
    assert errors_of("rest.md", page) - shared == set(ROUTES[name].errors) - shared


@pytest.mark.parametrize(
    ("page", "title", "shared"),
    [("events.md", "Acks", EVENT_ERRORS), ("rest.md", "Rules", (*ROUTE_ERRORS, *BODY_ERRORS))],
)
def test_the_codes_of_any_operation_are_those_of_its_page(page, title, shared):
    """The paragraph that says with what any event or route can fail has all of them."""
    body = section(DOCS / page, title).body
    said = next(each for each in body.split("\n\n") if "can fail with" in each)
    assert set(shared) <= codes(said)


def test_every_success_is_an_ack():
    """Each has `success`, the only field that a client may rely on in all of them."""
    named = chain(CLIENT_EVENTS.values(), ROUTES.values())
    types = [getattr(each, "ack", None) or each.answer for each in named]
    assert all(Ack.__annotations__.items() <= each.__annotations__.items() for each in types)
