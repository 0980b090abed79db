"""The modules of the page and of its client, each on its own, in Node."""

import subprocess
import tarfile
from pathlib import Path

import pytest

from tests.e2e.js_driver import JS_FOLDER
from tests.support.markdown import ROOT

CLIENT = ROOT / "client"
FILES = sorted([*(JS_FOLDER / "unit").glob("*.test.mjs"), *(CLIENT / "tests").glob("*.test.mjs")])


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


def test_the_vendored_client_is_what_npm_packs(node_modules: None, tmp_path: Path) -> None:
    """The page has the package of client/, byte for byte: `tools/vendor-client` renews it."""
    pack = ["npm", "pack", str(CLIENT), "--silent", "--pack-destination", str(tmp_path)]
    subprocess.run(pack, check=True, capture_output=True, timeout=50)
    (packed,) = tmp_path.glob("*.tgz")
    with tarfile.open(packed) as archive:
        archive.extractall(tmp_path, filter="data")
    assert contents(tmp_path / "package") == contents(ROOT / "static/vendor/chatgateway-client")


def contents(folder: Path) -> dict[str, bytes]:
    """The files of a folder, by their path in it."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}
