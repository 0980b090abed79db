"""What the runner of the benchmarks makes of figures: pure arithmetic, nothing is measured."""

import pytest

from benchmarks.wire.goals import GOALS, verdict
from benchmarks.wire.measure import check
from benchmarks.wire.processes import RunFailed
from benchmarks.wire.table import Run, aligned, cells_of, markdown, remarks, summarise
from benchmarks.wire.works import ACKS, DELIVERIES, MEMORY, WORKS

FAN = WORKS["fan10"]


def runs(ours, node, work=FAN):
    """Runs of these deliveries a CPU-second, repetition by repetition."""
    key = work.metrics[0].key
    return [
        Run(work.name, server, rep, {key: value})
        for server, values in (("ours", ours), ("node", node))
        for rep, value in enumerate(values)
    ]


def test_a_ratio_is_of_the_medians_and_its_range_of_single_repetitions():
    """One noisy repetition moves the range and not the ratio."""
    (row,) = summarise(runs([100, 120, 500], [50, 60, 70]), [FAN], "node")
    assert row.cells["ours"].median == 120
    assert (row.cells["ours"].least, row.cells["ours"].most) == (100, 500)
    assert row.ratio.of_medians == 2
    assert row.ratio.least == 2
    assert row.ratio.most == pytest.approx(500 / 70)


def test_a_repetition_that_one_server_lacks_is_in_no_ratio_of_single_repetitions():
    """A run that failed has no figure, and nobody else's figure takes its place."""
    both = runs([100, 200], [50])
    (row,) = summarise(both, [FAN], "node")
    assert (row.ratio.least, row.ratio.most) == (2, 2)


def test_a_work_without_a_figure_of_the_peer_has_no_ratio():
    """It is a dash in the table, and the goal stands there unjudged."""
    rows = summarise(runs([100], []), [FAN], "node")
    assert rows[0].ratio is None
    (_, line) = cells_of(rows, "node")
    assert "-" in line
    assert "1.2" in line


@pytest.mark.parametrize(
    ("metric", "ratio", "said"),
    [
        (DELIVERIES, 1.2, "1.2 held"),
        (DELIVERIES, 1.19, "1.2 missed"),
        (MEMORY, 1.2, "1.2 held"),
        (MEMORY, 1.21, "1.2 missed"),
        (ACKS, None, "1.2"),
    ],
)
def test_a_goal_is_held_on_its_own_side(metric, ratio, said):
    """More is better of work, less of memory and of time."""
    assert verdict(metric, ratio, 1.2) == said


def test_every_work_has_its_goals():
    """Each measure of each work is judged, and no goal is of a work that is gone."""
    measures = {(work.name, metric.key) for work in WORKS.values() for metric in work.metrics}
    assert measures == set(GOALS)
    for (name, key), goal in GOALS.items():
        metric = next(each for each in WORKS[name].metrics if each.key == key)
        assert (goal.after > goal.must) == (metric.better == "more")


@pytest.mark.parametrize("key", ["not_ready", "refused", "errors", "missing_deliveries"])
def test_figures_of_a_server_that_lost_something_do_not_count(key):
    """A server that drops what it should deliver would be the fastest of all."""
    figures = {DELIVERIES.key: 100.0, key: 1}
    with pytest.raises(RunFailed, match=key):
        check(figures, FAN)
    check(figures | {key: 0}, FAN)


def test_figures_without_the_measure_do_not_count():
    """An answer of the generator that lacks what was asked for is no run."""
    with pytest.raises(RunFailed, match="incomplete"):
        check({}, FAN)


def test_the_table_is_one_grid_in_the_terminal_and_on_a_page():
    """Same cells; columns of one width, or bars."""
    lines = cells_of(summarise(runs([100], [50]), [FAN], "node"), "node")
    assert len(set(map(len, lines))) == 1
    heading, rule, row = aligned(lines).splitlines()
    assert heading.index("node") == row.index("50.0")
    assert set(rule) == {"-", " "}
    assert markdown(lines).splitlines()[1].count("---") == len(lines[0])


def test_what_makes_a_row_doubtful_is_said():
    """A generator that came late has measured itself."""
    figures = {DELIVERIES.key: 1.0, "generator_late_ms": 35.0}
    assert remarks([Run("open", "ours", 0, figures)]) == [
        "open, ours: the generator was up to 35 ms late: distrust p99"
    ]
