"""What faults are made with."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.small_disk import mounted


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder with a file system of its own, of 80 MB; skips where none may be mounted."""
    folder = tmp_path / "disk"
    with mounted(folder) as there:
        if not there:
            pytest.skip("this user may not mount a small disk")
        yield folder
