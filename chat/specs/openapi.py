"""The OpenAPI document of the REST routes."""

import re
from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from chat import __version__
from chat.contracts.operations import (
    BODY_ERRORS,
    ROUTE_ERRORS,
    ROUTES,
    TOKEN_ERRORS,
    RouteOperation,
)
from chat.errors import ERROR_KINDS, ErrorCode, RefusalModel
from chat.hooks.events import Route
from chat.hooks.manager import Brought
from chat.settings import Settings
from chat.specs.examples import EXAMPLES
from chat.specs.schemas import Schema, components, fields, of_plugin, reference, refusal

JSON: Final = "application/json"
_LICENCE: Final = {"name": "MIT", "identifier": "MIT"}
_IDS: Final = {
    "chatId": {"type": "integer", "minimum": 1, "maximum": 2**53 - 1},
    "messageId": {"type": "integer", "minimum": 1, "maximum": 2**53 - 1},
    "userId": {"type": "string", "minLength": 1, "maxLength": 64, "pattern": "^[!-~]+$"},
}
_ID_IN_LIST: Final = {"type": "string", "maxLength": 64, "pattern": "^[!-+.-~-]*$"}
"""A user id of a list with commas; the server ignores an empty id."""

_HEADERS: Final = {
    "RetryAfter": {
        "description": "Seconds to wait before the next try.",
        "schema": {"type": "integer"},
    },
    "RequestId": {
        "description": "Quote it in a bug report; the server's log has the same id.",
        "schema": {"type": "string"},
    },
}
_MADE_IDS: Final = {"POST /chats": "chatId", "POST /chat-messages": "messageId"}
"""The routes that make something, and the parameter of other routes that takes its id."""


def openapi(settings: Settings, plugin_routes: Sequence[Brought]) -> Schema:
    """Make the document, with the routes of plugins."""
    schemas = components(settings)
    paths: dict[str, Schema] = defaultdict(dict)
    for name, operation in ROUTES.items():
        method, path = name.split(" ")
        if settings.demo_mode or not path.startswith("/demo"):
            template = path_template(path)
            paths[template][method.lower()] = _operation(name, template, operation, settings)
    for plugin, route in plugin_routes:
        made = _plugin_operation(plugin, route, schemas, settings)
        paths[route.path][route.method.lower()] = made
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "ChatGateway",
            "version": __version__,
            "summary": "The REST routes of a chat server beside your own application.",
            "license": _LICENCE,
        },
        "servers": [{"url": settings.public_path or "/"}],
        "security": [{"bearer": []}],
        "x-max-body-bytes": settings.max_payload_bytes,
        "paths": paths,
        "components": {
            "schemas": schemas,
            "headers": _HEADERS,
            "responses": {f"Refused{status}": each for status, each in _SHARED.items()},
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
            },
        },
    }


def path_template(path: str) -> str:
    """Name the ids of a path: `/chats/:id` is `/chats/{chatId}`."""
    named = path.replace("/chats/:id", "/chats/{chatId}").replace("/users/:id", "/users/{userId}")
    return named.replace("/chat-messages/:id", "/chat-messages/{messageId}").replace(
        ":userId", "{userId}"
    )


def operation_id(method: str, path: str) -> str:
    """Name an operation by its method and path: `getChatsByChatId`."""
    words = re.sub(r"\{(\w+)\}", r"by/\1", path)
    parts = [each[0].upper() + each[1:] for each in re.split(r"[^A-Za-z0-9]+", words) if each]
    return method.lower() + "".join(parts)


def _operation(name: str, path: str, operation: RouteOperation, settings: Settings) -> Schema:
    method = name.split(" ")[0]
    examples = EXAMPLES.get(name, {})
    codes = [*operation.errors, *ROUTE_ERRORS]
    made: Schema = {
        "operationId": operation_id(method, path),
        "summary": operation.summary,
        "tags": [path.split("/")[1]],
        "parameters": _parameters(path, operation, settings),
    }
    if operation.body is not None:
        codes += BODY_ERRORS
        content: Schema = {"schema": reference(operation.body)}
        if "sent" in examples:
            content["example"] = examples["sent"]
        made["requestBody"] = {"required": True, "content": {JSON: content}}
    if operation.public:
        made["security"] = []
    else:
        codes += TOKEN_ERRORS
    answer: Schema = {"schema": reference(operation.answer)}
    if "answered" in examples:
        answer["example"] = examples["answered"]
    success: Schema = {"description": operation.summary, "content": {JSON: answer}}
    if name in _MADE_IDS:
        success["links"] = _links(_MADE_IDS[name])
    made["responses"] = {str(each): success for each in operation.statuses} | _refused(codes)
    return made


def _parameters(path: str, operation: RouteOperation, settings: Settings) -> list[Schema]:
    made: list[Schema] = [
        {"name": name, "in": "path", "required": True, "schema": _IDS[name]}
        for name in re.findall(r"\{(\w+)\}", path)
    ]
    if operation.query is not None:
        for name, schema in fields(operation.query, settings).items():
            required = schema.pop("required")
            made.append({"name": name, "in": "query", "required": required, "schema": schema})
            if schema.get("type") == "array":
                # One argument with commas.
                made[-1] |= {"style": "form", "explode": False}
                schema["items"] = _ID_IN_LIST
    if operation.body is not None and operation.body.__name__ == "CreateMessage":
        key = {"type": "string", "minLength": 1, "maxLength": 64, "pattern": "^[!-~]+$"}
        made.append({"name": "Idempotency-Key", "in": "header", "required": False, "schema": key})
    return made


def _refusals(codes: Sequence[ErrorCode]) -> Schema:
    """Describe the refusals, a response for each HTTP status."""
    by_status: dict[int, list[ErrorCode]] = defaultdict(list)
    for code in codes:
        by_status[ERROR_KINDS[code].status].append(code)
    return {
        str(status): {
            "description": ", ".join(sorted(set(each))),
            "headers": {
                "Retry-After": {"$ref": "#/components/headers/RetryAfter"},
                "X-Request-Id": {"$ref": "#/components/headers/RequestId"},
            },
            "content": {JSON: {"schema": refusal(each)}},
        }
        for status, each in sorted(by_status.items())
    }


def _refused(codes: Sequence[ErrorCode]) -> Schema:
    """Describe the refusals; those of most routes are references."""
    return {
        status: {"$ref": f"#/components/responses/Refused{status}"}
        if _SHARED.get(status) == described
        else described
        for status, described in _refusals(codes).items()
    }


def _links(parameter: str) -> Schema:
    """Link what a route has made to the routes that take its id."""
    taking = (
        operation_id(name.split(" ")[0], path)
        for name in ROUTES
        if f"{{{parameter}}}" in (path := path_template(name.split(" ")[1]))
    )
    return {
        each: {"operationId": each, "parameters": {parameter: "$response.body#/data/id"}}
        for each in taking
    }


_SHARED: Final = _refusals([*ROUTE_ERRORS, *TOKEN_ERRORS, *BODY_ERRORS])
"""The refusals of a route with a token and a body, by HTTP status."""


def _plugin_operation(plugin: str, route: Route, schemas: Schema, settings: Settings) -> Schema:
    name = f"{route.method} {route.path}"
    codes = [*ROUTE_ERRORS] if route.public else [*ROUTE_ERRORS, *TOKEN_ERRORS]
    made: Schema = {
        "operationId": operation_id(route.method, route.path),
        "summary": route.summary or f"A route of the plugin {plugin}.",
        "tags": [plugin],
    }
    if route.public:
        made["security"] = []
    if route.body is not None:
        schema = of_plugin(plugin, route.body, "validation", schemas, settings)
        made["requestBody"] = {"required": True, "content": {JSON: {"schema": schema}}}
    made["responses"] = _refused(codes)
    for status, kind in (route.answers or {}).items():
        content: Schema = {"schema": of_plugin(plugin, kind, "serialization", schemas, settings)}
        if str(status) in made["responses"]:
            content = {"schema": {"anyOf": [content["schema"], reference(RefusalModel)]}}
        elif "answered" in EXAMPLES.get(name, {}):
            content["example"] = EXAMPLES[name]["answered"]
        made["responses"][str(status)] = {
            "description": made["summary"],
            "content": {JSON: content},
        }
    if not route.answers:
        made["responses"]["default"] = {"description": "As the plugin says."}
    return made
