"""`make fuzz`, or `python -m tools.fuzz`: read many streams as wsproto does, attack a server with
many frames, and say how it did.

Exit code 0 when nothing was wrong. `--seed S --only N` repeats one scenario.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
from pathlib import Path

from tools.fuzz.siege import siege
from tools.fuzz.streams import compare

FAULTS_SHOWN = 20


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.fuzz", description=__doc__)
    parser.add_argument("--frames", type=int, default=50_000, help="frames a seed (50000)")
    parser.add_argument("--seeds", type=int, default=5, help="how many seeds (5)")
    parser.add_argument("--seed", type=int, default=1, help="the first of them (1)")
    parser.add_argument("--only", type=int, help="repeat the one scenario of this number")
    parser.add_argument("--warm-up", type=int, default=10_000, help="frames before (10000)")
    parser.add_argument(
        "--streams", type=int, default=1_000_000, help="frames beside wsproto (1000000 streams)"
    )
    options = parser.parse_args()
    if options.only is None and not _read_like_wsproto(options.streams):
        return 1
    with tempfile.TemporaryDirectory(prefix="chatgateway-fuzz-") as folder:
        return asyncio.run(_run(options, Path(folder)))


def _read_like_wsproto(streams: int) -> bool:
    """Have random streams read by both."""
    faults = [(number, fault) for number in range(streams) if (fault := compare(number))]
    for number, fault in faults[:FAULTS_SHOWN]:
        _say(f"  FAULT in stream {number}: {fault}")
    _say(f"{streams} streams read by wsproto and by us: {len(faults)} differ")
    return not faults


async def _run(options: argparse.Namespace, folder: Path) -> int:
    faults: list[str] = []
    warm_up = 0 if options.only is not None else options.warm_up
    async with siege(folder, warm_up) as besieged:
        if options.only is not None:
            faults += await besieged.repeat(options.seed, options.only)
        else:
            for seed in range(options.seed, options.seed + options.seeds):
                verdict = await besieged.attack(seed, options.frames)
                _say(str(verdict))
                for fault in verdict.faults[:FAULTS_SHOWN]:
                    _say(f"  FAULT {fault}")
                faults += verdict.faults
        faults += await besieged.end()
        _say_acks(besieged.ack_ms)
    for fault in faults[:FAULTS_SHOWN] if options.only is not None else faults[-1:]:
        _say(f"FAULT {fault}")
    _say("nothing was wrong" if not faults else f"{len(faults)} faults")
    return 1 if faults else 0


def _say_acks(ack_ms: list[float]) -> None:
    if len(ack_ms) > 1:
        p99 = statistics.quantiles(ack_ms, n=100)[98]
        _say(
            f"canaries: {len(ack_ms)} messages, acked within {p99:.0f} ms (p99), "
            f"{max(ack_ms):.0f} ms (max), attackers and canaries sharing a process"
        )


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
