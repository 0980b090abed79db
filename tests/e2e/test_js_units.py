"""The modules of the page and of its client, each on its own, in Node."""

import subprocess
from pathlib import Path

import pytest

from tests.e2e.js_driver import JS_FOLDER
from tests.support.markdown import ROOT

CLIENT = ROOT / "client"
FOLDERS = [JS_FOLDER / "unit", CLIENT / "tests", CLIENT / "react" / "tests"]
FILES = sorted(path for folder in FOLDERS for path in folder.glob("*.test.mjs"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_module_keeps_its_rules(node_modules: None, path: Path) -> None:
    """What a module promises is tried without a browser; a failure names its rule."""
    done = subprocess.run(
        # Without `--test`, which would run the file in a process that outlives a time-out.
        ["node", "--test-reporter=spec", str(path)],
        capture_output=True,
        text=True,
        timeout=50,
    )
    assert done.returncode == 0, done.stdout + done.stderr
