"""Both documents, made at the first request and kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path

import orjson

from chat.hooks.manager import Brought
from chat.settings import Settings
from chat.specs.asyncapi import asyncapi
from chat.specs.openapi import openapi


@dataclass(frozen=True)
class Document:
    """A document as it is sent."""

    body: bytes
    etag: str

    @property
    def readable(self) -> bytes:
        """The body with line breaks, for files."""
        return orjson.dumps(
            orjson.loads(self.body), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
        )


@dataclass
class Documents:
    """The specifications of this server, with what its plugins bring."""

    settings: Settings
    plugin_events: Sequence[Brought]
    plugin_routes: Sequence[Brought]

    def write(self, folder: Path) -> list[Path]:
        """Write both documents into a folder; OSError where that fails."""
        folder.mkdir(parents=True, exist_ok=True)
        written = {"openapi.json": self.openapi, "asyncapi.json": self.asyncapi}
        for name, document in written.items():
            (folder / name).write_bytes(document.readable)
        return [folder / name for name in written]

    @cached_property
    def openapi(self) -> Document:
        return _document(openapi(self.settings, self.plugin_routes))

    @cached_property
    def asyncapi(self) -> Document:
        return _document(asyncapi(self.settings, self.plugin_events))


def _document(content: object) -> Document:
    body = orjson.dumps(content)
    return Document(body, f'"{sha256(body).hexdigest()[:32]}"')
