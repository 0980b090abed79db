"""Events, hooks, error codes and routes: what the code has is documented, and nothing else is."""

import asyncio
import dataclasses
import re

import pytest

from chat.contracts.features import FEATURES
from chat.contracts.operations import CLIENT_EVENTS
from chat.contracts.pushes import SERVER_EVENTS
from chat.errors import ERROR_KINDS, ErrorCode
from chat.hooks.loader import load_plugins
from chat.hooks.manager import PluginManager
from chat.hooks.specs import (
    HOOKS,
    register_events,
    register_namespaces,
    register_routes,
)
from chat.rest.docs import DOCS_ROUTES
from chat.rest.routes import DEMO_ROUTES, PAGE_ROUTES, ROUTES, SPEC_ROUTES
from chat.settings import DEFAULT_PLUGINS
from tests.support.client_library import CODES_OF_THE_CLIENT_LIBRARY
from tests.support.markdown import DOCS, bare, inline_code, rows, section, sections, titles

METHODS = ("get", "post", "put", "patch", "delete")


def brought(hook):
    """What the built-in plugins register."""
    hooks = PluginManager(load_plugins(DEFAULT_PLUGINS))
    return [each.what for each in asyncio.run(hooks.collect(hook))]


def readable(pattern):
    """A route's pattern as the pages spell it; several, where a part is one of several words."""
    path = pattern.replace("([0-9]+)", ":id").replace("/(.+)", "/:file").replace("()", "")
    path = path.replace(r"([A-Z_]+\.md)", ":page.md").replace(r"\.", ".")
    words = re.search(r"\(([a-z|]+)\)", path)
    paths = [path.replace(words[0], word) for word in words[1].split("|")] if words else [path]
    name = ":userId" if ":id" in path else ":id"
    return [re.sub(r"\([^)]*\)", name, each) for each in paths]


def routes_in_code():
    found = {f"{each.method} {each.path}" for each in brought(register_routes)}
    for pattern, handler in (*ROUTES, *DEMO_ROUTES):
        own = (method for method in METHODS if method in vars(handler))
        found |= {f"{method.upper()} {path}" for method in own for path in readable(pattern)}
    specs = (pattern.replace("\\", "") for pattern, _ in SPEC_ROUTES)
    others = (*PAGE_ROUTES, *DOCS_ROUTES, *specs)
    return found | {f"GET {path}" for pattern in others for path in readable(pattern)}


def test_every_client_event_has_a_section_and_every_section_an_event():
    """docs/events.md has the events of the core and of the built-in plugins, and no other."""
    names = set(CLIENT_EVENTS) | {each.name for each in brought(register_events)}
    documented = titles(section(DOCS / "events.md", "Client events").body)
    assert sorted(documented) == sorted(names)


def test_every_feature_has_a_row_and_every_row_a_feature():
    """docs/events.md explains the names that the ack of `authenticate` has, and no other."""
    body = section(DOCS / "events.md", "`authenticate`").body
    assert [bare(row[0]) for row in rows(body)] == list(FEATURES)


def test_every_server_event_has_a_section_and_every_section_an_event():
    """docs/events.md has the server events, and no other."""
    documented = titles(section(DOCS / "events.md", "Server events").body)
    assert sorted(documented) == sorted(SERVER_EVENTS)


@pytest.mark.parametrize("name", sorted(CLIENT_EVENTS))
def test_a_client_event_says_what_is_pushed_and_which_errors_it_has(name):
    """A section names pushes, ack and errors."""
    body = section(DOCS / "events.md", f"`{name}`").body
    for word in ("Ack", "Pushed:", "Errors:"):
        assert word in body, f"{name} says nothing of {word}"


def test_every_route_has_a_section_and_every_section_a_route():
    """docs/rest.md has each method of each route, and no other."""
    documented = {
        each.title
        for each in sections(DOCS / "rest.md")
        if re.match(r"(GET|POST|PUT|PATCH|DELETE) /", each.title)
    }
    assert documented == routes_in_code()


def test_every_error_code_has_a_section_and_every_section_a_code():
    """docs/errors.md has the codes, and no other."""
    documented = titles(section(DOCS / "errors.md", "The codes").body)
    assert sorted(documented) == sorted(ErrorCode)


@pytest.mark.parametrize("code", sorted(ErrorCode))
def test_an_error_code_has_its_status_and_whether_it_is_retryable(code):
    """A code's section says status and retryability as the code has them, when, and what to do."""
    kind = ERROR_KINDS[code]
    body = section(DOCS / "errors.md", f"`{code}`").body.strip()
    retryable = "retryable" if kind.retryable else "not retryable"
    assert body.startswith(f"HTTP {kind.status}, {retryable}.")
    assert "\nWhen: " in body
    assert "\nDo: " in body


@pytest.mark.parametrize("page", ["events.md", "rest.md", "guide.md", "hooks.md"])
def test_error_codes_that_a_page_names_exist(page):
    """A code in capitals on a page is one of the table, or a setting."""
    text = (DOCS / page).read_text()
    named = set(re.findall(r"\b(?:[A-Z]+_)+[A-Z]+\b", text))
    settings = {bare(row[0]) for row in rows((DOCS / "settings.md").read_text())}
    assert named <= set(ErrorCode) | settings | CODES_OF_THE_CLIENT_LIBRARY


def test_every_hook_has_a_section_and_every_section_a_hook():
    """docs/hooks.md has the hooks, and no other."""
    documented = [
        bare(each.title)
        for each in sections(DOCS / "hooks.md")
        if each.level == 3 and each.title.startswith("`")
    ]
    assert sorted(documented) == sorted(HOOKS)


@pytest.mark.parametrize("name", sorted(HOOKS))
def test_a_hook_has_its_kind_its_event_and_the_fields_of_that(name):
    """A hook's section names its kind and event class, and has a row for each field."""
    hook = HOOKS[name]
    body = section(DOCS / "hooks.md", f"`{name}`").body
    kind, event = re.match(r"\s*\*\*(\w+)\*\*, gets an? `(\w+)`", body).groups()
    assert (f"{kind.title()}Hook", event) == (type(hook).__name__, hook.event.__name__)
    tabled = {bare(row[0]) for row in rows(body)}
    if hook in (register_events, register_routes, register_namespaces):
        return  # their tables are of what is returned; the next test holds those
    assert tabled == {field.name for field in dataclasses.fields(hook.event)}


@pytest.mark.parametrize("hook", [register_events, register_routes], ids=lambda each: each.name)
def test_what_a_collect_hook_returns_is_documented_field_by_field(hook):
    """The table of a collect hook has the fields of what it returns."""
    tabled = {bare(row[0]) for row in rows(section(DOCS / "hooks.md", f"`{hook.name}`").body)}
    assert tabled == {field.name for field in dataclasses.fields(type(brought(hook)[0]))}


def test_names_of_the_plugin_api_that_are_documented_exist():
    """A class or method that docs/hooks.md names with parentheses or as a heading is there."""
    from chat import plugin_api

    methods = {
        match[1]
        for code in inline_code(DOCS / "hooks.md")
        if (match := re.match(r"(?:await )?(\w+)\(.*\)$", code))
    }
    known = set(plugin_api.__all__) | set(dir(plugin_api.ServerApi))
    assert methods - known <= {"replace"}
    documented = {
        re.match(r"(?:await )?(\w+)\(", bare(row[0]))[1]
        for row in rows(section(DOCS / "hooks.md", "ServerApi").body)
    }
    assert documented == {name for name in vars(plugin_api.ServerApi) if not name.startswith("_")}
