"""The npm package of client/: what is packed, what its tools say, and its tests in a browser."""

import subprocess
import tarfile
from pathlib import Path

import pytest

from tests.support.markdown import ROOT

CLIENT = ROOT / "client"
TOOLS_MAY_TAKE_S = 200


def run(*command: str) -> str:
    done = subprocess.run(
        command, cwd=CLIENT, capture_output=True, text=True, timeout=TOOLS_MAY_TAKE_S - 10
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def contents(folder: Path) -> dict[str, bytes]:
    """The files of a folder, by their path in it."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_the_vendored_client_is_what_npm_packs(node_modules: None, tmp_path: Path) -> None:
    """The page has the package of client/, byte for byte: `tools/vendor-client` renews it."""
    run("npm", "pack", "--silent", "--pack-destination", str(tmp_path))
    (packed,) = tmp_path.glob("*.tgz")
    with tarfile.open(packed) as archive:
        archive.extractall(tmp_path, filter="data")
    assert contents(tmp_path / "package") == contents(ROOT / "static/vendor/chatgateway-client")


@pytest.mark.timeout(TOOLS_MAY_TAKE_S)
def test_the_package_is_fit_to_be_installed(node_modules: None) -> None:
    """Types, API report, comments, publint, attw and size: `npm run check` in client/."""
    said = run("npm", "run", "--silent", "check")
    assert [line.partition(":")[0] for line in said.splitlines()] == [
        "types", "front_end", "documented", "publint", "attw", "size",
    ]  # fmt: skip


@pytest.mark.timeout(TOOLS_MAY_TAKE_S)
def test_the_modules_keep_their_rules_in_a_browser(node_modules: None, chromium: object) -> None:
    """The tests that Node runs, on a page of Chromium and in a worker of it."""
    said = run("node", "tests/support/chromium.mjs")
    assert "page: " in said
    assert "worker: " in said
