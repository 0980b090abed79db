"""10,000 connections: what they cost when idle, and how long a message to all holds our loop up.

`make bench-crowd`; ends in one sentence where there are too few file descriptors.
"""

import statistics
import sys
import time
from typing import Any, Final

from benchmarks.wire.backend import get
from benchmarks.wire.machine import describe
from benchmarks.wire.measure import Figures, load, measure, running
from benchmarks.wire.parts import build_loadgen, node_peer, our_server
from benchmarks.wire.processes import RunFailed, raise_file_limit
from benchmarks.wire.works import DELIVERIES, IDLE, MEMORY, Work

CROWD: Final = 10_000
WARM_S: Final = 1
MEASURED_S: Final = 4
GOAL_MS: Final = 20

# 25 s is Socket.IO's ping interval: each socket has exactly one heartbeat in the window.
AT_REST: Final = Work("at rest", "-m idle -h 25", CROWD, 10, (MEMORY, IDLE), 45)
# Of 200 users, since everybody in a room is told of a user that comes: 10,000 times 10,000 pushes.
TO_ALL: Final = Work(
    "to all",
    f"-m fan -w 1 -W {WARM_S} -d {MEASURED_S} -b",
    CROWD,
    CROWD,
    (DELIVERIES,),
    30,
    users=200,
    knows_chat=True,
)


def main() -> int:
    if raise_file_limit() < CROWD + 100:
        sys.exit(f"{CROWD:,} sockets need as many open files: ulimit -n {CROWD + 1000}")
    loadgen = build_loadgen()
    print(f"{describe()}; {CROWD:,} connections", flush=True)
    for server in (our_server(), node_peer()):
        for work, told in ((AT_REST, _at_rest), (TO_ALL, _to_all)):
            try:
                print(f"{server.name}: {told(measure(loadgen, server, work))}", flush=True)
            except RunFailed as error:
                print(f"{server.name}, {work.name}: FAILED: {error}", flush=True)
    try:
        turns_ms = _longest_turns_ms()
    except RunFailed as error:
        print(f"the turns of our loop: FAILED: {error}")
        return 1
    print(
        f"ours, messages to all: the longest turns of the loop took {turns_ms[0]:.1f} ms (goal: at"
        f" most {GOAL_MS}), the median of the ten longest {statistics.median(turns_ms[:10]):.1f} ms"
    )
    return 0


def _at_rest(figures: Figures) -> str:
    return (
        f"{figures['kb_per_conn']:.1f} kB a connection, {figures['idle_cpu_pct']:.2f} % of a core,"
        f" connect and join {figures['connect_cpu_ms']:.2f} ms CPU"
    )


def _to_all(figures: Figures) -> str:
    return (
        f"a message to all: {CROWD * 1e3 / figures['deliveries_per_cpu_s']:.0f} ms CPU,"
        f" 99 % of it delivered within {figures['p99_us'] / 1e3:.0f} ms"
    )


def _longest_turns_ms() -> list[float]:
    """Of a server with the probe, while messages to all are on their way."""
    server = our_server(env={"PLUGINS": "default,benchmarks.loop_probe"})
    answers: list[Any] = []

    def ask() -> None:
        time.sleep(WARM_S)
        get(target.port, "/bench/loop")
        time.sleep(MEASURED_S - 1)
        answers.append(get(target.port, "/bench/loop")[1])

    with running(server, TO_ALL) as target:
        load(build_loadgen(), target, TO_ALL, when_joined=ask)
    longest: list[float] = answers[0]["longest_ms"]
    return longest


if __name__ == "__main__":
    sys.exit(main())
