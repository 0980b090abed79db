"""A plugin that measures how long the event loop is held: from one turn of it to the next.

It keeps the loop turning all the time, so CPU figures taken beside it mean nothing.
"""

import asyncio

from chat.plugin_api import (
    HttpRequest,
    HttpResponse,
    Plugin,
    Registration,
    Route,
    Startup,
    hookimpl,
    register_routes,
    startup,
)


class LoopProbe(Plugin):
    """`GET /bench/loop`: how long the turns since the last call took, in ms, the longest first."""

    name = "loop_probe"
    KEPT = 1000

    @hookimpl(startup)
    async def begin(self, _started: Startup) -> None:
        self.loop = asyncio.get_running_loop()
        self.turns_ms: list[float] = []
        self.last = self.loop.time()
        self.turn()

    def turn(self) -> None:
        now = self.loop.time()
        self.turns_ms.append(1000 * (now - self.last))
        if len(self.turns_ms) > 100 * self.KEPT:
            self.forget_all_but_the_longest()
        self.last = now
        self.loop.call_soon(self.turn)

    def forget_all_but_the_longest(self) -> None:
        self.turns_ms = sorted(self.turns_ms, reverse=True)[: self.KEPT]

    @hookimpl(register_routes)
    async def routes(self, _start: Registration) -> list[Route]:
        return [Route(method="GET", path="/bench/loop", handler=self.tell, public=True)]

    async def tell(self, _request: HttpRequest) -> HttpResponse:
        self.forget_all_but_the_longest()
        longest, self.turns_ms = self.turns_ms, []
        return HttpResponse(body={"longest_ms": longest})
