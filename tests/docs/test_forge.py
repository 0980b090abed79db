"""The files that a forge and editors read, which nothing else would find wrong."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FORMS = [
    each for each in (ROOT / ".github/ISSUE_TEMPLATE").glob("*.yml") if each.name != "config.yml"
]


def is_valid(schema, *files):
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}"]
    done = subprocess.run([*command, *files], cwd=ROOT, check=False, capture_output=True, text=True)
    return done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("schema", "files"),
    [
        ("github-workflows", [".github/workflows/ci.yml"]),
        ("dependabot", [".github/dependabot.yml"]),
        ("github-issue-config", [".github/ISSUE_TEMPLATE/config.yml"]),
        ("github-issue-forms", FORMS),
    ],
)
def test_a_file_of_the_forge_is_valid_by_its_schema(schema, files):
    """A workflow or a form that is not valid is ignored, and nobody is told."""
    valid, why = is_valid(schema, *files)
    assert valid, why


def test_a_workflow_that_is_not_valid_is_found(tmp_path):
    """The check itself can fail."""
    broken = tmp_path / "ci.yml"
    broken.write_text((ROOT / ".github/workflows/ci.yml").read_text().replace("jobs:", "job:"))
    assert not is_valid("github-workflows", broken)[0]


def test_what_runs_before_a_commit_is_what_make_lint_runs():
    """Each command of `make lint` is in .pre-commit-config.yaml."""
    _, _, recipe = (ROOT / "Makefile").read_text().partition("\nlint: $(DEV)\n")
    commands = [line.split()[0] for line in recipe.partition("\n\n")[0].splitlines()]
    hooks = (ROOT / ".pre-commit-config.yaml").read_text()
    assert len(commands) == 4
    for command in commands:
        assert f"entry: {command.replace('$(BIN)', '.venv/bin')}" in hooks
