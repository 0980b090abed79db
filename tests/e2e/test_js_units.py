"""The modules of the page, each on its own, in Node: the files of tests/js/unit."""

import subprocess
from pathlib import Path

import pytest

from tests.e2e.js_driver import JS_FOLDER

FILES = sorted((JS_FOLDER / "unit").glob("*.test.mjs"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_module_of_the_page_keeps_its_rules(node_modules: None, path: Path) -> None:
    """What a module of static/ promises is tried without a browser; a failure names its rule."""
    done = subprocess.run(
        # Without `--test`, which would run the file in a process that outlives a time-out.
        ["node", "--test-reporter=spec", str(path)],
        capture_output=True,
        text=True,
        timeout=50,
    )
    assert done.returncode == 0, done.stdout + done.stderr
