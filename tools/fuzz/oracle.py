"""What must hold after an attack: the bounds of the fuzz, and how they are measured."""

import re
from collections import Counter
from pathlib import Path
from typing import Any

import orjson

MAX_LAG_MS = 100
MAX_GROWTH_BYTES = 10_000_000
MAX_LOG_BYTES_A_REFUSAL = 200
MAX_REFUSAL_LINES_A_SECOND = 400
"""Ten of each event and caller: of the users and the address that attack."""

SPARE = {"tasks": 12, "descriptors": 30}
"""What the server keeps for later: workers that rest, connections to the store."""

BUSINESS = {
    "listening", "connected", "disconnected", "joined", "left", "message_sent", "message_edited",
    "message_deleted", "drained", "stopped",
}  # fmt: skip
"""Lines of things that were done. All others are about something that was refused."""

_TRACEBACK = re.compile(r"Traceback \(most recent call last\)|exception was never retrieved")


def ghosts(before: dict[str, int], now: dict[str, int]) -> dict[str, int]:
    """What there is more of than before the attackers came."""
    return {
        name: count - before.get(name, 0)
        for name, count in now.items()
        if count > before.get(name, 0) + SPARE.get(name, 0)
    }


class LogFile:
    """The server's log, read on from where it was read last."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._at = 0
        self.bytes_by_event: Counter[str] = Counter()
        self.lines_by_second: Counter[str] = Counter()
        self.faults: list[str] = []

    def read_on(self) -> None:
        with self._path.open("rb") as file:
            file.seek(self._at)
            for line in file:
                self._at += len(line)
                self._take(line)

    def _take(self, line: bytes) -> None:
        text = line.decode(errors="replace")
        if _TRACEBACK.search(text):
            self.faults.append(f"a traceback: {text[-1_500:]}")
        try:
            record: dict[str, Any] = orjson.loads(line)
        except orjson.JSONDecodeError:
            self.faults.append(f"a line that is no record: {text[:300]}")
            return
        if record.get("level") in ("error", "critical"):
            self.faults.append(f"an error: {text[:1_500]}")
        event = str(record.get("event"))
        self.bytes_by_event[event] += len(line)
        if event not in BUSINESS:
            self.lines_by_second[str(record.get("timestamp"))[:19]] += 1

    @property
    def refusal_bytes(self) -> int:
        return sum(count for event, count in self.bytes_by_event.items() if event not in BUSINESS)

    @property
    def most_lines_a_second(self) -> int:
        return max(self.lines_by_second.values(), default=0)
