"""The benchmarks run at all, and their pages tell what they do."""

import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from benchmarks.limits import RAISED_LIMITS
from benchmarks.plot import drawing
from benchmarks.wire.works import WORKS
from chat.settings import Settings
from plugins.rate_limit import RateLimit

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "benchmarks" / "README.md").read_text()


def test_a_work_is_measured_from_end_to_end(tmp_path):
    """Generator built, server started, figures taken, report written; without the peer."""
    report = tmp_path / "report.json"
    options = ["--works", "ack2", "--reps", "1", "--no-peer", "--json", str(report)]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.wire", *options],
        cwd=ROOT,
        env=os.environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=50,
    )
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(report.read_text())["summary"]
    assert row["work"] == "ack2"
    assert row["cells"]["ours"]["median"] > 0
    assert "ack2" in done.stdout


def test_an_unknown_work_is_refused_in_a_sentence():
    """And those that there are stand in it."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.wire", "--works", "fun10"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert done.returncode == 2
    assert "unknown work fun10" in done.stderr
    assert "fan10" in done.stderr


def test_the_page_names_the_limits_that_are_raised():
    """Name and value of each, and no other."""
    told = dict(re.findall(r"^\| `([A-Z_]+)` \| `([^`]+)` \|", PAGE, re.MULTILINE))
    assert told == RAISED_LIMITS


def test_every_limit_that_is_raised_is_a_setting():
    """A name that nothing reads would raise nothing."""
    known = {name.upper() for name in Settings.model_fields}
    known |= {f"CHAT_RATE_LIMIT_{name}".upper() for name in RateLimit.Settings.model_fields}
    assert set(RAISED_LIMITS) <= known


def test_the_page_describes_every_work():
    """A row each."""
    described = set(re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)) - set(RAISED_LIMITS)
    assert described == set(WORKS)


def test_the_plot_is_of_the_figures_beside_it():
    """Who measures anew draws anew."""
    report = json.loads((ROOT / "benchmarks" / "growth.json").read_text())
    drawn = (ROOT / "benchmarks" / "growth.svg").read_text()
    assert drawn == drawing(report["panels"])
    assert ElementTree.fromstring(drawn).tag.endswith("svg")  # noqa: S314  # our own file
