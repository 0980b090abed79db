"""The parts of the server that every REST handler receives."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from chat.contracts.admin_answers import StatsAnswer
from chat.contracts.json_text import JsonLimits
from chat.hooks.manager import PluginManager
from chat.http.bodies import ENDLESS, HeldBytes, bodies_of
from chat.http.turnstile import Turnstile
from chat.identity import UserKey
from chat.net.origins import OriginPolicy
from chat.services.admission import Admission
from chat.services.audit import Audit
from chat.services.budget import ANSWERS_IN_A_BACKLOG, Turns
from chat.services.domain import Domain
from chat.services.refusals import Refusals
from chat.settings import Settings

BACKLOGS_OF_ANSWERS: Final = 2
"""The bytes of answers that a user may have on the way, as a multiple of MAX_BACKLOG_BYTES."""


@dataclass(slots=True)
class Gate:
    """The parts of the server that handlers use; counts the requests that run.

    `stats` returns a tenant's figures. `draining` = new requests are refused with SHUTTING_DOWN.
    """

    domain: Domain
    admission: Admission
    audit: Audit
    hooks: PluginManager
    origins: OriginPolicy
    refusals: Refusals
    settings: Settings
    stats: Callable[[str], StatsAnswer]
    draining: bool = False
    running: int = 0
    idle: asyncio.Event = field(default_factory=asyncio.Event)
    json_limits: JsonLimits = field(init=False)
    # The most bytes of one answer, as over a socket.
    answer_bytes: int = field(init=False)
    bodies: HeldBytes[str] = field(init=False)
    turnstile: Turnstile[UserKey] = field(default_factory=Turnstile)
    # Big bodies are decoded one in each turn of the loop.
    decoding: Turns = field(default_factory=lambda: Turns(of_all=1))
    # The big answers that clients have not read yet, by user.
    answers: HeldBytes[UserKey | None] = field(init=False)

    def __post_init__(self) -> None:
        self.bodies = bodies_of(self.settings.max_body_bytes)
        self.answers = HeldBytes(ENDLESS, BACKLOGS_OF_ANSWERS * self.settings.max_backlog_bytes)
        self.answer_bytes = self.settings.max_backlog_bytes // ANSWERS_IN_A_BACKLOG
        self.json_limits = JsonLimits.of(self.settings)
        self.idle.set()

    def entered(self) -> None:
        self.running += 1
        self.idle.clear()

    def left(self) -> None:
        self.running -= 1
        if self.running == 0:
            self.idle.set()
