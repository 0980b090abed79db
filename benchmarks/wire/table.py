"""What the runs amount to: medians, ratios, goals, as a table."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from benchmarks.wire.goals import GOALS, verdict
from benchmarks.wire.measure import Figures
from benchmarks.wire.works import WORKS, Metric, Work

OURS: Final = "ours"


@dataclass(frozen=True, slots=True)
class Run:
    work: str
    server: str
    rep: int
    figures: Figures


@dataclass(frozen=True, slots=True)
class Cell:
    """One server's figure in one work: the median of its runs."""

    runs: int
    median: float
    least: float
    most: float
    p50_us: float | None
    p99_us: float | None


@dataclass(frozen=True, slots=True)
class Ratio:
    """Ours to the peer's: of the medians, and the range of it within single repetitions."""

    of_medians: float
    least: float
    most: float


@dataclass(frozen=True, slots=True)
class Row:
    work: str
    metric: Metric
    cells: dict[str, Cell]
    ratio: Ratio | None


def summarise(runs: Sequence[Run], works: Sequence[Work], peer: str | None) -> list[Row]:
    """One row for each metric of each work. What was refused is in no run, so in no row's cells."""
    rows = []
    for work in works:
        for metric in work.metrics:
            values: dict[str, dict[int, float]] = {}
            cells = {}
            for server in (OURS, peer):
                mine = [run for run in runs if (run.work, run.server) == (work.name, server)]
                if server is None or not mine:
                    continue
                values[server] = {run.rep: run.figures[metric.key] for run in mine}
                cells[server] = _cell([run.figures for run in mine], metric)
            ratio = _ratio(values[OURS], values[peer]) if peer and len(values) == 2 else None
            rows.append(Row(work.name, metric, cells, ratio))
    return rows


def _cell(figures: Sequence[Figures], metric: Metric) -> Cell:
    values = [each[metric.key] for each in figures]
    latency = {
        key: statistics.median(each[key] for each in figures) if key in figures[0] else None
        for key in ("p50_us", "p99_us")
    }
    return Cell(len(values), statistics.median(values), min(values), max(values), **latency)


def _ratio(ours: dict[int, float], peer: dict[int, float]) -> Ratio | None:
    base = statistics.median(peer.values())
    pairs = [ours[rep] / value for rep, value in peer.items() if rep in ours and value]
    if not base or not pairs:
        return None
    return Ratio(statistics.median(ours.values()) / base, min(pairs), max(pairs))


def cells_of(rows: Sequence[Row], peer: str | None) -> list[list[str]]:
    """The table with its heading: a line for each row, all of one length."""
    servers = [OURS, peer] if peer else [OURS]
    heading = ["work", "measure (better)", *servers]
    if peer:
        heading += [f"{OURS}/{peer}", "must", "after"]
    lines = [heading + [f"p50/p99 ms {server}" for server in servers]]
    for row in rows:
        line = [row.work, f"{row.metric.label} ({row.metric.better})"]
        line += [_figure(row.cells.get(server)) for server in servers]
        if peer:
            goal = GOALS.get((row.work, row.metric.key))
            of_medians = row.ratio.of_medians if row.ratio else None
            line += [
                _ratio_text(row.ratio, row.cells.get(OURS)),
                verdict(row.metric, of_medians, goal.must if goal else None),
                verdict(row.metric, of_medians, goal.after if goal else None),
            ]
        lines.append(line + [_latency(row.cells.get(server)) for server in servers])
    return lines


def number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _figure(cell: Cell | None) -> str:
    if cell is None:
        return "-"
    spread = f" [{number(cell.least)}..{number(cell.most)}]" if cell.runs > 1 else ""
    return number(cell.median) + spread


def _ratio_text(ratio: Ratio | None, ours: Cell | None) -> str:
    if ratio is None:
        return "-"
    spread = f" [{ratio.least:.2f}..{ratio.most:.2f}]" if ours and ours.runs > 1 else ""
    return f"{ratio.of_medians:.2f}" + spread


def _latency(cell: Cell | None) -> str:
    if cell is None or cell.p50_us is None or cell.p99_us is None:
        return ""
    return f"{cell.p50_us / 1e3:.1f}/{cell.p99_us / 1e3:.1f}"


def aligned(lines: Sequence[Sequence[str]]) -> str:
    """For a terminal: columns of one width."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    rule = ["-" * width for width in widths]
    return "\n".join(
        "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()
        for line in (lines[0], rule, *lines[1:])
    )


def markdown(lines: Sequence[Sequence[str]]) -> str:
    """The same for a page."""
    rule = ["---"] * len(lines[0])
    return "\n".join("| " + " | ".join(line) + " |" for line in (lines[0], rule, *lines[1:]))


def remarks(runs: Sequence[Run]) -> list[str]:
    """What a reader must know before believing a row."""
    found: dict[tuple[str, str], str] = {}
    for run in runs:
        where = f"{run.work}, {run.server}"
        for kind, text in _doubts(WORKS[run.work], run.figures).items():
            found[where, kind] = f"{where}: {text}"
    return list(found.values())


def _doubts(work: Work, figures: dict[str, Any]) -> dict[str, str]:
    doubts = {}
    server_cpu_s = figures.get("server_user_s", 0) + figures.get("server_sys_s", 0)
    store_cpu_s = figures.get("store_cpu_s", 0)
    if work.stored and figures.get("acks"):
        doubts["store"] = (
            f"store: {store_cpu_s / figures['acks'] * 1e6:.0f} us CPU a stored send beside the"
            f" server's {server_cpu_s / figures['acks'] * 1e6:.0f}, {figures['acks_per_s']:.0f}"
            " sends/s"
        )
    elif store_cpu_s > 0.03 * server_cpu_s > 0:
        doubts["store"] = f"a store worked in a work without one ({store_cpu_s:.2f} CPU-s)"
    if figures.get("other", 0) > 0.02 * figures.get("deliveries", 0):
        doubts["other"] = (
            f"{figures['other']} pushes other than messages beside"
            f" {figures['deliveries']} deliveries"
        )
    if work.name == "open" and figures["generator_late_ms"] > 20:
        late_ms = figures["generator_late_ms"]
        doubts["late"] = f"the generator was up to {late_ms:.0f} ms late: distrust p99"
    return doubts
