"""The works: what the generator is told for each, and what is read off it."""

from dataclasses import dataclass
from typing import Final, Literal


@dataclass(frozen=True, slots=True)
class Metric:
    key: str
    """In the generator's JSON."""
    label: str
    better: Literal["more", "less"]


DELIVERIES: Final = Metric("deliveries_per_cpu_s", "deliveries/CPU-s", "more")
ACKS: Final = Metric("acks_per_cpu_s", "acked sends/CPU-s", "more")
CONNECT: Final = Metric("connect_cpu_ms", "connect+join, CPU ms", "less")
MEMORY: Final = Metric("kb_per_conn", "kB/idle connection", "less")
IDLE: Final = Metric("idle_cpu_pct", "idle CPU, % of a core", "less")
P99: Final = Metric("p99_us", "99 % delivered within, us", "less")


@dataclass(frozen=True, slots=True)
class Work:
    name: str
    options: str
    """For the generator; see the top of loadgen/main.c."""
    connections: int
    room: int
    metrics: tuple[Metric, ...]
    about_s: float
    """How long a run takes, at first guess: for the time limit."""
    stored: bool = False
    max_reps: int = 99
    users: int | None = None
    """Who connects, when that is fewer users than there are sockets; they take turns."""
    knows_chat: bool = False
    """Joins as one who has been there: not told again who all the members are."""


BUSY: Final = "-W 1 -d 2 -b"
FAN: Final = (DELIVERIES,)
_ALL: Final = (
    Work("typ100", f"-m typ -w 1 {BUSY}", 200, 100, FAN, 6),
    Work("fan10", f"-m fan -w 1 {BUSY}", 200, 10, FAN, 6),
    Work("fan100", f"-m fan -w 1 {BUSY}", 200, 100, FAN, 6),
    Work("fan1000", f"-m fan -w 1 {BUSY}", 1000, 1000, FAN, 16),
    # Two in flight: the server never waits for the generator, and frames for one socket can meet
    # in one turn of its loop.
    Work("pipe10", f"-m fan -w 2 {BUSY}", 200, 10, FAN, 6),
    Work("pipe100", f"-m fan -w 2 {BUSY}", 200, 100, FAN, 6),
    Work("pipe1000", f"-m fan -w 2 {BUSY}", 1000, 1000, FAN, 16),
    Work("hot1000", f"-m fan -w 8 {BUSY}", 1000, 1000, FAN, 16),
    Work("ack2", f"-m ack -w 1 {BUSY}", 200, 2, (ACKS,), 6),
    # The store may share the generator's core, so the generator sleeps between events here. Long:
    # at a thousand sends a second V8 needs seconds to compile what is hot.
    Work("stored", "-m ack -w 1 -W 3 -d 4", 200, 2, (ACKS,), 11, stored=True),
    # Longer too: the server is idle for four fifths of it, so there is less CPU to divide by.
    Work("open", "-m open -q 200 -W 2 -d 3 -b", 2000, 50, (DELIVERIES, P99), 12),
    Work("conn", "-m idle", 4000, 10, (CONNECT, MEMORY), 9),
    # 25 s is Socket.IO's ping interval: each socket has exactly one heartbeat in the window.
    Work("idle5k", "-m idle -h 25", 5000, 10, (IDLE,), 36, max_reps=1),
)
WORKS: Final = {work.name: work for work in _ALL}
