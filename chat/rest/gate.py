"""What the handlers of REST are given."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from chat.contracts.json_text import JsonLimits
from chat.hooks.manager import PluginManager
from chat.http.bodies import ENDLESS, HeldBytes, bodies_of
from chat.net.origins import OriginPolicy
from chat.ports import Clock
from chat.services.admission import Admission
from chat.services.audit import Audit
from chat.services.budget import ANSWERS_IN_A_BACKLOG
from chat.services.domain import Domain
from chat.services.refusals import Refusals
from chat.settings import Settings


@dataclass(slots=True)
class Gate:
    """What the handlers need of the server. `draining` = new requests are refused with
    SHUTTING_DOWN.
    """

    domain: Domain
    admission: Admission
    audit: Audit
    hooks: PluginManager
    origins: OriginPolicy
    refusals: Refusals
    clock: Clock
    settings: Settings
    stats: Callable[[], dict[str, Any]]
    draining: bool = False
    running: int = 0
    idle: asyncio.Event = field(default_factory=asyncio.Event)
    json_limits: JsonLimits = field(init=False)
    # What one answer may hold, as over a socket.
    answer_bytes: int = field(init=False)
    bodies: HeldBytes = field(init=False)
    # Of those that are on their way, by user.
    answers: HeldBytes = field(init=False)

    def __post_init__(self) -> None:
        self.bodies = bodies_of(self.settings.max_body_bytes)
        self.answers = HeldBytes(ENDLESS, 2 * self.settings.max_backlog_bytes)
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
