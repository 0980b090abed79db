"""JSON schemas of the contract's types, and of those that plugins bring."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal

from pydantic import BaseModel, TypeAdapter
from pydantic.errors import PydanticInvalidForJsonSchema, PydanticSchemaGenerationError

from chat.contracts.base import NAMED_SCHEMAS
from chat.contracts.operations import CLIENT_EVENTS, ROUTES
from chat.contracts.pushes import SERVER_EVENTS
from chat.errors import ErrorCode, RefusalModel
from chat.settings import Settings

Schema = dict[str, Any]
Mode = Literal["validation", "serialization"]

TEMPLATE: Final = "#/components/schemas/{model}"
_RENAMED: Final = {"ErrorModel": "ApiError", "Error": "ErrorPush"}
"""Types whose names would clash with JavaScript's, or with another type's."""


def public_name(name: str) -> str:
    """Return the name of a type in the specifications: `Message` for MessageModel."""
    return _RENAMED.get(name, name.removesuffix("Model"))


def reference(kind: type[Any]) -> Schema:
    """Refer to a type of the contract."""
    return {"$ref": TEMPLATE.format(model=public_name(kind.__name__))}


def components(settings: Settings) -> Schema:
    """Describe all types of the contract, by name."""
    return _described(_types(), settings)


def _types() -> Iterable[tuple[type[Any], Mode]]:
    yield RefusalModel, "serialization"
    for event in CLIENT_EVENTS.values():
        yield event.model, "validation"
        yield event.ack, "serialization"
    for push in SERVER_EVENTS.values():
        yield push, "serialization"
    for route in ROUTES.values():
        if route.body is not None:
            yield route.body, "validation"
        yield route.answer, "serialization"


def _described(kinds: Iterable[tuple[type[Any], Mode]], settings: Settings) -> Schema:
    inputs = [(kind.__name__, mode, TypeAdapter(kind)) for kind, mode in dict.fromkeys(kinds)]
    _, made = TypeAdapter.json_schemas(inputs, ref_template=TEMPLATE)
    named = {public_name(name): _tidy(each, settings) for name, each in made["$defs"].items()}
    if "ErrorCode" in named:
        named["ErrorCode"]["x-open"] = True  # later versions have more codes
    return dict(sorted((NAMED_SCHEMAS | named).items()))


def refusal(codes: Iterable[ErrorCode]) -> Schema:
    """Describe a refusal with one of these codes."""
    one_of = {"code": {"enum": sorted(set(codes)), "x-open": True}}
    return {
        "type": "object",
        "allOf": [reference(RefusalModel)],
        "properties": {"error": {"type": "object", "properties": one_of}},
    }


def fields(model: type[BaseModel], settings: Settings) -> dict[str, Schema]:
    """Describe the fields of a query without null: a query can only leave a field out."""
    made = _tidy(model.model_json_schema(ref_template=TEMPLATE), settings)
    return {
        name: _without_null(each) | {"required": name in made.get("required", ())}
        for name, each in made["properties"].items()
    }


def of_plugin(plugin: str, kind: Any, mode: Mode, schemas: Schema, settings: Settings) -> Schema:
    """Describe a type of a plugin, and add the types within it to `schemas`.

    Returns a schema that allows anything if pydantic cannot describe the type.
    """
    try:
        made = TypeAdapter(kind).json_schema(
            ref_template=f"#/components/schemas/{plugin}.{{model}}", mode=mode
        )
    except (PydanticInvalidForJsonSchema, PydanticSchemaGenerationError):
        return {}
    for name, each in made.pop("$defs", {}).items():
        schemas[f"{plugin}.{name}"] = _tidy(each, settings)
    schemas[f"{plugin}.{made.get('title', kind)}"] = _tidy(made, settings)
    return {"$ref": f"#/components/schemas/{plugin}.{made.get('title', kind)}"}


def _tidy(value: Any, settings: Settings) -> Any:
    """Leave out keywords that say nothing, and put in the limits of this server."""
    if isinstance(value, list):
        return [_tidy(each, settings) for each in value]
    if not isinstance(value, Mapping):
        return value
    tidy: Schema = {}
    for key, each in value.items():
        if key == "properties":
            tidy[key] = {
                name: _tidy({k: v for k, v in field.items() if k != "title"}, settings)
                for name, field in each.items()
            }
        elif key == "x-limit":
            tidy["maxLength"] = getattr(settings, each)
        elif key == "$ref":
            tidy[key] = re.sub(r"[^/]+$", lambda name: public_name(name[0]), each)
        elif key == "title" and "properties" in value:
            tidy[key] = public_name(each)
        elif key == "description":
            tidy[key] = " ".join(each.split())
        elif not (key == "default" and each is None):
            tidy[key] = _tidy(each, settings)
    if "x-ref" in tidy:
        tidy["$ref"] = TEMPLATE.format(model=tidy.pop("x-ref"))
    if "$ref" in tidy and len(tidy) > 1:
        # Older dialects ignore the keywords beside a reference.
        return {"allOf": [{"$ref": tidy.pop("$ref")}], **tidy}
    return tidy


def _without_null(schema: Schema) -> Schema:
    kinds = [each for each in schema.get("anyOf", ()) if each != {"type": "null"}]
    if len(kinds) != 1:
        return schema
    return {**{key: each for key, each in schema.items() if key != "anyOf"}, **kinds[0]}
