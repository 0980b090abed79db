"""The ratios to Node's Socket.IO that must hold, and those that we are after.

They inform: no exit status and no test depends on a figure.
"""

from dataclasses import dataclass
from typing import Final

from benchmarks.wire.works import ACKS, CONNECT, DELIVERIES, IDLE, MEMORY, P99, Metric


@dataclass(frozen=True, slots=True)
class Goal:
    """Ratios ours / Node: at least these where more is better, at most these where less is."""

    must: float
    after: float


GOALS: Final = {
    ("typ100", DELIVERIES.key): Goal(2, 3),
    ("fan10", DELIVERIES.key): Goal(1.2, 1.6),
    ("fan100", DELIVERIES.key): Goal(1.2, 1.6),
    ("fan1000", DELIVERIES.key): Goal(1.2, 1.6),
    ("pipe10", DELIVERIES.key): Goal(1.6, 2.5),
    ("pipe100", DELIVERIES.key): Goal(1.6, 2.5),
    ("pipe1000", DELIVERIES.key): Goal(1.6, 2.5),
    ("hot1000", DELIVERIES.key): Goal(4, 8),
    ("ack2", ACKS.key): Goal(1.5, 3),
    ("stored", ACKS.key): Goal(2.5, 5),
    ("open", DELIVERIES.key): Goal(1.3, 2),
    ("open", P99.key): Goal(1, 0.5),
    ("conn", MEMORY.key): Goal(0.4, 0.25),
    ("conn", CONNECT.key): Goal(1, 0.5),
    ("idle5k", IDLE.key): Goal(0.4, 0.16),
}


def verdict(metric: Metric, ratio: float | None, goal: float | None) -> str:
    """`1.6 held`, `1.6 missed`, `1.6` where nothing was measured, nothing without a goal."""
    if goal is None:
        return ""
    if ratio is None:
        return f"{goal:g}"
    held = ratio >= goal if metric.better == "more" else ratio <= goal
    return f"{goal:g} {'held' if held else 'missed'}"
