"""What clients can ask a server for: its routes and events, and those of the built-in plugins."""

import asyncio
import re

from chat.contracts.operations import CLIENT_EVENTS
from chat.hooks.loader import load_plugins
from chat.hooks.manager import PluginManager
from chat.hooks.specs import register_events, register_routes
from chat.rest import routes
from chat.rest.base import ApiHandler
from chat.settings import DEFAULT_PLUGINS

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def all_routes():
    """(method, pattern of the path) of each; a word of an alternative is a route of its own."""
    for pattern, handler in (*routes.ROUTES, *routes.DEMO_ROUTES):
        methods = [
            method for method in METHODS if getattr(handler, method.lower()) is not ApiHandler.get
        ]
        assert methods, handler
        found = re.search(r"\(([a-z]+(?:\|[a-z]+)+)\)", pattern)
        for word in found[1].split("|") if found else [""]:
            for method in methods:
                yield method, pattern.replace(found[0], word) if found else pattern
    specs = (pattern for pattern, _ in routes.SPEC_ROUTES)
    for pattern in (*routes.PAGE_ROUTES, *routes.DOCS_ROUTES, *specs):
        yield "GET", pattern
    for route in _brought(register_routes):
        yield route.method, re.escape(route.path)


def all_events():
    """Their names."""
    return {*CLIENT_EVENTS, *(event.name for event in _brought(register_events))}


def routes_beside(calls):
    """The routes that are not among these calls: `GET /chats/{chat}?limit=1`."""
    asked = [re.sub(r"\{\w+\}", "1", call).split("?")[0].split(" ") for call in calls]
    return [
        f"{method} {pattern}"
        for method, pattern in all_routes()
        if not any(method == each and re.fullmatch(pattern, path) for each, path in asked)
    ]


def _brought(hook):
    hooks = PluginManager(load_plugins(DEFAULT_PLUGINS))
    return [each.what for each in asyncio.run(hooks.collect(hook))]
