"""The table of routes."""

import re
from collections.abc import Sequence
from typing import Any, Final

import tornado.web

from chat.errors import SetupError
from chat.hooks.events import Route
from chat.hooks.manager import Brought
from chat.rest import admin, chats, demo, messages, users
from chat.rest.base import ApiHandler, NotFoundHandler
from chat.rest.docs import DOCS_ROUTES, docs_rules
from chat.rest.gate import Gate
from chat.rest.page import IndexHandler, PageHandler, ToPageHandler
from chat.rest.plugin_routes import PluginRouteHandler
from chat.rest.specs import AsyncApiHandler, OpenApiHandler, SpecHandler
from chat.services.demo import DemoService
from chat.specs.documents import Documents

_ID: Final = r"([0-9]+)"
_USER: Final = r"([^/]+)"  # may be percent-encoded; path_user_id checks what it means

ROUTES: Final[tuple[tuple[str, type[ApiHandler]], ...]] = (
    (r"/chat-messages", messages.MessagesHandler),
    (rf"/chat-messages/{_ID}", messages.MessageHandler),
    (rf"/chat-messages/{_ID}/history", messages.HistoryHandler),
    (r"/chats", chats.ChatsHandler),
    (r"/chats/join", chats.JoinHandler),
    (rf"/chats/{_ID}", chats.ChatHandler),
    (rf"/chats/{_ID}/participants", chats.ParticipantsHandler),
    (rf"/chats/{_ID}/participants/{_USER}", chats.ParticipantHandler),
    (rf"/chats/{_ID}/leave", chats.LeaveHandler),
    (rf"/chats/{_ID}/read", chats.ReadHandler),
    (rf"/chats/{_ID}/sync", chats.SyncHandler),
    (r"/sync", chats.SyncAllHandler),
    (r"/me/unread", chats.UnreadHandler),
    (rf"/chats/{_ID}/reads", chats.ReadsHandler),
    (r"/users", users.UsersHandler),
    (r"/users/presence", users.PresenceHandler),
    (rf"/users/{_USER}", users.UserHandler),
    (rf"/admin/users/{_USER}/(disconnect|revoke|block|unblock)", admin.UserAccessHandler),
    (r"/admin/seats/refresh", admin.RefreshSeatsHandler),
    (r"/admin/stats", admin.StatsHandler),
    (r"/admin/plugins", admin.PluginsHandler),
)
DEMO_ROUTES: Final[tuple[tuple[str, type[demo.DemoHandler]], ...]] = (
    (r"/demo", demo.DemoInfoHandler),
    (r"/demo/token", demo.DemoTokenHandler),
)
SPEC_ROUTES: Final[tuple[tuple[str, type[SpecHandler]], ...]] = (
    (r"/openapi\.json", OpenApiHandler),
    (r"/asyncapi\.json", AsyncApiHandler),
)
PAGE_ROUTES: Final = (r"/()", r"/static/(.+)")

_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
_PATH: Final = re.compile(r"(/[A-Za-z0-9._~-]+)+")


def build_routes(
    gate: Gate,
    plugin_routes: Sequence[Brought],
    demo_service: DemoService | None,
    hosts: frozenset[str],
    documents: Documents,
) -> list[Any]:
    """Make all rules except that of /socket.io/, in the order in which Tornado tries them."""
    rules: list[Any] = [(pattern, handler, {"gate": gate}) for pattern, handler in ROUTES]
    specs = {"gate": gate, "documents": documents}
    rules += [(pattern, handler, specs) for pattern, handler in SPEC_ROUTES]
    if demo_service is not None:
        extra = {"gate": gate, "demo": demo_service, "hosts": hosts}
        rules += [(pattern, handler, extra) for pattern, handler in DEMO_ROUTES]
    rules += [
        (re.escape(path), PluginRouteHandler, {"gate": gate, "routes": routes})
        for path, routes in _by_path(plugin_routes).items()
    ]
    index, files = PAGE_ROUTES
    given = {"origins": gate.origins}
    rules += [
        (index, IndexHandler, {**given, "demo": demo_service is not None}),
        (files, PageHandler, given),
    ]
    if gate.settings.serve_docs:
        rules += docs_rules(gate.origins)
    # The path is empty if a client asks for PUBLIC_PATH itself.
    rules.append((r"", ToPageHandler))
    own = [*PAGE_ROUTES, *(DOCS_ROUTES if gate.settings.serve_docs else ())]
    _check_public_path(gate.settings.public_path, own, plugin_routes)
    return [*rules, (r".*", NotFoundHandler, {"gate": gate})]


def build_application(
    rules: Sequence[Any], max_bytes: int, body_linger_s: float
) -> tornado.web.Application:
    return tornado.web.Application(
        list(rules),
        # Tornado's access log would hold query strings, and so the tokens in them.
        log_function=lambda _handler: None,
        websocket_max_message_size=max_bytes,
        body_linger_s=body_linger_s,
    )


def _check_public_path(
    public_path: str | None, files: Sequence[str], plugin_routes: Sequence[Brought]
) -> None:
    """Raise SetupError if a route begins with the prefix.

    The server could not tell whether the proxy has cut the prefix off.
    """
    patterns = [pattern.replace("\\", "") for pattern, _ in (*ROUTES, *SPEC_ROUTES, *DEMO_ROUTES)]
    paths = [*patterns, *files, "/socket.io/", *(each.what.path for each in plugin_routes)]
    first = public_path.split("/")[1] if public_path else None
    if first in {path.split("/")[1].removesuffix("()") for path in paths}:
        raise SetupError(
            f"PUBLIC_PATH {public_path!r} begins like a route of the server's own; choose another."
        )


def _by_path(plugin_routes: Sequence[Brought]) -> dict[str, dict[str, Route]]:
    by_path: dict[str, dict[str, Route]] = {}
    owners: dict[tuple[str, str], str] = {}
    for plugin, route in plugin_routes:
        if not isinstance(route, Route):
            raise SetupError(
                f"plugin {plugin!r} registers a {type(route).__name__} as a route; "
                "it has to be a Route."
            )
        where = f"plugin {plugin!r} registers the route {route.method} {route.path!r}"
        if route.method not in _METHODS:
            raise SetupError(f"{where}; its method must be one of {', '.join(_METHODS)}.")
        if not _PATH.fullmatch(route.path):
            raise SetupError(
                f"{where}, which is no plain path; write it like /reports/daily, "
                "and read parameters from `request.query`."
            )
        own = (*ROUTES, *SPEC_ROUTES, *DEMO_ROUTES)
        if any(re.fullmatch(pattern, route.path) for pattern, _ in own):
            raise SetupError(f"{where}, which is taken by the server itself.")
        owner = owners.setdefault((route.path, route.method), plugin)
        methods = by_path.setdefault(route.path, {})
        if route.method in methods:
            raise SetupError(f"{where}, which is taken by the plugin {owner!r}.")
        methods[route.method] = route
    return by_path
