"""The health routes: /health/live (the process runs), /health/ready (it can take traffic).

/health/ready asks the store, too.
"""

from collections.abc import Sequence
from typing import Literal

from typing_extensions import TypedDict

from chat.plugin_api import (
    HttpRequest,
    HttpResponse,
    Plugin,
    Registration,
    Route,
    ServerApi,
    Startup,
    hookimpl,
    register_routes,
    startup,
)


class Live(TypedDict):
    """The process answers."""

    status: Literal["live"]


class Readiness(TypedDict):
    """Whether the server can take traffic, and the state of each part."""

    status: Literal["ready", "unavailable"]
    parts: dict[str, str]


class Health(Plugin):
    name = "health"
    server: ServerApi | None = None

    @hookimpl(startup)
    async def keep_server(self, started: Startup) -> None:
        self.server = started.server

    @hookimpl(register_routes)
    async def routes(self, _start: Registration) -> Sequence[Route]:
        return [
            Route(
                method="GET",
                path="/health/live",
                handler=self.live,
                public=True,
                answers={200: Live},
                summary="Tell that the process answers.",
            ),
            Route(
                method="GET",
                path="/health/ready",
                handler=self.ready,
                public=True,
                answers={200: Readiness, 503: Readiness},
                summary="Tell whether the server can take traffic.",
            ),
        ]

    async def live(self, _request: HttpRequest) -> HttpResponse:
        return HttpResponse(body={"status": "live"})

    async def ready(self, _request: HttpRequest) -> HttpResponse:
        """Answer 200 if all parts are ok, otherwise 503; `parts` has each one's state."""
        parts = await self.server.readiness() if self.server else {"server": "starting"}
        ready = all(state == "ok" for state in parts.values())
        body = {"status": "ready" if ready else "unavailable", "parts": parts}
        return HttpResponse(status=200 if ready else 503, body=body)
