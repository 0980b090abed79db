"""The AsyncAPI document of the Socket.IO events."""

from collections.abc import Sequence
from typing import Any, Final

from chat import __version__
from chat.contracts.client_events import NAMESPACE
from chat.contracts.operations import CLIENT_EVENTS, EVENT_ERRORS, TOKEN_ERRORS
from chat.contracts.pushes import SERVER_EVENTS
from chat.errors import ErrorCode, ErrorModel
from chat.hooks.manager import Brought
from chat.settings import Settings
from chat.specs.examples import EXAMPLES
from chat.specs.schemas import Schema, components, of_plugin, reference, refusal

CHANNEL: Final = "chat"
_REF: Final = {"$ref": f"#/channels/{CHANNEL}"}
_NO_PAYLOAD: Final = {"type": ["object", "null"]}


def asyncapi(settings: Settings, plugin_events: Sequence[Brought]) -> Schema:
    """Make the document, with the events of plugins."""
    schemas = components(settings)
    messages: Schema = {}
    operations: Schema = {}
    for name, event in CLIENT_EVENTS.items():
        messages |= _of_event(name, reference(event.model), reference(event.ack), event.errors)
        operations[name] = _received(name, event.summary, event.pushes)
    for plugin, each in plugin_events:
        payload = (
            _NO_PAYLOAD
            if each.model is None
            else of_plugin(plugin, each.model, "validation", schemas, settings)
        )
        ack = (
            {"type": "object"}
            if each.ack is None
            else of_plugin(plugin, each.ack, "serialization", schemas, settings)
        )
        messages |= _of_event(each.name, payload, ack, ())
        operations[each.name] = _received(
            each.name, each.summary or f"An event of the plugin {plugin}.", ()
        )
    for name, push in SERVER_EVENTS.items():
        described = " ".join((push.__doc__ or "").split())
        messages[name] = _message(name, reference(push), "sent") | {"description": described}
        operations[name] = {
            "action": "send",
            "channel": _REF,
            "summary": described,
            "messages": [_in_channel(name)],
        }
    messages["connectError"] = {
        "name": "connect_error",
        "title": "connect_error",
        "description": "Sent in place of the connection, to a client that is not admitted.",
        "payload": reference(ErrorModel),
        "x-error-codes": sorted(TOKEN_ERRORS),
    }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "ChatGateway",
            "version": __version__,
            "description": (
                "The Socket.IO events of a chat server beside your own application. The protocol "
                f"is Socket.IO 5 on Engine.IO 4; the namespace is {NAMESPACE}."
            ),
            "license": {"name": "MIT"},
        },
        "defaultContentType": "application/json",
        "servers": {
            "own": {
                "host": "{host}",
                "pathname": f"{settings.public_path or ''}/socket.io/",
                "protocol": "wss",
                "description": "The server that has answered this document.",
                "variables": {"host": {"default": "localhost:3000"}},
                "security": [{"$ref": "#/components/securitySchemes/token"}],
            }
        },
        "x-limits": {
            "frameBytes": settings.max_payload_bytes,
            "waitingEvents": settings.max_waiting_events,
            "roomsPerSocket": settings.max_rooms_per_socket,
            "socketsPerUser": settings.max_sockets_per_user,
            "jsonDepth": settings.max_json_depth,
        },
        "channels": {
            CHANNEL: {
                "address": NAMESPACE,
                "description": "The namespace of all events.",
                "messages": messages,
            }
        },
        "operations": operations,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": (
                        "`auth: {token}` of the Socket.IO handshake, or the header Authorization."
                    ),
                }
            },
        },
    }


def _of_event(name: str, payload: Schema, ack: Schema, own: Sequence[ErrorCode]) -> Schema:
    codes = [*own, *EVENT_ERRORS]
    return {
        name: _message(name, payload, "sent"),
        f"{name}Ack": _message(name, ack, "answered") | {"title": f"The ack of {name}"},
        f"{name}Refused": {
            "name": name,
            "title": f"The refusal of {name}",
            "payload": refusal(codes),
            "x-error-codes": sorted(set(codes)),
        },
    }


def _received(name: str, summary: str, pushes: Sequence[str]) -> Schema:
    return {
        "action": "receive",
        "channel": _REF,
        "summary": summary,
        "messages": [_in_channel(name)],
        "reply": {
            "channel": _REF,
            "messages": [_in_channel(f"{name}Ack"), _in_channel(f"{name}Refused")],
        },
        "x-pushes": list(pushes),
    }


def _message(name: str, payload: Schema, kind: str) -> Schema:
    made: dict[str, Any] = {"name": name, "title": name, "payload": payload}
    if kind in EXAMPLES.get(name, {}):
        made["examples"] = [{"payload": EXAMPLES[name][kind]}]
    return made


def _in_channel(message: str) -> Schema:
    return {"$ref": f"#/channels/{CHANNEL}/messages/{message}"}
