"""What a delivery costs as rooms grow, and as connections grow: `make bench-growth`.

Writes benchmarks/growth.json, from which benchmarks/plot.py draws. One message in flight a room.
"""

import argparse
import json
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from benchmarks.wire.machine import describe
from benchmarks.wire.measure import measure
from benchmarks.wire.parts import BENCHMARKS, build_loadgen, node_peer, our_server
from benchmarks.wire.processes import RunFailed, raise_file_limit
from benchmarks.wire.works import DELIVERIES, Work

GROWTH_FILE: Final = BENCHMARKS / "growth.json"
OPTIONS: Final = "-m fan -w 1 -W 1 -d 2 -b"

AXES: Final[dict[str, list[Work]]] = {
    "members of a room, 1,000 connections": [
        Work(str(room), OPTIONS, 1000 // room * room, room, (DELIVERIES,), 8)
        for room in (10, 30, 100, 300, 1000)
    ],
    "connections, rooms of 100": [
        Work(str(connections), OPTIONS, connections, 100, (DELIVERIES,), 20)
        for connections in (100, 300, 1000, 3000, 10_000)
    ],
}

Points = dict[str, list[tuple[int, float]]]
"""Of each server: (size, us of CPU a delivery)."""


def measured(works: Sequence[Work], reps: int) -> Points:
    """The medians; a run that gave no figure is said and left out."""
    loadgen = build_loadgen()
    servers = [our_server(), node_peer()]
    points: Points = {server.name: [] for server in servers}
    for work in works:
        costs_us: dict[str, list[float]] = {server.name: [] for server in servers}
        for _ in range(reps):
            for server in servers:
                try:
                    figures = measure(loadgen, server, work)
                except RunFailed as error:
                    print(f"  {work.name} {server.name}: {error}", file=sys.stderr)
                else:
                    costs_us[server.name].append(1e6 / figures[DELIVERIES.key])
        for name, values in costs_us.items():
            if values:
                points[name].append((int(work.name), round(statistics.median(values), 2)))
        print(f"  {work.name}: {_told(costs_us)}", file=sys.stderr, flush=True)
    return points


def _told(costs_us: dict[str, list[float]]) -> str:
    return ", ".join(
        f"{name} {statistics.median(values):.2f} us" for name, values in costs_us.items() if values
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench-growth", description=__doc__)
    parser.add_argument("--reps", type=int, default=3, help="repetitions (%(default)s)")
    parser.add_argument("--json", type=Path, default=GROWTH_FILE, metavar="FILE")
    args = parser.parse_args()
    raise_file_limit()
    panels = {axis: measured(works, args.reps) for axis, works in AXES.items()}
    report = {"machine": f"{describe()}; medians of {args.reps}", "panels": panels}
    args.json.write_text(json.dumps(report, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
