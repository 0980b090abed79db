"""One server under attack: starts it, lets the attackers loose, and judges it afterwards."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

from plugins.rate_limit import RateLimit
from tests.support.gateway.servers import NO_CORE_LIMITS
from tests.support.server_process import ServerProcess, server_process
from tools.fuzz import oracle
from tools.fuzz.attackers import Tally, attack
from tools.fuzz.canaries import Canaries
from tools.fuzz.scenarios import make_scenario
from tools.fuzz.world import World, make_world

AT_ONCE = 20
GONE_WITHIN_S = 20.0
WARM_UP_SEED = 0
ENVIRONMENT = {
    "PLUGINS": "default,tools.fuzz.probe",
    "LOG_LEVEL": "INFO",
    "LOG_FORMAT": "json",
    # So that what a silent attacker leaves behind is over within seconds.
    "PING_INTERVAL_S": "1",
    "PING_TIMEOUT_S": "2",
    "CONNECT_WITHIN_S": "2",
    "PRESENCE_GRACE_S": "0.5",
    "TYPING_TTL_S": "1",
    # Limits would spare the server what is to be tried.
    **{f"CHAT_RATE_LIMIT_{name}".upper(): "1000000" for name in RateLimit.Settings.model_fields},
    # Whoever is refused all the time would be cut, and get no further.
    **{name.upper(): "1000000" for name in NO_CORE_LIMITS},
}


@dataclass(slots=True)
class Verdict:
    """The figures of one attack, and what was wrong: nothing, if all is well."""

    seed: int
    seconds: float
    tally: Tally
    events: int
    lag_max_ms: float
    lag_p99_ms: float
    growth_bytes: int
    refusals: int
    refusal_log_bytes: int
    faults: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        per_refusal = self.refusal_log_bytes / max(1, self.refusals)
        doors = ", ".join(f"{n} {door}" for door, n in sorted(self.tally.scenarios.items()))
        return (
            f"seed {self.seed}: {self.tally.frames} frames in {self.seconds:.1f} s ({doors}); "
            f"{self.events} events answered; lag max "
            f"{self.lag_max_ms:.0f} ms, p99 {self.lag_p99_ms:.0f} ms; memory "
            f"{self.growth_bytes / 1e6:+.1f} MB; {self.refusals} refusals, "
            f"{per_refusal:.0f} bytes of log each"
        )


class Siege:
    """A running server with canaries in it; `attack` as often as you like, then `end`."""

    def __init__(self, server: ServerProcess, world: World, log: Path) -> None:
        self._server = server
        self._world = world
        self._log = oracle.LogFile(log)
        self._canaries = Canaries(server, world)
        self._port = urlsplit(server.url).port or 0
        self._held: dict[str, int] = {}
        self._resident_bytes = 0

    async def begin(self, warm_up_frames: int) -> None:
        """Let canaries in, warm the server up, and remember what it holds then."""
        await self._canaries.start()
        self._held = await self._get("/probe/held")
        await self._attack(WARM_UP_SEED, warm_up_frames, Tally())
        await self._wait_for_the_end()
        self._resident_bytes = (await self._rested())["residentBytes"]

    async def attack(self, seed: int, frames: int) -> Verdict:
        """`frames` of this seed, and the verdict when everybody has gone."""
        before = await self._get("/probe/figures")
        log_before = self._log.refusal_bytes
        begun, tally = monotonic(), Tally()
        await self._attack(seed, frames, tally)
        seconds = monotonic() - begun
        figures = await self._get("/probe/figures")
        left = await self._wait_for_the_end()
        growth = (await self._rested())["residentBytes"] - self._resident_bytes
        self._log.read_on()
        verdict = Verdict(
            seed=seed,
            seconds=seconds,
            tally=tally,
            events=figures["answered"] - before["answered"],
            lag_max_ms=figures["lagMaxMs"],
            lag_p99_ms=figures["lagP99Ms"],
            growth_bytes=growth,
            refusals=figures["refused"] - before["refused"] + tally.refusals(),
            refusal_log_bytes=self._log.refusal_bytes - log_before,
        )
        verdict.faults = [*tally.faults, *self._judge(verdict, left), *self._log.faults]
        self._log.faults = []
        return verdict

    async def repeat(self, seed: int, number: int) -> list[str]:
        """One scenario alone; what was wrong."""
        tally = Tally()
        await attack(self._port, self._world, make_scenario(seed, number, self._world), tally)
        left = await self._wait_for_the_end()
        self._log.read_on()
        return [*tally.faults, *self._log.faults, *([f"ghosts: {left}"] if left else [])]

    async def end(self) -> list[str]:
        """What was wrong with the canaries."""
        await self._canaries.stop()
        return self._canaries.faults

    @property
    def ack_ms(self) -> list[float]:
        """How long the canaries waited for their acks, attackers and canaries in one process."""
        return self._canaries.ack_ms

    async def _attack(self, seed: int, frames: int, tally: Tally) -> None:
        numbers = itertools.count()

        async def one_after_the_other() -> None:
            while tally.frames < frames:
                scenario = make_scenario(seed, next(numbers), self._world)
                await attack(self._port, self._world, scenario, tally)

        async with asyncio.TaskGroup() as group:
            for _ in range(AT_ONCE):
                group.create_task(one_after_the_other())

    async def _wait_for_the_end(self) -> dict[str, int]:
        """Until nothing is left of the attackers; what is left after GONE_WITHIN_S."""
        deadline = monotonic() + GONE_WITHIN_S
        while True:
            left = oracle.ghosts(self._held, await self._get("/probe/held"))
            if not left or monotonic() > deadline:
                return left
            await asyncio.sleep(0.25)

    def _judge(self, verdict: Verdict, left: dict[str, int]) -> list[str]:
        rules: list[tuple[bool, str]] = [
            (not left, f"ghosts: {left}"),
            (
                verdict.lag_max_ms < oracle.MAX_LAG_MS,
                f"the loop was {verdict.lag_max_ms:.0f} ms late",
            ),
            (verdict.growth_bytes < oracle.MAX_GROWTH_BYTES, "memory has not come back"),
            (
                verdict.refusal_log_bytes
                < oracle.MAX_LOG_BYTES_A_REFUSAL * max(1, verdict.refusals),
                "too much log for a refusal",
            ),
            (
                self._log.most_lines_a_second <= oracle.MAX_REFUSAL_LINES_A_SECOND,
                f"{self._log.most_lines_a_second} lines of refusals in one second",
            ),
        ]
        return [fault for holds, fault in rules if not holds]

    async def _rested(self) -> Any:
        await self._server.request("POST", "/probe/rest", json={})
        await asyncio.sleep(0.1)
        return await self._get("/probe/figures")

    async def _get(self, path: str) -> Any:
        status, body = await self._server.request("GET", path)
        assert status == 200, body
        return body


@asynccontextmanager
async def siege(folder: Path, warm_up_frames: int, **environment: str) -> AsyncIterator[Siege]:
    """A server with its files and its log in `folder`, ready to be attacked."""
    log = folder / "server.log"
    with log.open("wb") as stderr:
        async with server_process(
            folder / "data", stderr=stderr, **{**ENVIRONMENT, **environment}
        ) as server:
            besieged = Siege(server, await make_world(server), log)
            await besieged.begin(warm_up_frames)
            yield besieged
