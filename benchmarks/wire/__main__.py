"""Work per CPU-second of our server beside Node's: `make bench`, options in ARGS.

Every repetition of every work starts a fresh server; servers take turns, so that a noisy minute
hits both. Exit status: 0 measured, 1 some work gave no figure, 2 or a sentence: wrong call.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks.wire.machine import describe
from benchmarks.wire.measure import Figures, measure
from benchmarks.wire.parts import Server, build_loadgen, node_peer, our_server
from benchmarks.wire.processes import RunFailed, raise_file_limit
from benchmarks.wire.table import Run, aligned, cells_of, markdown, number, remarks, summarise
from benchmarks.wire.works import WORKS, Work


class Turns:
    """All repetitions of all works, until the time is up."""

    def __init__(self, servers: Sequence[Server], works: Sequence[Work], limit_s: float) -> None:
        self.runs: list[Run] = []
        self.failures: dict[tuple[str, str], str] = {}
        self._servers = servers
        self._works = works
        self._end = time.monotonic() + limit_s
        self._took_s: dict[tuple[str, str], float] = {}

    def take(self, loadgen: Path, reps: int) -> None:
        for rep in range(reps):
            # The order turns with each repetition: nobody is always the first on a warm core.
            shift = rep % len(self._servers)
            order = [*self._servers[shift:], *self._servers[:shift]]
            for work in self._works:
                for server in order if rep < work.max_reps else ():
                    self._one(loadgen, server, work, rep, reps)

    def _one(self, loadgen: Path, server: Server, work: Work, rep: int, reps: int) -> None:
        key = (work.name, server.name)
        if time.monotonic() + self._took_s.get(key, work.about_s) > self._end:
            if rep == 0:
                self.failures[key] = "no time left: --limit"
            return
        began = time.monotonic()
        where = f"  {rep + 1}/{reps} {work.name} {server.name}:"
        try:
            figures = measure(loadgen, server, work)
        except RunFailed as error:
            self.failures[key] = str(error)
            print(f"{where} {error}", file=sys.stderr, flush=True)
        else:
            self.runs.append(Run(work.name, server.name, rep, figures))
            print(f"{where} {_in_words(work, figures)}", file=sys.stderr, flush=True)
        self._took_s[key] = time.monotonic() - began

    def notes(self) -> list[str]:
        failed = [
            f"{work}, {server}: a run FAILED: {why}"
            for (work, server), why in self.failures.items()
        ]
        return remarks(self.runs) + failed

    def complete(self) -> bool:
        measured = {(run.work, run.server) for run in self.runs}
        return all(
            (work.name, server.name) in measured for work in self._works for server in self._servers
        )


def _in_words(work: Work, figures: Figures) -> str:
    return ", ".join(f"{number(figures[each.key])} {each.label}" for each in work.metrics)


def pairs(texts: Sequence[str]) -> dict[str, str]:
    """`K=V` texts as a dict; ends in one sentence where there is no `=`."""
    for text in texts:
        if "=" not in text:
            sys.exit(f"--env {text}: KEY=VALUE expected")
    return dict(text.split("=", 1) for text in texts)


def parse_arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="make bench", description="Our server beside Node's Socket.IO, on the same work."
    )
    parser.add_argument("--works", default=",".join(WORKS), help="some of %(default)s")
    parser.add_argument("--reps", type=int, default=3, help="repetitions (%(default)s)")
    parser.add_argument(
        "--limit",
        type=float,
        default=1500,
        metavar="S",
        help="start no run that would end after so many seconds (%(default)s)",
    )
    parser.add_argument(
        "--env", action="append", default=[], metavar="K=V", help="environment of our server"
    )
    parser.add_argument("--server", metavar="COMMAND", help="starts our server (serve.py)")
    parser.add_argument("--no-peer", action="store_true", help="measure our server alone")
    parser.add_argument("--markdown", action="store_true", help="the table as for README.md")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all runs and the summary")
    args = parser.parse_args(arguments)
    if unknown := [name for name in args.works.split(",") if name not in WORKS]:
        parser.error(f"unknown work {', '.join(unknown)}; there are {', '.join(WORKS)}")
    if args.reps < 1:
        parser.error("--reps: 1 or more")
    return args


def main() -> int:
    args = parse_arguments()
    works = [WORKS[name] for name in args.works.split(",")]
    servers = [our_server(args.server, pairs(args.env))]
    if not args.no_peer:
        servers.append(node_peer())
    raise_file_limit()
    began = time.monotonic()
    turns = Turns(servers, works, args.limit)
    turns.take(build_loadgen(), args.reps)
    seconds = time.monotonic() - began

    peer = None if args.no_peer else servers[1].name
    rows = summarise(turns.runs, works, peer)
    lines, notes = cells_of(rows, peer), turns.notes()
    machine = f"{describe()}; medians of {args.reps}"
    print(f"{machine}:\n\n{markdown(lines)}\n" if args.markdown else aligned(lines))
    for note in notes:
        print("*", note)
    if not args.markdown:
        load = os.getloadavg()[0]
        print(f"{machine}. {len(turns.runs)} runs in {seconds:.0f} s, load average {load:.1f}")
    if args.json:
        report = {
            "machine": machine,
            "seconds": seconds,
            "summary": [asdict(row) for row in rows],
            "notes": notes,
            "runs": [asdict(run) for run in turns.runs],
        }
        args.json.write_text(json.dumps(report, indent=1) + "\n")
    return 0 if turns.complete() else 1


if __name__ == "__main__":
    sys.exit(main())
