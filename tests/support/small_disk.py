"""A file system of a few megabytes, to be filled up."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MB = 1_000_000


@contextmanager
def mounted(folder: Path) -> Iterator[bool]:
    """80 MB at this folder; False where this user may not mount any."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=80m", "tmpfs", str(folder)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        yield False
        return
    try:
        yield True
    finally:
        # A store that was just killed may be in there for a moment longer.
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(disk: Path) -> Path:
    """Take every byte that is left, at once; the file that has them."""
    taken = disk / "fill"
    with taken.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(MB // 10))
        except OSError:
            return taken
