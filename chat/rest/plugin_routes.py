"""The routes that plugins bring."""

import asyncio
from typing import Final

from chat.errors import ChatError, ErrorCode
from chat.hooks.calls import crashes_only
from chat.hooks.events import HttpRequest, HttpResponse, Route
from chat.rest.base import ApiHandler
from chat.rest.gate import Gate
from chat.rest.paths import with_head_and_options

ROUTE_TIMEOUT_S: Final = 10.0


class PluginRouteHandler(ApiHandler):
    """One path, with the Route of a plugin for each method."""

    says_why = False

    def initialize(self, gate: Gate, routes: dict[str, Route]) -> None:  # type: ignore[override]
        super().initialize(gate)
        self._routes = routes
        self._route = route = routes.get(self._method())
        self.needs_token = route is not None and not route.public

    def set_default_headers(self) -> None:
        super().set_default_headers()
        # A plugin may serve pictures to pages of other sites.
        self.clear_header("Cross-Origin-Resource-Policy")

    async def get(self) -> None:
        await self._run()

    async def post(self) -> None:
        await self._run()

    async def put(self) -> None:
        await self._run()

    async def patch(self) -> None:
        await self._run()

    async def delete(self) -> None:
        await self._run()

    def allowed_methods(self) -> list[str]:
        return with_head_and_options(self._routes)

    def _method(self) -> str:
        """Name the method whose route answers: GET for a HEAD."""
        method = self.request.method or ""
        return "GET" if method == "HEAD" else method

    async def _run(self) -> None:
        route = self._route
        if route is None:
            raise ChatError(ErrorCode.METHOD_NOT_ALLOWED, "this route does not know that method")
        request = HttpRequest(
            method=route.method,
            path=self.request.path,
            query={name: self.get_query_argument(name) for name in self.request.query_arguments},
            body=self.take_body(),
            identity=self.caller,
            remote_ip=self.remote_ip,
        )
        with crashes_only():
            async with asyncio.timeout(ROUTE_TIMEOUT_S):
                response = await route.handler(request)
        self._write(response)

    def _write(self, response: HttpResponse) -> None:
        self.set_status(response.status)
        for name, value in (response.headers or {}).items():
            self.set_header(name, value)
        if isinstance(response.body, dict):
            self.write_json(response.body)
        else:
            if "Content-Type" not in (response.headers or {}):
                self.set_header("Content-Type", "text/plain; charset=utf-8")
            self.write(response.body)
