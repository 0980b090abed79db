"""/openapi.json and /asyncapi.json: the specifications of this server, for everybody.

They hold no data, and of the settings and plugins only the limits and the names of routes.
"""

import asyncio

from chat.rest.base import ApiHandler
from chat.rest.gate import Gate
from chat.specs.documents import Document, Documents


class SpecHandler(ApiHandler):
    """Base: answers a document that is the same until the next start."""

    needs_token = False

    def initialize(self, gate: Gate, documents: Documents) -> None:  # type: ignore[override]
        super().initialize(gate)
        self.documents = documents

    async def get(self) -> None:
        # The first request makes the document, which takes a quarter of a second.
        document = await asyncio.to_thread(self.document)
        self.set_header("Content-Type", "application/json; charset=utf-8")
        self.set_header("Cache-Control", "no-cache")
        # It may be kept, and its CORS headers are those of one origin.
        self.set_header("Vary", "Origin")
        self.set_header("ETag", document.etag)
        if self.check_etag_header():
            self.set_status(304)
        else:
            self.write(document.body)

    def document(self) -> Document:
        """Return the document, which the first call makes."""
        raise NotImplementedError


class OpenApiHandler(SpecHandler):
    def document(self) -> Document:
        return self.documents.openapi


class AsyncApiHandler(SpecHandler):
    def document(self) -> Document:
        return self.documents.asyncapi
