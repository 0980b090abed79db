"""Say what in a specification would break the clients of an older one.

    python -m tools.breaking FOLDER-OF-THE-OLDER FOLDER-OF-THE-NEWER

What a client sends may only be allowed more, what it gets may only say more. A list of words that
clients get may grow only where it is `x-open`.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, Literal

Schema = dict[str, Any]
Way = Literal["sent", "got"]

UPPER: Final = ("maximum", "maxLength", "maxItems")
LOWER: Final = ("minimum", "minLength", "minItems", "minProperties")
DOCUMENTS: Final = ("openapi.json", "asyncapi.json")
METHODS: Final = ("get", "post", "put", "patch", "delete")


def breaks(old: Schema, new: Schema) -> list[str]:
    """List the breaks between two documents of the same kind, a sentence each."""
    compare = _Comparison(old, new)
    found = compare.routes() if "openapi" in old else compare.events()
    return list(dict.fromkeys(found))


class _Comparison:
    def __init__(self, old: Schema, new: Schema) -> None:
        self._old, self._new = old, new
        self._seen: set[tuple[str, str, Way]] = set()

    def routes(self) -> Iterator[str]:
        for path, methods in self._old["paths"].items():
            for method in METHODS:
                if method in methods:
                    name = f"{method.upper()} {path}"
                    if method in self._new["paths"].get(path, {}):
                        yield from self._route(
                            name, methods[method], self._new["paths"][path][method]
                        )
                    else:
                        yield f"{name} is gone."

    def events(self) -> Iterator[str]:
        old, new = (each["channels"]["chat"]["messages"] for each in (self._old, self._new))
        for name, operation in self._old["operations"].items():
            if name not in self._new["operations"]:
                yield f"The event {name} is gone."
            elif operation["action"] == "send":
                yield from self.schemas(f"The push {name}", old[name], new[name], "got")
            else:
                ack, refused = f"{name}Ack", f"{name}Refused"
                yield from self.schemas(f"The event {name}", old[name], new[name], "sent")
                yield from self.schemas(f"The ack of {name}", old[ack], new[ack], "got")
                yield from self.schemas(f"The refusal of {name}", old[refused], new[refused], "got")

    def _route(self, name: str, old: Schema, new: Schema) -> Iterator[str]:
        before, now = (
            {each["name"]: each for each in way.get("parameters", ())} for way in (old, new)
        )
        for parameter, given in before.items():
            if parameter not in now:
                yield f"{name}: the parameter {parameter} is gone."
            else:
                where = f"{name}: the parameter {parameter}"
                yield from self.schemas(where, given["schema"], now[parameter]["schema"], "sent")
        for parameter, wanted in now.items():
            if wanted.get("required") and not before.get(parameter, {}).get("required"):
                yield f"{name}: the parameter {parameter} is required now."
        bodies = [_json(each.get("requestBody", {})) for each in (old, new)]
        if bodies[1] is not None and bodies[0] is None:
            yield f"{name}: a body is required now."
        elif bodies[0] is not None and bodies[1] is not None:
            yield from self.schemas(f"{name}: the body", *bodies, "sent")
        for status, answer in old["responses"].items():
            if status not in new["responses"]:
                yield f"{name}: the answer {status} is gone."
                continue
            answers = _json(answer, self._old), _json(new["responses"][status], self._new)
            if answers[0] is not None:
                where = f"{name}: the answer {status}"
                yield from self.schemas(where, answers[0], answers[1] or {}, "got")

    def schemas(self, where: str, old: Schema, new: Schema, way: Way) -> Iterator[str]:
        """List the breaks between two schemas of what is sent to the server, or got from it."""
        old, new = old.get("payload", old), new.get("payload", new)
        names = old.get("$ref", ""), new.get("$ref", ""), way
        if names[0] and names[1]:
            if names in self._seen:
                return
            self._seen.add(names)
            where = f"{where} ({names[0].split('/')[-1]})" if " (" not in where else where
        old, new = _resolved(old, self._old), _resolved(new, self._new)
        if "anyOf" in old or "anyOf" in new:
            yield from self._alternatives(where, old, new, way)
            return
        yield from self._kinds(where, old, new, way)
        yield from self._words(where, old, new, way)
        if way == "sent":
            yield from _limits(where, old, new)
        yield from self._fields(where, old, new, way)
        if "items" in old and "items" in new:
            yield from self.schemas(f"{where}, an item", old["items"], new["items"], way)

    def _alternatives(self, where: str, old: Schema, new: Schema, way: Way) -> Iterator[str]:
        before, now = old.get("anyOf", [old]), new.get("anyOf", [new])
        offered, accepted = (before, now) if way == "sent" else (now, before)
        for each in offered:
            pairs = [(each, other) if way == "sent" else (other, each) for other in accepted]
            if len(before) == len(now) == 1:
                continue
            found = [_Comparison(self._old, self._new)._breaks(where, *pair, way) for pair in pairs]
            if not all(found):
                continue
            alike = [
                broken
                for broken, (first, second) in zip(found, pairs, strict=True)
                if self._kind(first, self._old) == self._kind(second, self._new)
            ]
            if alike:
                yield from min(alike, key=len)
            else:
                kind = self._kind(each, self._old if way == "sent" else self._new)
                what = "may not be" if way == "sent" else "may be"
                yield f"{where} {what} {kind} now."

    def _breaks(self, where: str, old: Schema, new: Schema, way: Way) -> list[str]:
        return list(self.schemas(where, old, new, way))

    def _kind(self, schema: Schema, document: Schema) -> str:
        name = schema.get("$ref", "").split("/")[-1]
        return name or str(_resolved(schema, document).get("type", "anything"))

    def _kinds(self, where: str, old: Schema, new: Schema, way: Way) -> Iterator[str]:
        before, now = _types(old), _types(new)
        lost = before - now if way == "sent" else now - before
        if lost and (now if way == "sent" else before):
            yield f"{where} is {_listed(now)} now, not {_listed(before)}."

    def _words(self, where: str, old: Schema, new: Schema, way: Way) -> Iterator[str]:
        before, now = _enum(old), _enum(new)
        if way == "sent" and now is not None and (before is None or before - now):
            yield f"{where} is one of {_listed(now)} now."
        if way == "got" and before is not None and not old.get("x-open"):
            if now is None:
                yield f"{where} may be any word now."
            elif now - before:
                yield f"{where} may be {_listed(now - before)} now."
        if way == "got" and old.get("x-open") and before and now and before - now:
            yield f"{where} is never {_listed(before - now)} any more."

    def _fields(self, where: str, old: Schema, new: Schema, way: Way) -> Iterator[str]:
        before, now = old.get("properties", {}), new.get("properties", {})
        for name, field in before.items():
            if name not in now:
                yield f"{where}: the field {name} is gone."
            else:
                yield from self.schemas(f"{where}: the field {name}", field, now[name], way)
        required, wanted = set(old.get("required", ())), set(new.get("required", ()))
        if way == "sent":
            for name in sorted(wanted - required):
                yield f"{where}: the field {name} is required now."
        else:
            for name in sorted((required - wanted) & now.keys()):
                yield f"{where}: the field {name} may be absent now."


def _limits(where: str, old: Schema, new: Schema) -> Iterator[str]:
    for name in UPPER:
        if name in new and new[name] < old.get(name, float("inf")):
            yield f"{where}: {name} is {new[name]} now, not {old.get(name, 'unbounded')}."
    for name in LOWER:
        if name in new and new[name] > old.get(name, 0):
            yield f"{where}: {name} is {new[name]} now, not {old.get(name, 0)}."
    if "pattern" in new and new["pattern"] != old.get("pattern"):
        yield f"{where}: it has to match {new['pattern']} now."


def _resolved(schema: Schema, document: Schema) -> Schema:
    """Follow references, and put the parts of an `allOf` together."""
    while "$ref" in schema:
        target: Any = document
        for part in schema["$ref"].removeprefix("#/").split("/"):
            target = target.get(part, {})
        schema = target
    for part in schema.get("allOf", ()):
        whole = _resolved(part, document)
        fields = whole.get("properties", {}) | schema.get("properties", {})
        schema = {**whole, **schema} | ({"properties": fields} if fields else {})
    return schema


def _json(message: Schema, document: Schema | None = None) -> Schema | None:
    if document is not None:
        message = _resolved(message, document)
    schema: Schema | None = message.get("content", {}).get("application/json", {}).get("schema")
    return schema


def _types(schema: Schema) -> set[str]:
    named = schema.get("type", [])
    kinds = {named} if isinstance(named, str) else set(named)
    return kinds | {"integer"} if "number" in kinds else kinds


def _enum(schema: Schema) -> set[str] | None:
    words = [schema["const"]] if "const" in schema else schema.get("enum")
    return None if words is None else {str(each) for each in words}


def _listed(words: set[str]) -> str:
    return ", ".join(sorted(words)) or "anything"


def of_folders(old: Path, new: Path) -> list[str]:
    """List the breaks between the documents of two folders."""
    pairs = ([json.loads((each / name).read_text()) for each in (old, new)] for name in DOCUMENTS)
    return [sentence for before, now in pairs for sentence in breaks(before, now)]


if __name__ == "__main__":
    found = of_folders(Path(sys.argv[1]), Path(sys.argv[2]))
    print("\n".join(found) or "Nothing breaks.")  # noqa: T201  # the answer of a command
    sys.exit(bool(found))
