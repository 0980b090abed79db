"""Limits of what one user may ask for, out of the way."""

from chat.clock import SystemClock
from chat.services.pace import Pace
from chat.settings import load_settings
from tests.support.gateway.servers import NO_CORE_LIMITS


def no_limits() -> Pace:
    """A Pace that refuses nobody."""
    return Pace(load_settings(**NO_CORE_LIMITS), SystemClock())
